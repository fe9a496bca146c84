"""Close: take in answers, close or reopen."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from tasks.close import end_loops, take_in_answers
from tasks.workplace import workplace


@flow(name="close")
def close(now: datetime | None = None) -> dict[str, int]:
    """Close what customers call solved or left unanswered; reopen what they call not solved.

    Args:
        now: Leave empty: it is for rehearsals.
    """
    moment = now or workplace().clock()
    return take_in_answers(moment) | end_loops(moment)
