"""Learning where statements belong, from what people say of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from nlp.clean import clean
from nlp.routing.head import PRECISION, Examples
from nlp.routing.model import SubjectModel
from nlp.routing.router import KINDS, Router, unpack
from nlp.routing.training import Comparison, train
from tasks.discreet import discreet
from tasks.labels import stored_vectors
from tasks.models import build_models
from tasks.workplace import Workplace, workplace
from voc.models import SuggestionKind, TrainedRouter
from voc.store import labels
from voc.store.database import transaction

SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """What a refit found."""

    is_needed: bool
    """False: nothing was taught or described anew since the last one."""
    version: str
    """Of the router in use now; empty: the descriptions decide alone."""
    comparisons: Mapping[str, Comparison]
    skipped: Mapping[str, str]
    """By kind, why nothing was learned."""


@task(task_run_name="learn where statements belong", cache_policy=NO_CACHE)
@discreet
def refit(now: datetime) -> dict[str, int]:
    """Learn from all labels, if there are new ones; counts of labels, and of kinds kept."""
    place = workplace()
    found = refit_router(place, build_models(place.company).subjects, now=now)
    kept = [each for each in found.comparisons.values() if each.is_kept]
    return {
        "labels": sum(each.figures.labels for each in found.comparisons.values()),
        "kept": len(kept),
        "not_better": len(found.comparisons) - len(kept),
    }


def refit_router(
    place: Workplace,
    subjects: SubjectModel,
    *,
    now: datetime,
    again: bool = False,
    precision: float = PRECISION,
    seed: int = SEED,
) -> Refit:
    """Learn from all labels, and keep what is not worse than before.

    Args:
        subjects: What the company says of its departments and topics.
        again: Learn even if nothing is new, and without regard to the router in use.
        precision: The wanted share of right values among those given.
    """
    taught = {kind: _taught(place, kind) for kind in KINDS}
    fingerprint = _fingerprint(taught, subjects.with_router(None).version, precision)
    with transaction(place.engine) as session:
        last = labels.trained_router(session)
    if last is not None and last.learned_from == fingerprint and not again:
        return Refit(is_needed=False, version=last.version, comparisons={}, skipped={})
    present = None if again or last is None else _router(last)
    examples = {kind: _examples(place, rows, subjects) for kind, rows in taught.items()}
    trained = train(subjects.with_router(present), examples, precision=precision, seed=seed)
    version = unpack(trained.content).version if trained.content else ""
    row = TrainedRouter(
        version=version,
        encoder=subjects.encoder.version,
        weights=trained.content,
        learned_from=fingerprint,
        labels=sum(len(rows) for rows in taught.values()),
        figures={kind: _figures(each) for kind, each in trained.comparisons.items()},
        trained_at=now,
    )
    with transaction(place.engine) as session:
        labels.keep_router(session, row)
    return Refit(
        is_needed=True, version=version, comparisons=trained.comparisons, skipped=trained.skipped
    )


def router_in_use(place: Workplace) -> Router | None:
    """What was learned last; None: the descriptions decide alone."""
    with transaction(place.engine) as session:
        last = labels.trained_router(session)
    return None if last is None else _router(last)


def labelled_examples(place: Workplace, kind: str, subjects: SubjectModel) -> Examples:
    """What people said of statements, with vectors: to show what one is like."""
    return _examples(place, _taught(place, kind), subjects)


def _router(row: TrainedRouter) -> Router | None:
    return unpack(row.weights) if row.weights else None


def _taught(place: Workplace, kind: str) -> list[labels.Taught]:
    with transaction(place.engine) as session:
        return labels.taught(session, SuggestionKind(kind))


def _examples(place: Workplace, rows: Sequence[labels.Taught], subjects: SubjectModel) -> Examples:
    names = place.company.company.brand_names
    texts = {row.text_hash: clean(row.text, names) for row in rows}
    worded = {key: text for key, text in texts.items() if any(c.isalnum() for c in text)}
    found = stored_vectors(place, worded, subjects.encoder)
    kept = [row for row in rows if row.text_hash in worded]
    return Examples(
        texts=[worded[row.text_hash] for row in kept],
        vectors=np.array([found[row.text_hash] for row in kept], dtype=np.float32),
        labels=[row.value for row in kept],
    )


def _fingerprint(
    taught: Mapping[str, Sequence[labels.Taught]], subjects: str, precision: float
) -> str:
    said = [(kind, row.text_hash, row.value) for kind, rows in taught.items() for row in rows]
    return hashlib.sha256(repr((sorted(said), subjects, precision)).encode()).hexdigest()


def _figures(comparison: Comparison) -> dict[str, float]:
    figures = asdict(comparison)
    return {k: float(v) for k, v in (figures.pop("figures") | figures).items()}
