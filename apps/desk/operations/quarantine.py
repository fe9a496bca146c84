"""What sources brought that could not be accepted: why, where it stands, how to try again."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from apps.desk.access.gate import WATCHERS, Visitor, see
from apps.desk.desk import TheDesk
from apps.desk.links.customers import READ
from apps.desk.operations.sources import HERE as SOURCES
from voc.store import quarantine
from voc.store.database import reading

router = APIRouter()
PAGE = 50
GROUPS = 200
LONGEST = 15


@router.api_route("/desk/quarantine", methods=READ)
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
    return desk.view(
        "operations/quarantine.html",
        visitor,
        here=SOURCES,
        groups=groups,
        source=source,
        reason=reason,
        items=found[:PAGE],
        more=found[PAGE - 1].id if len(found) > PAGE else None,
    )
