"""Statements for tests of themes: groups that lie where a test puts them, without any model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import Engine, insert
from sqlmodel import SQLModel, col, func, select

from nlp.arrays import FloatArray
from nlp.embed import unit
from voc.models import Customer, Embedding, Feedback, FeedbackVersion, Statement
from voc.store.database import transaction

DIMENSIONS = 32
MODEL = "fake-1"


def around(direction: int, n: int, *, seed: int, spread: float = 0.08) -> FloatArray:
    """*n* unit vectors near one axis: a theme. Directions below `DIMENSIONS` are far apart."""
    rng = np.random.default_rng([seed, direction])
    axis = np.eye(DIMENSIONS, dtype=np.float32)[direction]
    return unit((axis + rng.normal(scale=spread, size=(n, DIMENSIONS))).astype(np.float32))


def anywhere(n: int, *, seed: int) -> FloatArray:
    """*n* unit vectors in all directions: nobody says the same twice."""
    rng = np.random.default_rng([seed, 999])
    return unit(rng.normal(size=(n, DIMENSIONS)).astype(np.float32))


def says(
    engine: Engine,
    vectors: FloatArray,
    words: str | Sequence[str],
    *,
    at: datetime,
    model: str = MODEL,
) -> list[int]:
    """A new customer says one statement for each vector; ids. *words*: one text, or one each."""
    texts = [words] * len(vectors) if isinstance(words, str) else list(words)
    with transaction(engine) as session:
        first = (session.exec(select(func.max(col(Feedback.id)))).one() or 0) + 1
        ids = range(first, first + len(vectors))
        rows: dict[type[SQLModel], list[dict[str, object]]] = {
            Customer: [{"id": key, "created_at": at} for key in ids],
            Feedback: [
                {
                    "id": key,
                    "source": "box",
                    "external_id": f"f{key}",
                    "channel": "survey",
                    "customer_id": key,
                    "said_at": at,
                    "collected_at": at,
                    "item_hash": "",
                    "version": 1,
                    "state": "routed",
                }
                for key in ids
            ],
            FeedbackVersion: [
                {
                    "id": key,
                    "feedback_id": key,
                    "number": 1,
                    "verbatim": text,
                    "content_hash": "0" * 64,
                    "masked": {},
                    "collected_at": at,
                }
                for key, text in zip(ids, texts, strict=True)
            ],
            Statement: [
                {"id": key, "version_id": key, "start": 0, "end": len(text), "text_hash": f"h{key}"}
                for key, text in zip(ids, texts, strict=True)
            ],
            Embedding: [
                {"text_hash": f"h{key}", "model": model, "vector": vector.astype("<f4").tobytes()}
                for key, vector in zip(ids, vectors, strict=True)
            ],
        }
        for table, values in rows.items():
            if values:
                session.connection().execute(insert(table), values)
    return list(ids)


def common_words(
    texts_by_theme: Mapping[int, Sequence[str]], *, stop_words: Collection[str]
) -> dict[int, tuple[str, ...]]:
    """In place of `nlp.themes.label_words`: what is said most often."""
    return {
        number: tuple(word for word, _ in Counter(" ".join(texts).split()).most_common(3))
        for number, texts in texts_by_theme.items()
    }
