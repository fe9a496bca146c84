"""Stand-ins for the models of `nlp`: deterministic, instant, no files, no network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from nlp.arrays import FloatArray
from nlp.embed import unit
from nlp.language import is_latin

DIMENSIONS = 64
_GOOD = "good great love loved lovely thanks thank perfect fast friendly"
_BAD = """
    bad rude late broken never terrible awful cold wrong lost worst refund damaged disappointed
    unhelpful
"""
_WORD = re.compile(r"\w+")


class FakeEncoder:
    """A bag of hashed words: texts that share words are similar.

    `encoded` is every text it was given, in order, so that a test can say what was *not*.
    """

    version = "fake-1"

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> FloatArray:
        self.encoded += texts
        rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for number, text in enumerate(texts):
            for word in _WORD.findall(text.casefold()):
                rows[number] += _direction(word)
        return unit(rows)


class FakeDetector:
    """German if it has "und" or "nicht", other scripts by their first letter, else English."""

    version = "fake-1"

    def detect(self, texts: Sequence[str]) -> list[str | None]:
        return [self._language(text) for text in texts]

    @staticmethod
    def _language(text: str) -> str | None:
        words = set(_WORD.findall(text.casefold()))
        if not any(word.isalpha() for word in words):
            return None
        if not is_latin(text):
            return "ja" if re.search("[\u3040-\u30ff]", text) else "ar"
        return "de" if words & {"und", "nicht", "sehr"} else "en"


class FakeSentiment:
    """Counts a few plain words, so that a test can write what it means."""

    version = "fake-1"
    languages = frozenset({"en"})
    good = frozenset(_GOOD.split())
    bad = frozenset(_BAD.split())

    def predict(self, texts: Sequence[str], vectors: FloatArray) -> FloatArray:
        return np.array([self._feeling(text) for text in texts], np.float32).reshape(-1, 3)

    def _feeling(self, text: str) -> tuple[float, float, float]:
        words = set(_WORD.findall(text.casefold()))
        balance = len(words & self.good) - len(words & self.bad)
        if balance == 0:
            return (0.1, 0.8, 0.1)
        return (0.05, 0.05, 0.9) if balance > 0 else (0.9, 0.05, 0.05)


def _direction(word: str) -> FloatArray:
    seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8])
    return np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
