"""What the queue shows of each ticket, for a whole page in a few queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from apps.desk.access.gate import Visitor
from voc.company.model import Company
from voc.models import Ticket
from voc.rules.highlight import Piece, excerpt
from voc.rules.queue import next_promise
from voc.store import ticket_words
from voc.store.ticket_words import Said

EXCERPT = 220
SOON = timedelta(hours=4)
NOTHING_LEFT = "The words were deleted where they came from."
CAME_BACK = {"not_solved": "back: not solved", "refused": "back: reply not approved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One ticket of the queue, as plain values."""

    id: int
    due_at: datetime
    urgency: str
    """late, soon or calm."""
    promise: str
    """What is due."""
    words: list[Piece] = field(repr=False)
    language: str | None
    sentiment: str | None
    topic: str | None
    department: str
    priority: str
    owner: str | None
    """None: nobody."""
    state: str
    back: str | None
    level: int
    loops: int
    snoozed_until: datetime | None


def rows_of(
    session: Session, company: Company, tickets: Sequence[Ticket], visitor: Visitor
) -> list[Row]:
    """The rows of unfinished tickets, in their order."""
    ids = [ticket.id or 0 for ticket in tickets]
    said = ticket_words.said_in(session, ids)
    sentiments = ticket_words.sentiments_of(session, ids)
    loops = ticket_words.loops_by_customer(session, {t.customer_id for t in tickets})
    back = ticket_words.came_back(session, {t.id: t.round for t in tickets})
    return [
        _row(
            ticket,
            company,
            visitor,
            said=said.get(ticket.id or 0, []),
            sentiment=sentiments.get(ticket.id or 0),
            back=CAME_BACK.get(back.get(ticket.id or 0, "")),
            loops=loops.get(ticket.customer_id, 0),
        )
        for ticket in tickets
    ]


def _row(
    ticket: Ticket,
    company: Company,
    visitor: Visitor,
    *,
    said: Sequence[Said],
    sentiment: str | None,
    back: str | None,
    loops: int,
) -> Row:
    due = next_promise(ticket) or ticket.resolution_due_at
    shown = _chosen(said)
    text = shown.text if shown and shown.text.strip() else NOTHING_LEFT
    return Row(
        id=ticket.id or 0,
        due_at=due,
        urgency=urgency_of(due, visitor.now),
        promise="to be resolved" if due == ticket.resolution_due_at else "to be taken",
        words=excerpt(text, shown.spans if shown else (), EXCERPT),
        language=shown.language if shown else None,
        sentiment=sentiment,
        topic=ticket.topic and ticket.topic.replace("_", " "),
        department=company.department_or_triage(ticket.department).name,
        priority=ticket.priority.value,
        owner="you" if (ticket.owner or "").lower() == visitor.email else ticket.owner,
        state=ticket.state.value.replace("_", " "),
        back=back,
        level=ticket.level,
        loops=loops,
        snoozed_until=ticket.snoozed_until,
    )


def _chosen(said: Sequence[Said]) -> Said | None:
    """The newest words with the issue in them; else the newest."""
    marked = [each for each in said if each.spans]
    return next(reversed(marked or said), None)


def urgency_of(due: datetime, now: datetime) -> str:
    """How close a promise is: late, soon or calm."""
    if due < now:
        return "late"
    return "soon" if due - now < SOON else "calm"
