"""What no model was sure of, for a person to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from voc.models import (
    Feedback,
    FeedbackVersion,
    Label,
    Statement,
    Suggestion,
    SuggestionKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """A statement that got no value."""

    statement_id: int
    words: str
    """Masked."""
    offers: Sequence[Sequence[str | float]]
    """What the model would have said, with probabilities, best first."""


def unsure_of(session: Session, kind: SuggestionKind, *, limit: int) -> list[Unsure]:
    """The newest statements whose last suggestion has offers but no value, and no label yet.

    A language that is not supported has no offers: there a label could teach nothing.
    """
    later = aliased(Suggestion)
    is_current = (col(Feedback.id) == FeedbackVersion.feedback_id) & (
        col(Feedback.version) == FeedbackVersion.number
    )
    is_answered = select(Label.id).where(
        col(Label.statement_id) == Suggestion.statement_id, Label.kind == kind
    )
    is_outdated = select(later.id).where(
        col(later.statement_id) == Suggestion.statement_id,
        later.kind == kind,
        col(later.id) > col(Suggestion.id),
    )
    rows = session.exec(
        select(Suggestion, Statement, FeedbackVersion.verbatim)
        .join(Statement, col(Statement.id) == Suggestion.statement_id)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .join(Feedback, is_current)
        .where(
            Suggestion.kind == kind,
            col(Suggestion.value).is_(None),
            Suggestion.probability > 0,
            ~is_answered.exists(),
            ~is_outdated.exists(),
        )
        .order_by(col(Suggestion.id).desc())
        .limit(limit)
    )
    return [
        Unsure(
            statement_id=suggestion.statement_id,
            words=" ".join(verbatim[statement.start : statement.end].split()),
            offers=suggestion.offers,
        )
        for suggestion, statement, verbatim in rows
    ]
