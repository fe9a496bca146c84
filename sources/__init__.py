"""The connectors, one file each. `base` is the whole contract.

To add one: write ``sources/<kind>.py`` with a class that fulfils `base.Source`, and name it in
`catalogue.KINDS`. Nothing else changes.
"""
