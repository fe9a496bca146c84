"""When things run. A flow reads like the sentence in its docstring."""
