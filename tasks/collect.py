"""Collecting: read a source, mask what is personal, store each page with its cursor."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

import sources.catalogue
from nlp.mask import Known, mask_by
from sources.base import Rejected, Source
from tasks.discreet import discreet
from tasks.retrying import TRANSIENT_READS, is_transient
from tasks.workplace import Workplace, workplace
from voc.actions import collect, quarantine
from voc.arrivals import Page, RawFeedback
from voc.errors import ConfigurationError
from voc.models import IdentityKind, Quarantine
from voc.progress import report
from voc.rules.sealing import Seal


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


def replay_quarantine(place: Workplace, ids: Sequence[int], *, now: datetime) -> Counter[str]:
    """Read quarantined items again with today's company file; what is right now is stored."""
    door = build_door(place)
    counts: Counter[str] = Counter()
    for item in quarantine.waiting(place.engine, ids):
        parsed = _parsed(place, item)
        if parsed is None or isinstance(parsed, Rejected):
            counts["still_wrong"] += 1
            continue
        cursor = collect.read_cursor(place.engine, item.source) or ""
        page = Page(items=[parsed], cursor=cursor)
        collect.store_page(place.engine, item.source, page, door, now=now)
        quarantine.mark_replayed(place.engine, item.id or 0)
        counts["replayed"] += 1
    return counts


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


def door_seal(place: Workplace) -> Seal:
    return Seal(place.secret)


def build_door(place: Workplace) -> collect.Door:
    """What every item passes on its way in, by the company's own rules."""
    about = place.company.company

    def hide(text: str, known: Sequence[tuple[str, str]]) -> tuple[str, dict[str, int]]:
        masked = mask_by(about, text, known=[_known(kind, value) for kind, value in known])
        return masked.text, masked.counts

    return collect.Door(
        mask=hide,
        seal=door_seal(place).close,
        secret=place.secret,
        region=about.phone_regions[0],
    )


def _known(kind: str, value: str) -> Known:
    """What is known of an author, as masking takes it: a handle without its platform."""
    if kind == IdentityKind.HANDLE:
        return Known(kind="account", value=value.partition(":")[2] or value)
    return Known(kind=kind, value=value)
