"""Before two tickets become one: what is asked, with both side by side."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from apps.desk.access.gate import WORKERS, Visitor, see
from apps.desk.desk import Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.work.done import Deed, address_of, may
from apps.desk.work.held import standing, ticket_for
from apps.desk.work.rows import rows_of
from voc.rules.lifecycle import UNFINISHED
from voc.store.database import reading

router = APIRouter()


@router.api_route("/desk/tickets/{ticket_id}/merge", methods=READ)
def ask_to_merge(
    ticket_id: int, into: int, desk: TheDesk, visitor: Visitor = see(WORKERS)
) -> HTMLResponse:
    with reading(desk.engine) as session:
        ticket = ticket_for(session, ticket_id, visitor)
        target = ticket_for(session, into, visitor)
        fits = ticket.customer_id == target.customer_id and ticket.id != target.id
        if not fits or target.state not in UNFINISHED or not may(ticket, Deed.MERGE):
            raise Refusal(404, "not_here")
        rows = rows_of(session, desk.company, [ticket, target], visitor)
    return desk.view(
        "work/merge.html",
        visitor,
        here="/desk/queue",
        rows=rows,
        seen=standing(ticket),
        action=address_of(ticket_id, Deed.MERGE),
    )
