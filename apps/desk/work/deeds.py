"""What owners do with a ticket in the desk: each deed a form, and back to a page that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from apps.desk.access.gate import WORKERS, Visitor, do
from apps.desk.desk import Desk, Refusal, TheDesk
from apps.desk.links.forms import read_reassign, read_resolve
from apps.desk.work.done import EVENTS, Deed, may
from apps.desk.work.held import standing, ticket_for
from apps.desk.work.ticket import show
from voc.actions import ticket_undo, ticket_work, tickets
from voc.actions.ticket_merging import merge
from voc.actions.ticket_undo import TooLateError, came_from
from voc.company.model import Company
from voc.errors import IllegalTransitionError, VocError
from voc.rules.queue import SnoozeUntil
from voc.store import audit
from voc.store import tickets as store
from voc.store.database import reading, transaction
from voc.store.ticket_history import history_of

router = APIRouter()

FASTER = "Somebody was faster: this is the ticket as it is now. Nothing of yours was saved."
LEAVES_THE_QUEUE = frozenset({Deed.HAND_OVER, Deed.SNOOZE})
FIELDS = {
    Deed.ASSIGN: "owner",
    Deed.HAND_OVER: "department",
    Deed.COMMENT: "words",
    Deed.SNOOZE: "day",
    Deed.MERGE: "into",
}
"""Where it is said what is wrong with what was typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the forms of a ticket bring."""

    seen: str = ""
    owner: str = ""
    department: str = ""
    words: str = field(default="", repr=False)
    until: str = ""
    day: str = ""
    root_cause: str = field(default="", repr=False)
    action_taken: str = field(default="", repr=False)
    into: int = 0

    def as_typed(self) -> dict[str, str]:
        """For the page that shows them again."""
        return {
            "words": self.words,
            "root_cause": self.root_cause,
            "action_taken": self.action_taken,
            "department": self.department,
        }


class UnusableError(VocError):
    """What was typed cannot be used; by field why."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Somebody who is about to do something with a ticket."""

    session: Session
    company: Company
    ticket_id: int
    typed: Typed
    actor: str
    now: datetime


@router.post("/desk/tickets/{ticket_id}/{deed}")
def act(
    ticket_id: int,
    deed: Deed,
    desk: TheDesk,
    *,
    visitor: Visitor = do(WORKERS),
    seen: Annotated[str, Form()] = "",
    owner: Annotated[str, Form()] = "",
    department: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    day: Annotated[str, Form()] = "",
    root_cause: Annotated[str, Form()] = "",
    action_taken: Annotated[str, Form()] = "",
    into: Annotated[int, Form()] = 0,
) -> Response:
    typed = Typed(
        seen=seen,
        owner=owner,
        department=department,
        words=words,
        until=until,
        day=day,
        root_cause=root_cause,
        action_taken=action_taken,
        into=into,
    )
    try:
        with transaction(desk.engine) as session:
            _require(session, ticket_id, deed, typed, visitor)
            acting = Act(
                session=session,
                company=desk.company,
                ticket_id=ticket_id,
                typed=typed,
                actor=visitor.email,
                now=visitor.now,
            )
            _ACTS[deed](acting)
            subject, done = f"ticket:{ticket_id}", EVENTS[deed].value
            audit.write(session, visitor.email, done, subject, at=visitor.now)
    except (IllegalTransitionError, TooLateError) as exc:
        conflict = str(exc) if isinstance(exc, TooLateError) else FASTER
        return _again(desk, ticket_id, visitor, typed, conflict=conflict, status=409)
    except UnusableError as exc:
        return _again(desk, ticket_id, visitor, typed, errors=exc.errors, status=422)
    except VocError as exc:
        errors = {FIELDS[deed]: str(exc)}
        return _again(desk, ticket_id, visitor, typed, errors=errors, status=422)
    where = f"/desk/tickets/{typed.into if deed is Deed.MERGE else ticket_id}?done={deed}"
    if deed in LEAVES_THE_QUEUE:
        where = f"/desk/queue?done={deed}&ticket={ticket_id}"
    return RedirectResponse(where, 303)


def _require(session: Session, ticket_id: int, deed: Deed, typed: Typed, visitor: Visitor) -> None:
    """Hold the ticket, if it is the visitor's to act on and as they have seen it.

    Raises:
        Refusal: It is another department's. What was handed over may come back from there.
        IllegalTransitionError: Somebody was faster.
    """
    if store.find(session, ticket_id) is None:
        raise Refusal(404, "not_here")
    ticket = store.locked(session, ticket_id)
    if deed is Deed.HAND_BACK:
        visitor.require(came_from(history_of(session, ticket_id)) or ticket.department)
    else:
        visitor.require(ticket.department)
    if not may(ticket, deed) or (typed.seen and typed.seen != standing(ticket)):
        raise IllegalTransitionError("ticket", ticket_id, ticket.state, deed)
    if deed is Deed.MERGE and typed.into:
        ticket_for(session, typed.into, visitor)


def _again(
    desk: Desk,
    ticket_id: int,
    visitor: Visitor,
    typed: Typed,
    *,
    conflict: str | None = None,
    errors: Mapping[str, str] | None = None,
    status: int,
) -> HTMLResponse:
    """The page as it is now, with what was typed."""
    with reading(desk.engine) as session:
        ticket = ticket_for(session, ticket_id, visitor)
        return show(
            session,
            desk,
            ticket,
            visitor,
            conflict=conflict,
            typed={k: v for k, v in typed.as_typed().items() if v},
            errors=errors,
            status=status,
        )


def _accept(it: Act) -> None:
    tickets.accept(it.session, it.ticket_id, actor=it.actor, now=it.now)


def _release(it: Act) -> None:
    ticket_work.release(it.session, it.ticket_id, actor=it.actor, now=it.now)


def _assign(it: Act) -> None:
    to, company = it.typed.owner, it.company
    ticket_work.assign(it.session, it.ticket_id, to, company, actor=it.actor, now=it.now)


def _hand_over(it: Act) -> None:
    form = read_reassign(it.typed.department, {d.id for d in it.company.departments})
    if form.errors:
        raise UnusableError(form.errors)
    to, company = form.department, it.company
    tickets.reassign(it.session, it.ticket_id, to, company, actor=it.actor, now=it.now)


def _hand_back(it: Act) -> None:
    ticket_undo.hand_back(it.session, it.ticket_id, it.company, actor=it.actor, now=it.now)


def _comment(it: Act) -> None:
    ticket_work.comment(it.session, it.ticket_id, it.typed.words, actor=it.actor, now=it.now)


def _snooze(it: Act) -> None:
    try:
        until = SnoozeUntil(it.typed.until)
        day = date.fromisoformat(it.typed.day) if until is SnoozeUntil.DATE else None
    except ValueError:
        raise UnusableError({"day": "Choose until when, and a day that there is."}) from None
    ticket_work.snooze(
        it.session, it.ticket_id, until, it.company, day=day, actor=it.actor, now=it.now
    )


def _wake(it: Act) -> None:
    ticket_work.wake(it.session, it.ticket_id, actor=it.actor, now=it.now)


def _resolve(it: Act) -> None:
    form = read_resolve(it.typed.root_cause, it.typed.action_taken)
    if form.errors:
        raise UnusableError(form.errors)
    tickets.resolve(
        it.session,
        it.ticket_id,
        root_cause=form.root_cause,
        action_taken=form.action_taken,
        actor=it.actor,
        now=it.now,
    )


def _take_back(it: Act) -> None:
    ticket_undo.take_back(it.session, it.ticket_id, actor=it.actor, now=it.now)


def _merge(it: Act) -> None:
    merge(it.session, it.ticket_id, it.typed.into, actor=it.actor, now=it.now)


_ACTS: Mapping[Deed, Callable[[Act], None]] = {
    Deed.ACCEPT: _accept,
    Deed.RELEASE: _release,
    Deed.ASSIGN: _assign,
    Deed.HAND_OVER: _hand_over,
    Deed.HAND_BACK: _hand_back,
    Deed.COMMENT: _comment,
    Deed.SNOOZE: _snooze,
    Deed.WAKE: _wake,
    Deed.RESOLVE: _resolve,
    Deed.TAKE_BACK: _take_back,
    Deed.MERGE: _merge,
}
