"""What owners do with a ticket in the desk: each deed a form, and back to a page that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from apps.desk.access.gate import Visitor, do
from apps.desk.access.roles import WORKERS
from apps.desk.desk import Desk, Number, Refusal, TheDesk
from apps.desk.links.forms import read_resolve
from apps.desk.work.acts import ACTS, FIELDS, Act, Typed, UnusableError
from apps.desk.work.done import (
    EVENTS,
    FOR_COLLEAGUES,
    Deed,
    is_repeated,
    may,
    moves_of,
    version_of,
)
from apps.desk.work.gone import is_gone, show_gone
from apps.desk.work.held import ticket_for
from apps.desk.work.ticket import show
from apps.desk.work.way import queue_of, queue_with, ticket_from
from voc.actions.ticket_undo import TooLateError
from voc.columns import LARGEST
from voc.errors import IllegalTransitionError, VocError
from voc.store import audit, comments
from voc.store import tickets as store
from voc.store.database import reading, transaction
from voc.store.ticket_before import find as find_before
from voc.text import normalise

router = APIRouter()

FASTER = "Somebody was faster: this is the ticket as it is now. Nothing of yours was saved."
LEAVES_THE_QUEUE = frozenset({Deed.HAND_OVER, Deed.SNOOZE})


@router.post("/desk/tickets/{ticket_id}/{deed}")
def act(
    ticket_id: Number,
    deed: Deed,
    desk: TheDesk,
    *,
    visitor: Visitor = do(WORKERS),
    seen: Annotated[str, Form()] = "",
    owner: Annotated[str, Form()] = "",
    department: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
    comment: Annotated[int, Form(ge=0, le=LARGEST)] = 0,
    until: Annotated[str, Form()] = "",
    day: Annotated[str, Form()] = "",
    root_cause: Annotated[str, Form()] = "",
    action_taken: Annotated[str, Form()] = "",
    into: Annotated[int, Form(ge=0, le=LARGEST)] = 0,
    came_from: Annotated[str, Form(alias="from")] = "",
) -> Response:
    queue = queue_of(came_from)
    typed = Typed(
        seen=seen,
        owner=owner,
        department=department,
        words=words,
        comment=comment,
        until=until,
        day=day,
        root_cause=root_cause,
        action_taken=action_taken,
        into=into,
    )
    try:
        version = _do(desk, ticket_id, deed, typed, visitor)
    except (IllegalTransitionError, TooLateError) as exc:
        conflict = str(exc) if isinstance(exc, TooLateError) else FASTER
        return _again(desk, ticket_id, visitor, typed, queue, conflict=conflict, status=409)
    except UnusableError as exc:
        return _again(desk, ticket_id, visitor, typed, queue, errors=exc.errors, status=422)
    except VocError as exc:
        errors = {FIELDS.get(deed, "words"): str(exc)}
        return _again(desk, ticket_id, visitor, typed, queue, errors=errors, status=422)
    if deed in LEAVES_THE_QUEUE:
        where = queue_with(queue, done=deed, ticket=ticket_id, at=version)
    else:
        shown = into if deed is Deed.MERGE else ticket_id
        where = ticket_from(queue, shown, done=deed, at=version)
    return RedirectResponse(where, 303)


def _do(desk: Desk, ticket_id: int, deed: Deed, typed: Typed, visitor: Visitor) -> int:
    """Do it once, however often it was clicked; the version of what is shown then.

    Raises:
        VocError: It cannot be done, or not as it was typed.
    """
    with transaction(desk.engine) as session:
        if store.find(session, ticket_id) is None:
            raise Refusal(404, "not_here")
        store.locked(session, ticket_id)
        if not _is_done(session, ticket_id, deed, typed, visitor):
            _require(session, ticket_id, deed, typed, visitor)
            acting = Act(
                session=session,
                company=desk.company,
                ticket_id=ticket_id,
                typed=typed,
                actor=visitor.email,
                now=visitor.now,
            )
            ACTS[deed](acting)
            done = "undone" if deed is Deed.UNDO else EVENTS[deed].value
            audit.write(session, visitor.email, done, f"ticket:{ticket_id}", at=visitor.now)
        session.flush()
        shown = typed.into if deed is Deed.MERGE else ticket_id
        return version_of(moves_of(session, shown, deed))


def _is_done(session: Session, ticket_id: int, deed: Deed, typed: Typed, visitor: Visitor) -> bool:
    """Whether they have just done exactly that: a form that was sent twice."""
    if deed is Deed.COMMENT:
        words = normalise(typed.words).strip()
        return any(
            (each.author, each.words) == (visitor.email, words)
            and typed.seen.isdecimal()
            and (each.id or 0) > int(typed.seen)
            for each in comments.of_ticket(session, ticket_id)
        )
    if deed is Deed.RESOLVE:
        ticket = store.found(session, ticket_id)
        form = read_resolve(typed.root_cause, typed.action_taken)
        if (form.root_cause, form.action_taken) != (ticket.root_cause, ticket.action_taken):
            return False
    moves = moves_of(session, ticket_id, deed)
    return is_repeated(moves, deed, typed.seen, visitor.email, detail=typed.detail(deed))


def _require(session: Session, ticket_id: int, deed: Deed, typed: Typed, visitor: Visitor) -> None:
    """See that the ticket is the visitor's to act on, and as they have seen it.

    Raises:
        Refusal: It is another department's, and was not theirs just before.
        IllegalTransitionError: Somebody was faster.
    """
    ticket = store.found(session, ticket_id)
    before = find_before(session, ticket_id) if deed is Deed.UNDO else None
    theirs = visitor.sees(before.department if before else ticket.department)
    if not theirs and not is_gone(session, ticket, visitor):
        raise Refusal(404, "not_here")
    moves = moves_of(session, ticket_id, deed)
    as_seen = deed in FOR_COLLEAGUES or typed.seen == str(version_of(moves))
    if not theirs or not may(ticket, deed) or not as_seen:
        raise IllegalTransitionError("ticket", ticket_id, ticket.state, deed)
    if deed is Deed.MERGE and typed.into:
        ticket_for(session, typed.into, visitor)


def _again(
    desk: Desk,
    ticket_id: int,
    visitor: Visitor,
    typed: Typed,
    queue: str,
    *,
    conflict: str | None = None,
    errors: Mapping[str, str] | None = None,
    status: int,
) -> HTMLResponse:
    """The page as it is now, with what was typed."""
    with reading(desk.engine) as session:
        ticket = store.found(session, ticket_id)
        if is_gone(session, ticket, visitor):
            return show_gone(session, desk, ticket, visitor, queue=queue, typed=typed.as_typed())
        return show(
            session,
            desk,
            ticket_for(session, ticket_id, visitor),
            visitor,
            queue=queue,
            conflict=conflict,
            typed=typed.as_typed(),
            errors=errors,
            status=status,
        )
