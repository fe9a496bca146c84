"""The loop at a glance: what came in, what became of it, and what waits now."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers.cards import Card, Compared, Counts, count_card, figure_card
from apps.desk.numbers.filters import Asked, Filter, TheFilter, filter_of
from apps.desk.numbers.frame import download, frame, status_of
from apps.desk.numbers.reasons import ENDS, UNTOLD, End
from apps.desk.numbers.terms import TERMS
from voc.rules import estimates
from voc.rules.weeks import part, total
from voc.store import live, weekly
from voc.store.database import reading
from voc.store.live import Standing

router = APIRouter()
HERE = "/desk/overview"
DIMENSIONS = ("channel", "touchpoint", "stage", "product", "segment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that does not wait for a report."""

    text: str
    href: str
    tone: str


@router.api_route(HERE, methods=READ)
def show_overview(
    desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)
) -> HTMLResponse:
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        counts = _compared(session, chosen)
        standing = live.standing(session, visitor.now)
        facts = frame(desk, session, chosen, path=HERE, dimensions=DIMENSIONS)
    ends, loops = _ends(counts.whole), counts.whole.get("loops", 0)
    return desk.view(
        "numbers/overview.html",
        visitor,
        here=HERE,
        status=status_of(chosen),
        alarms=_alarms(standing),
        now_cards=_now_cards(standing),
        cards=_cards(counts, asked),
        compares=counts.before is not None,
        ends=ends,
        bars=_bars(ends, loops),
        list_of=lambda code: f"/desk/leaks/{code}{asked.query()}",
        loops=loops,
        untold=[
            (f"untold-{group}", UNTOLD[group].name, n)
            for group, n in part(counts.whole, "untold").items()
        ],
        **facts,
    )


@router.api_route(HERE + ".csv", methods=READ)
def overview_table(desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)) -> Response:
    """What became of the loops of each week."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        weeks = weekly.by_week(session, chosen.weeks, chosen.wanted)
    header = ["week", "feedback", "loops", *(end.name for end in ENDS), "reopened"]
    keys = ["feedback", "loops", *(end.counted_as for end in ENDS), "reopened"]
    rows = (
        [week, *(counts[key] for key in keys)]
        for week, counts in zip(chosen.weeks, weeks, strict=True)
    )
    return download("loops", header, rows, visitor)


def _compared(session: Session, chosen: Filter) -> Compared:
    weeks = weekly.by_week(session, [*chosen.before, *chosen.weeks], chosen.wanted)
    before, now = weeks[: len(chosen.before)], weeks[len(chosen.before) :]
    return Compared(
        whole=total(now),
        complete=total(now[: len(chosen.complete)]),
        before=total(before) if weekly.reaches_back(session, chosen.before) else None,
    )


def _alarms(now: Standing) -> list[Alarm]:
    doubt, door = "/desk/messages?show=unknown", "/desk/sources"
    found = (
        (now.unknown, "message", "in doubt: arrived or not?", doubt, "bad"),
        (now.quarantined, "item", "in quarantine: not accepted", door, "warn"),
    )
    return [
        Alarm(text=f"{n:,} {one}{'s' * (n > 1)} {what}", href=href, tone=tone)
        for n, one, what, href, tone in found
        if n
    ]


def _now_cards(now: Standing) -> list[Card]:
    return [
        Card(
            name="Open loops",
            value=f"{now.open_loops:,}",
            definition=TERMS["open"],
            href="/desk/leaks/open-now",
        ),
        Card(
            name="Open tickets",
            value=f"{now.open_tickets:,}",
            definition="Tickets that are not resolved yet.",
            href="/desk/queue",
        ),
        Card(
            name="Late tickets",
            value=f"{now.late_tickets:,}",
            definition=TERMS["late"],
            href="/desk/leaks",
            tone="bad" if now.late_tickets else "plain",
        ),
        Card(
            name="Told, answer awaited",
            value=f"{now.told_loops:,}",
            definition=TERMS["told"],
            href="/desk/leaks/told-now",
        ),
        Card(
            name="Waiting for approval",
            value=f"{now.approvals:,}",
            definition="Messages that a person has to read before they leave.",
            href="/desk/approvals",
        ),
    ]


def _cards(counts: Compared, asked: Asked) -> list[Card]:
    words, trends, untold = (
        f"/desk/{path}{asked.query()}" for path in ("verbatims", "trends", "leaks/untold")
    )
    return [
        count_card("Came in", "feedback", counts, "came in", words),
        figure_card("Closure rate", estimates.CLOSURE, counts, "closure rate", trends),
        figure_card("First answer, median", estimates.FIRST_ANSWER, counts, "first answer"),
        figure_card("Time to close, median", estimates.CLOSING, counts, "closing"),
        figure_card("Reopened", estimates.REOPENED, counts, "reopened"),
        count_card("Could not be told", "loop:could_not_tell", counts, "could not tell", untold),
    ]


def _ends(counts: Counts) -> list[tuple[End, int]]:
    return [(end, counts.get(end.counted_as, 0)) for end in ENDS]


def _bars(ends: list[tuple[End, int]], loops: int) -> list[tuple[str, float, float]]:
    """Class, begin and width of the parts of one lying bar, in per cent."""
    found, below = [], 0
    for end, n in ends:
        if n:
            found.append((end.code, round(100 * below / loops, 2), round(100 * n / loops, 2)))
        below += n
    return found
