"""Routing: loops and tickets for what was understood."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.discreet import discreet
from tasks.workplace import workplace
from voc.actions.route import give_strays_to_triage, route_pieces
from voc.models import FeedbackState
from voc.progress import report
from voc.store.database import transaction
from voc.store.feedback import span_in_state

PIECES_A_COMMIT = 100
STRAYS_A_COMMIT = 100


@task(cache_policy=NO_CACHE)
@discreet
def take_in_strays(now: datetime) -> dict[str, int]:
    """Give triage the tickets of departments that have left the company file."""
    place = workplace()
    given = 0
    while True:
        with transaction(place.engine) as session:
            some = give_strays_to_triage(session, place.company, now=now, limit=STRAYS_A_COMMIT)
        given += some
        if some < STRAYS_A_COMMIT:
            return dict(+Counter(given_to_triage=given))


@task(task_run_name="route {low} to {high}", cache_policy=NO_CACHE)
@discreet
def route_range(low: int, high: int, now: datetime) -> dict[str, int]:
    """Route the understood feedback with ids from *low* to *high*."""
    place = workplace()
    counts: Counter[str] = Counter()
    done = 0
    with transaction(place.engine) as session:
        todo = span_in_state(session, FeedbackState.UNDERSTOOD)[2]
    while True:
        with transaction(place.engine) as session:
            routed = route_pieces(session, low, high, place.company, now=now, limit=PIECES_A_COMMIT)
        if not routed:
            return dict(counts)
        counts += routed
        done = min(done + PIECES_A_COMMIT, todo)
        report("route", done, todo)
