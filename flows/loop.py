"""Loop: all stages but learning, in order. The main job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from prefect import flow

from flows.close import close
from flows.collect import ask_sources, could_not_collect
from flows.follow_up import follow_up
from flows.learn import find_themes
from flows.measure import measure
from flows.route import route
from flows.understand import understand
from tasks.measure import is_stale
from tasks.themes import themes_wait
from tasks.workplace import workplace
from voc.errors import VocError
from voc.params import LoopParams
from voc.store.database import transaction
from voc.store.pending import pending


@flow(name="loop")
def loop(params: LoopParams = LoopParams(), now: datetime | None = None) -> dict[str, int]:
    """Collect, understand, route, follow up, close, find themes, measure: each if it has work.

    The stages run inside this run, not as subflows: Prefect takes about a second for each.
    A source that cannot be read, or a stage that fails, does not stop the rest; the run fails in
    the end with the first error.

    Args:
        params: Parameters of the stages.
        now: Leave empty: it is for rehearsals.
    """
    place = workplace()
    moment = now or place.clock()
    collected, failed = ask_sources(params.collect, moment)
    counts = dict(sum((Counter(source) for source in collected.values()), Counter()))

    def has_work(stage: str) -> bool:
        if stage == "themes":
            return themes_wait(place)
        if stage == "close" and place.settings.imap.host:
            return True  # what waits there, only the mail server knows
        with transaction(place.engine) as session:
            held = place.settings.kill_switch.exists()
            return pending(session, stage, place.company, kill_switch=held, now=moment) > 0

    stages: dict[str, Callable[[], dict[str, int]]] = {
        "understand": lambda: understand.fn(now=moment),
        "route": lambda: route.fn(now=moment),
        "follow_up": lambda: follow_up.fn(params.follow_up, moment),
        "close": lambda: close.fn(moment),
        "themes": lambda: find_themes(moment),
    }
    problems: list[VocError] = [could_not_collect(failed)] if failed else []
    for stage, run in stages.items():
        try:
            if has_work(stage):
                counts |= run()
        except VocError as exc:
            problems.append(exc)
    if params.measure and is_stale(place, moment):
        measure.fn(now=moment)
    if problems:
        raise problems[0]
    return counts
