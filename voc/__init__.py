"""The domain: its nouns, its rules, its use cases, its storage.

Imports nothing else of ours, no Prefect and no model library, so that it can be read,
tested and reused without either.
"""
