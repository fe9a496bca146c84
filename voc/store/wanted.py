"""Whether what a message is about still stands: what the database knows of its loop and ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, String, cast, exists
from sqlmodel import Session, col, select

from voc.models import (
    Answer,
    Loop,
    LoopTicket,
    Message,
    MessageKind,
    MessageState,
    Ticket,
    Verdict,
)
from voc.rules.contact import Why
from voc.rules.lifecycle import UNFINISHED
from voc.rules.messages import LoopFacts, TicketFacts, still_wanted
from voc.store.messages import write_anew


def unresolved() -> ColumnElement[bool]:
    """A column: whether the message's loop waits for a ticket."""
    waits_for = select(LoopTicket.ticket_id).join(Ticket, col(Ticket.id) == LoopTicket.ticket_id)
    unfinished = waits_for.where(
        col(LoopTicket.loop_id) == Message.loop_id, col(Ticket.state).in_(UNFINISHED)
    )
    return exists(unfinished.correlate(Message)).label("unresolved")


def answered() -> ColumnElement[bool]:
    """A column: whether the customer has answered in the loop's present round."""
    answers = select(Answer.id).where(
        col(Answer.loop_id) == Message.loop_id, col(Answer.round) == Loop.round
    )
    return exists(answers.correlate(Message, Loop)).label("answered")


def to_judge() -> ColumnElement[bool]:
    """A column: whether the answer that the message is about still waits for a person."""
    about = "answer:" + cast(Answer.id, String)
    waiting = select(Answer.id).where(
        col(Message.subject) == about,
        Answer.verdict == Verdict.UNCLEAR,
        col(Answer.applied_at).is_(None),
    )
    return exists(waiting.correlate(Message)).label("to_judge")


def is_wanted(row: Row[Any]) -> bool:
    """Of a row with a Message, its Loop and Ticket, and the columns above."""
    loop = row.Loop and LoopFacts(
        state=row.Loop.state,
        round=row.Loop.round,
        all_resolved=not row.unresolved,
        answered=bool(row.answered),
        kind=row.Loop.kind,
    )
    ticket = row.Ticket and _facts_of(row.Ticket)
    # A follow-up is about its loop; an alert may name the loop, but is about its ticket.
    is_follow_up = row.Message.kind is MessageKind.FOLLOW_UP
    return still_wanted(
        row.Message.step,
        loop if is_follow_up else None,
        None if is_follow_up else ticket,
        recipient=row.Message.recipient,
        to_judge=bool(row.to_judge),
    )


def owe_again(session: Session, ticket: Ticket, *, now: datetime) -> None:
    """Plan anew the alerts about a ticket that were not wanted when they were due, and now are."""
    dropped = select(Message).where(
        Message.ticket_id == ticket.id,
        Message.kind == MessageKind.ALERT,
        Message.state == MessageState.CANCELLED,
        Message.reason == Why.NOT_WANTED.value,
    )
    for alert in session.exec(dropped.order_by(col(Message.id))):
        if still_wanted(alert.step, None, _facts_of(ticket), recipient=alert.recipient):
            write_anew(session, alert, now=now, not_before=now)


def _facts_of(ticket: Ticket) -> TicketFacts:
    return TicketFacts(state=ticket.state, hand=ticket.hand, round=ticket.round, owner=ticket.owner)
