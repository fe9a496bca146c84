"""Whether what a message is about still stands: what the database knows of its loop and ticket."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, String, cast, exists
from sqlmodel import col, select

from voc.models import Answer, Loop, LoopTicket, Message, MessageKind, Ticket, Verdict
from voc.rules.lifecycle import UNFINISHED
from voc.rules.messages import LoopFacts, TicketFacts, still_wanted


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
    )
    ticket = row.Ticket and TicketFacts(
        state=row.Ticket.state, hand=row.Ticket.hand, round=row.Ticket.round
    )
    # A follow-up is about its loop; an alert may name the loop, but is about its ticket.
    is_follow_up = row.Message.kind is MessageKind.FOLLOW_UP
    return still_wanted(
        row.Message.step,
        loop if is_follow_up else None,
        None if is_follow_up else ticket,
        to_judge=bool(row.to_judge),
    )
