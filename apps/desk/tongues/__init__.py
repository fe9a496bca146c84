"""The same keys in every language; `{company}` and such are filled in."""
