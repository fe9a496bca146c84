"""What happened to a ticket before it came back: for whoever has to do it better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, select

from voc.models import (
    Answer,
    LoopTicket,
    Message,
    Ticket,
    TicketEvent,
    TicketEventKind,
    Verdict,
)

STEPS = (
    TicketEventKind.OPENED,
    TicketEventKind.REASSIGNED,
    TicketEventKind.ESCALATED,
    TicketEventKind.RESOLVED,
    TicketEventKind.LOOP_TOLD,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One thing that happened: a step of our own, or an answer of the customer's."""

    at: datetime
    kind: TicketEventKind
    detail: str = ""
    """Who resolved it, or which department or level it went to."""
    cause: str | None = field(default=None, repr=False)
    action: str | None = field(default=None, repr=False)
    verdict: Verdict | None = None
    words: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Unclear words that a colleague is asked about."""

    at: datetime
    words: str = field(repr=False)


def pasts_of(session: Session, tickets: Sequence[Ticket]) -> dict[int, list[Past]]:
    """By ticket its steps and its customers' answers, the oldest first: three queries.

    Root cause and action are those of the newest resolution: of earlier ones only the ledger's
    line remains.
    """
    found: dict[int, list[Past]] = {ticket.id or 0: [] for ticket in tickets}
    loops: dict[int, list[int]] = {}
    pairs = select(LoopTicket).where(col(LoopTicket.ticket_id).in_(found))
    for pair in session.exec(pairs):
        loops.setdefault(pair.loop_id, []).append(pair.ticket_id)
    of_a_loop = col(TicketEvent.ticket_id).is_(None) & col(TicketEvent.loop_id).in_(loops)
    about = col(TicketEvent.ticket_id).in_(found) | of_a_loop  # not of a loop's other tickets
    steps = select(TicketEvent).where(about, col(TicketEvent.kind).in_(STEPS))
    for event in session.exec(steps.order_by(col(TicketEvent.id))):
        theirs = loops.get(event.loop_id or 0, []) if event.ticket_id is None else [event.ticket_id]
        is_resolved = event.kind is TicketEventKind.RESOLVED
        detail = event.actor if is_resolved else event.detail
        for ticket_id in theirs:
            found[ticket_id].append(Past(at=event.at, kind=event.kind, detail=detail))
    for answer in session.exec(select(Answer).where(col(Answer.loop_id).in_(loops))):
        said = Past(
            at=answer.at,
            kind=TicketEventKind.ANSWERED,
            verdict=answer.verdict,
            words=answer.words,
        )
        for ticket_id in loops[answer.loop_id]:
            found[ticket_id].append(said)
    for ticket in tickets:
        pasts = found[ticket.id or 0]
        pasts.sort(key=lambda past: past.at)
        _say_why(pasts, ticket)
    return found


def _say_why(pasts: list[Past], ticket: Ticket) -> None:
    """Add root cause and action to the newest resolution: the ticket holds no earlier ones."""
    resolved = [i for i, past in enumerate(pasts) if past.kind is TicketEventKind.RESOLVED]
    if resolved:
        past = pasts[resolved[-1]]
        pasts[resolved[-1]] = Past(
            at=past.at,
            kind=past.kind,
            detail=past.detail,
            cause=ticket.root_cause,
            action=ticket.action_taken,
        )


def replies_of(session: Session, messages: Sequence[Message]) -> dict[str, Reply]:
    """By the subject of an alert the unclear words that it is about."""
    numbers = {
        int(number): message.subject
        for message in messages
        if (kind := message.subject.partition(":"))[0] == "answer" and (number := kind[2]).isdigit()
    }
    query = select(Answer).where(col(Answer.id).in_(numbers))
    return {
        numbers[answer.id or 0]: Reply(at=answer.at, words=answer.words or "")
        for answer in session.exec(query)
    }
