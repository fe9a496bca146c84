"""The departments beside each other: what waits, and how well promises are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from apps.desk.access.gate import WATCHERS, Visitor, see
from apps.desk.desk import Desk, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers import charts
from apps.desk.numbers.cards import Counts, interval, said
from apps.desk.numbers.charts import Whisker
from apps.desk.numbers.filters import Filter, TheFilter, filter_of
from apps.desk.numbers.frame import download, frame, status_of
from voc.rules.estimates import Estimate, proportion
from voc.rules.figures import Figure
from voc.rules.weeks import total
from voc.store import live, weekly
from voc.store.database import reading

router = APIRouter()
HERE = "/desk/departments"
DIMENSIONS = ("department",)
SHARES: Sequence[tuple[str, str, Estimate]] = (
    ("Taken in time", "response kept", proportion("response:kept", "response:due")),
    ("Resolved in time", "resolution kept", proportion("resolution:kept", "resolution:due")),
    ("Reopened", "ticket reopened", proportion("reopened", "resolved")),
    ("Handed over", "handed over", proportion("handed_over", "tickets")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One share of one department."""

    figure: Figure
    text: str
    between: str
    whisker: Whisker | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One department. *open* and *late* are now; the rest is of tickets opened in the period."""

    id: str
    name: str
    open: int
    late: int
    tickets: int
    shares: list[Share]


@router.api_route(HERE, methods=READ)
def show_departments(
    desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)
) -> HTMLResponse:
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        rows = _rows(desk, session, chosen, visitor)
        facts = frame(desk, session, chosen, path=HERE, dimensions=DIMENSIONS)
    return desk.view(
        "numbers/departments.html",
        visitor,
        here=HERE,
        status=status_of(chosen),
        rows=rows,
        shares=[(name, term) for name, term, _ in SHARES],
        any_tickets=any(row.tickets or row.open for row in rows),
        **facts,
    )


@router.api_route(HERE + ".csv", methods=READ)
def departments_table(
    desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)
) -> Response:
    """The same as a table."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        found = _rows(desk, session, chosen, visitor)
    ends = ("percent", "low_95", "high_95", "n")
    header = ["department", "open_now", "late_now", "tickets"] + [
        f"{name.lower().replace(' ', '_')}_{end}" for name, _, _ in SHARES for end in ends
    ]
    rows = (
        [
            *(row.id, row.open, row.late, row.tickets),
            *(
                e
                for s in row.shares
                for e in (s.figure.value, s.figure.low, s.figure.high, s.figure.n)
            ),
        ]
        for row in found
    )
    return download("departments", header, rows, visitor)


def _rows(desk: Desk, session: Session, chosen: Filter, visitor: Visitor) -> list[Row]:
    """In the order of the company file."""
    one = chosen.value["department"]
    wanted = [d for d in desk.company.departments if one in {"", d.id}]
    waiting = live.by_department(session, [d.id for d in wanted], visitor.now)
    counted = weekly.by_department(session, chosen.weeks)
    found = []
    for department in wanted:
        counts = total(counted.get(department.id, {}).values())
        n_open, late = waiting.get(department.id, (0, 0))
        found.append(
            Row(
                id=department.id,
                name=department.name,
                open=n_open,
                late=late,
                tickets=counts["tickets"],
                shares=[
                    _share(f"{department.name}, {name.lower()}", estimate, counts)
                    for name, _, estimate in SHARES
                ],
            )
        )
    return found


def _share(name: str, estimate: Estimate, counts: Counts) -> Share:
    figure = estimate(counts)
    small = f"too few to say: {figure.n}" if figure.n else "none"
    return Share(
        figure=figure,
        text=small if figure.value is None else said(figure),
        between=interval(figure),
        whisker=charts.whisker(name, figure),
    )
