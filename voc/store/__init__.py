"""The SQL. One module a noun; use cases in `voc.actions` fetch single rows themselves.

A function that takes a `Session` never commits: its caller decides what belongs together.
A function that takes an `Engine` owns its transactions.
"""
