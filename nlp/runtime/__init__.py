"""The default models on onnxruntime: every statement is read in one pass over one graph.

`weights` reads the files, `graph` writes the ONNX model, `cache` keeps it, `tokens` makes batches
and `session` runs them. Nothing here imports PyTorch.
"""
