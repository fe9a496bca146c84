"""Owners' pages: take a ticket, hand it over, resolve it. In English: they are colleagues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.desk import Desk, Refusal, TheVisit, Visit
from apps.desk.links.customers import READ
from apps.desk.links.forms import OwnerForm, read_reassign, read_resolve, read_taker
from voc.actions import ticket_work, tickets
from voc.company.model import Department
from voc.errors import IllegalTransitionError
from voc.models import DeliveryChannel, LinkPurpose, Ticket, TicketEventKind, TicketState
from voc.rules.lifecycle import TICKET_ARROWS
from voc.store import links
from voc.store import tickets as store
from voc.store.approval import refusals_of
from voc.store.database import reading, transaction
from voc.store.links import Said

router = APIRouter()

EVENTS = {
    LinkPurpose.ACCEPT: TicketEventKind.ACCEPTED,
    LinkPurpose.REASSIGN: TicketEventKind.REASSIGNED,
    LinkPurpose.RESOLVE: TicketEventKind.RESOLVED,
}
STATES = {
    TicketState.OPEN: "open: nobody has taken it yet",
    TicketState.IN_PROGRESS: "in progress",
    TicketState.RESOLVED: "resolved: the customer will be told",
    TicketState.CLOSED: "closed",
}
DONE = {
    LinkPurpose.ACCEPT: "The ticket is yours now.",
    LinkPurpose.REASSIGN: "The ticket was handed over. Its new owners get a mail.",
    LinkPurpose.RESOLVE: "The ticket is resolved. Thank you.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A ticket in the hands of somebody who may act on it."""

    purpose: LinkPurpose
    actor: str
    ticket: Ticket
    department: Department
    room: bool
    """Whether the link stands in a chat room: then we do not know who follows it."""
    people: dict[str, str]
    """By address the names of those who may have the ticket."""

    @property
    def may(self) -> bool:
        """Whether what the link is for is possible now."""
        return (self.ticket.state, EVENTS[self.purpose]) in TICKET_ARROWS


@router.api_route("/t/{token}", methods=READ)
def show_ticket(visit: TheVisit) -> HTMLResponse:
    with reading(visit.desk.engine) as session:
        held = _held(session, visit)
        return _page(session, visit.desk, held, form=OwnerForm() if held.may else None)


@router.post("/t/{token}")
def act(
    visit: TheVisit,
    department: Annotated[str, Form()] = "",
    root_cause: Annotated[str, Form()] = "",
    action_taken: Annotated[str, Form()] = "",
    who: Annotated[str, Form()] = "",
) -> HTMLResponse:
    desk = visit.desk
    with transaction(desk.engine) as session:
        held = _held(session, visit, to_act=True)
        form = OwnerForm()
        if held.purpose is LinkPurpose.REASSIGN:
            form = read_reassign(department, {d.id for d in _others(desk, held)})
        elif held.purpose is LinkPurpose.RESOLVE:
            form = read_resolve(root_cause, action_taken)
        elif held.room:
            form = read_taker(who, held.people)
        if not held.may:
            return _page(session, desk, held, form=None, status=409)
        if form.errors:
            return _page(session, desk, held, form=form, status=422)
        try:
            _ACT[held.purpose](session, visit, held, form)
        except IllegalTransitionError:  # raised before anything was changed
            return _page(session, desk, held, form=None, status=409)
        return _page(session, desk, held, form=None, done=DONE[held.purpose])


def _held(session: Session, visit: Visit, *, to_act: bool = False) -> Held:
    """The ticket of an owner's link; to act on it, locked until the commit.

    Raises:
        Refusal: There is no such link, it has expired, or the ticket is no longer in the hands
            of whom the mail went to: then its words are none of theirs.
    """
    link = visit.link(session)
    if link.purpose not in EVENTS or link.ticket is None:
        raise Refusal(404, "unknown", "en")
    if link.expired:
        raise Refusal(410, "expired", "en")
    if to_act:
        store.locked(session, link.ticket.id or 0)
    actor, theirs = link.message.recipient, link.ticket.department
    company = visit.desk.company
    department = next((d for d in company.departments if d.id == theirs), None)
    people = ticket_work.colleagues(session, company, theirs)
    rooms = {route.name for route in department.alerts} if department else set()
    in_room = link.message.channel is not DeliveryChannel.EMAIL
    if department is None or actor not in (rooms if in_room else people):
        raise Refusal(410, "handed_over", "en")
    return Held(
        purpose=link.purpose,
        actor=f"room:{actor}" if in_room else actor,
        ticket=link.ticket,
        department=department,
        room=in_room,
        people=people,
    )


def _others(desk: Desk, held: Held) -> list[Department]:
    """The departments to hand over to, the likeliest first."""
    likely = [str(offer[0]) for offer in held.ticket.offers]
    others = [d for d in desk.company.departments if d.id != held.ticket.department]
    return sorted(others, key=lambda d: likely.index(d.id) if d.id in likely else len(likely))


def _accept(session: Session, visit: Visit, held: Held, form: OwnerForm) -> None:
    number, company, actor, now = held.ticket.id or 0, visit.desk.company, held.actor, visit.now
    if held.room:
        ticket_work.assign(session, number, form.who, company, actor=actor, now=now)
    else:
        tickets.accept(session, number, actor=actor, now=now)


def _reassign(session: Session, visit: Visit, held: Held, form: OwnerForm) -> None:
    tickets.reassign(
        session,
        held.ticket.id or 0,
        form.department,
        visit.desk.company,
        actor=held.actor,
        now=visit.now,
    )


def _resolve(session: Session, visit: Visit, held: Held, form: OwnerForm) -> None:
    tickets.resolve(
        session,
        held.ticket.id or 0,
        root_cause=form.root_cause,
        action_taken=form.action_taken,
        actor=held.actor,
        now=visit.now,
    )


_ACT: dict[LinkPurpose, Callable[[Session, Visit, Held, OwnerForm], None]] = {
    LinkPurpose.ACCEPT: _accept,
    LinkPurpose.REASSIGN: _reassign,
    LinkPurpose.RESOLVE: _resolve,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketWords:
    """A ticket as its page shows it."""

    id: int
    state: str
    department: str
    priority: str
    because: str
    owner: str | None
    level: int
    answer_by: datetime | None
    resolve_by: datetime | None
    quotes: list[Said]
    objection: str | None
    refusal: str | None


def _words(session: Session, desk: Desk, held: Held) -> TicketWords:
    ticket = held.ticket
    department = desk.company.department(ticket.department)  # perhaps a new one by now
    zone = department.business_hours.timezone
    unfinished = ticket.resolved_at is None and ticket.state is not TicketState.CLOSED
    answer_by = desk.local(ticket.first_response_due_at, zone)
    return TicketWords(
        id=ticket.id or 0,
        state=STATES[ticket.state],
        department=department.name,
        priority=ticket.priority.value,
        because=ticket.because,
        owner=ticket.owner,
        level=ticket.level,
        answer_by=answer_by if unfinished and ticket.accepted_at is None else None,
        resolve_by=desk.local(ticket.resolution_due_at, zone) if unfinished else None,
        quotes=links.said_in_ticket(session, ticket),
        objection=links.objection(session, ticket),
        refusal=refusals_of(session, [ticket.id]).get(ticket.id or 0),
    )


def _page(
    session: Session,
    desk: Desk,
    held: Held,
    *,
    form: OwnerForm | None,
    done: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    likely = {str(offer[0]): float(offer[1]) for offer in held.ticket.offers}
    return desk.page(
        "ticket.html",
        status=status,
        ticket=_words(session, desk, held),
        purpose=held.purpose.value,
        form=form,
        done=done,
        departments=[(d.id, d.name, likely.get(d.id)) for d in _others(desk, held)],
        people=held.people if held.room else {},
    )
