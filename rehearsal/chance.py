"""Chance that is a pure function of a seed and a key: the same again, whatever crashed."""

from __future__ import annotations

import hashlib
from random import Random


def chance(seed: int, *key: object) -> Random:
    """A random generator of its own for *key*."""
    text = "|".join(str(part) for part in (seed, *key))
    return Random(hashlib.sha256(text.encode()).digest())  # noqa: S311  (a play, not a secret)
