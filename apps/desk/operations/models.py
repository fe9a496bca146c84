"""The models: which are at work, how good they are, what they leave to people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import Desk, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers.frame import download
from apps.desk.operations.cards import cards
from apps.desk.operations.intervals import forest, limits_of, per_cent
from voc.company.model import TRIAGE
from voc.models import SuggestionCount, SuggestionKind
from voc.rules.comparing import Interval
from voc.rules.figures import ENOUGH
from voc.rules.sums import share
from voc.rules.weeks import last_weeks
from voc.store import model_watch, suggestion_counts
from voc.store.database import reading
from voc.store.model_watch import Judged

router = APIRouter()
HERE = "/desk/models"
WEEKS = 13
TICKETS = 200
ROUTERS = 10
VERSIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstained:
    """How often models said nothing of one kind, week by week."""

    kind: SuggestionKind
    weeks: list[tuple[str, int, int, Interval | None]]
    """Name, statements, those without a value, and their share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How many of the tickets that each department was sent first it kept."""

    since: datetime
    departments: list[tuple[str, Judged, Interval | None]]


@router.api_route(HERE, methods=READ)
def show_models(desk: TheDesk, visitor: Visitor = see(WATCHERS)) -> HTMLResponse:
    with reading(desk.engine) as session:
        readers = model_watch.readers(session, most=VERSIONS)
        kept = _kept(session, desk, visitor)
        return desk.view(
            "operations/models.html",
            visitor,
            here=HERE,
            at_work=readers[0].split() if readers else [],
            readers=readers,
            routers=model_watch.routers(session, limit=ROUTERS),
            cards=cards(),
            abstained=_abstained(session, visitor),
            kept=kept,
            lines=forest([(name, i) for name, _, i in kept.departments], lowest=0, highest=1),
            per_cent=per_cent,
            enough=ENOUGH,
            most=TICKETS,
            weeks=WEEKS,
            triage=TRIAGE,
        )


@router.api_route(HERE + ".csv", methods=READ)
def abstained_table(desk: TheDesk, visitor: Visitor = see(WATCHERS)) -> Response:
    with reading(desk.engine) as session:
        rows = [
            (each.week, each.kind.value, each.model, each.asked, each.unsure)
            for each in suggestion_counts.since(session, _weeks(visitor)[0])
        ]
    return download("models", ("week", "kind", "model", "statements", "no_value"), rows, visitor)


@router.api_route(HERE + "/routing.csv", methods=READ)
def routing_table(desk: TheDesk, visitor: Visitor = see(WATCHERS)) -> Response:
    with reading(desk.engine) as session:
        kept = _kept(session, desk, visitor)
    header = ("department", "since", "kept", "handed_on", "share_kept", "low", "high")
    rows = [
        (name, kept.since.isoformat(), judged.kept, judged.handed_on, *limits_of(share))
        for name, judged, share in kept.departments
    ]
    return download("routing", header, rows, visitor)


def _weeks(visitor: Visitor) -> list[str]:
    """As they are counted: in UTC."""
    return last_weeks(WEEKS, visitor.now, UTC)


def _abstained(session: Session, visitor: Visitor) -> list[Abstained]:
    weeks = _weeks(visitor)
    counted = suggestion_counts.since(session, weeks[0])
    kinds = [kind for kind in SuggestionKind if any(each.kind is kind for each in counted)]
    return [Abstained(kind=kind, weeks=_by_week(counted, kind, weeks)) for kind in kinds]


def _by_week(
    counted: list[SuggestionCount], kind: SuggestionKind, weeks: list[str]
) -> list[tuple[str, int, int, Interval | None]]:
    found = []
    for week in weeks:
        theirs = [each for each in counted if each.kind is kind and each.week == week]
        asked, unsure = sum(e.asked for e in theirs), sum(e.unsure for e in theirs)
        found.append((week, asked, unsure, interval_of(unsure, asked)))
    return found


def interval_of(hits: int, n: int) -> Interval | None:
    """A share with its interval; None of too few."""
    return Interval(*(each / 100 for each in share(hits, n))) if n >= ENOUGH else None


def _kept(session: Session, desk: Desk, visitor: Visitor) -> Kept:
    names = {department.id: department.name for department in desk.company.departments}
    since = visitor.now - timedelta(weeks=WEEKS)
    since = model_watch.beginning(session, list(names), since=since, most=TICKETS)
    judged = model_watch.judged(session, list(names), since=since)
    return Kept(
        since=since,
        departments=[
            (names[each.department], each, interval_of(each.kept, each.kept + each.handed_on))
            for each in judged
        ],
    )
