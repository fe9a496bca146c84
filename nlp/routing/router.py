"""What was learned of topics and departments, as bytes that run no code when they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nlp.errors import ModelFileError
from nlp.routing.head import Figures, Head
from nlp.routing.words import Vocabulary, Words

TOPIC = "topic"
DEPARTMENT = "department"
KINDS = (TOPIC, DEPARTMENT)

_ABOUT = "about"
"""The tensor that holds names and figures, as JSON: safetensors keeps numbers only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """The heads of one company."""

    version: str
    """Of the bytes: changes whenever an answer may."""
    encoder: str
    """The version of the encoder whose vectors it has learned on."""
    heads: Mapping[str, Head]
    """By kind; a kind without labels has none."""


def pack(heads: Mapping[str, Head], encoder: str) -> bytes:
    """The heads as safetensors; the same heads, the same bytes."""
    from safetensors.numpy import save

    tensors: dict[str, Any] = {}
    about: dict[str, Any] = {"encoder": encoder, "heads": {}}
    for kind, head in sorted(heads.items()):
        about["heads"][kind] = {
            "classes": head.classes,
            "threshold": head.threshold,
            "figures": asdict(head.figures),
        }
        tensors |= {f"{kind}.{name}": part for name, part in _tensors(head).items()}
    tensors[_ABOUT] = np.frombuffer(json.dumps(about, sort_keys=True).encode(), dtype=np.uint8)
    packed: bytes = save(tensors)
    return packed


def unpack(content: bytes) -> Router:
    """The router in what `pack` wrote.

    Raises:
        ModelFileError: They are other or damaged bytes.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(content)
        about = json.loads(tensors[_ABOUT].tobytes())
        encoder = about["encoder"]
        heads = {
            kind: _head(said, {k: tensors[f"{kind}.{k}"] for k in _PARTS})
            for kind, said in about["heads"].items()
        }
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"the stored router cannot be read ({type(error).__name__}): "
            "`voc label refit --again` makes it anew"
        ) from error
    version = f"router@{hashlib.sha256(content).hexdigest()[:12]}"
    return Router(version=version, encoder=encoder, heads=heads)


_PARTS = ("weight", "bias", "mix", "centroids", "seen", "keys", "idf", "words")


def _tensors(head: Head) -> dict[str, Any]:
    """Half precision where a thousandth does not matter: a fifth of a percent of an answer."""
    parts = {
        "weight": head.weight.astype(np.float16),
        "bias": head.bias,
        "mix": head.mix,
        "centroids": head.centroids.astype(np.float16),
        "seen": head.seen,
        "keys": head.words.vocabulary.keys,
        "idf": head.words.vocabulary.idf,
        "words": head.words.weight.astype(np.float16),
    }
    return {name: np.ascontiguousarray(part) for name, part in parts.items()}


def _head(said: Mapping[str, Any], parts: Mapping[str, Any]) -> Head:
    return Head(
        classes=tuple(said["classes"]),
        weight=parts["weight"].astype(np.float32),
        bias=parts["bias"],
        words=Words(
            vocabulary=Vocabulary(keys=parts["keys"], idf=parts["idf"]),
            weight=parts["words"].astype(np.float32),
        ),
        centroids=parts["centroids"].astype(np.float32),
        mix=parts["mix"],
        threshold=float(said["threshold"]),
        seen=parts["seen"],
        figures=Figures(**said["figures"]),
    )
