"""The departments beside each other: what waits, and how well promises are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import Desk, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers import charts
from apps.desk.numbers.cards import Counts, interval, said
from apps.desk.numbers.charts import Spark, Whisker
from apps.desk.numbers.filters import Filter, TheFilter, filter_of
from apps.desk.numbers.frame import department_name, download, frame, status_of
from voc.company.model import Company
from voc.rules import estimates
from voc.rules.estimates import Estimate, proportion
from voc.rules.figures import Figure
from voc.rules.weeks import total
from voc.store import live, weekly
from voc.store.database import reading

router = APIRouter()
HERE = "/desk/departments"
DIMENSIONS = ("department",)
RESOLVED_IN_TIME = proportion("resolution:kept", "resolution:due")
SHARES: Sequence[tuple[str, str, Estimate]] = (
    ("Taken in time", "response kept", proportion("response:kept", "response:due")),
    ("Resolved in time", "resolution kept", RESOLVED_IN_TIME),
    ("Reopened", "ticket reopened", proportion("reopened", "resolved")),
    ("Handed over", "handed over", proportion("handed_over", "tickets")),
)
COUNTED = ("tickets", "response:due", "response:kept", "resolution:due", "resolution:kept")
"""What the table by week holds beside the figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One share of one department."""

    figure: Figure
    text: str
    between: str
    whisker: Whisker | None
    spark: Spark | None
    """By week; None: not drawn for this share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One department. *open* and *late* are now; the rest is of tickets opened in the period."""

    id: str
    name: str
    open: int
    late: int
    tickets: int
    shares: list[Share]
    weeks: Sequence[Counts]
    """Of the tickets that were opened in each week."""
    trend: Sequence[Figure]
    """Resolved in time, week by week."""
    reach: int
    """Over how many weeks each point of it reaches."""


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
        by_week=[
            (charts.monday(week), [said(row.trend[i]) for row in rows])
            for i, week in enumerate(chosen.weeks)
        ],
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


@router.api_route(HERE + "/weeks.csv", methods=READ)
def weeks_table(desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)) -> Response:
    """How each department does, by the week in which its tickets were opened."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        found = _rows(desk, session, chosen, visitor)
    figures = ("resolved_in_time_percent", "low_95", "high_95", "n", "weeks")
    header = ["department", "week", *(name.replace(":", "_") for name in COUNTED), *figures]
    rows = (
        [
            *(row.id, week, *(counts.get(name, 0) for name in COUNTED)),
            *(figure.value, figure.low, figure.high, figure.n, row.reach),
        ]
        for row in found
        for week, counts, figure in zip(chosen.weeks, row.weeks, row.trend, strict=True)
    )
    return download("departments-by-week", header, rows, visitor)


def _rows(desk: Desk, session: Session, chosen: Filter, visitor: Visitor) -> list[Row]:
    """In the order of the company file; then those that have left it, and still have tickets."""
    waiting = live.by_department(session, visitor.now)
    counted = weekly.by_department(session, [*chosen.lead, *chosen.weeks])
    known = [department.id for department in desk.company.departments]
    had_some = {each for each, weeks in counted.items() if {*weeks} & {*chosen.weeks}}
    gone = sorted({*waiting, *had_some} - {*known})
    one = chosen.value["department"]
    return [
        _row(desk.company, each, chosen, counted.get(each, {}), waiting.get(each, (0, 0)))
        for each in (*known, *gone)
        if one in {"", each}
    ]


def _row(
    company: Company,
    department: str,
    chosen: Filter,
    counted: Mapping[str, Counts],
    waiting: tuple[int, int],
) -> Row:
    name, (n_open, late) = department_name(company, department), waiting
    weeks = [counted.get(week, {}) for week in (*chosen.lead, *chosen.weeks)]
    shown = weeks[len(chosen.lead) :]
    counts = total(shown)
    reach, figures = estimates.trend(weeks, RESOLVED_IN_TIME, lead=len(chosen.lead))
    spark = charts.spark_of_shares(f"{name}, resolved in time", chosen.weeks, figures)
    return Row(
        id=department,
        name=name,
        open=n_open,
        late=late,
        tickets=counts["tickets"],
        shares=[
            _share(f"{name}, {what.lower()}", of, counts, spark if of is RESOLVED_IN_TIME else None)
            for what, _, of in SHARES
        ],
        weeks=shown,
        trend=figures,
        reach=reach,
    )


def _share(name: str, estimate: Estimate, counts: Counts, spark: Spark | None) -> Share:
    figure = estimate(counts)
    small = f"too few to say: {figure.n}" if figure.n else "none"
    return Share(
        figure=figure,
        text=small if figure.value is None else said(figure),
        between=interval(figure),
        whisker=charts.whisker(name, figure),
        spark=spark,
    )
