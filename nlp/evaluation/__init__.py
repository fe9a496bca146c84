"""How good the models are on labelled texts: what `voc evaluate` prints.

One module a question. Each takes texts, labels and models, and returns a report whose `metrics`
are plain numbers by name; shares lie between 0 and 1.
"""
