"""Tickets: list, look, and the deeds of owners. Whoever writes says which version they saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session

from apps.desk.api.problems import ProblemError, answers
from apps.desk.api.shapes import (
    Comment,
    CommentShown,
    IfMatch,
    Number,
    OfCustomer,
    Page,
    Paging,
    Reassign,
    Resolve,
    Snooze,
    TicketShown,
    WholeTicket,
)
from apps.desk.api.tokens import Caller, needs
from voc.actions import ticket_work, tickets
from voc.models import Ticket, TicketState
from voc.rules.scopes import Scope
from voc.store import audit, comments, listings
from voc.store import tickets as store
from voc.store.database import reading, transaction
from voc.text import normalise

router = APIRouter(prefix="/tickets", tags=["tickets"])

ETAG = {"ETag": {"description": "The version, in quotes.", "schema": {"type": "string"}}}
FOUND: dict[int | str, dict[str, Any]] = {200: {"headers": ETAG}}
WRITES = FOUND | answers(400, 404, 409, 412, 413, 428)
ANY = "*"

Reader = Annotated[Caller, needs(Scope.TICKETS_READ)]
Writer = Annotated[Caller, needs(Scope.TICKETS_WRITE)]
OfDepartment = Annotated[str | None, Query(max_length=64, pattern=r"^[a-z0-9_]*$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A program that wants to do something with the ticket as it knows it."""

    caller: Caller
    ticket_id: int
    if_match: str | None
    response: Response

    def does(self, name: str, deed: Callable[[Session], object]) -> WholeTicket:
        """Do *deed* if the ticket is what they know; show what became of it.

        Args:
            name: What the audit log calls it.

        Raises:
            ProblemError: 428: they do not say what they know; 412: it has changed since.
        """
        if self.if_match is None:
            raise ProblemError(428)
        with transaction(self.caller.desk.engine) as session:
            before = _whole(session, store.locked(session, self.ticket_id))
            if self.if_match.strip() not in {ANY, f'"{before.version}"'}:
                raise ProblemError(412, ticket=before.model_dump(mode="json"))
            deed(session)
            subject = f"ticket:{self.ticket_id}"
            audit.write(session, self.caller.actor, name, subject, at=self.caller.now)
            session.flush()
            after = _whole(session, store.found(session, self.ticket_id))
        self.response.headers["ETag"] = f'"{after.version}"'
        return after


def attempt_of(
    caller: Writer, ticket_id: Number, response: Response, if_match: IfMatch = None
) -> Attempt:
    return Attempt(caller=caller, ticket_id=ticket_id, if_match=if_match, response=response)


TheAttempt = Annotated[Attempt, Depends(attempt_of)]


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
    return Page(items=items, next=items[-1].id if len(items) == paging.limit else None)


@router.get("/{ticket_id}", summary="One ticket", responses=FOUND | answers(404))
def show_ticket(caller: Reader, ticket_id: Number, response: Response) -> WholeTicket:
    """A ticket with its comments. What its customer said stands at `/feedback`."""
    with reading(caller.desk.engine) as session:
        shown = _whole(session, store.found(session, ticket_id))
    response.headers["ETag"] = f'"{shown.version}"'
    return shown


@router.post("/{ticket_id}/accept", summary="Take it", responses=WRITES)
def accept(attempt: TheAttempt) -> WholeTicket:
    """The token is its owner from here on."""
    who, key = attempt.caller, attempt.ticket_id
    return attempt.does(
        "accepted", lambda session: tickets.accept(session, key, actor=who.actor, now=who.now)
    )


@router.post("/{ticket_id}/release", summary="Give it back to the queue", responses=WRITES)
def release(attempt: TheAttempt) -> WholeTicket:
    """Nobody has it any more. The promise that somebody takes it runs on."""
    who, key = attempt.caller, attempt.ticket_id
    return attempt.does(
        "released", lambda session: ticket_work.release(session, key, actor=who.actor, now=who.now)
    )


@router.post("/{ticket_id}/reassign", summary="Not ours: another department", responses=WRITES)
def reassign(attempt: TheAttempt, body: Reassign) -> WholeTicket:
    """Teaches the router: what it is about belongs to that department."""
    who, key = attempt.caller, attempt.ticket_id
    return attempt.does(
        "reassigned",
        lambda session: tickets.reassign(
            session, key, body.department, who.desk.company, actor=who.actor, now=who.now
        ),
    )


@router.post("/{ticket_id}/comment", summary="Write something for colleagues", responses=WRITES)
def comment(attempt: TheAttempt, body: Comment) -> WholeTicket:
    """Customers never read it."""
    who, key = attempt.caller, attempt.ticket_id
    return attempt.does(
        "commented",
        lambda session: ticket_work.comment(session, key, body.words, actor=who.actor, now=who.now),
    )


@router.post("/{ticket_id}/snooze", summary="Put it off", responses=WRITES)
def snooze(attempt: TheAttempt, body: Snooze) -> WholeTicket:
    """It leaves the queue and comes back by itself. Its clocks run on."""
    who, key = attempt.caller, attempt.ticket_id
    return attempt.does(
        "snoozed",
        lambda session: ticket_work.snooze(
            session,
            key,
            body.until,
            who.desk.company,
            day=body.day,
            actor=who.actor,
            now=who.now,
        ),
    )


@router.post("/{ticket_id}/resolve", summary="It is dealt with", responses=WRITES)
def resolve(attempt: TheAttempt, body: Resolve) -> WholeTicket:
    """When it was the last ticket of a loop, the customer is told what was done."""
    who, key = attempt.caller, attempt.ticket_id
    return attempt.does(
        "resolved",
        lambda session: tickets.resolve(
            session,
            key,
            root_cause=normalise(body.root_cause),
            action_taken=normalise(body.action_taken),
            actor=who.actor,
            now=who.now,
        ),
    )


def _whole(session: Session, ticket: Ticket) -> WholeTicket:
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
