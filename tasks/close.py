"""Closing: take in answers, close or reopen, end what cannot be told."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.discreet import discreet
from tasks.workplace import workplace
from voc.actions import answers, inbound
from voc.store import answers as answer_store
from voc.store import inbound as inbound_store
from voc.store.database import transaction

EVENTS = 200  # a transaction: the ledger's head is held as long


@task(cache_policy=NO_CACHE)
@discreet
def apply_events(now: datetime) -> dict[str, int]:
    """Apply what providers and mailboxes told us and had to wait for our own knowledge."""
    place = workplace()
    counts: Counter[str] = Counter()
    with transaction(place.engine) as session:
        waiting = inbound_store.unapplied(session)
    for start in range(0, len(waiting), EVENTS):
        with transaction(place.engine) as session:
            some = waiting[start : start + EVENTS]
            counts += inbound.apply_waiting(session, some, secret=place.secret, now=now)
    return {f"events_{outcome}": n for outcome, n in counts.items()}


@task(cache_policy=NO_CACHE)
@discreet
def take_in_answers(now: datetime) -> dict[str, int]:
    """Apply the answers that came in, each loop in a transaction of its own."""
    place = workplace()
    counts: Counter[str] = Counter()
    with transaction(place.engine) as session:
        waiting = answer_store.unapplied(session, now)
    for loop_id in waiting:
        with transaction(place.engine) as session:
            counts[answers.apply_answers(session, loop_id, place.company, now=now)] += 1
    return dict(counts)


@task(cache_policy=NO_CACHE)
@discreet
def end_loops(now: datetime) -> dict[str, int]:
    """Close loops that stayed silent; give up those that cannot be told."""
    place = workplace()
    with transaction(place.engine) as session:
        could_not_tell = answers.give_up_untellable(session, now=now)
        silent = answers.close_silent(session, place.company, now=now)
    return dict(+Counter(could_not_tell=could_not_tell, closed_silent=silent))
