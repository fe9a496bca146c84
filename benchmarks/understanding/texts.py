"""Texts to measure on: of the labelled sets, and out of a small grammar where any will do."""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "VOC_EVAL_DATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSet:
    """A labelled set, and which of its rows are meant."""

    label: str
    name: str
    folder: str
    of_interest: Callable[[dict[str, str]], bool]

    def read(self, n: int) -> list[str]:
        """*n* texts, as long and as short as all of them are; fewer if there are no more."""
        path = Path(os.environ[VARIABLE], self.folder, "dev.csv")
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row["text"] for row in csv.DictReader(file) if self.of_interest(row)]
        return like_all(list(dict.fromkeys(text for text in rows if text.strip())), n)


SHORT = TextSet(
    label="short texts",
    name="tweets of hutto_snippets",
    folder="hutto_snippets",
    of_interest=lambda row: row["source"] == "tweets",
)
REVIEWS = TextSet(
    label="reviews",
    name="clothing_reviews",
    folder="clothing_reviews",
    of_interest=lambda _row: True,
)


def like_all(texts: Sequence[str], n: int) -> list[str]:
    """*n* of *texts* at even steps through their lengths, in the order in which they came."""
    n = min(n, len(texts))
    by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    rows = sorted(by_length[int((place + 0.5) * len(texts) / n)] for place in range(n))
    return [texts[row] for row in rows]


def words_each(texts: Sequence[str]) -> float:
    """Words in a text on average."""
    return sum(len(text.split()) for text in texts) / len(texts)


TROUBLES = (
    *("parcel came three days late", "courier left the box in the rain", "refund never arrived"),
    *("voucher was refused at the till", "app crashed when I paid", "queue was far too long"),
    *("kettle stopped working", "jacket does not fit what the chart says", "agent was rude"),
    *("search finds nothing that I type", "password link expired at once", "shop was spotless"),
    *("delivery window was exact", "staff could not have been kinder", "price changed at checkout"),
)
OPENINGS = ("The", "Again the", "Honestly, the", "For the second time the", "This week the")
ENDS = ("", ", and nobody answered", ", which I did not expect", " in the store near me")


def invented(rng: random.Random) -> list[str]:
    """What a customer of the grammar says: one to three sentences, hardly ever twice the same."""
    return [
        f"{rng.choice(OPENINGS)} {rng.choice(TROUBLES)} on visit {rng.randrange(10**6)}"
        f"{rng.choice(ENDS)}."
        for _ in range(rng.randint(1, 3))
    ]
