"""Route: open loops and tickets, start the SLA clocks."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from prefect import flow

from tasks.route import route_range, take_in_strays
from tasks.workplace import ranges, workplace
from voc.models import FeedbackState
from voc.params import ChunkParams
from voc.store.database import transaction
from voc.store.feedback import span_in_state
from voc.store.routing import strays


@flow(name="route")
def route(params: ChunkParams = ChunkParams(), now: datetime | None = None) -> dict[str, int]:
    """Open a loop for whoever needs an answer, and a ticket for each department that must act.

    Triage gets the unfinished tickets of departments that have left the company file.

    Args:
        params: How the work is cut.
        now: Leave empty: it is for rehearsals.
    """
    place = workplace()
    moment = now or place.clock()
    known = [department.id for department in place.company.departments]
    with transaction(place.engine) as session:
        low, high, n = span_in_state(session, FeedbackState.UNDERSTOOD)
        has_strays = bool(strays(session, known, limit=1))
    counts = Counter(take_in_strays(moment) if has_strays else {})
    for start, end in ranges(low, high, n, params.chunk):
        counts += route_range(start, end, moment)
    return dict(counts)
