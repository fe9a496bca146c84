"""Themes of real statements, and whether a name stays on its theme from week to week."""

import csv
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from nlp.arrays import FloatArray, IntArray
from nlp.embed import get_encoder
from nlp.evaluation.themes import agreement, evaluate_themes
from nlp.themes import NONE, Theme, assign, rebuild

pytestmark = [pytest.mark.evaluation, pytest.mark.model]

INTENTS = 12
WEEKS = 5
A_WEEK = 96


@pytest.fixture(scope="module")
def statements() -> tuple[list[str], FloatArray, list[str]]:
    """Questions of some intents of banking77, in a fixed random order, embedded."""
    folder = os.environ.get("VOC_EVAL_DATA")
    if not folder:
        pytest.skip("VOC_EVAL_DATA is not set: the labelled sets are not shipped")
    with (Path(folder) / "banking77" / "dev.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    rng = np.random.default_rng(0)
    intents = rng.permutation(sorted({label for _, label in rows}))[:INTENTS]
    chosen = [row for row in rows if row[1] in set(intents)]
    chosen = [chosen[place] for place in rng.permutation(len(chosen))[: WEEKS * A_WEEK]]
    texts = [text for text, _ in chosen]
    return texts, get_encoder().encode(texts), [label for _, label in chosen]


def test_themes_follow_what_people_marked(
    statements: tuple[list[str], FloatArray, list[str]],
) -> None:
    texts, vectors, labels = statements

    report = evaluate_themes(texts, vectors, labels, seed=0)

    assert report.metrics["nmi"] >= 0.8
    assert report.metrics["assigned"] >= 0.8
    assert report.metrics["ari_orders"] == 1
    assert report.metrics["ari_seeds"] >= 0.9
    assert len(report.rows) == report.metrics["themes"]
    assert all(row.words and row.central for row in report.rows)


def test_a_name_is_still_on_the_right_theme_after_five_weekly_rebuilds(
    statements: tuple[list[str], FloatArray, list[str]],
) -> None:
    _, vectors, labels = statements
    themes: list[Theme] = []
    theme_of = np.zeros(0, dtype=np.int64)
    named: dict[int, str] = {}
    given: set[int] = set()
    for week in range(1, WEEKS + 1):
        there = vectors[: week * A_WEEK]
        new = assign(there[len(theme_of) :], themes).themes
        rebuilt = rebuild(there, np.concatenate([theme_of, new]), themes, seed=week)
        theme_of = np.full(len(there), NONE, dtype=np.int64)
        themes = []
        for group in rebuilt.groups:
            number = group.continues or max(given, default=0) + 1
            assert group.continues or number not in given
            given.add(number)
            theme_of[group.found.members] = number
            themes.append(
                Theme(
                    id=number,
                    centroid=group.found.centroid,
                    cut=group.found.cut,
                    size=len(group.found.members),
                )
            )
        if week == 1:
            named = majorities(theme_of, labels)

    now = majorities(theme_of, labels)
    kept = [number for number in named if number in now]
    assert len(kept) >= 0.75 * len(named)
    assert sum(now[number] == named[number] for number in kept) >= 0.9 * len(kept)
    assert agreement(theme_of, labels)["nmi"] >= 0.8


def majorities(theme_of: IntArray, labels: list[str]) -> dict[int, str]:
    """What each theme is mostly about: the name a person would give it."""
    return {
        int(number): Counter(
            label for label, theme in zip(labels, theme_of, strict=False) if theme == number
        ).most_common(1)[0][0]
        for number in np.unique(theme_of[theme_of != NONE])
    }
