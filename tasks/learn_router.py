"""Learning where statements belong, from what people say of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from nlp.arrays import FloatArray
from nlp.clean import clean, text_hash
from nlp.routing.head import PRECISION, Examples
from nlp.routing.model import SubjectModel
from nlp.routing.router import KINDS, Router, unpack
from nlp.routing.training import Comparison, train
from tasks.discreet import discreet
from tasks.labels import computed_vectors, known_vectors
from tasks.models import build_models
from tasks.workplace import Workplace, workplace
from voc.errors import VocError
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

    Raises:
        VocError: Feedback was erased, or another refit ended, meanwhile; nothing was kept.
    """
    taught = {kind: _taught(place, kind) for kind in KINDS}
    fingerprint = _fingerprint(taught, subjects.with_router(None).version, precision)
    with transaction(place.engine) as session:
        last = labels.trained_router(session)
    if last is not None and last.learned_from == fingerprint and not again:
        return Refit(is_needed=False, version=last.version, comparisons={}, skipped={})
    present = None if again or last is None else _router(last)
    examples = {kind: _examples(place, rows, subjects) for kind, rows in taught.items()}
    present = present and without_erased(present, examples)
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
    _keep(place, row, taught, None if last is None else last.id)
    return Refit(
        is_needed=True, version=version, comparisons=trained.comparisons, skipped=trained.skipped
    )


def without_erased(router: Router, examples: Mapping[str, Examples]) -> Router:
    """*router* without the heads that learned from what is not among *examples* any more.

    Such a head must not stay in use for being better: it holds what was erased.
    """
    heads = {
        kind: head
        for kind, head in router.heads.items()
        if kind in examples and head.knows_only(examples[kind].texts)
    }
    return replace(router, heads=heads)


def _keep(
    place: Workplace,
    row: TrainedRouter,
    taught: Mapping[str, Sequence[labels.Taught]],
    last: int | None,
) -> None:
    """Use *row* from now on, unless what it rests on has changed since it was read."""
    with transaction(place.engine) as session:
        labels.blank_routers(session)  # first: of two refits at once the second waits here
        newest = labels.trained_router(session)
        if (None if newest is None else newest.id) != last:
            raise VocError("another refit ended while this one ran; what it learned is in use")
        hashes = {each.text_hash for rows in taught.values() for each in rows}
        if labels.still_there(session, sorted(hashes)) != hashes:
            raise VocError("feedback was erased while routing was learned; run it again")
        session.add(row)


def router_in_use(place: Workplace) -> Router | None:
    """What was learned last; None: the descriptions decide alone."""
    with transaction(place.engine) as session:
        last = labels.trained_router(session)
    return None if last is None else _router(last)


def labelled_examples(place: Workplace, kind: str, subjects: SubjectModel) -> Examples:
    """What people said of statements, where their vectors are stored: to show what one is like."""
    texts = _worded(place, _taught(place, kind))
    found = known_vectors(place, list(texts), subjects.encoder.version)
    return _with_vectors({key: texts[key] for key in texts if key in found}, found)


def _router(row: TrainedRouter) -> Router | None:
    return unpack(row.weights) if row.weights else None


def _taught(place: Workplace, kind: str) -> list[labels.Taught]:
    with transaction(place.engine) as session:
        return labels.taught(session, SuggestionKind(kind))


def _examples(place: Workplace, rows: Sequence[labels.Taught], subjects: SubjectModel) -> Examples:
    texts = _worded(place, rows)
    found = known_vectors(place, list(texts), subjects.encoder.version)
    missing = {key: text for key, (text, _) in texts.items() if key not in found}
    return _with_vectors(texts, found | computed_vectors(missing, subjects.encoder))


def _worded(place: Workplace, rows: Sequence[labels.Taught]) -> dict[str, tuple[str, str]]:
    """Texts as they are embedded with today's brand names, and their labels; by hash, in order.

    Brand names change, so a text may have another hash than when it was stored, and two texts may
    have become one: then the newest label counts.
    """
    names = place.company.company.brand_names
    found = {}
    for row in sorted(rows, key=lambda row: row.at):
        text = clean(row.text, names)
        if any(character.isalnum() for character in text):
            found[text_hash(text)] = (text, row.value)
    return dict(sorted(found.items()))


def _with_vectors(
    texts: Mapping[str, tuple[str, str]], vectors: Mapping[str, FloatArray]
) -> Examples:
    return Examples(
        texts=[text for text, _ in texts.values()],
        vectors=np.array([vectors[key] for key in texts], dtype=np.float32),
        labels=[value for _, value in texts.values()],
    )


def _fingerprint(
    taught: Mapping[str, Sequence[labels.Taught]], subjects: str, precision: float
) -> str:
    said = [(kind, row.text_hash, row.value) for kind, rows in taught.items() for row in rows]
    return hashlib.sha256(repr((sorted(said), subjects, precision)).encode()).hexdigest()


def _figures(comparison: Comparison) -> dict[str, float]:
    figures = asdict(comparison)
    return {k: float(v) for k, v in (figures.pop("figures") | figures).items()}
