"""New statements to the themes there are, in time proportional to what is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.arrays import FloatArray, IntArray

NONE = -1
BLOCK = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Theme:
    """What assignment needs to know of a theme in the registry."""

    id: int
    centroid: FloatArray
    """Shape ``(d,)``, length 1."""
    cut: float
    """The least cosine to the centroid that makes a statement a member."""
    size: int
    """Statements it has had so far."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assigned:
    """One theme, or none, for each statement."""

    themes: IntArray
    """Ids, shape ``(n,)``; `NONE` where the nearest theme is not near enough."""
    similarity: FloatArray
    """Cosine to the nearest theme's centroid, shape ``(n,)``; 0 where there are no themes."""

    @property
    def unassigned(self) -> float:
        """Share of the statements that fit nowhere; 0 of none."""
        return float((self.themes == NONE).mean()) if len(self.themes) else 0.0


def assign(vectors: FloatArray, themes: Sequence[Theme]) -> Assigned:
    """Each statement to the nearest theme, if it is as near as that theme asks for.

    A statement is never given to the second nearest: between two themes nobody is sure. Of
    themes that are equally near, the lowest id gets it, whatever the order of *themes*.

    Args:
        vectors: Statements, shape ``(n, d)``, rows of length 1 (or zeros, which fit nowhere).
    """
    ordered = sorted(themes, key=lambda theme: theme.id)
    if not ordered or len(vectors) == 0:
        nothing = np.full(len(vectors), NONE, dtype=np.int64)
        return Assigned(themes=nothing, similarity=np.zeros(len(vectors), dtype=np.float32))
    column, similarity = nearest_centroid(
        vectors, np.stack([theme.centroid for theme in ordered]).astype(np.float32)
    )
    cuts = np.array([theme.cut for theme in ordered], dtype=np.float32)
    ids = np.array([theme.id for theme in ordered], dtype=np.int64)
    fits = (similarity >= cuts[column]) & vectors.any(axis=1)
    return Assigned(themes=np.where(fits, ids[column], NONE), similarity=similarity)


def nearest_centroid(vectors: FloatArray, centroids: FloatArray) -> tuple[IntArray, FloatArray]:
    """The nearest row of *centroids* ``(k, d)``, ``k > 0``, and the cosine to it, each ``(n,)``."""
    columns = np.empty(len(vectors), dtype=np.int64)
    similarity = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        cosines = vectors[start : start + BLOCK] @ centroids.T
        best = cosines.argmax(axis=1)
        columns[start : start + BLOCK] = best
        similarity[start : start + BLOCK] = cosines[np.arange(len(best)), best]
    return columns, similarity
