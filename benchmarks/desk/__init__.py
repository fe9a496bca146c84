"""How fast the desk is with much in the books."""
