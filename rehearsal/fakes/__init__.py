"""Faithful stand-ins for the services that sources read: real HTTP on this machine.

They replay the documented shapes and misbehave on demand. They know nothing of our connectors:
what a fake and a connector both believe is believed twice.
"""
