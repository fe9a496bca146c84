"""What programs do with a ticket: the deeds of owners. They say which version they have seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session

from apps.desk.api.problems import ProblemError, answers, unusable
from apps.desk.api.shapes import (
    Assign,
    Comment,
    IfMatch,
    Merge,
    Reassign,
    RemoveComment,
    Resolve,
    Snooze,
    WholeTicket,
)
from apps.desk.api.tickets import FOUND, whole
from apps.desk.api.tokens import Caller, needs
from apps.desk.desk import Number
from voc.actions import ticket_undo, ticket_work, tickets
from voc.actions.ticket_merging import merge as merge_into
from voc.company.model import Company
from voc.rules.scopes import Scope
from voc.store import audit
from voc.store import tickets as store
from voc.store.database import transaction
from voc.text import normalise

router = APIRouter(prefix="/tickets/{ticket_id}", tags=["tickets"])

WRITES = FOUND | answers(400, 404, 409, 412, 413, 428)
ANY = "*"

Writer = Annotated[Caller, needs(Scope.TICKETS_WRITE)]


class Deed(Protocol):
    """What is done with a ticket, by whom and when."""

    def __call__(
        self, session: Session, ticket_id: int, /, *, actor: str, now: datetime
    ) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A program that wants to do something with the ticket as it knows it."""

    caller: Caller
    ticket_id: int
    if_match: str | None
    response: Response

    @property
    def company(self) -> Company:
        return self.caller.desk.company

    def does(self, name: str, deed: Deed) -> WholeTicket:
        """Do *deed* if the ticket is what they know; show what became of it.

        Args:
            name: What the audit log calls it.

        Raises:
            ProblemError: 428: they do not say what they know; 412: it has changed since.
        """
        if self.if_match is None:
            raise ProblemError(428)
        who, key = self.caller, self.ticket_id
        with transaction(who.desk.engine) as session:
            before = whole(session, store.locked(session, key))
            if self.if_match.strip() not in {ANY, f'"{before.version}"'}:
                who.saw(f"ticket:{key}")
                raise ProblemError(412, ticket=before.model_dump(mode="json"))
            deed(session, key, actor=who.actor, now=who.now)
            audit.write(session, who.actor, name, f"ticket:{key}", at=who.now)
            session.flush()
            after = whole(session, store.found(session, key))
        self.response.headers["ETag"] = f'"{after.version}"'
        return after


def attempt_of(
    caller: Writer, ticket_id: Number, response: Response, if_match: IfMatch = None
) -> Attempt:
    return Attempt(caller=caller, ticket_id=ticket_id, if_match=if_match, response=response)


TheAttempt = Annotated[Attempt, Depends(attempt_of)]


@router.post("/accept", summary="Take it", responses=WRITES)
def accept(attempt: TheAttempt) -> WholeTicket:
    """The token is its owner from here on."""
    return attempt.does("accepted", tickets.accept)


@router.post("/release", summary="Give it back to the queue", responses=WRITES)
def release(attempt: TheAttempt) -> WholeTicket:
    """Nobody has it any more. The promise that somebody takes it runs on."""
    return attempt.does("released", ticket_work.release)


@router.post("/assign", summary="Give it to a colleague", responses=WRITES)
def assign(attempt: TheAttempt, body: Assign) -> WholeTicket:
    """Somebody of the same department has it now, and gets a mail about it."""
    return attempt.does("assigned", partial(_assign, to=body.owner, company=attempt.company))


@router.post("/reassign", summary="Not ours: another department", responses=WRITES)
def reassign(attempt: TheAttempt, body: Reassign) -> WholeTicket:
    """Teaches the router: what it is about belongs to that department."""
    known = [department.id for department in attempt.company.departments]
    if body.department not in known:
        raise unusable("body.department", f"No such department; use one of: {', '.join(known)}")
    to = partial(tickets.reassign, department=body.department, company=attempt.company)
    return attempt.does("reassigned", to)


@router.post("/undo", summary="Undo what you have just done", responses=WRITES)
def undo(attempt: TheAttempt) -> WholeTicket:
    """Of accept, release, assign and reassign, while nothing else has happened to the ticket.

    All that it overwrote is as it was. What is resolved is taken back, what is put off woken.
    """
    return attempt.does("undone", ticket_undo.undo)


@router.post("/comment", summary="Write something for colleagues", responses=WRITES)
def comment(attempt: TheAttempt, body: Comment) -> WholeTicket:
    """Customers never read it."""
    return attempt.does("commented", partial(ticket_work.comment, words=body.words))


@router.post("/remove-comment", summary="Remove a comment of yours", responses=WRITES)
def remove_comment(attempt: TheAttempt, body: RemoveComment) -> WholeTicket:
    """The ledger keeps that there was one, not what it said."""
    which = partial(ticket_work.remove_comment, comment_id=body.comment)
    return attempt.does("comment_removed", which)


@router.post("/snooze", summary="Put it off", responses=WRITES)
def snooze(attempt: TheAttempt, body: Snooze) -> WholeTicket:
    """It leaves the queue and comes back by itself. Its clocks run on."""
    until = partial(ticket_work.snooze, until=body.until, day=body.day, company=attempt.company)
    return attempt.does("snoozed", until)


@router.post("/wake", summary="Bring back what was put off", responses=WRITES)
def wake(attempt: TheAttempt) -> WholeTicket:
    """It is in the queue again."""
    return attempt.does("woken", ticket_work.wake)


@router.post("/resolve", summary="It is dealt with", responses=WRITES)
def resolve(attempt: TheAttempt, body: Resolve) -> WholeTicket:
    """When it was the last ticket of a loop, the customer is told what was done."""
    said = partial(
        tickets.resolve,
        root_cause=normalise(body.root_cause),
        action_taken=normalise(body.action_taken),
    )
    return attempt.does("resolved", said)


@router.post("/take-back", summary="It is not resolved after all", responses=WRITES)
def take_back(attempt: TheAttempt) -> WholeTicket:
    """As long as the customer has not been told."""
    return attempt.does("taken_back", ticket_undo.take_back)


@router.post("/merge", summary="It is the same issue as another ticket", responses=WRITES)
def merge(attempt: TheAttempt, body: Merge) -> WholeTicket:
    """The other ticket of this customer takes over all of it; this one is closed."""
    return attempt.does("merged", partial(merge_into, into_id=body.into))


def _assign(
    session: Session, ticket_id: int, /, to: str, company: Company, *, actor: str, now: datetime
) -> None:
    department = store.found(session, ticket_id).department
    if to not in ticket_work.colleagues(session, company, department):
        raise unusable("body.owner", "Nobody of its department has this address.")
    ticket_work.assign(session, ticket_id, to, company, actor=actor, now=now)
