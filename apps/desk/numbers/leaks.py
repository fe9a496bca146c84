"""Loop leaks: where loops get stuck or end without an answer, each with an owner."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from apps.desk.access.gate import WATCHERS, Visitor, see
from apps.desk.desk import Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers.filters import Asked, Filter, TheFilter, filter_of
from apps.desk.numbers.frame import download, frame, status_of
from apps.desk.numbers.reasons import (
    SILENT,
    STUCK_AT_THE_DOOR,
    STUCK_MESSAGES,
    STUCK_TICKETS,
    UNTOLD,
    Leak,
)
from apps.desk.operations.paging import read_spot, written
from voc.company.fitting import TRIAGE
from voc.company.model import Company
from voc.models import LoopState
from voc.rules.reasons import group_of
from voc.store import leaks
from voc.store.database import reading
from voc.store.leaks import Stuck
from voc.store.message_lists import Spot

router = APIRouter()
HERE = "/desk/leaks"
DIMENSIONS = ("department",)
OPERATIONS = "CX operations"
PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One leak: how many, since when, whose it is, and where the items are."""

    code: str
    name: str
    means: str
    n: int
    since: datetime | None
    owner: str
    href: str


@router.api_route(HERE, methods=READ)
def show_leaks(desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)) -> HTMLResponse:
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        stuck = _stuck(session, desk.company, chosen, visitor.now)
        ended = _ended(session, desk.company, chosen)
        facts = frame(desk, session, chosen, path=HERE, dimensions=DIMENSIONS)
    return desk.view(
        "numbers/leaks.html",
        visitor,
        here=HERE,
        status=status_of(chosen),
        stuck=stuck,
        ended=ended,
        **facts,
    )


@router.api_route(HERE + ".csv", methods=READ)
def leaks_table(desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)) -> Response:
    """The same as a table."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        found = [
            *_stuck(session, desk.company, chosen, visitor.now),
            *_ended(session, desk.company, chosen),
        ]
    rows = ([r.code, r.name, r.n, r.since and r.since.isoformat(), r.owner] for r in found)
    return download("leaks", ["code", "leak", "n", "oldest_since", "owner"], rows, visitor)


@router.api_route(HERE + "/{code}", methods=READ)
def show_leak(
    code: str,
    desk: TheDesk,
    asked: TheFilter,
    visitor: Visitor = see(WATCHERS),
    after: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """The items behind one leak."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    kind, _, group = code.partition("-")
    if code in STUCK_TICKETS:
        return _tickets(desk, visitor, chosen, code, after)
    if (kind == "untold" and group in UNTOLD) or code == leaks.SILENT:
        return _loops(desk, visitor, chosen, group, after)
    raise Refusal(404, "not_here")


def _tickets(
    desk: TheDesk, visitor: Visitor, chosen: Filter, code: str, after: str
) -> HTMLResponse:
    start = min(int(after), sys.maxsize) if after.isascii() and after.isdigit() else 0
    department = chosen.value["department"]
    with reading(desk.engine) as session:
        found = leaks.tickets(
            session, code, visitor.now, department=department, after=start, limit=PAGE + 1
        )
        facts = frame(desk, session, chosen, path=f"{HERE}/{code}", dimensions=DIMENSIONS)
    names = {each.id: each.name for each in desk.company.departments}
    return desk.view(
        "numbers/leak.html",
        visitor,
        here=HERE,
        leak=STUCK_TICKETS[code],
        tickets=[(t, names.get(t.department, t.department)) for t in found[:PAGE]],
        loops=[],
        more=chosen.asked.query(after=str(found[PAGE - 1].id)) if len(found) > PAGE else None,
        **facts,
    )


def _loops(desk: TheDesk, visitor: Visitor, chosen: Filter, group: str, after: str) -> HTMLResponse:
    state = LoopState.COULD_NOT_TELL if group else LoopState.CLOSED
    spot = read_spot(after)
    with reading(desk.engine) as session:
        found = leaks.loops(
            session,
            state,
            group or leaks.SILENT,
            chosen.span,
            after=(spot.at, spot.id) if spot else None,
            limit=PAGE + 1,
        )
        code = f"untold-{group}" if group else leaks.SILENT
        facts = frame(desk, session, chosen, path=f"{HERE}/{code}", dimensions=())
    last = found[PAGE - 1] if len(found) > PAGE else None
    spot = Spot(last.closed_at, last.id or 0) if last and last.closed_at else None
    return desk.view(
        "numbers/leak.html",
        visitor,
        here=HERE,
        leak=UNTOLD[group] if group else SILENT,
        tickets=[],
        loops=found[:PAGE],
        more=chosen.asked.query(after=written(spot)) if spot else None,
        **facts,
    )


def _stuck(session: Session, company: Company, chosen: Filter, now: datetime) -> list[Row]:
    """What waits longer than it should, now; the departments' first."""
    only = chosen.value["department"]
    rows = []
    for code in STUCK_TICKETS:
        for department, found in sorted(leaks.stuck_tickets(session, code, now).items()):
            if only in {"", department}:
                rows.append(_department_row(code, found, company, department, chosen.asked))
    if not only:
        for known, counted in (
            (STUCK_MESSAGES, leaks.stuck_messages(session)),
            (STUCK_AT_THE_DOOR, leaks.stuck_at_the_door(session)),
        ):
            rows += [_row(code, *known[code], found) for code, found in counted.items() if found.n]
    return rows


def _ended(session: Session, company: Company, chosen: Filter) -> list[Row]:
    """What ended in the period without an answer; of no department."""
    if chosen.value["department"]:
        return []
    groups: dict[str, list[Stuck]] = {}
    for reason, found in leaks.untold_loops(session, chosen.span).items():
        groups.setdefault(group_of(reason), []).append(found)
    query = chosen.asked.query()
    rows = [
        _row(f"untold-{group}", UNTOLD[group], f"{HERE}/untold-{group}{query}", leaks.merged(found))
        for group, found in groups.items()
    ]
    if (silent := leaks.silent_loops(session, chosen.span)).n:
        rows.append(_row(leaks.SILENT, SILENT, f"{HERE}/{leaks.SILENT}{query}", silent))
    return sorted(rows, key=lambda row: -row.n)


def _row(code: str, leak: Leak, href: str, found: Stuck) -> Row:
    return Row(
        code=code,
        name=leak.name,
        means=leak.means,
        n=found.n,
        since=found.since,
        owner=OPERATIONS,
        href=href,
    )


def _department_row(
    code: str, found: Stuck, company: Company, department: str, asked: Asked
) -> Row:
    leak = STUCK_TICKETS[code]
    known = {each.id: each for each in company.departments}
    whose = known.get(department, known[TRIAGE])
    people = ", ".join(person.name for person in whose.owners)
    return Row(
        code=f"{code}:{department}",
        name=leak.name if department == TRIAGE else f"{leak.name}: {whose.name}",
        means=leak.means,
        n=found.n,
        since=found.since,
        owner=people,
        href=f"{HERE}/{code}{asked.query(department=department)}",
    )
