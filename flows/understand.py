"""Understand: split, embed, judge what was collected."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from prefect import flow

from tasks.understand import understand_range
from tasks.workplace import ranges, workplace
from voc.models import FeedbackState
from voc.params import ChunkParams
from voc.store.database import transaction
from voc.store.feedback import span_in_state


@flow(name="understand")
def understand(params: ChunkParams = ChunkParams(), now: datetime | None = None) -> dict[str, int]:
    """Split new feedback into statements and say of each its sentiment, topic and department.

    Args:
        params: How the work is cut.
        now: Not used; every stage takes it.
    """
    with transaction(workplace().engine) as session:
        low, high, n = span_in_state(session, FeedbackState.COLLECTED)
    counts: Counter[str] = Counter()
    for start, end in ranges(low, high, n, params.chunk):
        counts += understand_range(start, end)
    return dict(counts)
