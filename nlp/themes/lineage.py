"""What became of each theme when all of them were found anew.

Old and new are matched by optimal assignment, so that as many statements as possible keep
their theme. An id that went away never comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.arrays import FloatArray, IntArray
from nlp.themes.assignment import Theme
from nlp.themes.discovery import SAME, Found, bootstrap

MOST = 0.5
"""Share of a theme's statements from which they are the theme."""
ALIKE = 0.6
"""Cosine of two centroids below which shared statements prove nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """A theme after a rebuild, and where it comes from. Neither of both: it was born."""

    found: Found
    continues: int | None
    """The id, and with it the name, that it keeps."""
    split_from: int | None
    """The theme most of it was part of, which goes on elsewhere."""
    merged: tuple[int, ...]
    """Themes that went up in it, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rebuild:
    """All themes after a rebuild. Each old id is continued, merged, or retired: once."""

    groups: list[Group]
    retired: tuple[int, ...]
    """Ids that nothing continues, ascending."""


def rebuild(
    vectors: FloatArray, before: IntArray, themes: Sequence[Theme], *, seed: int
) -> Rebuild:
    """Find all themes anew and say which old ones they are.

    Args:
        vectors: A bounded sample of statements, shape ``(n, d)``, rows of length 1.
        before: The theme each of them has now, or -1, shape ``(n,)``.
        themes: The registry's active themes.
        seed: Of the clustering, as for `bootstrap`.
    """
    return succession(bootstrap(vectors, seed=seed), before, themes)


def succession(found: Sequence[Found], before: IntArray, themes: Sequence[Theme]) -> Rebuild:
    """Match *themes* to what was *found*; arguments as for `rebuild`.

    A pair must share most of the statements of one of the two, or have nearly one centroid. Of
    the possible pairs, those are chosen that share most (Jaccard index) over all themes, so of
    themes that merge the one with most statements goes on, and of a theme that splits the
    largest part goes on.
    """
    old = sorted(themes, key=lambda theme: theme.id)
    if not old or not found:
        born = [Group(found=each, continues=None, split_from=None, merged=()) for each in found]
        return Rebuild(groups=born, retired=tuple(theme.id for theme in old))
    ties = _ties(old, found, before)
    heir = _heirs(ties)
    absorbed = _absorbed(ties, heir)
    groups = []
    for column, each in enumerate(found):
        continues = next((old[row].id for row, to in heir.items() if to == column), None)
        groups.append(
            Group(
                found=each,
                continues=continues,
                split_from=_split_from(ties, heir, old, column) if continues is None else None,
                merged=tuple(old[row].id for row, to in absorbed.items() if to == column),
            )
        )
    gone = (theme.id for row, theme in enumerate(old) if row not in heir | absorbed)
    return Rebuild(groups=groups, retired=tuple(gone))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ties:
    """How old themes (rows) and new groups (columns) hang together."""

    jaccard: FloatArray
    of_old: FloatArray
    """Share of the old theme's statements that are in the new group."""
    of_new: FloatArray
    """Share of the new group's statements that are of the old theme."""
    cosine: FloatArray


def _ties(old: Sequence[Theme], found: Sequence[Found], before: IntArray) -> _Ties:
    shared = np.array(
        [[(before[each.members] == theme.id).sum() for each in found] for theme in old],
        dtype=np.float32,
    )
    had = np.array([[(before == theme.id).sum()] for theme in old], dtype=np.float32)
    has = np.array([len(each.members) for each in found], dtype=np.float32)
    centroids = np.stack([theme.centroid for theme in old])
    return _Ties(
        jaccard=shared / np.maximum(had + has - shared, 1),
        of_old=(shared / np.maximum(had, 1)).astype(np.float32),
        of_new=(shared / np.maximum(has, 1)).astype(np.float32),
        cosine=centroids @ np.stack([each.centroid for each in found]).T,
    )


def _heirs(ties: _Ties) -> dict[int, int]:
    """Old row to the one new column that continues it, by optimal assignment."""
    from scipy.optimize import linear_sum_assignment

    most = (ties.of_old >= MOST) | (ties.of_new >= MOST)
    possible = ((ties.cosine >= ALIKE) & most) | (ties.cosine >= SAME)
    # What they share decides, not the number of pairs; the cosine only where that is equal.
    score = np.where(possible, ties.jaccard + ties.cosine / 1000, 0)
    pairs = zip(*linear_sum_assignment(score, maximize=True), strict=True)
    return {int(row): int(column) for row, column in pairs if possible[row, column]}


def _absorbed(ties: _Ties, heir: dict[int, int]) -> dict[int, int]:
    """Old rows without an heir to the columns they went up in, which continue others."""
    absorbed = {}
    for row in range(len(ties.cosine)):
        column = int(np.argmax(ties.of_old[row] + ties.cosine[row] / 1000))
        went = ties.of_old[row, column] >= MOST and ties.cosine[row, column] >= ALIKE
        if row not in heir and (went or ties.cosine[row, column] >= SAME):
            absorbed[row] = column
    return absorbed


def _split_from(ties: _Ties, heir: dict[int, int], old: Sequence[Theme], column: int) -> int | None:
    row = int(np.argmax(ties.of_new[:, column]))
    return old[row].id if row in heir and ties.of_new[row, column] >= MOST else None
