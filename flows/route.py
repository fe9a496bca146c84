"""Route: open loops and tickets, start the SLA clocks."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from prefect import flow

from tasks.route import route_range
from tasks.workplace import ranges, workplace
from voc.models import FeedbackState
from voc.params import ChunkParams
from voc.store.database import transaction
from voc.store.feedback import span_in_state


@flow(name="route")
def route(params: ChunkParams = ChunkParams(), now: datetime | None = None) -> dict[str, int]:
    """Open a loop for whoever needs an answer, and a ticket for each department that must act.

    Args:
        params: How the work is cut.
        now: Leave empty: it is for rehearsals.
    """
    place = workplace()
    moment = now or place.clock()
    with transaction(place.engine) as session:
        low, high, n = span_in_state(session, FeedbackState.UNDERSTOOD)
    counts: Counter[str] = Counter()
    for start, end in ranges(low, high, n, params.chunk):
        counts += route_range(start, end, moment)
    return dict(counts)
