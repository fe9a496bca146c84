"""The connectors, one file each. `base` is the whole contract.

To add one: say what the company file must know of it in `voc/company/sources.py` (a class, added to
the union `SourceConfig`), write ``sources/<kind>.py`` with a class that fulfils `base.Source`, and
put the two into `catalogue.OVER_HTTP`.
"""
