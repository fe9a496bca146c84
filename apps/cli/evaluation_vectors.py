"""Vectors of many texts, kept on disk: an evaluation is run again and again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nlp.arrays import FloatArray
from nlp.clean import text_hash
from nlp.embed import Encoder
from nlp.runtime.cache import cached

BLOCK = 256


def embed(
    words: Sequence[str], encoder: Encoder, folder: Path, advance: Callable[[int], None]
) -> FloatArray:
    """Shape ``(n, d)``, from *folder* if these texts were embedded before by this very encoder.

    The key is a hash of the encoder's version and of every text: another text, another order or
    another model is another file. The folder may be deleted at any time.

    Args:
        words: As they are to be embedded, at least one.
        advance: Told how many more texts have a vector.
    """
    left = len(words)

    def embedded() -> bytes:
        nonlocal left
        blocks = []
        for start in range(0, len(words), BLOCK):
            blocks.append(encoder.encode(words[start : start + BLOCK]))
            advance(len(blocks[-1]))
            left -= len(blocks[-1])
        content = io.BytesIO()
        np.save(content, np.vstack(blocks), allow_pickle=False)
        return content.getvalue()

    key = hashlib.sha256("\n".join([encoder.version, *map(text_hash, words)]).encode()).hexdigest()
    content = cached(folder, f"vectors-{key[:32]}", embedded)
    advance(left)
    vectors: FloatArray = np.load(io.BytesIO(content), allow_pickle=False)
    return vectors
