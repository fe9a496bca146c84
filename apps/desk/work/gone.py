"""A ticket that another department got while somebody was at work on it."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor
from apps.desk.desk import Desk
from voc.models import Ticket, TicketEventKind
from voc.store.ticket_history import newest_of

HAD_IT = frozenset({TicketEventKind.OPENED, TicketEventKind.REASSIGNED})
"""Events whose detail says whose the ticket is from there on."""


def is_gone(session: Session, ticket: Ticket, visitor: Visitor) -> bool:
    """Whether the ticket was one of the visitor's until the newest hand-over, and is not now."""
    if visitor.sees(ticket.department):
        return False
    had = newest_of(session, ticket.id or 0, HAD_IT, limit=2)
    return len(had) > 1 and visitor.sees(had[1].detail)


def show_gone(
    session: Session,
    desk: Desk,
    ticket: Ticket,
    visitor: Visitor,
    *,
    queue: str,
    typed: Mapping[str, str],
) -> HTMLResponse:
    """Say who has it now, and give back what was typed; nothing of the ticket."""
    (handed_over,) = newest_of(session, ticket.id or 0, HAD_IT, limit=1)
    return desk.view(
        "work/gone.html",
        visitor,
        status=409,
        here="/desk/queue",
        ticket_id=ticket.id,
        department=desk.company.department_or_triage(ticket.department).name,
        by="you" if handed_over.actor == visitor.email else handed_over.actor,
        queue=queue,
        typed=typed,
    )
