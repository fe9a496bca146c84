"""Themes in statements that have none: at the start, and in what has waited since."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.arrays import FloatArray, IntArray
from nlp.embed import unit
from nlp.themes.assignment import NONE, Theme, assign
from nlp.themes.clustering import canonical_order, communities

SAMPLE = 4000
"""Most distinct statements that are clustered at once; the rest is assigned to what they form."""
PENDING = 4000
"""Most statements, the newest, that wait for a discovery."""
DISCOVER_FROM = 200
"""Waiting statements from which a discovery is worth it."""
MIN_SIZE = 8
"""Statements that make a theme."""
BORDER = 0.1
"""Share of a group, the farthest from its centroid, that lies outside the cut."""
LOOSEST = 0.3
"""What holds together less is no theme: statements about nothing in common are as near."""
TIGHTEST = 0.8
"""No cut is above it: a theme of copies still takes the same said in other words."""
COHESION = 0.1
"""Share of the themes there are that may be looser than one that is born of what waited."""
SAME = 0.85
"""Cosine of two centroids from which they are one theme."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """A group of statements that was just found."""

    members: IntArray
    """Rows of what was clustered, shape ``(m,)``, most central first."""
    centroid: FloatArray
    """Shape ``(d,)``, length 1."""
    cut: float
    """The least cosine of a member."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Discovery:
    """What became of the statements that waited; rows that are in neither go on waiting."""

    joins: dict[int, int]
    """Row to the id of the theme it belongs to after all."""
    born: list[Found]


def bootstrap(vectors: FloatArray, *, seed: int) -> list[Found]:
    """The themes of *vectors*, largest first; rows in none of them are unassigned.

    Any number of rows, also none; the order of the rows changes nothing. A row is a member of
    the nearest theme if it is within its cut, so that `assign` says the same of it later.

    Args:
        vectors: Statements, shape ``(n, d)``, rows of length 1. Rows of zeros fit nowhere.
        seed: Of the sample, where there are more than `SAMPLE` distinct rows, and of the
            clustering.
    """
    usable = np.flatnonzero(vectors.any(axis=1))
    rows, counts = _distinct(vectors[usable])
    order = canonical_order(rows, seed=seed)[:SAMPLE]
    groups = _groups(rows[order], counts[order], seed=seed)
    return [
        Found(members=usable[found.members], centroid=found.centroid, cut=found.cut)
        for found in _settled(vectors[usable], groups)
    ]


def discover(vectors: FloatArray, themes: Sequence[Theme], *, seed: int) -> Discovery:
    """Themes that are born of the statements which waited.

    A group whose centroid is one with an existing theme's joins that theme: its border was
    drawn too close. A group is born only if it holds together as well as the themes there are.

    Args:
        vectors: The pending pool, shape ``(n, d)``, rows of length 1, at most `PENDING`.
        themes: The registry's active themes.
    """
    joins: dict[int, int] = {}
    born: list[Found] = []
    loosest = _loosest(themes)
    for found in bootstrap(vectors, seed=seed):
        theme = _same(found, themes)
        if theme is not None:
            joins |= dict.fromkeys(found.members.tolist(), theme)
        elif found.cut >= loosest:
            born.append(found)
    return Discovery(joins=joins, born=born)


def _loosest(themes: Sequence[Theme]) -> float:
    """The cut a new theme needs: what waits is mostly what is between themes, not a theme."""
    return float(np.quantile([theme.cut for theme in themes], COHESION)) if themes else -1.0


def _same(found: Found, themes: Sequence[Theme]) -> int | None:
    anywhere = [dataclasses.replace(theme, cut=SAME) for theme in themes]
    [theme] = assign(found.centroid[None, :], anywhere).themes
    return None if theme == NONE else int(theme)


def _distinct(vectors: FloatArray) -> tuple[FloatArray, IntArray]:
    """Each row once, and how often it came: a hundred copies are not a hundred neighbours."""
    if len(vectors) == 0:
        return vectors, np.zeros(0, dtype=np.int64)
    rows, counts = np.unique(vectors, axis=0, return_counts=True)
    return rows, counts.astype(np.int64)


def _groups(rows: FloatArray, counts: IntArray, *, seed: int) -> list[Theme]:
    """The clusters of distinct *rows* in canonical order, as themes that are numbered by size."""
    labels = _merged(rows, communities(rows, seed=seed))
    sizes = np.bincount(labels, weights=counts)
    large = [label for label in np.argsort(-sizes, kind="stable") if sizes[label] >= MIN_SIZE]
    themes = []
    for number, label in enumerate(large):
        members = rows[labels == label]
        centroid = unit(members.mean(axis=0, keepdims=True))[0]
        cut = _cut(members @ centroid)
        if cut >= LOOSEST:
            themes.append(Theme(id=number, centroid=centroid, cut=cut, size=int(sizes[label])))
    return themes


def _merged(rows: FloatArray, labels: IntArray) -> IntArray:
    """Groups with nearly one centroid are one: modularity also cuts up what has no parts."""
    sizes = np.bincount(labels)
    large = np.flatnonzero(sizes >= MIN_SIZE)
    sums = np.array([rows[labels == label].sum(axis=0) for label in large], dtype=np.float32)
    while len(large) > 1:
        centroids = unit(sums)
        cosines = np.triu(centroids @ centroids.T, k=1)
        one, other = np.unravel_index(int(cosines.argmax()), cosines.shape)
        if cosines[one, other] < SAME:
            break
        labels = np.where(labels == large[other], large[one], labels)
        sums[one] += sums[other]
        large, sums = np.delete(large, other), np.delete(sums, other, axis=0)
    return labels


def _cut(similarity: FloatArray) -> float:
    """Where a theme ends: outside of it lie the farthest `BORDER` of those it was made of."""
    edge = min(float(np.quantile(similarity, BORDER)), TIGHTEST)
    return float(np.floor(edge * 1e4) / 1e4)  # rounded down: another machine's last digit


def _settled(vectors: FloatArray, themes: Sequence[Theme]) -> list[Found]:
    """What `assign` makes of all rows, without the themes that are too small by that rule."""
    while True:
        assigned = assign(vectors, themes)
        members = {t.id: np.flatnonzero(assigned.themes == t.id) for t in themes}
        large = [theme for theme in themes if len(members[theme.id]) >= MIN_SIZE]
        if len(large) == len(themes):
            break
        themes = large
    found = []
    for theme in sorted(themes, key=lambda theme: -len(members[theme.id])):
        rows = members[theme.id]
        central = rows[np.argsort(-assigned.similarity[rows], kind="stable")]
        found.append(Found(members=central, centroid=theme.centroid, cut=theme.cut))
    return found
