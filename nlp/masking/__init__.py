"""How personal data is found: what is known, what its shape gives away, what a model says."""
