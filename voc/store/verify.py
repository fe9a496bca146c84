"""The books: what must hold between the tables, whatever crashed. Each check names a row.

Every check is one query (or one pass over one table) that returns the first offender, so that
it can run hourly; together they hold what `docs/books.md` promises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from types import MappingProxyType

from sqlalchemy import String, and_, cast, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, select

from voc.errors import IllegalTransitionError
from voc.models import (
    ChainHead,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Loop,
    LoopKind,
    LoopState,
    LoopTicket,
    Message,
    MessageKind,
    MessageState,
    Statement,
    Ticket,
    TicketEvent,
    TicketEventKind,
    TicketState,
)
from voc.rules import chain, lifecycle
from voc.rules.books import Finding

OF_TICKETS = frozenset(
    {
        TicketEventKind.OPENED,
        TicketEventKind.JOINED,
        TicketEventKind.ACCEPTED,
        TicketEventKind.REASSIGNED,
        TicketEventKind.RESOLVED,
        TicketEventKind.ESCALATED,
        TicketEventKind.REOPENED,
        TicketEventKind.CLOSED,
    }
)
LEFT = frozenset(
    {
        MessageState.SENT,
        MessageState.DELIVERED,
        MessageState.BOUNCED,
        MessageState.COMPLAINED,
    }
)
WITH_REASON = frozenset(
    {
        MessageState.SUPPRESSED,
        MessageState.EXPIRED,
        MessageState.HELD,
        MessageState.CANCELLED,
        MessageState.FAILED,
        MessageState.DEAD,
    }
)


def event_chain(session: Session) -> Finding | None:
    """Each event's hash covers its content and the one before; the head knows the length."""
    name, previous, length = "event chain", chain.GENESIS, 0
    for event in session.exec(select(TicketEvent).order_by(col(TicketEvent.id))):
        row = f"ticketevent {event.id}"
        if event.previous_hash != previous:
            return Finding(name, row, "does not follow the event before it: one is missing")
        expected = chain.link(
            previous,
            ticket_id=event.ticket_id,
            loop_id=event.loop_id,
            message_id=event.message_id,
            kind=event.kind,
            actor=event.actor,
            detail=event.detail,
            at=event.at,
        )
        if event.hash != expected:
            return Finding(name, row, "was changed after it was written")
        previous, length = event.hash, length + 1
    head = session.get(ChainHead, 1)
    if head is None:
        return Finding(name, "chainhead 1", "is missing") if length else None
    if (head.length, head.hash) != (length, previous):
        return Finding(name, "chainhead 1", f"expects {head.length} events, there are {length}")
    return None


def tickets_follow_their_events(session: Session) -> Finding | None:
    """A ticket's state is what its events say."""
    name = "tickets follow their events"
    query = (
        select(TicketEvent)
        .where(col(TicketEvent.kind).in_(OF_TICKETS))
        .order_by(col(TicketEvent.ticket_id), col(TicketEvent.id))
    )
    states = {ticket.id: ticket.state for ticket in session.exec(select(Ticket))}
    for ticket_id, events in groupby(session.exec(query), key=lambda e: e.ticket_id):
        row = f"ticket {ticket_id}"
        try:
            replayed = lifecycle.replay(ticket_id or 0, [event.kind for event in events])
        except IllegalTransitionError as exc:
            return Finding(name, row, f"has impossible events: {exc}")
        if states.pop(ticket_id) is not replayed:
            return Finding(name, row, f"its events say {replayed.value}")
    if states:
        return Finding(name, f"ticket {min(i or 0 for i in states)}", "has no events")
    return None


LAST_SAYS: Mapping[TicketEventKind, frozenset[LoopState]] = MappingProxyType(
    {
        TicketEventKind.LOOP_OPENED: frozenset({LoopState.OPEN}),
        TicketEventKind.LOOP_REOPENED: frozenset({LoopState.OPEN}),
        TicketEventKind.LOOP_TOLD: frozenset({LoopState.TOLD}),
        TicketEventKind.LOOP_CLOSED: frozenset({LoopState.CLOSED}),
        TicketEventKind.LOOP_ENDED: frozenset(
            {LoopState.COULD_NOT_TELL, LoopState.NOT_ACTIONABLE, LoopState.DUPLICATE}
        ),
    }
)


def loops_follow_their_events(session: Session) -> Finding | None:
    """A loop's state is what the newest of its events says."""
    newest = (
        select(func.max(TicketEvent.id))
        .where(col(TicketEvent.kind).in_(LAST_SAYS))
        .group_by(col(TicketEvent.loop_id))
    )
    rows = session.exec(
        select(Loop, col(TicketEvent.kind))
        .outerjoin(
            TicketEvent,
            (col(TicketEvent.loop_id) == Loop.id) & col(TicketEvent.id).in_(newest),
        )
        .order_by(col(Loop.id))
    )
    for loop, kind in rows:
        if loop.state not in LAST_SAYS.get(kind, ()):
            said = getattr(kind, "value", "nothing")
            problem = f"is {loop.state.value}, its last event says {said}"
            return Finding("loops follow their events", f"loop {loop.id}", problem)
    return None


def feedback_is_in_one_state(session: Session) -> Finding | None:
    """Routed feedback has its loop, filed has its reason, the rest has neither."""
    name = "feedback is in one state"
    has_loop = exists().where(col(Loop.feedback_id) == Feedback.id)
    wrong = or_(
        and_(col(Feedback.state) == FeedbackState.ROUTED, ~has_loop),
        and_(col(Feedback.state) == FeedbackState.FILED, col(Feedback.reason).is_(None)),
    )
    row = session.exec(select(Feedback).where(wrong).order_by(col(Feedback.id)).limit(1)).first()
    if row:
        return Finding(
            name, f"feedback {row.id}", f"is {row.state.value} without its loop or reason"
        )
    has_version = exists().where(
        col(FeedbackVersion.feedback_id) == Feedback.id,
        col(FeedbackVersion.number) == Feedback.version,
    )
    row = session.exec(select(Feedback).where(~has_version).limit(1)).first()
    return Finding(name, f"feedback {row.id}", "has no current version") if row else None


def statements_lie_in_their_verbatim(session: Session) -> Finding | None:
    """Spans point into the text, and do not overlap."""
    name = "statements lie in their verbatim"
    length = func.length(FeedbackVersion.verbatim)
    row = session.exec(
        select(Statement)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .where((col(Statement.end) > length) | (col(Statement.start) >= Statement.end))
        .order_by(col(Statement.id))
        .limit(1)
    ).first()
    if row:
        return Finding(name, f"statement {row.id}", "points outside of the text")
    other = aliased(Statement)
    row = session.exec(
        select(Statement)
        .join(other, (col(other.version_id) == Statement.version_id) & (other.id != Statement.id))
        .where(col(other.start) <= Statement.start, col(other.end) > Statement.start)
        .order_by(col(Statement.id))
        .limit(1)
    ).first()
    return Finding(name, f"statement {row.id}", "overlaps another one") if row else None


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
    of_round = "resolution." + cast(col(Loop.round), String)
    told = exists().where(
        col(Message.loop_id) == Loop.id,
        (col(Message.step) == "thanks") | (col(Message.step) == of_round),
        col(Message.state).in_(LEFT),
    )
    row = session.exec(
        select(Loop)
        .where(
            col(Loop.state).in_([LoopState.TOLD, LoopState.CLOSED]),
            ~told | col(Loop.told_at).is_(None),
        )
        .order_by(col(Loop.id))
        .limit(1)
    ).first()
    return Finding(name, f"loop {row.id}", "no message told the customer") if row else None


def resolved_tickets_say_why(session: Session) -> Finding | None:
    """Resolved tickets have a root cause and an action; closed ones wait for nobody."""
    name = "resolved tickets say why"
    row = session.exec(
        select(Ticket)
        .where(
            col(Ticket.state) == TicketState.RESOLVED,
            col(Ticket.root_cause).is_(None) | col(Ticket.action_taken).is_(None),
        )
        .limit(1)
    ).first()
    if row:
        return Finding(name, f"ticket {row.id}", "is resolved without root cause and action")
    waiting = exists().where(
        col(LoopTicket.ticket_id) == Ticket.id,
        col(LoopTicket.loop_id) == Loop.id,
        col(Loop.state) == LoopState.OPEN,
    )
    row = session.exec(
        select(Ticket).where(col(Ticket.state) == TicketState.CLOSED, waiting).limit(1)
    ).first()
    return Finding(name, f"ticket {row.id}", "is closed while a loop waits for it") if row else None


def messages_are_whole(session: Session) -> Finding | None:
    """What left has its Message-ID and time; what did not says why."""
    name = "messages are whole"
    wrong = or_(
        and_(
            col(Message.state).in_(LEFT),
            or_(col(Message.message_id).is_(None), col(Message.settled_at).is_(None)),
        ),
        and_(col(Message.state).in_(WITH_REASON), col(Message.reason).is_(None)),
        and_(col(Message.kind) == MessageKind.FOLLOW_UP, col(Message.customer_id).is_(None)),
    )
    row = session.exec(select(Message).where(wrong).order_by(col(Message.id)).limit(1)).first()
    return (
        Finding(name, f"message {row.id}", f"is {row.state.value} but not whole") if row else None
    )


CHECKS: Mapping[str, Callable[[Session], Finding | None]] = MappingProxyType(
    {
        check.__name__.replace("_", " "): check
        for check in (
            event_chain,
            tickets_follow_their_events,
            loops_follow_their_events,
            feedback_is_in_one_state,
            statements_lie_in_their_verbatim,
            loops_have_what_they_need,
            closed_loops_were_told,
            resolved_tickets_say_why,
            messages_are_whole,
        )
    }
)


def verify(session: Session) -> dict[str, Finding | None]:
    """Make every check; by its name the first finding, or None."""
    return {name: check(session) for name, check in CHECKS.items()}
