"""Masking against labelled personal data: no model, but the sets under VOC_EVAL_DATA."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nlp.mask import mask

pytestmark = pytest.mark.evaluation

GOALS = {
    "EMAIL_ADDRESS": 0.99,
    "CREDIT_CARD": 0.99,
    "IP_ADDRESS": 0.99,
    "US_SSN": 0.99,
    "PHONE_NUMBER": 0.95,
}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    folder = os.environ.get("VOC_EVAL_DATA")
    if not folder:
        pytest.skip("VOC_EVAL_DATA is not set: the labelled sets are not shipped")
    lines = (Path(folder) / "pii_presidio" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_personal_data_is_covered_and_other_text_is_not(rows: list[dict[str, Any]]) -> None:
    covered_values: Counter[str] = Counter()
    values: Counter[str] = Counter()
    other = masked_other = 0
    for row in rows:
        text = row["text"]
        hidden = {i for f in mask(text).found for i in range(f.start, f.end)}
        personal = {i for _, _, start, end in row["spans"] for i in range(start, end)}
        for kind, _, start, end in row["spans"]:
            values[kind] += 1
            covered_values[kind] += all(i in hidden for i in range(start, end) if text[i].isalnum())
        rest = [i for i in range(len(text)) if text[i].isalnum() and i not in personal]
        other += len(rest)
        masked_other += sum(i in hidden for i in rest)

    for kind, goal in GOALS.items():
        assert covered_values[kind] / values[kind] >= goal, kind
    assert masked_other / other <= 0.005
