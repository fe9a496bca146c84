"""The only SQL. One module a noun.

A function that takes a `Session` never commits: its caller decides what belongs together.
A function that takes an `Engine` owns its transactions.
"""
