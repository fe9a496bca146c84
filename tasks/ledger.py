"""Keeping the ledger's head where whoever changes the database does not reach it."""

from __future__ import annotations

from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.discreet import discreet
from tasks.workplace import workplace
from voc.actions.restoring import head_of, is_restored
from voc.store.database import transaction


@task(cache_policy=NO_CACHE)
@discreet
def anchor_ledger(now: datetime) -> int:
    """Write the ledger's head into the journal if it has grown; return its length.

    Not that of an older copy of the database: the journal knows more than that.
    """
    place = workplace()
    restored = is_restored(place.engine, place.journal, now=now)
    with transaction(place.engine) as session:
        head = head_of(session)
    if not restored and head.length and head != place.journal.last_head():
        place.journal.anchor(head, now)
    return head.length
