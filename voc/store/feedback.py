"""Feedback on its way to being understood and routed: work is found by state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from voc.models import Embedding, Feedback, FeedbackState, FeedbackVersion

IN_A_QUERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A version that no model has read yet."""

    version_id: int
    feedback_id: int
    verbatim: str
    language: str | None


def span_in_state(session: Session, state: FeedbackState) -> tuple[int, int, int]:
    """Lowest and highest id, and number, of the feedback in *state*; zeros if there is none."""
    ids = col(Feedback.id)
    low, high, n = session.exec(
        select(func.min(ids), func.max(ids), func.count()).where(Feedback.state == state)
    ).one()
    return low or 0, high or 0, n


def unread(session: Session, low: int, high: int, *, limit: int) -> list[Unread]:
    """Current versions of collected feedback with ids from *low* to *high*, oldest first."""
    rows = session.exec(
        select(FeedbackVersion, Feedback.language)
        .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
        .where(
            Feedback.state == FeedbackState.COLLECTED,
            FeedbackVersion.number == Feedback.version,
            col(Feedback.id).between(low, high),
        )
        .order_by(col(Feedback.id))
        .limit(limit)
    )
    return [
        Unread(
            version_id=version.id or 0,
            feedback_id=version.feedback_id,
            verbatim=version.verbatim,
            language=language,
        )
        for version, language in rows
    ]


def newest_version(session: Session, feedback: Feedback) -> FeedbackVersion:
    """The version that counts."""
    query = select(FeedbackVersion).where(
        FeedbackVersion.feedback_id == feedback.id, FeedbackVersion.number == feedback.version
    )
    return session.exec(query).one()


def vectors(session: Session, hashes: Sequence[str], model: str) -> dict[str, bytes]:
    """The stored vectors of *model* for these text hashes."""
    found: dict[str, bytes] = {}
    for start in range(0, len(hashes), IN_A_QUERY):
        chunk = hashes[start : start + IN_A_QUERY]
        rows = session.exec(
            select(Embedding.text_hash, Embedding.vector).where(
                Embedding.model == model, col(Embedding.text_hash).in_(chunk)
            )
        )
        found |= dict(rows.all())
    return found
