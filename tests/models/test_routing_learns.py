"""The real encoder on real requests: what labels bring beyond the names of the intents."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from nlp.clean import clean
from nlp.evaluation.routing import evaluate_routing
from nlp.reader import get_reader

DATA = os.environ.get("VOC_EVAL_DATA")

pytestmark = [
    pytest.mark.model,
    pytest.mark.evaluation,
    pytest.mark.skipif(DATA is None, reason="VOC_EVAL_DATA names no folder of labelled sets"),
]
CLASSES, A_CLASS = 8, 40


def test_labels_beat_the_names_of_intents_and_are_calibrated() -> None:
    with (Path(DATA or "") / "banking77" / "dev.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["label"] for row in rows})[:CLASSES]
    taken = [
        row for name in names for row in [each for each in rows if each["label"] == name][:A_CLASS]
    ]
    texts = [clean(row["text"]) for row in taken]
    vectors, labels = get_reader().encode(texts), [row["label"] for row in taken]

    none, few, many = (
        evaluate_routing(texts, vectors, labels, encoder=get_reader(), per_class=per_class).metrics
        for per_class in (0, 4, None)
    )

    assert none["accuracy"] < few["accuracy"] < many["accuracy"]
    assert many["accuracy"] > 0.9
    assert many["ece"] < 0.1
    assert many["precision_answered"] > 0.88
