"""How a statement feels: negative, neutral or positive, with calibrated probabilities.

The weights that ship are the upper layers of an encoder of its own, trained only on openly
licensed text; `nlp.reader` runs them. `docs/models/sentiment.md` says how good they are, and what
they cannot do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from nlp.arrays import FloatArray

LABELS = ("negative", "neutral", "positive")
UNSURE_BELOW = 0.45
"""Of the likeliest label. A third is a coin with three sides; under this, about half of what the
model says on unseen domains is wrong, so a person should look."""

WEIGHTS = Path(__file__).parent / "weights" / "sentiment.safetensors"
WEIGHTS_SHA256 = "4e0dc867754e699949ee4f7e8e30f572ed7012f2956696a20d01fb03ef8dae04"


class SentimentModel(Protocol):
    @property
    def version(self) -> str:
        """Changes whenever an answer may; known without loading anything."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of what it was trained on. Nothing else may be asked of it."""
        ...

    def predict(self, texts: Sequence[str], vectors: FloatArray) -> FloatArray:
        """Probabilities in the order of `LABELS`, shape ``(n, 3)``, rows sum to 1.

        Args:
            texts: ``n`` statements as they were embedded.
            vectors: Their vectors, shape ``(n, d)``.
        """
        ...


def softmax(logits: FloatArray) -> FloatArray:
    """Rows to probabilities, shape unchanged; a row of no columns stays as it is."""
    if logits.shape[1] == 0:
        return logits
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    rows: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows
