"""How fast, how small and how steady understanding is, beside what others would use."""
