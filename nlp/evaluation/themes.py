"""How good the themes are that would be found in texts whose subject people have marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.arrays import FloatArray, IntArray
from nlp.clean import clean
from nlp.mask import mask
from nlp.themes import NONE, Found, bootstrap, label_words

SAMPLE = 2500
"""Texts that are read, drawn by the seed: figures of other numbers of texts do not compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeRow:
    """A theme as a person would see it."""

    words: tuple[str, ...]
    size: int
    central: str
    """Its most central text, masked and without handles and links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeReport:
    metrics: dict[str, float]
    """``themes`` is a number, all others are shares or scores of at most 1.

    ``assigned``, ``unassigned``; ``nmi``, ``ami``, ``ari`` with the labels, over the assigned
    texts; ``nmi_NAME``, ``ami_NAME`` with a group that themes should not follow (only AMI is
    corrected for chance: below 0 is less than chance); ``ari_orders``, ``ari_seeds``: the same
    texts in another order or with another seed, over the texts assigned both times.
    """
    rows: tuple[ThemeRow, ...]
    """The themes, largest first."""


def evaluate_themes(
    texts: Sequence[str],
    vectors: FloatArray,
    labels: Sequence[str] | None,
    groups: Sequence[str] | None = None,
    *,
    seed: int,
    group_name: str = "group",
    stop_words: Sequence[str] = (),
) -> ThemeReport:
    """Find the themes of a sample of *texts* and compare them with *labels*.

    Args:
        texts: As they were embedded.
        vectors: Shape ``(n, d)``, rows of length 1.
        labels: What each text is about; None: only stability is measured.
        groups: What themes should not follow, such as the brand.
        seed: Of the sample and the themes; ``ari_seeds`` compares with the next two.
        group_name: Of the metrics for *groups*.
        stop_words: The company's names, which must not name a theme.
    """
    rows = sampled(len(texts), seed)
    vectors = vectors[rows]
    found = bootstrap(vectors, seed=seed)
    theme_of = _theme_of(found, len(rows))
    assigned = float((theme_of != NONE).mean()) if len(rows) else 0.0
    metrics = {
        "themes": float(len(found)),
        "assigned": assigned,
        "unassigned": 1.0 - assigned,
        **_stability(vectors, theme_of, seed),
    }
    if labels is not None:
        metrics |= agreement(theme_of, [labels[row] for row in rows])
    if groups is not None:
        same = agreement(theme_of, [groups[row] for row in rows])
        metrics |= {f"{name}_{group_name}": same[name] for name in ("nmi", "ami")}
    table = _table([texts[row] for row in rows], found, stop_words)
    return ThemeReport(metrics=metrics, rows=table)


def sampled(count: int, seed: int) -> IntArray:
    """At most `SAMPLE` row numbers out of *count*, ascending."""
    drawn = np.random.default_rng(seed).permutation(count)[:SAMPLE]
    return np.sort(drawn).astype(np.int64)


def agreement(theme_of: IntArray, labels: Sequence[str]) -> dict[str, float]:
    """NMI, AMI and ARI over the assigned texts; 0 where none is assigned."""
    from sklearn import metrics

    assigned = theme_of != NONE
    if not assigned.any():
        return {"nmi": 0.0, "ami": 0.0, "ari": 0.0}
    true, ours = np.asarray(labels, dtype=str)[assigned], theme_of[assigned]
    return {
        "nmi": float(metrics.normalized_mutual_info_score(true, ours)),
        "ami": float(metrics.adjusted_mutual_info_score(true, ours)),
        "ari": float(metrics.adjusted_rand_score(true, ours)),
    }


def _theme_of(found: Sequence[Found], count: int) -> IntArray:
    theme_of = np.full(count, NONE, dtype=np.int64)
    for number, each in enumerate(found):
        theme_of[each.members] = number
    return theme_of


def _stability(vectors: FloatArray, theme_of: IntArray, seed: int) -> dict[str, float]:
    order = np.random.default_rng(seed + 1).permutation(len(vectors))
    shuffled = np.empty_like(theme_of)
    shuffled[order] = _theme_of(bootstrap(vectors[order], seed=seed), len(vectors))
    others = [_theme_of(bootstrap(vectors, seed=seed + n), len(vectors)) for n in (1, 2)]
    return {
        "ari_orders": _same_groups(theme_of, shuffled),
        "ari_seeds": float(np.mean([_same_groups(theme_of, other) for other in others])),
    }


def _same_groups(one: IntArray, two: IntArray) -> float:
    from sklearn.metrics import adjusted_rand_score

    both = (one != NONE) & (two != NONE)
    return float(adjusted_rand_score(one[both], two[both])) if both.any() else 0.0


def _table(
    texts: Sequence[str], found: Sequence[Found], stop_words: Sequence[str]
) -> tuple[ThemeRow, ...]:
    members = {number: [texts[row] for row in each.members] for number, each in enumerate(found)}
    words = label_words(members, stop_words=stop_words) if members else {}
    return tuple(
        ThemeRow(words=words[number], size=len(own), central=clean(mask(own[0]).text))
        for number, own in members.items()
    )
