"""How well texts are sent to the subject that people chose, with many labels, few, or none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.arrays import FloatArray, IntArray
from nlp.embed import Encoder
from nlp.evaluation.measures import (
    accuracy,
    calibration_error,
    coverage_curve,
    f1_scores,
    macro_f1,
    precisions,
    recalls,
    top_k_accuracy,
)
from nlp.routing.calibration import measured_threshold
from nlp.routing.head import PRECISION, Examples, fit_head, folds
from nlp.routing.subjects import MIN_PROBABILITY, described, name_in_words
from nlp.routing.training import described_classes
from nlp.sentiment import softmax

DRAWS = 3
"""Of a few labels a class: which ones matters much, so the mean of three is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """Shares between 0 and 1; None where there is nothing to have a share of."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingReport:
    metrics: dict[str, float]
    """Shares between 0 and 1. ``answered`` and ``precision_answered`` are what the ``threshold``,
    chosen on labels that were learned from, brought on those that were not."""
    per_class: dict[str, ClassFigures]
    rows: int
    labels_learned: int
    """How many labels each fit had, on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What was said of rows that were held back."""

    probabilities: FloatArray  # (n, k)
    gold: IntArray  # (n,)
    answered: FloatArray  # (n,): the threshold that held for each
    learned: int


def evaluate_routing(
    texts: Sequence[str],
    vectors: FloatArray,
    labels: Sequence[str],
    *,
    encoder: Encoder,
    descriptions: Mapping[str, Sequence[str]] | None = None,
    per_class: int | None = None,
    train: tuple[Sequence[str], FloatArray, Sequence[str]] | None = None,
    number_of_folds: int = 5,
    seed: int = 0,
    precision: float = PRECISION,
    advance: Callable[[int], None] = lambda rows: None,
) -> RoutingReport:
    """Learn from some rows, and ask about the others.

    One set is cut into folds, each asked about after learning from the rest; with *train*, that
    is learned from and all rows are asked about. A text counts once: a copy of what is asked
    about is never learned from.

    Args:
        texts: ``n`` statements as they are embedded.
        vectors: Of *texts*, shape ``(n, d)``, rows of length 1.
        encoder: What made *vectors*; it embeds the descriptions.
        descriptions: Of each class a description and example phrases; a class without any is
            described by its name split into words.
        per_class: Learn from at most that many labels of each class, the mean of three seeded
            draws; 0: from none, by descriptions only.
        precision: The wanted share of right values among those given.
        advance: Told how many more rows were asked about.

    Raises:
        ValueError: There are fewer than two classes, or fewer rows than folds.
    """
    asked = _distinct(Examples(texts=texts, vectors=vectors, labels=labels))
    taught = None
    if train is not None:
        learned = Examples(texts=train[0], vectors=train[1], labels=train[2])
        taught = _distinct(learned, without=set(asked.texts))
        if not taught.labels:
            raise ValueError("every text to learn from is asked about, too")
    classes = sorted({*labels, *(taught.labels if taught else ()), *(descriptions or ())})
    if len(classes) < 2:  # noqa: PLR2004
        raise ValueError("routing needs rows of at least two labels")
    said = {name: tuple((descriptions or {}).get(name, ())) for name in classes}
    anchors = described_classes(
        {name: own or (name_in_words(name),) for name, own in said.items()}, encoder
    )
    if per_class == 0:
        advance(len(texts))
        return _report([_by_description(asked, anchors)], classes, draws=1)
    draws = 1 if per_class is None else DRAWS
    found = []
    for draw in range(draws):
        for learn, ask in _parts(asked, taught, classes, number_of_folds, seed):
            few = learn if per_class is None else _drawn(learn, per_class, seed + draw)
            found.append(_asked(few, ask, anchors, precision=precision, seed=seed))
            if draw == 0:
                advance(len(ask.labels))
    return _report(found, classes, draws=draws)


def _by_description(asked: Examples, anchors: Mapping[str, Examples]) -> _Said:
    by_description = described(asked.vectors, [each.vectors for each in anchors.values()])
    n = len(asked.labels)
    return _Said(
        probabilities=softmax(by_description.logits),
        gold=_places(asked.labels, list(anchors)),
        answered=np.full(n, MIN_PROBABILITY, dtype=np.float32),
        learned=0,
    )


def _parts(
    asked: Examples, taught: Examples | None, classes: Sequence[str], number: int, seed: int
) -> list[tuple[Examples, Examples]]:
    """What to learn from and what to ask about, once or for each fold."""
    if taught is not None:
        return [(taught, asked)]
    if len(asked.labels) < number:
        raise ValueError(f"{number} folds need at least as many rows")
    parts = folds(_places(asked.labels, classes), number, seed)
    everything = np.arange(len(asked.labels))
    return [(_only(asked, np.setdiff1d(everything, part)), _only(asked, part)) for part in parts]


def _drawn(examples: Examples, per_class: int, seed: int) -> Examples:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(examples.labels))
    left = dict.fromkeys(examples.labels, per_class)
    rows = []
    for row in order:
        if left[examples.labels[row]]:
            left[examples.labels[row]] -= 1
            rows.append(row)
    return _only(examples, np.sort(np.array(rows, dtype=np.int64)))


def _asked(
    learn: Examples, ask: Examples, anchors: Mapping[str, Examples], *, precision: float, seed: int
) -> _Said:
    head = fit_head(learn, anchors, precision=precision, seed=seed).head
    by_description = described(ask.vectors, [each.vectors for each in anchors.values()])
    logits = head.logits(ask.texts, ask.vectors, by_description)
    return _Said(
        probabilities=softmax(logits),
        gold=_places(ask.labels, list(anchors)),
        answered=np.full(len(ask.labels), head.threshold, dtype=np.float32),
        learned=len(learn.labels),
    )


def _report(said: Sequence[_Said], classes: Sequence[str], *, draws: int) -> RoutingReport:
    """Over all rows that were held back, each as often as it was asked about: once a draw."""
    probabilities = np.vstack([each.probabilities for each in said])
    gold = np.concatenate([each.gold for each in said])
    thresholds = np.concatenate([each.answered for each in said])
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    # Above 0 is above the threshold that held for the row.
    above = probabilities.max(axis=1) - thresholds
    reached = measured_threshold(0.0, above, predicted == gold)
    surest_half, surest_80 = coverage_curve(probabilities, gold, (0.5, 0.8))
    return RoutingReport(
        metrics={
            "accuracy": accuracy(predicted, gold),
            "macro_f1": macro_f1(predicted, gold, len(classes)),
            "top3": top_k_accuracy(probabilities, gold, 3),
            "ece": calibration_error(probabilities, gold),
            "accuracy_surest_50": surest_half,
            "accuracy_surest_80": surest_80,
            "answered": reached.answered,
            "precision_answered": reached.precision,
            "threshold": float(thresholds.mean()),
        },
        per_class=_per_class(predicted, gold, classes, draws),
        rows=len(gold) // draws,
        labels_learned=round(float(np.mean([each.learned for each in said]))),
    )


def _per_class(
    predicted: IntArray, gold: IntArray, classes: Sequence[str], draws: int
) -> dict[str, ClassFigures]:
    k = len(classes)
    columns = zip(
        precisions(predicted, gold, k),
        recalls(predicted, gold, k),
        f1_scores(predicted, gold, k),
        np.bincount(gold, minlength=k),
        strict=True,
    )
    return {
        name: ClassFigures(
            precision=_told(row[0]),
            recall=_told(row[1]),
            f1=_told(row[2]),
            support=int(row[3]) // draws,
        )
        for name, row in zip(classes, columns, strict=True)
    }


def _told(share: float) -> float | None:
    return None if np.isnan(share) else float(share)


def _places(labels: Sequence[str], classes: Sequence[str]) -> IntArray:
    place = {name: number for number, name in enumerate(classes)}
    return np.array([place[label] for label in labels], dtype=np.int64)


def _distinct(examples: Examples, *, without: Collection[str] = ()) -> Examples:
    """The first row of each text that is not in *without*."""
    first = {text: row for row, text in reversed(list(enumerate(examples.texts)))}
    rows = sorted(row for text, row in first.items() if text not in without)
    return _only(examples, np.array(rows, dtype=np.int64))


def _only(examples: Examples, rows: IntArray) -> Examples:
    return Examples(
        texts=[examples.texts[row] for row in rows],
        vectors=examples.vectors[rows],
        labels=[examples.labels[row] for row in rows],
    )
