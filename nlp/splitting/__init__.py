"""Where a verbatim may be cut: between sentences, and between the clauses of one."""
