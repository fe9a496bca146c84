"""What sources brought that could not be accepted: why, where it stands, how to try again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import OPERATIONS, WATCHERS
from apps.desk.desk import TheDesk
from apps.desk.links.customers import READ
from apps.desk.operations.sources import HERE as SOURCES
from voc.models import Role
from voc.store import audit, quarantine
from voc.store.database import reading, transaction

router = APIRouter()
HERE = "/desk/quarantine"
PAGE = 50
GROUPS = 200
LONGEST = 15


@router.api_route(HERE, methods=READ)
def show_quarantine(
    desk: TheDesk,
    visitor: Visitor = see(WATCHERS),
    source: str = "",
    reason: str = "",
    after: str = "",
) -> HTMLResponse:
    number = int(after) if after.isascii() and after.isdigit() and len(after) < LONGEST else 0
    with reading(desk.engine) as session:
        groups = quarantine.groups(session, source=source, limit=GROUPS)
        found = (
            quarantine.items(session, source, reason, after=number, limit=PAGE + 1)
            if source and reason
            else []
        )
        marked = quarantine.marked(session, source, reason) if found else 0
    return desk.view(
        "operations/quarantine.html",
        visitor,
        here=SOURCES,
        groups=groups,
        source=source,
        reason=reason,
        items=found[:PAGE],
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        marked=marked,
        may_act=visitor.role is Role.OPERATIONS,
        schedule=desk.company.schedules.loop,
    )


@router.post(HERE)
def try_again(
    desk: TheDesk,
    *,
    visitor: Visitor = do(OPERATIONS),
    source: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    again: Annotated[bool, Form()] = True,
) -> RedirectResponse:
    """Mark a group for the next collecting, which has the connectors; or take the mark back."""
    with transaction(desk.engine) as session:
        if n := quarantine.mark(session, source, reason, again=again):
            deed = "quarantine_again" if again else "quarantine_not_again"
            items = f"{n} items: {reason}"
            audit.write(session, visitor.email, deed, f"source:{source}", items, at=visitor.now)
    return RedirectResponse(f"{HERE}?{urlencode({'source': source, 'reason': reason})}", 303)
