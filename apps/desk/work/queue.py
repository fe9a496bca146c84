"""The queue: what waits for the visitor's departments, most urgent first."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import READERS
from apps.desk.desk import TheDesk
from apps.desk.links.customers import READ
from apps.desk.work.done import done_from_queue
from apps.desk.work.rows import rows_of
from apps.desk.work.way import QUEUE, ticket_from
from voc.columns import LARGEST
from voc.company.model import Company, Department
from voc.models import Role
from voc.rules.queue import Place
from voc.store import queue as store
from voc.store.database import reading
from voc.store.queue import Asked, Counts, Whose

router = APIRouter()

PAGE = 50
NAMES = {
    Whose.ALL: "All",
    Whose.MINE: "Mine",
    Whose.UNASSIGNED: "Unassigned",
    Whose.SNOOZED: "Snoozed",
}


@router.api_route("/desk/queue", methods=READ)
def show_queue(
    desk: TheDesk,
    *,
    visitor: Visitor = see(READERS),
    department: Annotated[str, Query(max_length=64)] = "",
    whose: Whose = Whose.ALL,
    topic: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str, Query(max_length=80)] = "",
    done: Annotated[str, Query(max_length=32)] = "",
    ticket: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    at: Annotated[str, Query(max_length=32)] = "",
) -> HTMLResponse:
    if department:
        visitor.require(department)
    theirs = departments_of(desk.company, visitor)
    asked = Asked(
        departments=[department] if department else [d.id for d in theirs],
        whose=whose,
        me=visitor.email,
        topic=topic or None,
        now=visitor.now,
    )
    place = Place.read(after)
    with reading(desk.engine) as session:
        counts = store.counts_of(session, asked)
        found = store.page_of(session, asked, after=place, limit=PAGE + 1)
        rows = rows_of(session, desk.company, found[:PAGE], visitor)
        said = done_from_queue(session, done, ticket, at, visitor)
    chosen = {"department": department, "whose": whose.value, "topic": topic}
    here = _address(chosen, str(place) if place else "")
    return desk.view(
        "work/queue.html",
        visitor,
        here=QUEUE,
        queue=here,
        rows=[(row, ticket_from(here, row.id)) for row in rows],
        done=said,
        tabs=_tabs(counts, chosen, whose),
        overdue=counts.overdue,
        departments=[(d.id, d.name) for d in theirs],
        topics=[(topic.id, topic.id.replace("_", " ")) for topic in desk.company.topics],
        chosen=chosen,
        filtered=bool(department or topic) or whose is not Whose.ALL,
        huddle=[(d.id, d.name) for d in theirs if not department or d.id == department],
        further=_address(chosen, str(Place.of(found[PAGE - 1]))) if len(found) > PAGE else None,
        first=_address(chosen) if place else None,
        reads_only=visitor.role is Role.AUDITOR,
    )


def departments_of(company: Company, visitor: Visitor) -> list[Department]:
    """The departments that a visitor sees, in the company file's order."""
    return [d for d in company.departments if visitor.sees(d.id)]


def _tabs(counts: Counts, chosen: dict[str, str], whose: Whose) -> list[tuple[str, int, str, bool]]:
    """Of each kind of tickets its name, how many there are, its address, whether it is shown."""
    return [
        (
            NAMES[each],
            getattr(counts, each.value),
            _address(chosen | {"whose": each.value}),
            each is whose,
        )
        for each in Whose
    ]


def _address(chosen: dict[str, str], after: str = "") -> str:
    given = {name: value for name, value in (chosen | {"after": after}).items() if value}
    if given.get("whose") == Whose.ALL:
        del given["whose"]
    return f"{QUEUE}{'?' if given else ''}{urlencode(given)}"
