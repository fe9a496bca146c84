"""What happens to a loop: opened, told, closed, reopened, given up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, select

from voc.models import (
    Answer,
    DeliveryChannel,
    Feedback,
    Loop,
    LoopKind,
    LoopState,
    Message,
    MessageKind,
    Ticket,
    TicketEventKind,
    TicketState,
)
from voc.rules.lifecycle import UNFINISHED, LoopAction, next_loop_state, next_ticket_state
from voc.rules.provenance import origin
from voc.store import approval, events, messages, tickets
from voc.store.events import Happening
from voc.store.feedback import newest_version

SYSTEM = "vocloop"
RETURNED = "bounced"
LIVE = frozenset({LoopState.OPEN, LoopState.TOLD})


def open_loop(session: Session, feedback: Feedback, kind: LoopKind, *, now: datetime) -> Loop:
    """Open what we owe for one piece of feedback. There is never a second loop for it."""
    assert feedback.id is not None  # noqa: S101  (stored)
    loop = Loop(feedback_id=feedback.id, customer_id=feedback.customer_id, kind=kind, opened_at=now)
    session.add(loop)
    session.flush()
    remember_words(session, loop, feedback, TicketEventKind.LOOP_OPENED, kind, now=now)
    return loop


def remember_words(
    session: Session,
    loop: Loop,
    feedback: Feedback,
    kind: TicketEventKind,
    what: str,
    *,
    now: datetime,
) -> None:
    """Write into the ledger which version of the words a step of the loop is about."""
    version = newest_version(session, feedback)
    detail = origin(
        what, version.feedback_id, version.number, version.content_hash, version.understood_by or ""
    )
    happened = Happening(kind=kind, loop_id=loop.id, detail=detail)
    events.append(session, [happened], actor=SYSTEM, now=now)


def plan_follow_up(session: Session, loop: Loop, step: str, *, now: datetime) -> bool:
    """Owe the customer a message: ``receipt``, ``thanks``, ``resolution`` or ``reminder``."""
    rounds = "" if step in {"receipt", "thanks"} else f".{loop.round}"
    return messages.plan(
        session,
        subject=f"loop:{loop.id}",
        step=f"{step}{rounds}",
        recipient=f"customer:{loop.customer_id}",
        kind=MessageKind.FOLLOW_UP,
        template=step,
        customer_id=loop.customer_id,
        loop_id=loop.id,
        now=now,
    )


def plan_review_reply(session: Session, loop: Loop, *, now: datetime) -> bool:
    """Owe the review a public reply. It waits for a person whatever the company file says."""
    return messages.plan(
        session,
        subject=f"loop:{loop.id}",
        step="review_reply",
        channel=DeliveryChannel.REVIEW,
        recipient=f"review:{loop.feedback_id}",
        kind=MessageKind.FOLLOW_UP,
        template="review_reply",
        customer_id=loop.customer_id,
        loop_id=loop.id,
        now=now,
    )


def plan_resolution_if_done(session: Session, loop: Loop, *, now: datetime) -> None:
    """One consolidated reply, as soon as every ticket of the loop is resolved."""
    if loop.state is not LoopState.OPEN or loop.id is None:
        return
    if all(t.state not in UNFINISHED for t in tickets.tickets_of(session, loop.id)):
        plan_follow_up(session, loop, "resolution", now=now)


def await_new_ticket(session: Session, loop: Loop) -> None:
    """The loop waits for one more ticket: a reply that was written without it is not *the* reply.

    Then the next round begins, and its reply will speak of all tickets. A reply that is only
    planned is rendered later and needs nothing.
    """
    if messages.is_written(session, loop.id or 0, f"resolution.{loop.round}"):
        loop.round += 1
        session.add(loop)


def on_sent(session: Session, message: Message, now: datetime) -> None:
    """What a message that went out means for its loop. Runs in the settling transaction."""
    if message.loop_id is None:
        return
    loop = tickets.locked_loop(session, message.loop_id)
    if loop.state is not LoopState.OPEN:
        return
    if message.template == "resolution" and message.step == f"resolution.{loop.round}":
        tell(session, loop, now=now)
    elif message.template == "thanks":
        tell(session, loop, now=now)
        close(session, loop, LoopAction.CLOSE_SILENT, reason="thanked", now=now)


def on_returned(session: Session, message: Message, *, now: datetime) -> None:
    """A message came back. If it was the one that told the customer, they were not told.

    Whoever has answered it has got it, whatever came back.
    """
    if message.loop_id is None:
        return
    loop = tickets.locked_loop(session, message.loop_id)
    tells = message.template == "thanks" or message.step == f"resolution.{loop.round}"
    believed = loop.state in {LoopState.TOLD, LoopState.CLOSED}
    if not tells or not believed or is_answered(session, loop):
        return
    if loop.first_told_at == loop.told_at:
        loop.first_told_at = None
    loop.told_at = None
    give_up(session, loop, reason=RETURNED, now=now)


def tell(session: Session, loop: Loop, *, now: datetime) -> None:
    """The customer has our answer: a sender handed it over, or their own answer proves it."""
    loop.state = next_loop_state(loop.id or 0, loop.state, LoopAction.TELL)
    loop.reason = loop.closed_at = None
    loop.told_at, loop.first_told_at = now, loop.first_told_at or now
    session.add(loop)
    told = Happening(kind=TicketEventKind.LOOP_TOLD, loop_id=loop.id, detail=f"round {loop.round}")
    events.append(session, [told], actor=SYSTEM, now=now)
    close_finished_tickets(session, loop, now=now)


def close(session: Session, loop: Loop, action: LoopAction, *, reason: str, now: datetime) -> None:
    """Close a loop whose customer was told: solved, silent, or thanked."""
    loop.state = next_loop_state(loop.id or 0, loop.state, action)
    loop.closed_at = now
    _close_because(session, loop, reason, now=now)


def solve_after_all(session: Session, loop: Loop, *, now: datetime) -> None:
    """The customer of a closed loop, a silent one perhaps, says that it is solved."""
    if loop.reason != "solved":
        _close_because(session, loop, "solved", now=now)


def _close_because(session: Session, loop: Loop, reason: str, *, now: datetime) -> None:
    loop.reason = reason
    session.add(loop)
    closed = Happening(kind=TicketEventKind.LOOP_CLOSED, loop_id=loop.id, detail=reason)
    events.append(session, [closed], actor=SYSTEM, now=now)


def reopen(session: Session, loop: Loop, *, now: datetime) -> None:
    """The customer says it is not solved: the next round begins."""
    loop.state = next_loop_state(loop.id or 0, loop.state, LoopAction.REOPEN)
    loop.round += 1
    loop.reopened += 1
    loop.reason = loop.told_at = loop.closed_at = None
    session.add(loop)
    reopened = Happening(
        kind=TicketEventKind.LOOP_REOPENED, loop_id=loop.id, detail=f"round {loop.round}"
    )
    events.append(session, [reopened], actor="customer", now=now)


def give_up(session: Session, loop: Loop, *, reason: str, now: datetime) -> None:
    """The customer cannot be told: the loop ends with the reason, not as closed.

    A public reply goes out all the same: it is how such a customer finds us.
    """
    private = approval.unless_public(loop.id)
    _end(session, loop, LoopAction.GIVE_UP, *private, reason=reason, now=now)


def is_answered(session: Session, loop: Loop) -> bool:
    """Whether the question of this round has an answer, applied or not."""
    query = select(Answer.id).where(Answer.loop_id == loop.id, Answer.round == loop.round)
    return session.exec(query.limit(1)).first() is not None


def drop(session: Session, loop: Loop, *, reason: str, now: datetime) -> None:
    """There is nothing to tell any more: unsent messages are cancelled, tickets closed."""
    if loop.state in LIVE:
        _end(session, loop, LoopAction.DROP, reason=reason, now=now)


def _end(
    session: Session,
    loop: Loop,
    action: LoopAction,
    *which: ColumnElement[bool],
    reason: str,
    now: datetime,
) -> None:
    """End the loop and take back those of its unsent messages of which *which* holds."""
    loop.state = next_loop_state(loop.id or 0, loop.state, action)
    loop.reason, loop.closed_at = reason, now
    session.add(loop)
    messages.cancel(session, *which, loop_id=loop.id, reason=reason, now=now)
    ended = Happening(kind=TicketEventKind.LOOP_ENDED, loop_id=loop.id, detail=reason)
    events.append(session, [ended], actor=SYSTEM, now=now)
    close_finished_tickets(session, loop, now=now)


def close_finished_tickets(session: Session, loop: Loop, *, now: datetime) -> None:
    """Close the loop's tickets that no other loop still waits for.

    A resolved ticket closes when each of its loops was told or ended. An unresolved one closes
    only when all its loops were dropped: then nobody is left to answer.
    """
    session.flush()
    for ticket in tickets.tickets_of(session, loop.id or 0):
        others = tickets.loops_of(session, ticket.id or 0)
        waiting = any(other.state is LoopState.OPEN for other in others)
        dropped = all(other.state is LoopState.NOT_ACTIONABLE for other in others)
        if not waiting and (ticket.state is TicketState.RESOLVED or dropped):
            _close_ticket(session, ticket, now=now)


def _close_ticket(session: Session, ticket: Ticket, *, now: datetime) -> None:
    if ticket.state is TicketState.CLOSED:
        return
    ticket.state = next_ticket_state(ticket.id or 0, ticket.state, TicketEventKind.CLOSED)
    ticket.closed_at = now
    session.add(ticket)
    messages.cancel(session, ticket_id=ticket.id, reason="ticket_closed", now=now)
    closed = Happening(kind=TicketEventKind.CLOSED, ticket_id=ticket.id)
    events.append(session, [closed], actor=SYSTEM, now=now)
