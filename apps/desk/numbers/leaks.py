"""Loop leaks: where loops get stuck or end without an answer, each with an owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers.filters import DIMENSIONS, Asked, Filter, TheFilter, filter_of
from apps.desk.numbers.frame import department_name, download, frame, status_of
from apps.desk.numbers.reasons import (
    SILENT,
    STUCK_AT_THE_DOOR,
    STUCK_MESSAGES,
    STUCK_TICKETS,
    UNTOLD,
    Leak,
)
from voc.company.fitting import TRIAGE
from voc.company.model import Company
from voc.rules.weeks import part, total
from voc.store import leaks, weekly
from voc.store.database import reading
from voc.store.leaks import Stuck

router = APIRouter()
HERE = "/desk/leaks"
OPERATIONS = "CX operations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One leak: how many, since when, whose it is, and where the items are."""

    code: str
    name: str
    means: str
    n: int
    late: int = 0
    """How many of the tickets are."""
    may_wait: bool = False
    """Whether such a ticket need not be late."""
    since: datetime | None = None
    owner: str
    href: str


@router.api_route(HERE, methods=READ)
def show_leaks(desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)) -> HTMLResponse:
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        stuck = _stuck(session, desk.company, chosen, visitor.now)
        ended = _ended(session, chosen)
        facts = frame(desk, session, chosen, path=HERE, dimensions=DIMENSIONS)
    only = chosen.value["department"]
    return desk.view(
        "numbers/leaks.html",
        visitor,
        here=HERE,
        status=status_of(chosen),
        stuck=stuck,
        ended=ended,
        only=department_name(desk.company, only) if only else "",
        **facts,
    )


@router.api_route(HERE + ".csv", methods=READ)
def leaks_table(desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)) -> Response:
    """The same as a table."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        found = [
            *_stuck(session, desk.company, chosen, visitor.now),
            *_ended(session, chosen),
        ]
    header = ["code", "leak", "n", "late", "oldest_since", "owner"]
    rows = ([r.code, r.name, r.n, r.late, r.since and r.since.isoformat(), r.owner] for r in found)
    return download("leaks", header, rows, visitor)


def _stuck(session: Session, company: Company, chosen: Filter, now: datetime) -> list[Row]:
    """What waits longer than it should, now; the departments' first."""
    only = chosen.value["department"]
    rows = []
    tickets = leaks.stuck_tickets(session, now)
    for code in STUCK_TICKETS:
        for department in sorted(each for way, each in tickets if way == code):
            if only in {"", department}:
                found = tickets[code, department]
                rows.append(_department_row(code, found, company, department, chosen.asked))
    if not only:
        for known, counted in (
            (STUCK_MESSAGES, leaks.stuck_messages(session)),
            (STUCK_AT_THE_DOOR, leaks.stuck_at_the_door(session)),
        ):
            rows += [_row(code, *known[code], found) for code, found in counted.items() if found.n]
    return rows


def _ended(session: Session, chosen: Filter) -> list[Row]:
    """What was said in the period and ended without an answer; of no department."""
    if chosen.value["department"]:
        return []
    counts = total(weekly.by_week(session, chosen.weeks, chosen.wanted))
    query = chosen.asked.query()
    rows = [
        _row(f"untold-{group}", UNTOLD[group], f"{HERE}/untold-{group}{query}", Stuck(n, None))
        for group, n in part(counts, "untold").items()
    ]
    if silent := counts["closed:silent"]:
        rows.append(_row("silent", SILENT, f"{HERE}/silent{query}", Stuck(silent, None)))
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
    owners = company.department_or_triage(department).owners
    name = department_name(company, department)
    return Row(
        code=f"{code}:{department}",
        name=leak.name if department == TRIAGE else f"{leak.name}: {name}",
        means=leak.means,
        n=found.n,
        late=found.late,
        may_wait=code == "triage",
        since=found.since,
        owner=", ".join(person.name for person in owners),
        href=f"{HERE}/{code}{asked.query(department=department)}",
    )
