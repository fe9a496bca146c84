"""What owners do with a ticket: accept, hand to another department, resolve; and its deadlines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from voc.actions import loops
from voc.company.model import TRIAGE, AlertRoute, Company, Department, Person
from voc.errors import ConfigurationError, VocError
from voc.models import (
    DeliveryChannel,
    Label,
    MessageKind,
    Priority,
    Statement,
    SuggestionKind,
    Ticket,
    TicketEventKind,
)
from voc.rules.business_time import add_business_hours
from voc.rules.lifecycle import next_ticket_state
from voc.store import events, messages, ticket_before, ticket_history, tickets
from voc.store.events import Happening

URGENCY = {
    Priority.LOW: 1.0,
    Priority.NORMAL: 1.0,
    Priority.HIGH: 0.5,
    Priority.URGENT: 0.25,
}
"""The share of a department's promised hours that a ticket of this priority gets."""


WAKE_NOBODY = frozenset({TicketEventKind.COMMENTED, TicketEventKind.COMMENT_REMOVED})


def start_clocks(ticket: Ticket, department: Department, *, now: datetime) -> None:
    """Promise a first response and a resolution, in the department's business hours."""
    share, hours, sla = URGENCY[ticket.priority], department.business_hours, department.sla
    ticket.first_response_due_at = add_business_hours(now, sla.first_response_hours * share, hours)
    ticket.resolution_due_at = add_business_hours(now, sla.resolution_hours * share, hours)


def alert(
    session: Session,
    ticket: Ticket,
    template: str,
    step: str,
    people: Sequence[Person],
    *,
    rooms: Sequence[AlertRoute],
    now: datetime,
) -> None:
    """Owe an alert about the ticket to each of *people* by mail, and to each of *rooms*."""
    ways = {person.email: DeliveryChannel.EMAIL for person in people}
    ways |= {room.name: DeliveryChannel(room.channel) for room in rooms}
    for recipient, channel in ways.items():
        messages.plan(
            session,
            subject=f"ticket:{ticket.id}",
            step=step,
            channel=channel,
            recipient=recipient,
            kind=MessageKind.ALERT,
            template=template,
            ticket_id=ticket.id,
            now=now,
        )


def accept(session: Session, ticket_id: int, *, actor: str, now: datetime) -> Ticket:
    """Somebody takes the ticket."""
    ticket = move(session, ticket_id, TicketEventKind.ACCEPTED, actor=actor, now=now)
    ticket.owner = actor
    ticket.accepted_at = ticket.accepted_at or now
    return ticket


def reassign(
    session: Session,
    ticket_id: int,
    department: str,
    company: Company,
    *,
    actor: str,
    now: datetime,
) -> Ticket:
    """Hand the ticket to the department that owns it. Teaches: a label on each statement.

    Triage owns nothing: that a ticket belongs there teaches nothing.

    Raises:
        ConfigurationError: There is no such department.
        VocError: It is there already.
    """
    require_department(company, department)
    if tickets.locked(session, ticket_id).department == department:
        raise VocError(f"ticket {ticket_id} is with {department} already")
    ticket = move(
        session, ticket_id, TicketEventKind.REASSIGNED, actor=actor, now=now, detail=department
    )
    ticket.department, ticket.because = department, f"handed over by {actor}"[:255]
    ticket.owner, ticket.accepted_at = None, None
    ticket.hand = 1 + ticket_history.times(session, ticket_id, TicketEventKind.REASSIGNED)
    receiving = company.department(department)
    ticket.level = 0
    start_clocks(ticket, receiving, now=now)
    step = f"opened.{ticket.hand}"
    alert(session, ticket, "ticket_opened", step, receiving.owners, rooms=receiving.alerts, now=now)
    if department != TRIAGE:
        _teach(session, ticket_id, department, actor=actor, now=now)
    return ticket


def _teach(session: Session, ticket_id: int, department: str, *, actor: str, now: datetime) -> None:
    for statement in session.exec(select(Statement).where(col(Statement.ticket_id) == ticket_id)):
        session.add(
            Label(
                statement_id=statement.id or 0,
                kind=SuggestionKind.DEPARTMENT,
                value=department,
                actor=actor,
                at=now,
            )
        )


def require_department(company: Company, department: str) -> None:
    """Refuse the name of a department that the company does not have.

    Raises:
        ConfigurationError: It names those that there are.
    """
    if department not in (known := [d.id for d in company.departments]):
        raise ConfigurationError(f"no department {department!r}; use one of: {', '.join(known)}")


def resolve(
    session: Session,
    ticket_id: int,
    *,
    root_cause: str,
    action_taken: str,
    actor: str,
    now: datetime,
) -> Ticket:
    """The owner says it is dealt with. When it was the last of a loop, the reply is planned.

    Raises:
        VocError: Root cause or action is missing.
    """
    if not root_cause.strip() or not action_taken.strip():
        raise VocError("to resolve a ticket say its root cause and what was done about it")
    ticket = move(session, ticket_id, TicketEventKind.RESOLVED, actor=actor, now=now)
    ticket.root_cause, ticket.action_taken = root_cause.strip(), action_taken.strip()
    ticket.owner = ticket.owner or actor
    ticket.accepted_at, ticket.resolved_at = ticket.accepted_at or now, now
    session.flush()
    for loop in tickets.loops_of(session, ticket_id):
        loops.plan_resolution_if_done(session, loop, now=now)
    # A loop that ended meanwhile no longer waits: then nobody will be told, and it is over.
    for loop in tickets.loops_of(session, ticket_id):
        if loop.state not in loops.LIVE:
            loops.close_finished_tickets(session, loop, now=now)
    return ticket


def reopen(session: Session, ticket_id: int, company: Company, *, now: datetime) -> Ticket:
    """The customer says it is not solved: back to work, one level up, the clocks start anew."""
    ticket = move(
        session, ticket_id, TicketEventKind.REOPENED, actor="customer", now=now, detail="not_solved"
    )
    department = company.department_or_triage(ticket.department)
    ticket.level = min(ticket.level + 1, len(department.escalation))
    ticket.reopened_hand = ticket.hand
    _work_again(session, ticket, department, now=now)
    return ticket


def send_back(
    session: Session, ticket_id: int, company: Company, *, actor: str, now: datetime
) -> Ticket:
    """The reply was not approved: back to work at the same level, the clocks start anew."""
    ticket = move(
        session, ticket_id, TicketEventKind.REOPENED, actor=actor, now=now, detail="refused"
    )
    _work_again(session, ticket, company.department_or_triage(ticket.department), now=now)
    return ticket


def _work_again(session: Session, ticket: Ticket, department: Department, *, now: datetime) -> None:
    ticket.department = department.id
    ticket.round += 1
    ticket.owner = ticket.accepted_at = ticket.resolved_at = ticket.closed_at = None
    start_clocks(ticket, department, now=now)
    people = [*department.owners, *department.escalation[: ticket.level]]
    step = f"reopened.{ticket.hand}.{ticket.round}"
    alert(session, ticket, "ticket_reopened", step, people, rooms=department.alerts, now=now)


def escalate(session: Session, ticket: Ticket, company: Company, *, now: datetime) -> None:
    """Raise a late ticket one level and tell that level. Once a level: see `to_escalate`."""
    department = company.department(ticket.department)
    ticket.level += 1
    ticket.snoozed_until = None
    session.add(ticket)
    escalated = Happening(
        kind=TicketEventKind.ESCALATED, ticket_id=ticket.id, detail=f"level {ticket.level}"
    )
    events.append(session, [escalated], actor=loops.SYSTEM, now=now)
    step = f"escalation.{ticket.level}.{ticket.hand}.{ticket.round}"
    people = [department.escalation[ticket.level - 1]]
    alert(session, ticket, "ticket_escalated", step, people, rooms=department.alerts, now=now)


def move(
    session: Session,
    ticket_id: int,
    event: TicketEventKind,
    *,
    actor: str,
    now: datetime,
    detail: str = "",
) -> Ticket:
    """Take a ticket along one arrow and remember who did it. What happens to it wakes it.

    Raises:
        IllegalTransitionError: There is no such arrow from where it is now.
    """
    ticket = tickets.locked(session, ticket_id)
    overwritten = ticket_before.values_of(ticket)
    ticket.state = next_ticket_state(ticket_id, ticket.state, event)
    if event not in WAKE_NOBODY:
        ticket.snoozed_until = None
    session.add(ticket)
    happened = Happening(kind=event, ticket_id=ticket_id, detail=detail)
    events.append(session, [happened], actor=actor, now=now)
    if event in ticket_before.CAN_BE_UNDONE:
        ticket_before.keep(session, ticket_id, overwritten)
    return ticket
