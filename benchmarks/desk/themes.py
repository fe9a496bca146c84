"""Themes of the made-up books, and a vector for each of their sentences."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from benchmarks.desk.rows import MODEL, NOW, THEMES, Rows
from benchmarks.understanding.texts import TROUBLES
from nlp.embed import unit
from voc.models import Embedding, Theme, ThemeRegistry, ThemeState


def themes_and_vectors(hashes: list[str]) -> Rows:
    """Themes, and a vector for each sentence."""
    rng = np.random.default_rng(1)
    vectors = unit(rng.standard_normal((len(hashes) + THEMES, 384), dtype=np.float32))
    packed = [vector.astype("<f4").tobytes() for vector in vectors]
    themes = [
        {
            "id": i + 1,
            "state": ThemeState.ACTIVE,
            "words": TROUBLES[i % len(TROUBLES)].split()[:3],
            "model": MODEL,
            "centroid": packed[len(hashes) + i],
            "cut": 0.5,
            "size": 50,
            "born_at": NOW - timedelta(days=600),
        }
        for i in range(THEMES)
    ]
    embeddings = [
        {"text_hash": h, "model": MODEL, "vector": v} for h, v in zip(hashes, packed, strict=False)
    ]
    registry = {"id": 1, "revision": 1, "discovered_to": 0}
    return {Theme: themes, Embedding: embeddings, ThemeRegistry: [registry]}
