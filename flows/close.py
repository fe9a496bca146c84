"""Close: take in answers, close or reopen."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from tasks.close import apply_events, end_loops, take_in_answers
from tasks.inbox import read_mail
from tasks.ledger import anchor_ledger
from tasks.workplace import workplace


@flow(name="close")
def close(now: datetime | None = None) -> dict[str, int]:
    """Close what customers call solved or left unanswered; reopen what they call not solved.

    A mailbox that cannot be read does not stop the rest; the run fails in the end.

    Args:
        now: Leave empty: it is for rehearsals.
    """
    moment = now or workplace().clock()
    counts, problem = _read_mail(moment)
    counts |= apply_events(moment) | take_in_answers(moment) | end_loops(moment)
    anchor_ledger(moment)
    if problem is not None:
        raise problem
    return counts


def _read_mail(now: datetime) -> tuple[dict[str, int], Exception | None]:
    """What came in, and what kept us from reading on."""
    if not workplace().settings.imap.host:
        return {}, None
    try:
        return read_mail(now), None
    except Exception as exc:  # noqa: BLE001  (raised at the end: the rest has to be done)
        return {}, exc
