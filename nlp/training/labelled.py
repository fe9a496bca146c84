"""The labelled sets as texts and labels.

Two kinds, never mixed: what is openly licensed may train weights that are shipped, the rest
only measures them.
"""

from __future__ import annotations

import csv
import json
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.sentiment import LABELS

OPEN_SETS = (
    "goemotions_3class",
    "hutto_snippets",
    "uci_sentences",
    "clothing_reviews",
    "mams_acsa",
    "clinc150",
    "banking77",
)
EVALUATION_SETS = (
    "airline_tweets",
    "tweeteval_sentiment",
    "sst",
    "apple_tweets",
    "brand_tweets",
    "alexa_reviews",
    "skytrax_reviews",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    text: str
    label: str


def data_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the labelled sets are: the environment variable VOC_EVAL_DATA.

    Raises:
        FileNotFoundError: It is not set, or there is no such folder.
    """
    value = environment.get("VOC_EVAL_DATA", "")
    if not value or not Path(value).is_dir():
        raise FileNotFoundError("set VOC_EVAL_DATA to the folder of the labelled sets")
    return Path(value)


def read_rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The development rows of a set; the held-out part is not here at all."""
    path = set_file(folder, name)
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file) if path.suffix == ".csv" else map(json.loads, file)


def set_file(folder: Path, name: str) -> Path:
    """The file that holds a set's development rows."""
    table = folder / name / "dev.csv"
    return table if table.exists() else table.with_suffix(".jsonl")


def labelled(folder: Path, name: str) -> list[Example]:
    """The rows of a set that have a label of ours, in the order of the file."""
    rows = read_rows(folder, name)
    if name == "uci_sentences":  # a few rows are not English
        rows = (row for row in rows if row["text"].isascii())
    return [Example(text=row["text"], label=row["label"]) for row in rows if row["label"] in LABELS]


def questions(folder: Path, name: str) -> list[Example]:
    """Requests that carry no judgement: what neutral looks like to a help desk."""
    return [
        Example(text=row["text"], label="neutral")
        for row in read_rows(folder, name)
        if row["text"].isascii()
    ]


def mams_sentences(folder: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Sentences with two or more (category, polarity) of differing polarity."""
    for row in read_rows(folder, "mams_acsa"):
        yield row["text"], [(category, polarity) for category, polarity in row["categories"]]


def sample(examples: Iterable[Example], *, a_class: int, rng: random.Random) -> list[Example]:
    """At most *a_class* of each label, distinct texts, shuffled."""
    by_label: dict[str, list[Example]] = defaultdict(list)
    for example in {example.text: example for example in examples}.values():
        by_label[example.label].append(example)
    chosen = [
        example
        for label in sorted(by_label)
        for example in rng.sample(by_label[label], min(a_class, len(by_label[label])))
    ]
    rng.shuffle(chosen)
    return chosen


def evaluation_sample(folder: Path, name: str, *, size: int = 500) -> list[Example]:
    """A seeded sample that keeps the set's own share of classes."""
    examples = labelled(folder, name)
    return random.Random(name).sample(examples, min(size, len(examples)))  # noqa: S311
