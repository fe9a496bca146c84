"""What customers said of a theme, the newest first, page by page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from voc.columns import unindexed
from voc.models import (
    Channel,
    Customer,
    Feedback,
    FeedbackVersion,
    Label,
    Loop,
    Statement,
    Suggestion,
    SuggestionKind,
    Theme,
    ThemeAssignment,
)
from voc.store.message_lists import Spot
from voc.store.said import LOOKED_THROUGH, Span, Stretch, conditions, stretch
from voc.store.weekly import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbatim:
    """One statement in its verbatim, personal data masked."""

    statement_id: int
    before: str
    words: str
    after: str
    said_at: datetime
    channel: Channel
    loop_id: int | None
    customer_id: int
    sentiment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Some verbatims, and the spot behind which the next page begins; None: nowhere."""

    verbatims: Sequence[Verbatim]
    after: Spot | None


def names(session: Session, ids: Collection[int]) -> dict[int, Theme]:
    """The themes with these ids."""
    rows = session.exec(select(Theme).where(col(Theme.id).in_(ids)))
    return {theme.id or 0: theme for theme in rows}


def newest(
    session: Session, theme_id: int, wanted: Wanted, span: Span, *, after: Spot | None, limit: int
) -> Found:
    """The newest that were said in *span*, older than *after*, of what *wanted* says.

    All statements of a small theme are looked at; of a large one those of so much feedback.
    """
    theme, said, key = col(ThemeAssignment.theme_id), col(Feedback.said_at), col(Statement.id)
    ids = select(ThemeAssignment.statement_id).where(theme == theme_id).limit(LOOKED_THROUGH + 1)
    if len(session.exec(ids).all()) <= LOOKED_THROUGH:
        looked_at, is_ours = Stretch(*span, after), theme == theme_id
    else:
        looked_at, is_ours = stretch(session, span, after), unindexed(theme) == theme_id
    rows = session.exec(
        select(Statement, FeedbackVersion.verbatim, Feedback, col(Loop.id))
        .join(ThemeAssignment, col(ThemeAssignment.statement_id) == key)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
        .join(Customer, col(Customer.id) == Feedback.customer_id)
        .join(Loop, col(Loop.feedback_id) == Feedback.id, isouter=True)
        .where(
            is_ours,
            *looked_at.holds(key),
            col(Feedback.version) == FeedbackVersion.number,
            *conditions(wanted),
        )
        .order_by(said.desc(), key.desc())
        .limit(limit)
    ).all()
    felt = _sentiments(session, [statement.id or 0 for statement, *_ in rows])
    last = Spot(rows[-1][2].said_at, rows[-1][0].id or 0) if len(rows) == limit else None
    return Found(
        verbatims=[
            _verbatim(statement, text, feedback, loop_id, felt.get(statement.id or 0))
            for statement, text, feedback, loop_id in rows
        ],
        after=looked_at.follows(last),
    )


def _sentiments(session: Session, ids: Sequence[int]) -> dict[int, str | None]:
    """How each statement feels: the newest suggestion, or the newest label, which wins."""
    felt: dict[int, str | None] = {}
    for table in (Suggestion, Label):
        rows = session.exec(
            select(col(table.statement_id), col(table.value))
            .where(table.kind == SuggestionKind.SENTIMENT, col(table.statement_id).in_(ids))
            .order_by(col(table.id))
        )
        felt.update((statement_id, value) for statement_id, value in rows)
    return felt


def _verbatim(
    statement: Statement, text: str, feedback: Feedback, loop_id: int | None, felt: str | None
) -> Verbatim:
    return Verbatim(
        statement_id=statement.id or 0,
        before=text[: statement.start],
        words=text[statement.start : statement.end],
        after=text[statement.end :],
        said_at=feedback.said_at,
        channel=feedback.channel,
        loop_id=loop_id,
        customer_id=feedback.customer_id,
        sentiment=felt,
    )
