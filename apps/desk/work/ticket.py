"""One ticket: what the customer said, what went before, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.access.gate import READERS, WORKERS, Visitor, do, see
from apps.desk.desk import Desk, TheDesk
from apps.desk.links.customers import READ
from apps.desk.work.done import Done, done_of
from apps.desk.work.held import page_of, ticket_for
from apps.desk.work.reply import Reply, replies_of
from voc.models import Ticket
from voc.store.database import reading

router = APIRouter()

MOST_LETTERS = 2_000


@router.api_route("/desk/tickets/{ticket_id}", methods=READ)
def show_ticket(
    ticket_id: int,
    desk: TheDesk,
    visitor: Visitor = see(READERS),
    done: Annotated[str, Query(max_length=32)] = "",
) -> HTMLResponse:
    with reading(desk.engine) as session:
        ticket = ticket_for(session, ticket_id, visitor)
        visitor.saw(f"ticket:{ticket.id}")
        return show(session, desk, ticket, visitor, done=done_of(ticket, done))


@router.post("/desk/tickets/{ticket_id}/preview")
def show_reply(
    ticket_id: int,
    desk: TheDesk,
    visitor: Visitor = do(WORKERS),
    root_cause: Annotated[str, Form()] = "",
    action_taken: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """What the customer would get. Nothing is saved."""
    typed = {"root_cause": root_cause, "action_taken": action_taken}
    with reading(desk.engine) as session:
        ticket = ticket_for(session, ticket_id, visitor)
        action = action_taken.strip()
        if not action:
            errors = {"action_taken": "Say first what was done: the customer reads it."}
            return show(session, desk, ticket, visitor, typed=typed, errors=errors, status=422)
        replies = replies_of(session, desk, ticket, action[:MOST_LETTERS], visitor.now)
        return show(session, desk, ticket, visitor, typed=typed, replies=replies)


def show(
    session: Session,
    desk: Desk,
    ticket: Ticket,
    visitor: Visitor,
    *,
    done: Done | None = None,
    conflict: str | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    replies: Sequence[Reply] | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The page of a ticket.

    Args:
        conflict: Why a deed was not possible.
        typed: What was typed into its forms, instead of what is there.
        errors: By field what is wrong with it.
        replies: What the customers would get.
    """
    page = page_of(session, desk, ticket, visitor)
    return desk.view(
        "work/ticket.html",
        visitor,
        status=status,
        here="/desk/queue",
        page=page,
        ticket=ticket,
        done=done,
        conflict=conflict,
        typed=page.draft | dict(typed or {}),
        errors=errors or {},
        replies=replies,
    )
