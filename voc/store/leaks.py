"""Where loops get stuck: how many, since when, and which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, case, func
from sqlmodel import Session, col, select

from voc.company.fitting import TRIAGE
from voc.models import (
    Answer,
    Feedback,
    FeedbackState,
    Message,
    MessageState,
    Quarantine,
    QuarantineState,
    Ticket,
    TicketState,
    Verdict,
)
from voc.rules.contact import Why
from voc.store.live import departments
from voc.store.message_lists import alerts_of_work

CAPS = (Why.CAP_7_DAYS.value, Why.CAP_30_DAYS.value)
HELD = (Why.KILL_SWITCH.value, Why.RESTORED.value, Why.BY_HAND.value)
NEVER_ARRIVED = (MessageState.FAILED, MessageState.DEAD, MessageState.BOUNCED)
LATE: Mapping[TicketState, str] = MappingProxyType(
    {TicketState.OPEN: "not_taken", TicketState.IN_PROGRESS: "overdue"}
)
"""How a ticket with a department is stuck when its next promise is over."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """How many there are, since when the oldest is, and how many are late."""

    n: int
    since: datetime | None
    late: int = 0


def tickets_where(code: str, now: datetime) -> ColumnElement[bool]:
    """The tickets that are stuck in this way; each of them in one way at most.

    Raises:
        KeyError: There is no such way.
    """
    state, due = col(Ticket.state), col(Ticket.due_at)
    in_triage = col(Ticket.department) == TRIAGE
    return {
        "triage": in_triage & due.is_not(None),
        "not_taken": ~in_triage & (state == TicketState.OPEN) & (due < now),
        "overdue": ~in_triage & (state == TicketState.IN_PROGRESS) & (due < now),
        "resolved_not_told": state == TicketState.RESOLVED,
    }[code]


def stuck_tickets(session: Session, now: datetime) -> dict[tuple[str, str], Stuck]:
    """By way, as `tickets_where` names them, and department: the tickets that are stuck."""
    name, due = col(Ticket.department), col(Ticket.due_at)
    late = func.sum(case((due < now, 1), else_=0))
    found: dict[tuple[str, str], Stuck] = {}
    for code, moment in (("triage", Ticket.opened_at), ("resolved_not_told", Ticket.resolved_at)):
        rows = session.exec(
            select(name, func.count(), func.min(col(moment)), late)
            .where(tickets_where(code, now))
            .group_by(name)
        )
        found |= {(code, department): Stuck(*counted) for department, *counted in rows}
    others = [department for department in departments(session) if department != TRIAGE]
    rows_of_late = session.exec(
        select(name, col(Ticket.state), func.count(), func.min(due))
        .where(name.in_(others), due < now)
        .group_by(name, col(Ticket.state))
    )
    for department, state, n, since in rows_of_late:
        found[LATE[state], department] = Stuck(n, since, n)
    return found


def tickets(
    session: Session, code: str, now: datetime, *, department: str, after: int, limit: int
) -> list[Ticket]:
    """Such tickets with ids above *after*; of all departments if it is empty."""
    query = select(Ticket).where(tickets_where(code, now), col(Ticket.id) > after)
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
            session, Message.planned_at, state.in_(NEVER_ARRIVED), alerts_of_work()
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
