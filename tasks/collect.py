"""Collecting: read a source, mask what is personal, store each page with its cursor."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

import sources.catalogue
from sources.base import Rejected, Source
from tasks.discreet import discreet
from tasks.door import build_door, door_seal
from tasks.inbox import replay_mail
from tasks.retrying import TRANSIENT_READS, is_transient
from tasks.workplace import Workplace, workplace
from voc.actions import collect, quarantine
from voc.arrivals import MAIL_IN, Page, RawFeedback
from voc.errors import ConfigurationError
from voc.models import Quarantine
from voc.progress import report


@task(
    task_run_name="collect {source_id}",
    retry_condition_fn=is_transient,
    cache_policy=NO_CACHE,
    **TRANSIENT_READS,
)
@discreet
def collect_source(source_id: str, now: datetime) -> dict[str, int]:
    """Store what a source has that we do not; counts by what happened."""
    place = workplace()
    source = build_source(place, source_id)
    door = build_door(place)
    counts: Counter[str] = Counter()
    cursor = collect.read_cursor(place.engine, source_id)
    for page in source.fetch(cursor):
        counts += collect.store_page(place.engine, source_id, page, door, now=now)
        report("collect", counts["collected"], 0)
    return dict(counts)


@task(cache_policy=NO_CACHE)
@discreet
def replay_marked(now: datetime) -> dict[str, int]:
    """Read again what somebody marked for it in the desk; counts as of `replay_quarantine`."""
    place = workplace()
    ids = quarantine.take_marked(place.engine)
    return dict(replay_quarantine(place, ids, now=now)) if ids else {}


def replay_quarantine(place: Workplace, ids: Sequence[int], *, now: datetime) -> Counter[str]:
    """Read quarantined items again with today's company file; what is right now is stored."""
    door = build_door(place)
    counts: Counter[str] = Counter()
    for item in quarantine.waiting(place.engine, ids):
        if item.source == MAIL_IN:
            accepted = replay_mail(place, door_seal(place).open(item.raw_encrypted), now=now)
        else:
            accepted = _replay(place, item, door, now=now)
        if accepted:
            quarantine.mark_replayed(place.engine, item.id or 0)
        counts["replayed" if accepted else "still_wrong"] += 1
    return counts


def _replay(place: Workplace, item: Quarantine, door: collect.Door, *, now: datetime) -> bool:
    """Store the item if it can be read now."""
    parsed = _parsed(place, item)
    if parsed is None or isinstance(parsed, Rejected):
        return False
    cursor = collect.read_cursor(place.engine, item.source) or ""
    page = Page(items=[parsed], cursor=cursor, in_order=False)
    collect.store_page(place.engine, item.source, page, door, now=now)
    return True


def _parsed(place: Workplace, item: Quarantine) -> RawFeedback | Rejected | None:
    """The item, read again; None if its source has left the company file."""
    if item.source not in {source.id for source in place.company.sources}:
        return None
    return build_source(place, item.source).parse(door_seal(place).open(item.raw_encrypted))


def build_source(place: Workplace, source_id: str) -> Source:
    """The connector of one source of the company file."""
    config = next((s for s in place.company.sources if s.id == source_id), None)
    if config is None:
        raise ConfigurationError(f"the company file has no source {source_id!r} any more; add it")
    return sources.catalogue.build(config, folder=place.folder, secret=os.environ.get, seed=0)
