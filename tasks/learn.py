"""Learning: the themes of what was said lately, matched to those there were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from nlp.arrays import FloatArray, IntArray
from nlp.embed import unit
from nlp.themes import NONE, SAMPLE, Group, Theme, bootstrap, rebuild
from tasks.discreet import discreet
from tasks.themes import (
    SEED,
    as_array,
    as_found,
    as_of,
    as_row,
    encoder_version,
    words_of,
)
from tasks.workplace import workplace
from voc.actions.theme_changes import Regrouped, rebuilt
from voc.models import Theme as StoredTheme
from voc.progress import report
from voc.store import theme_places, themes
from voc.store.database import transaction
from voc.store.theme_figures import standing
from voc.store.theme_places import Placed

FEWEST = 40
"""Statements before groups of them mean anything."""
WINDOW = 5 * SAMPLE
"""Of how many of the newest statements a sample is taken."""


@task(cache_policy=NO_CACHE)
@discreet
def rebuild_themes(now: datetime) -> dict[str, int]:
    """Group a sample of what was said lately anew; what is found again keeps its id and name."""
    place = workplace()
    model = encoder_version(place)
    with transaction(place.engine) as session:
        when = as_of(session, model, now)
        sample = theme_places.with_vectors(
            session, _sampled(theme_places.newest_comparable(session, limit=WINDOW)), model=model
        )
        known = themes.active(session)
    if len(sample) < FEWEST:
        return {"too_few_statements": len(sample)}
    report("looking for themes", 0, 0)
    groups, retired = _grouped(sample, known, model)
    vectors = as_array([each.vector for each in sample])
    words = words_of(place, sample, [group.found for group in groups])
    regrouped = [
        Regrouped(
            found=as_found(group.found, sample, vectors, words.get(number, ())),
            continues=group.continues,
            split_from=group.split_from,
            merged=group.merged,
        )
        for number, group in enumerate(groups)
    ]
    with transaction(place.engine) as session:
        ids = [each.statement_id for each in sample]
        return dict(rebuilt(session, regrouped, retired, ids, when))


@task(cache_policy=NO_CACHE)
@discreet
def unassigned_share() -> float:
    """Of all statements that were looked at, the share that fits no theme."""
    with transaction(workplace().engine) as session:
        return round(standing(session).unassigned_share, 3)


def _sampled(rows: Sequence[tuple[int, str, int | None]]) -> list[tuple[int, str, int | None]]:
    """At most `SAMPLE` of *rows*, by chance under the seed, in their order."""
    if len(rows) <= SAMPLE:
        return list(rows)
    chosen = np.random.default_rng(SEED).choice(len(rows), SAMPLE, replace=False)
    return [rows[place] for place in sorted(chosen)]


def _grouped(
    sample: Sequence[Placed], known: Sequence[StoredTheme], model: str
) -> tuple[Sequence[Group], Sequence[int]]:
    """The groups of the sample, and the themes that are in none of them any more."""
    vectors = as_array([each.vector for each in sample])
    if not known:
        found = bootstrap(vectors, seed=SEED)
        return [Group(found=each, continues=None, split_from=None, merged=()) for each in found], ()
    before = np.array([each.theme_id or NONE for each in sample], dtype=np.int64)
    there = [_theme(row, model, vectors, before) for row in known]
    grouped = rebuild(vectors, before, there, seed=SEED)
    return grouped.groups, grouped.retired


def _theme(row: StoredTheme, model: str, vectors: FloatArray, before: IntArray) -> Theme:
    """A theme in *model*'s space: one of another model is where its statements are."""
    theme = Theme(id=row.id or 0, centroid=as_row(row.centroid), cut=row.cut, size=row.size)
    if row.model == model:
        return theme
    members = vectors[before == theme.id]
    centre = members.mean(axis=0, keepdims=True) if len(members) else np.zeros_like(vectors[:1])
    return replace(theme, centroid=unit(centre)[0])
