"""The file of weights that ships: small, without pickle, and only what differs from the base."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from nlp.arrays import FloatArray

EIGHT_BIT_FROM = 10_000
"""Elements. Smaller tensors (biases, norms, the head) stay as they are: they cost nothing."""


def write(path: Path, tensors: Iterable[tuple[str, torch.Tensor]], *, temperature: float) -> str:
    """Write *tensors* with 8 bits a weight and one scale a row; return the file's SHA-256.

    A row is the unit in which the runtime quantises, so nothing is lost twice.
    """
    from safetensors.numpy import save

    kept = {"temperature": np.array([temperature], dtype=np.float32)}
    for name, tensor in tensors:
        values: FloatArray = tensor.detach().float().numpy()
        if values.size < EIGHT_BIT_FROM:
            kept[name] = np.ascontiguousarray(values)
            continue
        scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-12) / 127
        kept[name] = np.ascontiguousarray(np.round(values / scale).astype(np.int8))
        kept[f"{name}.scale"] = scale.astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save(kept))
    return hashlib.sha256(path.read_bytes()).hexdigest()
