"""Use cases that desk, command line and tasks share. Each is one transaction's worth of work."""
