"""Batches without end: each round draws anew from every set, in its share."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nlp.training.pool import Pool, Sample, composed

ROUND: dict[str, int] = {
    "goemotions": 14_000,
    "hutto_tweets": 3_000,
    "hutto_texts": 6_500,
    "uci": 2_500,
    "clothing": 5_000,
    "clinc": 2_000,
    "banking": 2_000,
    "mams": 1_500,
    "mams_clauses": 2_500,
    "composed": 5_000,
}
"""Texts of a set in one round. What is small comes more than once."""
EVENLY = (1 / 3, 1 / 3, 1 / 3)
SHARES = dict.fromkeys(("goemotions", "hutto_tweets", "hutto_texts", "uci"), (0.42, 0.29, 0.29))
"""Of the labels of short texts. Who writes to a company in one line is more often unhappy than
these sets are; who writes a review is not."""
MOST_REPEATS = 3
MAX_TOKENS = 128
EIGHT = 8
"""Lengths are padded to a multiple: for each new shape the library prepares its kernels anew."""
SORTED_TOGETHER = 40
"""Batches whose texts are sorted by length among each other: little padding, still mixed."""


@dataclass(frozen=True, slots=True)
class Batch:
    ids: torch.Tensor  # (n, tokens)
    mask: torch.Tensor  # (n, tokens)
    target: torch.Tensor  # (n, 3)
    weight: torch.Tensor  # (n,)


def load_tokenizer(base: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def batches(pool: Pool, tokenizer: Any, *, size: int, seed: int, skip: int = 0) -> Iterator[Batch]:
    """The same batches for the same seed, from number *skip* on."""
    number = 0
    turn = 0
    while True:
        rng = random.Random(f"{seed}/{turn}")  # noqa: S311
        chunks = _in_chunks(one_round(pool, rng), tokenizer, size, rng)
        for chunk in chunks:
            if number >= skip:
                yield padded([s for _, s in chunk], [ids for ids, _ in chunk])
            number += 1
        turn += 1


def one_round(pool: Pool, rng: random.Random) -> list[Sample]:
    """Shuffled; each set's labels in their shares as far as it has them."""
    chosen: list[Sample] = []
    for name, count in ROUND.items():
        if name == "composed":
            chosen += composed(pool, n=count, rng=rng)
        elif pool.get(name):
            chosen += balanced(pool[name], count, SHARES.get(name, EVENLY), rng)
    rng.shuffle(chosen)
    return chosen


def balanced(
    samples: list[Sample], count: int, shares: tuple[float, ...], rng: random.Random
) -> list[Sample]:
    """About *count* of them, likeliest labels in these *shares*; repeats where it must."""
    by_label: dict[int, list[Sample]] = {}
    for sample in samples:
        by_label.setdefault(int(np.argmax(sample.target)), []).append(sample)
    there = sum(shares[label] for label in by_label)
    chosen: list[Sample] = []
    for label in sorted(by_label):
        own = by_label[label]
        wanted = round(count * shares[label] / there)
        whole, rest = divmod(min(wanted, MOST_REPEATS * len(own)), len(own))
        chosen += own * whole + rng.sample(own, rest)
    return chosen


def _in_chunks(
    samples: list[Sample], tokenizer: Any, size: int, rng: random.Random
) -> Iterator[list[tuple[list[int], Sample]]]:
    together = size * SORTED_TOGETHER
    for start in range(0, len(samples), together):
        part = samples[start : start + together]
        encoded = tokenizer.encode_batch([sample.text for sample in part])
        rows = sorted(zip([e.ids for e in encoded], part, strict=True), key=lambda row: len(row[0]))
        chunks = [rows[first : first + size] for first in range(0, len(rows), size)]
        rng.shuffle(chunks)
        yield from chunks


def padded(samples: list[Sample], ids: list[list[int]]) -> Batch:
    longest = -(-max(map(len, ids)) // EIGHT) * EIGHT
    rows = np.zeros((len(ids), longest), dtype=np.int64)
    mask = np.zeros((len(ids), longest), dtype=np.int64)
    for row, tokens in enumerate(ids):
        rows[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return Batch(
        ids=torch.from_numpy(rows),
        mask=torch.from_numpy(mask),
        target=torch.tensor([sample.target for sample in samples], dtype=torch.float32),
        weight=torch.tensor([sample.weight for sample in samples], dtype=torch.float32),
    )
