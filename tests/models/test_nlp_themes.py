"""Themes of real statements, and whether a name stays on its theme from week to week."""

import csv
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from nlp.arrays import FloatArray, IntArray
from nlp.evaluation.themes import agreement, evaluate_themes
from nlp.reader import get_reader
from nlp.themes import NONE, Found, Theme, assign, bootstrap, rebuild
from nlp.themes.labels import class_tfidf, common_words, terms

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
    return texts, get_reader().encode(texts), [label for _, label in chosen]


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
            named = majorities(theme_of, labels, least=0.5)

    now = majorities(theme_of, labels)
    kept = [number for number in named if number in now]
    assert len(named) >= 3
    assert len(kept) >= 0.75 * len(named)
    assert sum(now[number] == named[number] for number in kept) >= 0.9 * len(kept)
    assert agreement(theme_of, labels)["nmi"] >= 0.8


class Clusterer:
    """Our clustering, as BERTopic calls one."""

    found: list[Found]
    labels_: IntArray

    def fit(self, vectors: FloatArray, y: object = None) -> "Clusterer":
        self.found = bootstrap(vectors, seed=0)
        self.labels_ = np.full(len(vectors), NONE, dtype=np.int64)
        for number, each in enumerate(self.found):
            self.labels_[each.members] = number
        return self


@pytest.mark.filterwarnings("ignore")
def test_bertopic_with_our_clusterer_has_our_themes_and_our_weights(
    statements: tuple[list[str], FloatArray, list[str]],
) -> None:
    """So the product can do without the package: it would change no theme and no word."""
    from bertopic import BERTopic
    from bertopic.dimensionality import BaseDimensionalityReduction
    from sklearn.feature_extraction.text import CountVectorizer

    texts, vectors, _ = statements
    said = [[term.replace(" ", "_") for term in terms(text, common_words())] for text in texts]
    clusterer = Clusterer()
    model = BERTopic(
        language="multilingual",  # leaves our terms as they are
        embedding_model=None,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=clusterer,
        vectorizer_model=CountVectorizer(analyzer=str.split),
    )

    topics = np.array(model.fit_transform([" ".join(each) for each in said], vectors)[0])

    rows_of = {int(topic): np.flatnonzero(topics == topic) for topic in np.unique(topics)}
    theirs = {tuple(rows) for topic, rows in rows_of.items() if topic != NONE}
    assert len(theirs) >= INTENTS // 2
    assert theirs == {tuple(sorted(each.members)) for each in clusterer.found}
    weights = class_tfidf(
        {
            topic: Counter(term for row in rows for term in said[row])
            for topic, rows in rows_of.items()
        }
    )
    vocabulary = model.vectorizer_model.vocabulary_
    for row, own in enumerate(weights.values()):
        shown = model.c_tf_idf_[row].toarray()[0]
        assert {term: shown[vocabulary[term]] for term in own} == pytest.approx(own)


def majorities(theme_of: IntArray, labels: list[str], *, least: float = 0.0) -> dict[int, str]:
    """What each theme is mostly about: the name a person would give it, if *least* of it is."""
    names = {}
    for number in np.unique(theme_of[theme_of != NONE]).tolist():
        own = [label for label, theme in zip(labels, theme_of, strict=False) if theme == number]
        name, count = Counter(own).most_common(1)[0]
        if count >= least * len(own):
            names[number] = name
    return names
