"""The sources: how fresh and how complete what they bring is, and what of it waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import Desk, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers.frame import download
from voc.arrivals import MAIL_IN
from voc.company.sources import SourceConfig
from voc.models import FeedbackState
from voc.rules import rhythm
from voc.rules.quiet_hours import zone
from voc.rules.weeks import last_weeks, span_of
from voc.store.database import reading
from voc.store.source_health import Health, health, known

router = APIRouter()
HERE = "/desk/sources"
WEEKS = 13
"""The week that it is, and a quarter of a year before it."""
MOST = 1000
KINDS = {
    "file": "files",
    "itunes": "App Store",
    "mastodon": "Mastodon",
    "webhook": "webhook",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One source, and what is to be said of it."""

    health: Health
    kind: str
    weeks: list[tuple[str, int, bool]]
    """Name, number, and whether it is a gap; the last one is not over yet."""
    usual: float | None
    silent: bool
    tallest: int

    @property
    def gaps(self) -> list[str]:
        return [name for name, _, gap in self.weeks if gap]


@router.api_route(HERE, methods=READ)
def show_sources(desk: TheDesk, visitor: Visitor = see(WATCHERS)) -> HTMLResponse:
    with reading(desk.engine) as session:
        shown = _sources(session, desk, visitor.now)
    return desk.view(
        "operations/sources.html",
        visitor,
        here=HERE,
        sources=shown,
        states=list(FeedbackState),
        most=MOST,
        schedule=desk.company.schedules.loop,
    )


@router.api_route(HERE + ".csv", methods=READ)
def table(desk: TheDesk, visitor: Visitor = see(WATCHERS)) -> Response:
    with reading(desk.engine) as session:
        shown = _sources(session, desk, visitor.now)
    rows = [
        (each.health.source, week, n, "gap" if gap else "")
        for each in shown
        for week, n, gap in each.weeks
    ]
    return download("sources", ("source", "week", "items", "gap"), rows, visitor)


def _sources(session: Session, desk: Desk, now: datetime) -> list[Shown]:
    configured = {source.id: source for source in desk.company.sources}
    ids = [*configured, *(s for s in known(session) if s not in configured and s != MAIL_IN)]
    here = zone(desk.company.company.timezone)
    weeks = last_weeks(WEEKS, now, here)
    found = health(session, ids, [span_of(week, here) for week in weeks], most=MOST)
    return [_shown(each, weeks, now, _kind(configured.get(each.source))) for each in found]


def _kind(source: SourceConfig | None) -> str:
    if source is None:
        return "not in the company file any more"
    return (
        f"{KINDS[source.kind]}, {source.channel}" if source.kind == "file" else KINDS[source.kind]
    )


def _shown(each: Health, weeks: list[str], now: datetime, kind: str) -> Shown:
    expected = rhythm.usual(each.weeks[:-1])
    begun = next((i for i, n in enumerate(each.weeks) if n), len(weeks))
    patience = rhythm.longest_silence(expected) if expected is not None else None
    return Shown(
        health=each,
        kind=kind,
        weeks=[
            (name, n, expected is not None and begun < i < WEEKS - 1 and rhythm.is_gap(n, expected))
            for i, (name, n) in enumerate(zip(weeks, each.weeks, strict=True))
        ],
        usual=expected,
        silent=patience is not None and each.newest is not None and now - each.newest > patience,
        tallest=max(each.weeks, default=0),
    )
