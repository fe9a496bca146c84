"""Thin wrappers: each task adds a name, retries and the settings to functions below.

If a body here needs a decision about the business, it belongs below.
"""
