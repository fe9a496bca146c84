"""Understanding: split, embed, judge, and keep what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from nlp.arrays import FloatArray
from nlp.topics import Guess
from nlp.understand import Models, StatementReading, Understanding, understand
from tasks.discreet import discreet
from tasks.learn_router import router_in_use
from tasks.models import build_models
from tasks.workplace import Workplace, workplace
from voc.actions.understand import (
    Reading,
    ReadStatement,
    ReadSuggestion,
    set_aside,
    store_readings,
)
from voc.models import FeedbackState, SuggestionKind
from voc.progress import report
from voc.store.database import transaction
from voc.store.feedback import Unread, span_in_state, unread, vectors

PIECES_A_COMMIT = 200  # what a killed run has to read again


@task(task_run_name="understand {low} to {high}", cache_policy=NO_CACHE)
@discreet
def understand_range(low: int, high: int) -> dict[str, int]:
    """Read the feedback with ids from *low* to *high* that no model has read."""
    place = workplace()
    models = models_of(place)
    counts: Counter[str] = Counter()
    with transaction(place.engine) as session:
        todo = span_in_state(session, FeedbackState.COLLECTED)[2]
    while True:
        with transaction(place.engine) as session:
            batch = unread(session, low, high, limit=PIECES_A_COMMIT)
        if not batch:
            return dict(counts)
        readings, unreadable = _read_what_can_be(place, models, batch)
        with transaction(place.engine) as session:
            counts["unreadable"] += set_aside(session, unreadable)
            counts["statements"] += store_readings(
                session, readings, encoder=models.reader.encoder_version, models=models.version
            )
        counts["understood"] += len(batch)
        report("understand", counts["understood"], todo)


def models_of(place: Workplace) -> Models:
    """The process's models, with the router that is in use now."""
    models = unlearned_models(place)
    return replace(models, subjects=models.subjects.with_router(router_in_use(place)))


@lru_cache(maxsize=1)
def unlearned_models(place: Workplace) -> Models:
    """The models as the company file describes its subjects: loaded once."""
    return build_models(place.company)


def _read_what_can_be(
    place: Workplace, models: Models, batch: Sequence[Unread]
) -> tuple[list[Reading], list[int]]:
    """The readings, and the ids of feedback that a model stumbles over.

    Raises:
        Exception: Nothing can be read: then it is the model, not the words.
    """
    try:
        return read(place, models, batch), []
    except Exception:
        if len(batch) == 1:
            raise
    readings: list[Reading] = []
    unreadable: list[int] = []
    for piece in batch:
        try:
            readings += read(place, models, [piece])
        except Exception as exc:  # noqa: BLE001  (told below if it is everywhere)
            problem = exc
            unreadable.append(piece.feedback_id)
    if not readings:
        raise problem
    return readings, unreadable


def read(place: Workplace, models: Models, batch: Sequence[Unread]) -> list[Reading]:
    """Understand a batch; vectors that are stored already are not computed again."""

    def known(hashes: Sequence[str]) -> Mapping[str, FloatArray]:
        with transaction(place.engine) as session:
            stored = vectors(session, hashes, models.reader.encoder_version)
        return {key: np.frombuffer(value, dtype="<f4") for key, value in stored.items()}

    understood = understand(
        [piece.verbatim for piece in batch],
        models,
        brand_names=place.company.company.brand_names,
        known=known,
    )
    versions = {
        SuggestionKind.SENTIMENT: models.reader.sentiment_version,
        SuggestionKind.TOPIC: models.subjects.version,
        SuggestionKind.DEPARTMENT: models.subjects.version,
    }
    return [
        _reading(piece, found, versions) for piece, found in zip(batch, understood, strict=True)
    ]


def _reading(
    piece: Unread, found: Understanding, versions: Mapping[SuggestionKind, str]
) -> Reading:
    return Reading(
        version_id=piece.version_id,
        feedback_id=piece.feedback_id,
        language=found.language or piece.language,
        statements=[_statement(statement, versions) for statement in found.statements],
    )


def _statement(
    statement: StatementReading, versions: Mapping[SuggestionKind, str]
) -> ReadStatement:
    said = {
        SuggestionKind.SENTIMENT: statement.sentiment,
        SuggestionKind.TOPIC: statement.topic,
        SuggestionKind.DEPARTMENT: statement.department,
    }
    vector = statement.vector
    return ReadStatement(
        start=statement.span.start,
        end=statement.span.end,
        text_hash=statement.text_hash,
        vector=None if vector is None else vector.astype("<f4").tobytes(),
        suggestions=[_suggestion(k, versions[k], guess) for k, guess in said.items() if guess],
    )


def _suggestion(kind: SuggestionKind, version: str, guess: Guess) -> ReadSuggestion:
    return ReadSuggestion(
        kind=kind,
        model=version,
        value=guess.value,
        probability=float(guess.probability),
        offers=[[value, round(float(p), 4)] for value, p in guess.offers],
    )
