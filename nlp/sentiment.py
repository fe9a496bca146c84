"""How a statement feels: negative, neutral or positive, with calibrated probabilities.

The head that ships is honest and tiny: a linear map of the encoder's vectors, trained only on
openly licensed text. `docs/models/sentiment.md` says how good that is, and what it cannot do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from nlp.arrays import FloatArray
from nlp.runtime.weights import checked_bytes

LABELS = ("negative", "neutral", "positive")
UNSURE_BELOW = 0.45
"""Of the likeliest label. A third is a coin with three sides; under this, about half of what the
head says on unseen domains is wrong, so a person should look."""

WEIGHTS = Path(__file__).parent / "weights" / "sentiment_head.safetensors"
WEIGHTS_SHA256 = "4d65bad4c34d3a0144ccbcee38a7f8edc4a3c92f6b8358b91b6d5d714647bbff"


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


class HeadSentiment:
    """Multinomial logistic regression on the default encoder's vectors; English only."""

    languages = frozenset({"en"})

    def __init__(self, weights: Path = WEIGHTS, *, sha256: str = WEIGHTS_SHA256) -> None:
        """Read the weights: 5 kB.

        Raises:
            ModelFileError: The file is missing or not the released one.
        """
        from safetensors.numpy import load

        tensors = load(checked_bytes(weights, sha256))
        self.version = f"sentiment-head@{sha256[:8]}"
        self._weight: FloatArray = tensors["weight"]  # (3, d)
        self._bias: FloatArray = tensors["bias"]  # (3,)
        self._temperature = float(tensors["temperature"][0])

    def predict(self, texts: Sequence[str], vectors: FloatArray) -> FloatArray:
        """Shape ``(n, 3)``. *texts* are not read: everything this model knows is in *vectors*."""
        logits = vectors.reshape(len(texts), self._weight.shape[1]) @ self._weight.T + self._bias
        return softmax(logits / self._temperature)


def softmax(logits: FloatArray) -> FloatArray:
    """Rows to probabilities, shape unchanged; a row of no columns stays as it is."""
    if logits.shape[1] == 0:
        return logits
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    rows: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows
