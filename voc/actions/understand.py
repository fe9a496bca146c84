"""Keeping what the models read: statements, their vectors, and what is suggested of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import update
from sqlmodel import Session, col, select

from voc.models import (
    Embedding,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Statement,
    Suggestion,
    SuggestionKind,
)
from voc.rules.cases import week_of
from voc.store import suggestion_counts
from voc.store.suggestion_counts import Asked
from voc.store.touched import touch_feedback
from voc.store.upsert import insert_new, table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSuggestion:
    """What one model says of one statement."""

    kind: SuggestionKind
    model: str
    value: str | None
    probability: float
    offers: list[list[str | float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatement:
    """One span, and what was read in it."""

    start: int
    end: int
    text_hash: str
    vector: bytes | None
    suggestions: Sequence[ReadSuggestion] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One version of one piece of feedback, read."""

    version_id: int
    feedback_id: int
    language: str | None
    statements: Sequence[ReadStatement] = field(default=())


def store_readings(
    session: Session, readings: Sequence[Reading], *, encoder: str, models: str
) -> int:
    """Store readings in bulk; again is harmless. Returns the number of new statements.

    What was edited or erased since it was read is left out: the new words are read next.

    Args:
        encoder: The version of the model that made the vectors.
        models: The versions of all models together.
    """
    collected_at = _still_current(session, readings)
    readings = [reading for reading in readings if reading.version_id in collected_at]
    new = _insert_statements(session, readings)
    vectors = {
        s.text_hash: s.vector for r in readings for s in r.statements if s.vector is not None
    }
    rows = [{"text_hash": h, "model": encoder, "vector": v} for h, v in sorted(vectors.items())]
    insert_new(session, Embedding, rows)
    _insert_suggestions(session, readings)
    suggestion_counts.add(session, _counted(readings, collected_at))
    _note_reading(session, readings, models)
    session.exec(
        update(Feedback)
        .where(
            col(Feedback.id).in_([r.feedback_id for r in readings]),
            col(Feedback.state) == FeedbackState.COLLECTED,
        )
        .values(state=FeedbackState.UNDERSTOOD)
    )
    touch_feedback(session, col(Feedback.id).in_([r.feedback_id for r in readings]))
    return new


def set_aside(session: Session, feedback_ids: Sequence[int]) -> int:
    """File what no model can read, with the reason, so that it holds up nobody else."""
    session.exec(
        update(Feedback)
        .where(col(Feedback.id).in_(feedback_ids), col(Feedback.state) == FeedbackState.COLLECTED)
        .values(state=FeedbackState.FILED, reason="could_not_be_read")
    )
    touch_feedback(session, col(Feedback.id).in_(feedback_ids))
    return len(feedback_ids)


def _still_current(session: Session, readings: Sequence[Reading]) -> dict[int, datetime]:
    """By version, of those that nobody has edited or erased since, when we got the words."""
    ids = [reading.version_id for reading in readings]
    current = session.exec(
        select(FeedbackVersion.id, FeedbackVersion.collected_at)
        .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
        .where(
            col(FeedbackVersion.id).in_(ids),
            FeedbackVersion.number == Feedback.version,
            Feedback.state == FeedbackState.COLLECTED,
        )
        .with_for_update(of=Feedback)
    )
    return {version or 0: at for version, at in current}


def _counted(
    readings: Sequence[Reading], collected_at: Mapping[int, datetime]
) -> dict[Asked, tuple[int, int]]:
    """By week, kind and model how many statements were asked about, and how many got no value."""
    counts: dict[Asked, tuple[int, int]] = {}
    for reading in readings:
        week = week_of(collected_at[reading.version_id], UTC)
        for statement in reading.statements:
            for each in statement.suggestions:
                asked, unsure = counts.get(key := (week, each.kind, each.model), (0, 0))
                counts[key] = asked + 1, unsure + (each.value is None)
    return counts


def _note_reading(session: Session, readings: Sequence[Reading], models: str) -> None:
    rows = [{"version": r.version_id, "language": r.language} for r in readings]
    if rows:
        versions = table_of(FeedbackVersion)
        is_read = versions.c.id == sa.bindparam("version")
        values = {"language": sa.bindparam("language"), "understood_by": models}
        session.connection().execute(sa.update(versions).where(is_read).values(values), rows)


def _insert_statements(session: Session, readings: Sequence[Reading]) -> int:
    rows = [
        {
            "version_id": reading.version_id,
            "start": statement.start,
            "end": statement.end,
            "text_hash": statement.text_hash,
        }
        for reading in readings
        for statement in reading.statements
    ]
    return insert_new(session, Statement, rows)


def _insert_suggestions(session: Session, readings: Sequence[Reading]) -> None:
    versions = [reading.version_id for reading in readings]
    stored = session.exec(
        select(Statement.version_id, Statement.start, Statement.id).where(
            col(Statement.version_id).in_(versions)
        )
    )
    ids = {(version, start): statement for version, start, statement in stored}
    rows = [
        {
            "statement_id": ids[reading.version_id, statement.start],
            "kind": suggestion.kind,
            "model": suggestion.model,
            "value": suggestion.value,
            "probability": suggestion.probability,
            "offers": suggestion.offers,
        }
        for reading in readings
        for statement in reading.statements
        for suggestion in statement.suggestions
    ]
    insert_new(session, Suggestion, rows)
