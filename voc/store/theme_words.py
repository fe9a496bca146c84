"""What customers said of a theme, the newest first, page by page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, select

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
from voc.store.verbatims import conditions
from voc.store.weekly import Wanted

LOOKED_THROUGH = 3_000
"""How many of a theme's statements one page looks through for those that the filter wants."""


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
    """Some verbatims, and where the next page begins: below this statement; None: nowhere."""

    verbatims: Sequence[Verbatim]
    below: int | None


def names(session: Session, ids: Collection[int]) -> dict[int, Theme]:
    """The themes with these ids."""
    rows = session.exec(select(Theme).where(col(Theme.id).in_(ids)))
    return {theme.id or 0: theme for theme in rows}


def newest(
    session: Session,
    theme_id: int,
    wanted: Wanted,
    span: tuple[datetime, datetime],
    *,
    below: int | None,
    limit: int,
) -> Found:
    """The newest statements of the theme that were said in *span*, with ids under *below*."""
    under = true() if below is None else col(ThemeAssignment.statement_id) < below
    ids = session.exec(
        select(col(ThemeAssignment.statement_id))
        .where(ThemeAssignment.theme_id == theme_id, under)
        .order_by(col(ThemeAssignment.statement_id).desc())
        .limit(LOOKED_THROUGH)
    ).all()
    if not ids:
        return Found(verbatims=[], below=None)
    rows = session.exec(
        select(Statement, FeedbackVersion.verbatim, Feedback, col(Loop.id))
        .join(ThemeAssignment, col(ThemeAssignment.statement_id) == Statement.id)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
        .join(Customer, col(Customer.id) == Feedback.customer_id)
        .join(Loop, col(Loop.feedback_id) == Feedback.id, isouter=True)
        .where(
            ThemeAssignment.theme_id == theme_id,
            col(Statement.id).between(ids[-1], ids[0]),
            col(Feedback.version) == FeedbackVersion.number,
            *_said_in(span),
            *conditions(wanted),
        )
        .order_by(col(ThemeAssignment.statement_id).desc())
        .limit(limit)
    ).all()
    felt = _sentiments(session, [statement.id or 0 for statement, *_ in rows])
    last = rows[-1][0].id if len(rows) == limit else ids[-1]
    is_last_page = len(rows) < limit and len(ids) < LOOKED_THROUGH
    return Found(
        verbatims=[
            _verbatim(statement, text, feedback, loop_id, felt.get(statement.id or 0))
            for statement, text, feedback, loop_id in rows
        ],
        below=None if is_last_page else last,
    )


def _said_in(span: tuple[datetime, datetime]) -> list[ColumnElement[bool]]:
    begin, end = span
    return [col(Feedback.said_at) >= begin, col(Feedback.said_at) < end]


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
