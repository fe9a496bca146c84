"""The weights on disk, checked and as arrays."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nlp.arrays import FloatArray
from nlp.errors import ModelFileError

Tensors = Mapping[str, FloatArray]
"""By their names in a BERT checkpoint: ``embeddings.*``, ``encoder.layer.{i}.*``."""

_LAYER = re.compile(r"encoder\.layer\.(\d+)\.")
SCALE = ".scale"
"""``x`` stored as int8 has a float ``x.scale``, one a row (or one for all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """A classifier that leaves the base encoder at some layer."""

    own: Tensors
    """What differs from the base encoder."""
    weight: FloatArray
    """Of the head, on the mean of the last hidden states; shape ``(3, d)``."""
    bias: FloatArray
    """Shape ``(3,)``."""
    temperature: float

    @property
    def has_own_embeddings(self) -> bool:
        return any(name.startswith("embeddings.") for name in self.own)

    @property
    def fork(self) -> int:
        """The first layer of its own; below it all is shared."""
        if self.has_own_embeddings:
            return 0
        return min(int(layer[1]) for layer in map(_LAYER.match, self.own) if layer)


def read_base(path: Path, sha256: str) -> Tensors:
    """The encoder's tensors.

    Raises:
        ModelFileError: The file is missing or not the released one.
    """
    from safetensors.numpy import load

    return load(checked_bytes(path, sha256))


def read_sentiment(path: Path, sha256: str) -> Sentiment:
    """The classifier's tensors, whatever they are stored as, in float32.

    Raises:
        ModelFileError: The file is missing or not the released one.
    """
    from safetensors.numpy import load

    stored = {
        name.removeprefix("head."): tensor
        for name, tensor in load(checked_bytes(path, sha256)).items()
    }
    tensors = {
        name: _in_float(tensor, stored.get(name + SCALE))
        for name, tensor in stored.items()
        if not name.endswith(SCALE)
    }
    return Sentiment(
        weight=tensors.pop("weight"),
        bias=tensors.pop("bias"),
        temperature=float(tensors.pop("temperature")[0]),
        own=tensors,
    )


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


def _in_float(tensor: FloatArray, scale: FloatArray | None) -> FloatArray:
    plain = tensor.astype(np.float32)
    if scale is None:
        return plain
    return plain * scale.astype(np.float32).reshape(-1, *[1] * (plain.ndim - 1))
