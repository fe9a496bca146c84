"""The sheet of a department's weekly huddle: one page to print."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import READERS
from apps.desk.desk import Desk, Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.work.rows import rows_of
from voc.models import Verdict
from voc.rules.cases import week_of
from voc.rules.quiet_hours import zone
from voc.rules.weeks import span_of
from voc.store import huddle as store
from voc.store.database import reading
from voc.store.huddle import Week
from voc.store.queue import START

router = APIRouter()

VERBATIMS, CAUSES, TOPICS, NOES = 3, 6, 6, 3
DECISIONS = 5
"""Empty lines to write on."""


@router.api_route("/desk/huddle/{department}", methods=READ)
def show_huddle(
    department: str,
    desk: TheDesk,
    visitor: Visitor = see(READERS),
    week: Annotated[str, Query(max_length=8)] = "",
) -> HTMLResponse:
    visitor.require(department)
    unit = next((d for d in desk.company.departments if d.id == department), None)
    if unit is None:
        raise Refusal(404, "not_here")
    week = week or _of(desk, visitor.now)
    span = _span(desk, department, week)
    with reading(desk.engine) as session:
        came_in = store.came_in(session, span)
        causes = store.causes(session, span)
        n_late, late = store.late(session, department, visitor.now)
        late_rows = rows_of(session, desk.company, late, visitor)
        verbatims = store.verbatims(session, span, limit=VERBATIMS)
        verdicts, noes = store.answers(session, span)
        rising = store.rising(session, span)
    return desk.view(
        "work/huddle.html",
        visitor,
        here="/desk/queue",
        department=unit.name,
        week=week,
        last_day=span.end - timedelta(seconds=1),
        first_day=span.begin,
        before=_of(desk, span.begin - timedelta(days=1)),
        after=_of(desk, span.end) if span.end <= visitor.now else None,
        path=f"/desk/huddle/{department}",
        came_in=[(topic and topic.replace("_", " "), n) for topic, n in came_in[:TOPICS]],
        n_came_in=sum(n for _, n in came_in),
        causes=causes[:CAUSES],
        n_solved=sum(cause.tickets for cause in causes),
        late=late_rows,
        n_late=n_late,
        verbatims=verbatims,
        answers={verdict.value: verdicts[verdict] for verdict in Verdict},
        noes=noes[-NOES:],
        rising=rising,
        lines=range(DECISIONS),
    )


def _of(desk: Desk, moment: datetime) -> str:
    return week_of(moment, zone(desk.company.company.timezone))


def _span(desk: Desk, department: str, week: str) -> Week:
    """The days of an ISO week.

    Raises:
        Refusal: There is no such week.
    """
    try:
        begin, end = span_of(week, zone(desk.company.company.timezone))
    except (ValueError, OverflowError):
        raise Refusal(404, "not_here") from None
    if begin < START:
        raise Refusal(404, "not_here")
    return Week(department=department, begin=begin.astimezone(UTC), end=end.astimezone(UTC))
