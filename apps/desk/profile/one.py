"""One customer: who they are, what we may, and all that was said in one line of time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import READERS
from apps.desk.desk import Number, TheDesk
from apps.desk.links.customers import READ
from apps.desk.profile.held import HERE, customer_for, page_of
from voc.store.database import reading

router = APIRouter()


@router.api_route(HERE + "/{customer_id}", methods=READ, response_model=None)
def show_customer(
    customer_id: Number,
    desk: TheDesk,
    visitor: Visitor = see(READERS),
    before: Annotated[str, Query(max_length=64)] = "",
    done: Annotated[str, Query(max_length=32)] = "",
) -> HTMLResponse | RedirectResponse:
    with reading(desk.engine) as session:
        customer = customer_for(session, customer_id, visitor)
        if customer.id != customer_id:  # merged since
            return RedirectResponse(f"{HERE}/{customer.id}", 303)
        return page_of(session, desk, customer, visitor, before=before, done=done)
