"""Experiments with follow-ups: what is compared, for whom, and what it shows by now."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import Desk, Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers.frame import download
from apps.desk.operations.intervals import forest, limits_of, per_cent
from voc.actions import experiments as actions
from voc.actions.experiments import Report
from voc.errors import NotFoundError
from voc.rules.comparing import Compared, Judgement
from voc.rules.experiments import COUNTED, is_running
from voc.store import experiments as store
from voc.store.database import reading

router = APIRouter()
HERE = "/desk/experiments"
TONES = {Judgement.BETTER: "good", Judgement.WORSE: "bad"}


@router.api_route(HERE, methods=READ)
def show_experiments(desk: TheDesk, visitor: Visitor = see(WATCHERS)) -> HTMLResponse:
    today = actions.day_of(desk.company, visitor.now)
    with reading(desk.engine) as session:
        drawn = store.drawn_so_far(session)
    return desk.view(
        "operations/experiments.html",
        visitor,
        here=HERE,
        experiments=[
            (each, is_running(each, today), drawn.get(each.id, {}))
            for each in desk.company.experiments
        ],
        counted=COUNTED,
    )


@router.api_route(HERE + "/{name}", methods=READ)
def show_report(name: str, desk: TheDesk, visitor: Visitor = see(WATCHERS)) -> HTMLResponse:
    found = _report(desk, visitor, name)
    return desk.view(
        "operations/experiment.html",
        visitor,
        here=HERE,
        experiment=found.experiment,
        running=found.running,
        counted_at=found.counted_at,
        counted=COUNTED[found.experiment.outcome],
        arms=found.arms,
        waiting=sum(arm.tally.waiting for arm in found.arms),
        fair=found.fair,
        mismatch=found.mismatch,
        tones=TONES,
        shares=forest([(a.tally.arm, a.rate) for a in found.arms], lowest=0, highest=1),
        per_cent=per_cent,
    )


@router.api_route(HERE + "/{name}/table.csv", methods=READ)
def table(name: str, desk: TheDesk, visitor: Visitor = see(WATCHERS)) -> Response:
    found = _report(desk, visitor, name)
    header = ("variant", "customers", "events", "waiting", "share", "low", "high")
    compared = ("difference", "difference_low", "difference_high", "verdict")
    rows = [_line(arm) for arm in found.arms]
    return download(name, (*header, *compared), rows, visitor)


def _report(desk: Desk, visitor: Visitor, name: str) -> Report:
    """What the experiment shows.

    Raises:
        Refusal: The company file has no such experiment.
    """
    try:
        with reading(desk.engine) as session:
            return actions.last_report(session, desk.company, name, now=visitor.now)
    except NotFoundError:
        raise Refusal(404, "not_here") from None


def _line(arm: Compared) -> list[object]:
    tally = arm.tally
    counts = [tally.arm, tally.n, tally.events, tally.waiting]
    verdict = arm.judgement.value if arm.judgement else None
    return [*counts, *limits_of(arm.rate), *limits_of(arm.difference), verdict]
