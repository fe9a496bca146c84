"""Reading statements: one pass over their words gives the vector and the sentiment.

`SharedReader` is the default: vectors and sentiment from one graph on onnxruntime, whose lower
layers are computed once for both. `SeparateReader` joins any encoder with any sentiment model.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from nlp.arrays import FloatArray
from nlp.embed import DIMENSIONS, WEIGHTS_SHA256, Encoder, packaged_folder
from nlp.runtime.cache import cached, user_folder
from nlp.runtime.graph import BUILDER, Precision, build
from nlp.runtime.session import Session, available_cores
from nlp.runtime.tokens import Tokens
from nlp.runtime.weights import read_base, read_sentiment
from nlp.sentiment import LABELS, SentimentModel
from nlp.sentiment import WEIGHTS as SENTIMENT
from nlp.sentiment import WEIGHTS_SHA256 as SENTIMENT_SHA256

TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Read:
    """What was read, rows in the order of the texts."""

    vectors: FloatArray
    """Shape ``(n, d)``, rows of length 1."""
    probabilities: FloatArray
    """Of the sentiment, shape ``(n, 3)`` in the order of `nlp.sentiment.LABELS`, calibrated."""


class Reader(Protocol):
    """Anything that reads statements. Usable wherever an `nlp.embed.Encoder` is."""

    @property
    def encoder_version(self) -> str:
        """Changes whenever the vectors do. Known without loading anything."""
        ...

    @property
    def sentiment_version(self) -> str:
        """Changes whenever a probability may. Known without loading anything."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of what the sentiment was trained on."""
        ...

    @property
    def version(self) -> str:
        """`encoder_version`, under the name that an encoder has for it."""
        ...

    def read(self, texts: Sequence[str]) -> Read: ...

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """The vectors alone, for texts that nobody feels anything about: anchors, labels."""
        ...


class SharedReader:
    """The models that ship, on onnxruntime. Loads on the first text; safe between threads."""

    languages = frozenset({"en"})

    def __init__(
        self,
        *,
        cache_folder: Path | None = None,
        precision: Precision = "int8",
        threads: int | None = None,
        sentiment: Path = SENTIMENT,
        sentiment_sha256: str = SENTIMENT_SHA256,
        base: Path | None = None,
    ) -> None:
        """Say what is to be read with; nothing is loaded.

        Args:
            cache_folder: Where built models are kept; default: the user's cache folder.
            precision: int8 is twice as fast; fp32 is what sentence-transformers computes.
            threads: Cores for one batch; default: all that this process may use.
            sentiment: A safetensors file as `nlp.runtime.weights` reads it.
            base: The encoder's folder; default: the one that ships.
        """
        self._cache = cache_folder or user_folder()
        self._precision = precision
        self._threads = threads or available_cores()
        self._sentiment, self._sentiment_sha256 = sentiment, sentiment_sha256
        self._base = base or packaged_folder()
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None
        self._session: Session | None = None
        self._has_sentiment = False

    @property
    def encoder_version(self) -> str:
        name = f"all-MiniLM-L6-v2@{WEIGHTS_SHA256[:8]}"
        return name if self._precision == "fp32" else f"{name}-int8-{BUILDER}"

    @property
    def sentiment_version(self) -> str:
        name = f"sentiment@{self._sentiment_sha256[:8]}"
        return name if self._precision == "fp32" else f"{name}-int8-{BUILDER}"

    @property
    def version(self) -> str:
        return self.encoder_version

    @property
    def loaded(self) -> bool:
        return self._session is not None

    def read(self, texts: Sequence[str]) -> Read:
        """Vectors ``(n, 384)`` and probabilities; words after a text's 256th token are not read.

        Raises:
            ModelFileError: Weights are missing or not the released ones.
        """
        if not texts:
            return Read(vectors=_rows(DIMENSIONS), probabilities=_rows(len(LABELS)))
        vectors, probabilities = self._loaded(with_sentiment=True).run(texts)
        return Read(vectors=vectors, probabilities=probabilities)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Shape ``(n, 384)``, as `read` has them, without the sentiment's own layers.

        Raises:
            ModelFileError: Weights are missing or not the released ones.
        """
        if not texts:
            return _rows(DIMENSIONS)
        return self._loaded(with_sentiment=False).run(texts)[0]

    def _loaded(self, *, with_sentiment: bool) -> Session:
        """One session at a time, to save memory: that of `read` serves `encode`, too."""
        with self._lock:
            if self._session is None or with_sentiment > self._has_sentiment:
                if self._tokens is None:
                    self._tokens = Tokens(self._base / "tokenizer.json", TOKENIZER_SHA256)
                key = self._key(with_sentiment)
                model = cached(self._cache, key, lambda: self._build(with_sentiment))
                self._session = Session(model, self._tokens, threads=self._threads)
                self._has_sentiment = with_sentiment
            return self._session

    def _key(self, with_sentiment: bool) -> str:
        from onnxruntime import __version__ as runtime

        made_of = (
            *(WEIGHTS_SHA256, self._sentiment_sha256 if with_sentiment else ""),
            *(self._precision, str(BUILDER), runtime),
        )
        digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()
        return f"{'reader' if with_sentiment else 'encoder'}-{self._precision}-{digest[:16]}"

    def _build(self, with_sentiment: bool) -> bytes:
        base = read_base(self._base / "model.safetensors", WEIGHTS_SHA256)
        sentiment = (
            read_sentiment(self._sentiment, self._sentiment_sha256) if with_sentiment else None
        )
        return build(base, sentiment, self._precision)


class SeparateReader:
    """An encoder and a sentiment model that know nothing of each other."""

    def __init__(self, encoder: Encoder, sentiment: SentimentModel) -> None:
        self.encoder = encoder
        self.sentiment = sentiment

    @property
    def encoder_version(self) -> str:
        return self.encoder.version

    @property
    def sentiment_version(self) -> str:
        return self.sentiment.version

    @property
    def languages(self) -> frozenset[str]:
        return self.sentiment.languages

    @property
    def version(self) -> str:
        return self.encoder.version

    def read(self, texts: Sequence[str]) -> Read:
        vectors = self.encoder.encode(texts)
        return Read(vectors=vectors, probabilities=self.sentiment.predict(texts, vectors))

    def encode(self, texts: Sequence[str]) -> FloatArray:
        return self.encoder.encode(texts)


@cache
def get_reader(cache_folder: Path | None = None) -> SharedReader:
    """The process's default reader. Costs nothing until it is given a text."""
    return SharedReader(cache_folder=cache_folder)


def _rows(columns: int) -> FloatArray:
    return np.zeros((0, columns), dtype=np.float32)
