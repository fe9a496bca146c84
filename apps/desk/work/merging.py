"""Before two tickets become one: what is asked, with both side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WORKERS
from apps.desk.desk import Number, Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.work.done import Deed, address_of, may, moves_of, version_of
from apps.desk.work.held import ticket_for
from apps.desk.work.rows import rows_of
from apps.desk.work.way import QUEUE, queue_of, ticket_from
from voc.columns import LARGEST
from voc.rules.lifecycle import UNFINISHED
from voc.store.database import reading

router = APIRouter()


@router.api_route("/desk/tickets/{ticket_id}/merge", methods=READ)
def ask_to_merge(
    ticket_id: Number,
    desk: TheDesk,
    *,
    into: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
    visitor: Visitor = see(WORKERS),
    came_from: Annotated[str, Query(alias="from")] = "",
) -> Response:
    if into is None:  # whoever signed in anew comes here without it
        return RedirectResponse(f"/desk/tickets/{ticket_id}", 303)
    with reading(desk.engine) as session:
        ticket = ticket_for(session, ticket_id, visitor)
        target = ticket_for(session, into, visitor)
        fits = ticket.customer_id == target.customer_id and ticket.id != target.id
        if not fits or target.state not in UNFINISHED or not may(ticket, Deed.MERGE):
            raise Refusal(404, "not_here")
        rows = rows_of(session, desk.company, [ticket, target], visitor)
        version = version_of(moves_of(session, ticket_id, Deed.MERGE))
    queue = queue_of(came_from)
    return desk.view(
        "work/merge.html",
        visitor,
        here=QUEUE,
        queue=queue,
        back=ticket_from(queue, ticket_id),
        rows=rows,
        version=version,
        action=address_of(ticket_id, Deed.MERGE),
    )
