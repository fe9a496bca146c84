"""A process that writes without a pause, as collecting does: pages of feedback, one commit each."""

from __future__ import annotations

import time
from itertools import count

from benchmarks.desk.rows import NOW
from voc.models import Channel, Feedback, FeedbackState
from voc.store.database import open_database, transaction
from voc.store.upsert import insert_new

A_PAGE = 200
CUSTOMERS = 1_000
PAUSE_S = 0.02
"""Between two pages a source is asked for the next one."""


def keep_writing(url: str) -> None:
    """Store one page after the other until the process is ended."""
    engine = open_database(url)
    for page in count():
        rows = [
            {
                "source": "benchmark",
                "external_id": f"{time.monotonic_ns()}-{page}-{i}",
                "channel": Channel.SURVEY,
                "customer_id": 1 + (page * A_PAGE + i) % CUSTOMERS,
                "said_at": NOW,
                "collected_at": NOW,
                "item_hash": "",
                "version": 1,
                "state": FeedbackState.COLLECTED,
            }
            for i in range(A_PAGE)
        ]
        with transaction(engine) as session:
            insert_new(session, Feedback, rows)
        time.sleep(PAUSE_S)
