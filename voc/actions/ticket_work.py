"""What owners do with a ticket among themselves: assign, give back, comment, put off."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from voc.actions.tickets import alert, move
from voc.company.model import Company, Person
from voc.errors import VocError
from voc.models import Ticket, TicketComment, TicketEventKind
from voc.rules.queue import SnoozeUntil, before_due, wakes_at
from voc.rules.quiet_hours import zone
from voc.store import comments, messages, queue
from voc.text import normalise

LONGEST_COMMENT = 5_000


def colleagues(session: Session, company: Company, department: str) -> dict[str, str]:
    """Who can have a ticket of the department: by address their name, in its order.

    Its owners and those that it escalates to, and whoever has an account for it.
    """
    unit = company.department_or_triage(department)
    named = {person.email: person.name for person in (*unit.owners, *unit.escalation)}
    known = {email.casefold() for email in named}
    accounts = queue.accounts_of(session, department)
    return named | {a.email: a.name for a in accounts if a.email not in known}


def assign(
    session: Session, ticket_id: int, to: str, company: Company, *, actor: str, now: datetime
) -> Ticket:
    """Let a colleague of the same department have the ticket; they get a mail about it.

    A mail for each time, if the one before has left: else that one says it.

    Raises:
        VocError: They are no colleague of that department.
        IllegalTransitionError: It is finished.
    """
    ticket = move(session, ticket_id, TicketEventKind.ASSIGNED, actor=actor, now=now, detail=to)
    department = company.department_or_triage(ticket.department)
    known = colleagues(session, company, ticket.department)
    if to not in known:
        raise VocError(f"{to!r} is nobody of {department.name}; it is one of: {', '.join(known)}")
    ticket.owner, ticket.accepted_at = to, ticket.accepted_at or now
    if to != actor:
        person = Person(name=known[to], email=to)
        gift = 1 + messages.times_told(session, ticket_id, "assigned", to)
        step = f"assigned.{gift}.{ticket.hand}.{ticket.round}"
        alert(session, ticket, "ticket_assigned", step, [person], rooms=(), now=now)
    return ticket


def release(session: Session, ticket_id: int, *, actor: str, now: datetime) -> Ticket:
    """Nobody has the ticket any more; the promise that somebody takes it runs on.

    Raises:
        IllegalTransitionError: Nobody had it.
    """
    ticket = move(session, ticket_id, TicketEventKind.RELEASED, actor=actor, now=now)
    ticket.owner = ticket.accepted_at = None
    return ticket


def comment(
    session: Session, ticket_id: int, words: str, *, actor: str, now: datetime
) -> TicketComment:
    """Write something on a ticket that colleagues read. The ledger knows that, not what.

    Raises:
        VocError: There are no words, or too many.
    """
    words = normalise(words).strip()
    if not words or len(words) > LONGEST_COMMENT:
        raise VocError(f"a comment has between 1 and {LONGEST_COMMENT} letters")
    move(session, ticket_id, TicketEventKind.COMMENTED, actor=actor, now=now)
    row = TicketComment(ticket_id=ticket_id, author=actor, words=words, at=now)
    session.add(row)
    return row


def remove_comment(
    session: Session, ticket_id: int, comment_id: int, *, actor: str, now: datetime
) -> None:
    """Take away a comment of one's own. The ledger keeps that there was one.

    Raises:
        VocError: The ticket has none of theirs with this number.
    """
    row = comments.find(session, ticket_id, comment_id)
    if row is None or row.author != actor:
        raise VocError(f"no comment {comment_id} of yours is on ticket {ticket_id}")
    move(session, ticket_id, TicketEventKind.COMMENT_REMOVED, actor=actor, now=now)
    session.delete(row)


def snooze(
    session: Session,
    ticket_id: int,
    until: SnoozeUntil,
    company: Company,
    *,
    day: date | None = None,
    actor: str,
    now: datetime,
) -> Ticket:
    """Put a ticket off: it leaves the queue and comes back by itself. Its clocks run on.

    Raises:
        VocError: The day is none that it can come back on, or the ticket is late already.
        IllegalTransitionError: It is finished.
    """
    ticket = move(session, ticket_id, TicketEventKind.SNOOZED, actor=actor, now=now, detail=until)
    hours = company.department_or_triage(ticket.department).business_hours
    try:
        wakes = wakes_at(until, day, zone(hours.timezone), now)
        ticket.snoozed_until = before_due(ticket, wakes, now)
    except ValueError as exc:
        raise VocError(str(exc)) from None
    return ticket


def wake(session: Session, ticket_id: int, *, actor: str, now: datetime) -> Ticket:
    """Bring back a ticket that was put off.

    Raises:
        IllegalTransitionError: It is finished.
    """
    return move(session, ticket_id, TicketEventKind.WOKEN, actor=actor, now=now)
