"""Loops: their newest event says their state; what counts as told was told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, cast, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, select

from voc.models import (
    Answer,
    Loop,
    LoopKind,
    LoopState,
    LoopTicket,
    Message,
    MessageState,
    TicketEvent,
    TicketEventKind,
)
from voc.rules.books import Finding
from voc.rules.lifecycle import LAST_SAYS
from voc.store.verify.messages import LEFT
from voc.store.verify.since import since


def loops_follow_their_events(session: Session) -> Finding | None:
    """A loop's state is what the newest of its events says; what has events is there."""
    name = "loops follow their events"
    newest = (
        select(TicketEvent.loop_id, func.max(TicketEvent.id).label("id"))
        .where(col(TicketEvent.kind).in_(LAST_SAYS))
        .group_by(col(TicketEvent.loop_id))
        .subquery()
    )
    rows = session.exec(
        select(Loop.id, col(Loop.state), col(TicketEvent.kind))
        .outerjoin(newest, newest.c.loop_id == Loop.id)
        .outerjoin(TicketEvent, col(TicketEvent.id) == newest.c.id)
        .order_by(col(Loop.id))
    )
    for loop_id, state, kind in rows:
        if state not in LAST_SAYS.get(kind, ()):
            said = getattr(kind, "value", "nothing")
            problem = f"is {state.value}, its last event says {said}"
            return Finding(name, f"loop {loop_id}", problem)
    is_there = exists().where(col(Loop.id) == TicketEvent.loop_id)
    orphan = session.exec(
        select(TicketEvent.id, TicketEvent.loop_id)
        .where(col(TicketEvent.loop_id).is_not(None), ~is_there)
        .order_by(col(TicketEvent.id))
        .limit(1)
    ).first()
    if orphan is None:
        return None
    event_id, gone = orphan
    return Finding(name, f"ticketevent {event_id}", f"is about loop {gone}, which is not there")


def loops_have_what_they_need(session: Session) -> Finding | None:
    """An issue's loop has tickets; an ended one says why."""
    name = "loops have what they need"
    has_ticket = exists().where(col(LoopTicket.loop_id) == Loop.id)
    row = session.exec(
        select(Loop).where(Loop.kind == LoopKind.ISSUE, ~has_ticket).limit(1)
    ).first()
    if row:
        return Finding(name, f"loop {row.id}", "has no ticket")
    ended = col(Loop.state).not_in([LoopState.OPEN, LoopState.TOLD])
    row = session.exec(select(Loop).where(ended, col(Loop.reason).is_(None)).limit(1)).first()
    return (
        Finding(name, f"loop {row.id}", f"is {row.state.value} without a reason") if row else None
    )


def closed_loops_were_told(session: Session) -> Finding | None:
    """No loop counts as told or closed unless the message that tells went out."""
    name = "closed loops were told"
    row = session.exec(
        select(Loop)
        .where(
            col(Loop.state).in_([LoopState.TOLD, LoopState.CLOSED]),
            ~_told_by(Loop.id, cast(col(Loop.round), String), _carrier_left())
            | col(Loop.told_at).is_(None),
        )
        .order_by(col(Loop.id))
        .limit(1)
    ).first()
    return Finding(name, f"loop {row.id}", "no message told the customer") if row else None


def told_loops_had_a_message(session: Session) -> Finding | None:
    """Before the ledger says that a customer was told, it says that the message was sent."""
    if (start := since(session)) is None:
        return None
    told = aliased(TicketEvent)
    sent = exists().where(
        col(TicketEvent.message_id) == _carrier(),
        col(TicketEvent.kind) == TicketEventKind.MESSAGE_SENT,
        col(TicketEvent.id) < told.id,
    )
    round_told = func.replace(col(told.detail), "round ", "")
    row = session.exec(
        select(told)
        .join(Loop, col(Loop.id) == told.loop_id)
        .where(
            col(told.kind) == TicketEventKind.LOOP_TOLD,
            col(Loop.opened_at) >= start,
            ~_told_by(told.loop_id, round_told, sent),
        )
        .order_by(col(told.id))
        .limit(1)
    ).first()
    if row is None:
        return None
    problem = f"tells loop {row.loop_id}, and no message of it was sent before"
    return Finding("told loops had a message", f"ticketevent {row.id}", problem)


def _told_by(
    loop_id: Any, in_round: ColumnElement[str], went: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether the loop has a message that tells in that round, and it went."""
    return exists().where(
        col(Message.loop_id) == loop_id,
        (col(Message.step) == "thanks") | (col(Message.step) == "resolution." + in_round),
        went,
    )


def _carrier() -> ColumnElement[Any]:
    """The message that carries the words: itself, or the one that it was merged into."""
    return func.coalesce(Message.merged_into_id, Message.id)


def _carrier_left() -> ColumnElement[bool]:
    """Whether it left us and stayed with the customer: who answers has got it, all the same."""
    carrier = aliased(Message)
    answered = exists().where(
        col(Answer.loop_id) == Message.loop_id,
        col(Message.step) == "resolution." + cast(col(Answer.round), String),
    )
    stayed = (col(carrier.state) != MessageState.BOUNCED) | answered
    return exists().where(col(carrier.id) == _carrier(), col(carrier.state).in_(LEFT), stayed)
