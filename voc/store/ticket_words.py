"""What the customers of several tickets said, and how it was read: a few queries for all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from voc.models import (
    Channel,
    Feedback,
    FeedbackVersion,
    Label,
    Loop,
    LoopTicket,
    Statement,
    Suggestion,
    SuggestionKind,
    TicketEvent,
    TicketEventKind,
)

WORST_FIRST = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One piece of feedback behind a ticket, in its present words. Personal data is masked."""

    feedback_id: int
    said_at: datetime
    channel: Channel
    language: str | None
    rating: float | None
    scale: str | None
    text: str = field(repr=False)
    spans: tuple[tuple[int, int], ...] = ()
    """Where the ticket's issue stands in it; none if an edit left it behind."""


def said_in(session: Session, tickets: Collection[int]) -> dict[int, list[Said]]:
    """By ticket what was said, in that order; everything its loops are about."""
    rows = session.execute(
        select(LoopTicket.ticket_id, Feedback, FeedbackVersion)
        .join(Loop, col(Loop.id) == LoopTicket.loop_id)
        .join(Feedback, col(Feedback.id) == Loop.feedback_id)
        .join(
            FeedbackVersion,
            (col(FeedbackVersion.feedback_id) == Feedback.id)
            & (col(FeedbackVersion.number) == Feedback.version),
        )
        .where(col(LoopTicket.ticket_id).in_(tickets))
        .order_by(col(Feedback.said_at), col(Feedback.id))
    ).all()
    spans = _spans(session, tickets)
    found: dict[int, list[Said]] = {}
    for ticket_id, feedback, version in rows:
        said = Said(
            feedback_id=feedback.id,
            said_at=feedback.said_at,
            channel=feedback.channel,
            language=version.language or feedback.language,
            rating=feedback.rating,
            scale=feedback.rating_scale and feedback.rating_scale.value,
            text=version.verbatim,
            spans=tuple(spans.get((ticket_id, version.id), ())),
        )
        found.setdefault(ticket_id, []).append(said)
    return found


def _spans(
    session: Session, tickets: Collection[int]
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    query = select(Statement).where(col(Statement.ticket_id).in_(tickets))
    for row in session.exec(query.order_by(col(Statement.start))):
        found.setdefault((row.ticket_id or 0, row.version_id), []).append((row.start, row.end))
    return found


def sentiments_of(session: Session, tickets: Collection[int]) -> dict[int, str]:
    """By ticket the worst sentiment of its statements; what people said of them wins."""
    statements = dict(
        session.exec(
            select(Statement.id, Statement.ticket_id).where(col(Statement.ticket_id).in_(tickets))
        ).all()
    )
    read: dict[int, str] = {}
    for kind in (Suggestion, Label):
        values = select(kind.statement_id, kind.value).where(
            col(kind.statement_id).in_(statements), kind.kind == SuggestionKind.SENTIMENT
        )
        read |= {s: value for s, value in session.exec(values.order_by(col(kind.id))) if value}
    return _worst((statements[s] or 0, value) for s, value in read.items())


def _worst(values: Iterable[tuple[int, str]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for ticket_id, value in values:
        if value in WORST_FIRST:
            before = found.get(ticket_id, WORST_FIRST[-1])
            found[ticket_id] = min(before, value, key=WORST_FIRST.index)
    return found


def loops_by_customer(session: Session, customers: Collection[int]) -> dict[int, int]:
    """By customer how many loops there ever were."""
    query = select(Loop.customer_id, func.count()).where(col(Loop.customer_id).in_(customers))
    return dict(session.exec(query.group_by(col(Loop.customer_id))).all())


def came_back(session: Session, rounds: Mapping[int | None, int]) -> dict[int, str]:
    """By ticket that was reopened the code of why: what was last.

    Args:
        rounds: By ticket its round.
    """
    again = [ticket for ticket, round_ in rounds.items() if round_ > 1]
    query = select(TicketEvent.ticket_id, TicketEvent.detail).where(
        col(TicketEvent.ticket_id).in_(again),
        col(TicketEvent.kind) == TicketEventKind.REOPENED,
    )
    return {t or 0: why for t, why in session.exec(query.order_by(col(TicketEvent.id)))}
