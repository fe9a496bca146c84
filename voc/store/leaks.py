"""Where loops get stuck or end without an answer: how many, since when, and which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from voc.company.fitting import TRIAGE
from voc.models import (
    Answer,
    Feedback,
    FeedbackState,
    Loop,
    LoopState,
    Message,
    MessageKind,
    MessageState,
    Quarantine,
    QuarantineState,
    Ticket,
    TicketState,
    Verdict,
)
from voc.rules import reasons
from voc.rules.contact import Why

Span = tuple[datetime, datetime]

CAPS = (Why.CAP_7_DAYS.value, Why.CAP_30_DAYS.value)
HELD = (Why.KILL_SWITCH.value, Why.RESTORED.value, Why.BY_HAND.value)
SILENT = "silent"
NEVER_LEFT = (MessageState.FAILED, MessageState.DEAD, MessageState.BOUNCED)


@dataclass(frozen=True, slots=True)
class Stuck:
    """How many there are, and since when the oldest is."""

    n: int
    since: datetime | None


def tickets_where(code: str, now: datetime) -> ColumnElement[bool]:
    """The tickets that are stuck in this way; each of them in one way at most.

    Raises:
        KeyError: There is no such way.
    """
    state, in_triage = col(Ticket.state), col(Ticket.department) == TRIAGE
    late = col(Ticket.due_at) < now
    return {
        "triage": in_triage & col(Ticket.due_at).is_not(None),
        "not_taken": ~in_triage & (state == TicketState.OPEN) & late,
        "overdue": ~in_triage & (state == TicketState.IN_PROGRESS) & late,
        "resolved_not_told": state == TicketState.RESOLVED,
    }[code]


def ticket_moment(code: str) -> Any:
    """Since when such a ticket is stuck: a column."""
    by_code = {"triage": Ticket.opened_at, "resolved_not_told": Ticket.resolved_at}
    return col(by_code.get(code, Ticket.due_at))


def stuck_tickets(session: Session, code: str, now: datetime) -> dict[str, Stuck]:
    """By department the tickets that are stuck in this way."""
    rows = session.exec(
        select(col(Ticket.department), func.count(), func.min(ticket_moment(code)))
        .where(tickets_where(code, now), col(Ticket.merged_into_id).is_(None))
        .group_by(col(Ticket.department))
    )
    return {department: Stuck(n, since) for department, n, since in rows}


def tickets(
    session: Session, code: str, now: datetime, *, department: str, after: int, limit: int
) -> list[Ticket]:
    """Such tickets with ids above *after*; of all departments if it is empty."""
    query = select(Ticket).where(
        tickets_where(code, now), col(Ticket.merged_into_id).is_(None), col(Ticket.id) > after
    )
    if department:
        query = query.where(Ticket.department == department)
    return list(session.exec(query.order_by(col(Ticket.id)).limit(limit)))


def stuck_messages(session: Session) -> dict[str, Stuck]:
    """Messages that wait for more than their time, by what holds them."""
    state, reason = col(Message.state), col(Message.reason)
    held = state == MessageState.HELD
    return {
        "unknown": _stuck(session, Message.settled_at, state == MessageState.UNKNOWN),
        "unapproved": _stuck(session, Message.frozen_at, held, reason == Why.NEEDS_APPROVAL),
        "held": _stuck(session, Message.planned_at, held, reason.in_(HELD)),
        "capped": _stuck(
            session, Message.planned_at, state == MessageState.QUEUED, reason.in_(CAPS)
        ),
        "alerts_lost": _stuck(
            session,
            Message.planned_at,
            state.in_(NEVER_LEFT),
            col(Message.kind) == MessageKind.ALERT,
        ),
    }


def stuck_at_the_door(session: Session) -> dict[str, Stuck]:
    """Feedback and answers that did not get in."""
    unjudged = col(Answer.applied_at).is_(None) & (col(Answer.verdict) == Verdict.UNCLEAR)
    return {
        "quarantined": _stuck(
            session, Quarantine.at, col(Quarantine.state) == QuarantineState.WAITING
        ),
        "unread": _stuck(
            session, Feedback.collected_at, col(Feedback.state) == FeedbackState.COLLECTED
        ),
        "unrouted": _stuck(
            session, Feedback.collected_at, col(Feedback.state) == FeedbackState.UNDERSTOOD
        ),
        "unjudged": _stuck(session, Answer.at, unjudged),
    }


def _stuck(session: Session, moment: Any, *which: ColumnElement[bool]) -> Stuck:
    n, since = session.exec(select(func.count(), func.min(col(moment))).where(*which)).one()
    return Stuck(n, since)


def untold_loops(session: Session, span: Span) -> dict[str, Stuck]:
    """By reason the loops that ended in *span* because their customers could not be told."""
    rows = session.exec(
        select(col(Loop.reason), func.count(), func.min(col(Loop.closed_at)))
        .where(Loop.state == LoopState.COULD_NOT_TELL, _within(span))
        .group_by(col(Loop.reason))
    )
    return {reason or "": Stuck(n, since) for reason, n, since in rows}


def silent_loops(session: Session, span: Span) -> Stuck:
    """The loops that were closed in *span* because their customers said nothing."""
    silent = (col(Loop.state) == LoopState.CLOSED) & (col(Loop.reason) == SILENT)
    return _stuck(session, Loop.closed_at, silent, _within(span))


def loops(
    session: Session,
    state: LoopState,
    group: str,
    span: Span,
    *,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[Loop]:
    """Such loops, the newest first.

    Args:
        group: Of reasons, if they could not be told; else the reason itself.
    """
    query = select(Loop).where(Loop.state == state, _within(span), _because(state, group))
    if after is not None:
        at, key = after
        ended = col(Loop.closed_at)
        query = query.where(ended <= at, (ended < at) | (col(Loop.id) < key))
    return list(
        session.exec(query.order_by(col(Loop.closed_at).desc(), col(Loop.id).desc()).limit(limit))
    )


def _within(span: Span) -> ColumnElement[bool]:
    begin, end = span
    return (col(Loop.closed_at) >= begin) & (col(Loop.closed_at) < end)


def _because(state: LoopState, group: str) -> ColumnElement[bool]:
    reason = col(Loop.reason)
    if state is not LoopState.COULD_NOT_TELL:
        return reason == group
    if (names := reasons.reasons_in(group)) is not None:
        return reason.in_(names)
    return reason.not_in(list(reasons.GROUPS)) | reason.is_(None)


def merged(found: Sequence[Stuck]) -> Stuck:
    """All of them together."""
    moments = [each.since for each in found if each.since]
    return Stuck(sum(each.n for each in found), min(moments, default=None))
