"""How well the sentiment of whole texts is told, against what people said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.arrays import FloatArray, IntArray
from nlp.evaluation.measures import (
    accuracy,
    calibration_error,
    confusion,
    coverage_curve,
    f1_scores,
    macro_f1,
    macro_recall,
    precisions,
    recalls,
)
from nlp.language import is_latin
from nlp.sentiment import LABELS, UNSURE_BELOW
from nlp.understand import Models
from nlp.whole import read_whole

BoolArray = npt.NDArray[np.bool_]
BLOCK = 256
"""Texts that are read at once, so that progress can be told."""
NO_LANGUAGE = "unknown"
OF_GROUPS = (
    *("supported", "accuracy", "macro_f1", "recall_negative", "ece"),
    *("accuracy_all", "macro_f1_all"),
)
"""The metrics that are told of each group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """None where there is nothing to have a share of."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    rows: int
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentReport:
    metrics: dict[str, float]
    """Forced choice, over the rows in a supported language; ``_all``: over all rows."""
    per_class: dict[str, ClassFigures]
    confusion: dict[str, dict[str, int]]
    """How often each label got each answer."""
    groups: dict[str, dict[str, GroupFigures]]
    """By the name of the grouping, then by group, the largest first."""


def evaluate_sentiment(
    texts: Sequence[str],
    labels: Sequence[str],
    models: Models,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    advance: Callable[[int], None] = lambda rows: None,
) -> SentimentReport:
    """Ask the models about each text as a whole, whatever its language.

    Args:
        labels: One of `nlp.sentiment.LABELS` for each text.
        groups: By name, what each row belongs to; ``language`` is detected if it is not given.
        advance: Told how many more texts were read.

    Raises:
        ValueError: There are no texts, or a label is none of ours.
    """
    gold = np.array([LABELS.index(label) for label in labels], dtype=np.int64)
    rows: list[FloatArray] = []
    languages: list[str | None] = []
    for start in range(0, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        languages += models.detector.detect(block)
        rows.append(read_whole(block, models.reader))
        advance(len(block))
    known = models.reader.languages
    supported = np.array(
        [
            language in known or (language is None and is_latin(text))
            for text, language in zip(texts, languages, strict=True)
        ],
        dtype=bool,
    )
    found = [language or NO_LANGUAGE for language in languages]
    return report(np.vstack(rows), gold, supported, {"language": found, **(groups or {})})


def report(
    probabilities: FloatArray,
    gold: IntArray,
    supported: BoolArray,
    groups: Mapping[str, Sequence[str]],
) -> SentimentReport:
    """The figures of answers that were given. Shapes ``(n, 3)``, ``(n,)``, ``(n,)``."""
    answers = probabilities.argmax(axis=1)
    return SentimentReport(
        metrics=figures(probabilities, gold, supported),
        per_class=_per_class(answers[supported], gold[supported]),
        confusion=_confusion(answers[supported], gold[supported]),
        groups={
            name: _by_group(probabilities, gold, supported, np.array(names, dtype=object))
            for name, names in groups.items()
        },
    )


def figures(probabilities: FloatArray, gold: IntArray, supported: BoolArray) -> dict[str, float]:
    """Every metric by name. Without a supported row, only those over all rows.

    Raises:
        ValueError: There are no rows.
    """
    answers = probabilities.argmax(axis=1)
    everything = {
        "supported": float(supported.mean()) if len(supported) else 0.0,
        "accuracy_all": accuracy(answers, gold),
        "macro_f1_all": macro_f1(answers, gold, len(LABELS)),
    }
    if not supported.any():
        return everything
    return _figures(probabilities[supported], gold[supported]) | everything


def _figures(probabilities: FloatArray, gold: IntArray) -> dict[str, float]:
    answers = probabilities.argmax(axis=1)
    half, most, every = coverage_curve(probabilities, gold)
    found = recalls(answers, gold, len(LABELS))
    sure = probabilities.max(axis=1) >= UNSURE_BELOW
    return {
        "accuracy": every,
        "macro_f1": macro_f1(answers, gold, len(LABELS)),
        "macro_recall": macro_recall(answers, gold, len(LABELS)),
        **{
            f"recall_{label}": float(recall)
            for label, recall in zip(LABELS, found, strict=True)
            if not np.isnan(recall)
        },
        "ece": calibration_error(probabilities, gold),
        "accuracy_surest_50": half,
        "accuracy_surest_80": most,
        "answered": float(sure.mean()),
        **({"accuracy_answered": accuracy(answers[sure], gold[sure])} if sure.any() else {}),
    }


def _per_class(answers: IntArray, gold: IntArray) -> dict[str, ClassFigures]:
    columns = [
        [None if np.isnan(share) else float(share) for share in measure(answers, gold, len(LABELS))]
        for measure in (precisions, recalls, f1_scores)
    ]
    support = np.bincount(gold, minlength=len(LABELS))
    return {
        label: ClassFigures(precision=precision, recall=recall, f1=f1, support=int(support[place]))
        for place, (label, precision, recall, f1) in enumerate(zip(LABELS, *columns, strict=True))
    }


def _confusion(answers: IntArray, gold: IntArray) -> dict[str, dict[str, int]]:
    counts = confusion(answers, gold, len(LABELS))
    return {
        label: {answer: int(count) for answer, count in zip(LABELS, row, strict=True)}
        for label, row in zip(LABELS, counts, strict=True)
    }


def _by_group(
    probabilities: FloatArray,
    gold: IntArray,
    supported: BoolArray,
    names: npt.NDArray[np.object_],
) -> dict[str, GroupFigures]:
    found = {}
    sizes = {name: int((names == name).sum()) for name in dict.fromkeys(names)}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        rows = names == name
        all_metrics = figures(probabilities[rows], gold[rows], supported[rows])
        metrics = {metric: all_metrics[metric] for metric in OF_GROUPS if metric in all_metrics}
        found[str(name)] = GroupFigures(rows=sizes[name], metrics=metrics)
    return found
