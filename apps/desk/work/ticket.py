"""One ticket: what the customer said, what went before, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import READERS, WORKERS
from apps.desk.desk import Desk, Number, TheDesk
from apps.desk.links.customers import READ
from apps.desk.links.forms import read_resolve
from apps.desk.work.done import Done, done_of
from apps.desk.work.gone import is_gone, show_gone
from apps.desk.work.held import page_of, ticket_for
from apps.desk.work.reply import Reply, replies_of
from apps.desk.work.way import QUEUE, queue_of
from voc.models import Ticket
from voc.store import tickets as store
from voc.store.database import reading

router = APIRouter()


@router.api_route("/desk/tickets/{ticket_id}", methods=READ)
def show_ticket(
    ticket_id: Number,
    desk: TheDesk,
    *,
    visitor: Visitor = see(READERS),
    done: Annotated[str, Query(max_length=32)] = "",
    at: Annotated[str, Query(max_length=32)] = "",
    came_from: Annotated[str, Query(alias="from")] = "",
) -> HTMLResponse:
    with reading(desk.engine) as session:
        ticket = ticket_for(session, ticket_id, visitor)
        said = done_of(session, ticket, done, at, visitor)
        return show(session, desk, ticket, visitor, queue=queue_of(came_from), done=said)


@router.post("/desk/tickets/{ticket_id}/preview")
def show_reply(
    ticket_id: Number,
    desk: TheDesk,
    *,
    visitor: Visitor = do(WORKERS),
    root_cause: Annotated[str, Form()] = "",
    action_taken: Annotated[str, Form()] = "",
    came_from: Annotated[str, Form(alias="from")] = "",
) -> HTMLResponse:
    """What the customer would get. Nothing is saved."""
    typed = {"root_cause": root_cause, "action_taken": action_taken}
    form, queue = read_resolve(root_cause, action_taken), queue_of(came_from)
    wrong = {name: why for name, why in form.errors.items() if name == "action_taken"}
    with reading(desk.engine) as session:
        ticket = store.find(session, ticket_id)
        if ticket is not None and is_gone(session, ticket, visitor):
            return show_gone(session, desk, ticket, visitor, queue=queue, typed=typed)
        ticket = ticket_for(session, ticket_id, visitor)
        return show(
            session,
            desk,
            ticket,
            visitor,
            queue=queue,
            typed=typed,
            errors=wrong,
            replies=None
            if wrong
            else replies_of(session, desk, ticket, form.action_taken, visitor.now),
            status=422 if wrong else 200,
        )


def show(
    session: Session,
    desk: Desk,
    ticket: Ticket,
    visitor: Visitor,
    *,
    queue: str = QUEUE,
    done: Done | None = None,
    conflict: str | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    replies: Sequence[Reply] | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The page of a ticket.

    Args:
        queue: Where its reader came from.
        conflict: Why a deed was not possible.
        typed: What was typed into its forms, instead of what is there.
        errors: By field what is wrong with it.
        replies: What the customers would get.
    """
    page, mine = page_of(session, desk, ticket, visitor), dict(typed or {})
    return desk.view(
        "work/ticket.html",
        visitor,
        status=status,
        here=QUEUE,
        queue=queue,
        page=page,
        ticket=ticket,
        done=done,
        conflict=conflict,
        typed=page.draft | mine,
        mine=mine,
        errors=errors or {},
        replies=replies,
    )
