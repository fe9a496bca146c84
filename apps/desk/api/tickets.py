"""Tickets as other programs see them: listed, followed, and one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session

from apps.desk.api.problems import answers
from apps.desk.api.shapes import (
    CommentShown,
    OfCustomer,
    Page,
    Paging,
    TicketShown,
    WholeTicket,
)
from apps.desk.api.tokens import Caller, needs
from apps.desk.desk import Number
from voc.models import Ticket, TicketState
from voc.rules.scopes import Scope
from voc.store import comments, listings
from voc.store import tickets as store
from voc.store.database import reading

router = APIRouter(prefix="/tickets", tags=["tickets"])

ETAG = {"ETag": {"description": "The version, in quotes.", "schema": {"type": "string"}}}
FOUND: dict[int | str, dict[str, Any]] = {200: {"headers": ETAG}}

Reader = Annotated[Caller, needs(Scope.TICKETS_READ)]
OfDepartment = Annotated[str | None, Query(max_length=64, pattern=r"^[a-z0-9_]*$")]


@router.get("", summary="List tickets", responses=answers())
def list_tickets(
    caller: Reader,
    paging: Annotated[Paging, Depends()],
    department: OfDepartment = None,
    state: TicketState | None = None,
    customer: OfCustomer = None,
) -> Page[TicketShown]:
    """Tickets in the order of their numbers."""
    with reading(caller.desk.engine) as session:
        found = listings.tickets_after(
            session,
            paging.after,
            paging.limit,
            department=department,
            state=state,
            customer=customer,
        )
        versions = listings.versions_of(session, [ticket.id for ticket in found])
    items = [TicketShown.model_validate(_facts(t, versions.get(t.id or 0, 0))) for t in found]
    saw_tickets(caller, items)
    return Page(items=items, next=items[-1].id if len(items) == paging.limit else None)


@router.get("/changes", summary="Tickets that have changed", responses=answers())
def list_changes(caller: Reader, paging: Annotated[Paging, Depends()]) -> Page[TicketShown]:
    """Each ticket with a version above `after`, once, as it is now, in the order of versions.

    Whoever wants to know what is new asks again with the largest version that they have seen.
    """
    with reading(caller.desk.engine) as session:
        found, end = listings.changed_after(session, paging.after, paging.limit)
    items = [TicketShown.model_validate(_facts(ticket, version)) for ticket, version in found]
    saw_tickets(caller, items)
    return Page(items=items, next=end)


@router.get("/{ticket_id}", summary="One ticket", responses=FOUND | answers(404))
def show_ticket(caller: Reader, ticket_id: Number, response: Response) -> WholeTicket:
    """A ticket with its comments. What its customer said stands at `/feedback`."""
    with reading(caller.desk.engine) as session:
        shown = whole(session, store.found(session, ticket_id))
    caller.saw(f"ticket:{ticket_id}")
    response.headers["ETag"] = f'"{shown.version}"'
    return shown


def saw_tickets(caller: Caller, items: Sequence[TicketShown]) -> None:
    """Note in the audit log which tickets were listed."""
    numbers = [each.id for each in items]
    caller.saw(f"ticket:{min(numbers)}-{max(numbers)}" if numbers else "ticket:none")


def whole(session: Session, ticket: Ticket) -> WholeTicket:
    """A ticket with its loops, its feedback and its comments."""
    key = ticket.id or 0
    loops = listings.loops_by_ticket(session, key)
    return WholeTicket.model_validate(
        _facts(ticket, listings.versions_of(session, [key]).get(key, 0))
        | {
            "loops": list(loops),
            "feedback": list(loops.values()),
            "comments": [
                CommentShown.model_validate(each) for each in comments.of_ticket(session, key)
            ],
        }
    )


def _facts(ticket: Ticket, version: int) -> dict[str, Any]:
    return ticket.model_dump() | {"version": version}
