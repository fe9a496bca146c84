"""History as rows: what a company has in its books after long work, made in seconds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import func
from sqlmodel import Session, SQLModel, col, select

from benchmarks.understanding.place import NOW
from benchmarks.understanding.texts import TROUBLES, invented
from nlp.clean import text_hash
from nlp.embed import unit
from nlp.understand import Models
from voc.models import (
    AssignmentState,
    Channel,
    Customer,
    Embedding,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Statement,
    Suggestion,
    SuggestionKind,
    Theme,
    ThemeAssignment,
    ThemeRegistry,
    ThemeState,
)
from voc.store.upsert import insert_new

AT_ONCE = 2_000
CUT = 0.5
Rows = dict[type[SQLModel], list[dict[str, Any]]]


def add_themes(session: Session, models: Models) -> None:
    """A theme for each trouble of the grammar, so that what is new finds its place."""
    rows = [
        {
            "id": number,
            "state": ThemeState.ACTIVE,
            "words": trouble.split()[:3],
            "model": models.reader.encoder_version,
            "centroid": vector.astype("<f4").tobytes(),
            "cut": CUT,
            "size": 50,
            "born_at": NOW - timedelta(days=90),
        }
        for number, (trouble, vector) in enumerate(
            zip(TROUBLES, models.reader.encode(TROUBLES), strict=True), start=1
        )
    ]
    insert_new(session, Theme, rows)
    insert_new(session, ThemeRegistry, [{"id": 1, "revision": 1, "discovered_to": 0}])


def add_history(session: Session, numbers: range, models: Models) -> None:
    """Feedback with these ids, understood and filed: its vectors are random, of length 1."""
    dimensions = models.reader.encode(TROUBLES[:1]).shape[1]
    rng = np.random.default_rng(numbers.start)
    words = random.Random(numbers.start)
    statement = 1 + (session.exec(select(func.max(col(Statement.id)))).one() or 0)
    for ids in _chunks(numbers):
        rows: Rows = {}
        for key in ids:
            sentences = invented(words)
            _add_feedback(rows, key, " ".join(sentences), models.version)
            statement = _add_statements(rows, key, sentences, statement, models)
        vectors = unit(rng.standard_normal((len(rows[Embedding]), dimensions), dtype=np.float32))
        for row, vector in zip(rows[Embedding], vectors, strict=True):
            row["vector"] = vector.astype("<f4").tobytes()
        for table, values in rows.items():
            insert_new(session, table, values)


def _chunks(numbers: range) -> Iterator[list[int]]:
    left = iter(numbers)
    while chunk := list(islice(left, AT_ONCE)):
        yield chunk


def _add_feedback(rows: Rows, key: int, verbatim: str, models: str) -> None:
    said_at = NOW - timedelta(days=30, minutes=key)
    _add(rows, Customer, id=key, created_at=said_at)
    _add(
        rows,
        Feedback,
        id=key,
        source="reviews",
        external_id=f"old-{key}",
        channel=Channel.REVIEW,
        customer_id=key,
        said_at=said_at,
        collected_at=said_at,
        item_hash=text_hash(str(key)),
        version=1,
        state=FeedbackState.FILED,
        reason="nothing_to_do",
    )
    _add(
        rows,
        FeedbackVersion,
        id=key,
        feedback_id=key,
        number=1,
        verbatim=verbatim,
        content_hash=text_hash(verbatim),
        masked={},
        collected_at=said_at,
        language="en",
        understood_by=models,
    )


def _add_statements(
    rows: Rows, key: int, sentences: list[str], statement: int, models: Models
) -> int:
    """Returns the next statement's id."""
    versions = {
        SuggestionKind.SENTIMENT: (models.reader.sentiment_version, "negative"),
        SuggestionKind.TOPIC: (models.subjects.version, None),
        SuggestionKind.DEPARTMENT: (models.subjects.version, "delivery"),
    }
    start = 0
    for sentence in sentences:
        end = start + len(sentence) + 1
        digest = text_hash(sentence)
        _add(rows, Statement, id=statement, version_id=key, start=start, end=end, text_hash=digest)
        _add(rows, Embedding, text_hash=digest, model=models.reader.encoder_version)
        for kind, (version, value) in versions.items():
            offers = [[value, 0.7]] if value else []
            _add(
                rows,
                Suggestion,
                statement_id=statement,
                kind=kind,
                model=version,
                value=value,
                probability=0.7,
                offers=offers,
            )
        _add(
            rows,
            ThemeAssignment,
            statement_id=statement,
            state=AssignmentState.ASSIGNED,
            theme_id=1 + statement % len(TROUBLES),
            similarity=0.6,
        )
        start, statement = end, statement + 1
    return statement


def _add(rows: Rows, table: type[SQLModel], **values: Any) -> None:
    rows.setdefault(table, []).append(values)
