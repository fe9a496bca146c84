"""Texts to token ids, in batches that hardly pad and fit the processor's cache."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.runtime.weights import checked_bytes

TokenIds = npt.NDArray[np.int32]

MAX_TOKENS = 256
"""Of a text, its two marks included; words after that are not read."""
BATCH_TOKENS = 256
"""Padded tokens a batch: more do not fit the processor's cache, and everything gets slower."""


class Tokens:
    """The encoder's tokenizer, without the padding that its file asks for."""

    def __init__(self, path: Path, sha256: str) -> None:
        """Read it.

        Raises:
            ModelFileError: The file is missing or not the released one.
        """
        content = checked_bytes(path, sha256)
        # Its own threads would fight with those of the model, and warn after a fork.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_str(content.decode())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, at least two and at most `MAX_TOKENS`."""
        # A lone surrogate, half a picture, cannot be written as UTF-8.
        writable = [text.encode("utf-8", "replace").decode() for text in texts]
        return [encoded.ids for encoded in self._tokenizer.encode_batch_fast(writable)]


def batches(lengths: Sequence[int], budget: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Row numbers, grouped by similar length; each row once.

    Args:
        lengths: Tokens of each text.
        budget: The most that a batch of several texts may have, padding included.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def padded(ids: Sequence[Sequence[int]]) -> tuple[TokenIds, TokenIds]:
    """Ids and mask, both of shape ``(b, longest)``; padding is 0 in both."""
    longest = max(map(len, ids))
    values = np.zeros((len(ids), longest), dtype=np.int32)
    mask = np.zeros_like(values)
    for row, of_text in enumerate(ids):
        values[row, : len(of_text)] = of_text
        mask[row, : len(of_text)] = 1
    return values, mask
