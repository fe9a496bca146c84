"""How the shipped weights were made. Needs the labelled sets and scikit-learn.

Nothing here is imported by the product.
"""
