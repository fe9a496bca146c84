"""Labelled texts from files: masked and cleaned as statements are, embedded, and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlmodel import Session

from nlp.arrays import FloatArray
from nlp.clean import clean, text_hash
from nlp.embed import Encoder
from nlp.mask import mask_by
from tasks.workplace import Workplace
from voc.actions.labels import Imported, import_labels
from voc.models import Embedding, SuggestionKind
from voc.progress import report
from voc.store import labels
from voc.store.database import transaction
from voc.store.feedback import vectors
from voc.store.upsert import insert_new
from voc.text import normalise

TEXTS_A_COMMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledWords:
    """One row of a file: what was said, and what people say it is."""

    text: str
    value: str


def import_texts(
    place: Workplace,
    rows: Sequence[LabelledWords],
    kind: SuggestionKind,
    encoder: Encoder,
    *,
    actor: str,
    now: datetime,
) -> Counter[str]:
    """Keep *rows* with their vectors; counts by what happened. Stopped midway, begin again."""
    counts: Counter[str] = Counter()
    for start in range(0, len(rows), TEXTS_A_COMMIT):
        prepared = [_prepared(place, row) for row in rows[start : start + TEXTS_A_COMMIT]]
        texts = [each for each in prepared if _has_words(each.text)]
        counts["without_words"] += len(prepared) - len(texts)
        stored_vectors(place, {each.text_hash: each.text for each in texts}, encoder)
        with transaction(place.engine) as session:
            counts += import_labels(session, texts, kind, actor=actor, now=now)
        report("import labels", min(start + TEXTS_A_COMMIT, len(rows)), len(rows))
    return counts


def forget_texts(place: Workplace, texts: Iterable[str]) -> int:
    """Erase what was imported of *texts*, whatever their labels; how many labels are gone."""
    hashes = sorted({_masked(place, text)[1] for text in texts})
    with transaction(place.engine) as session:
        return labels.forget_imported(session, hashes)


def stored_vectors(
    place: Workplace, texts: Mapping[str, str], encoder: Encoder
) -> dict[str, FloatArray]:
    """The vectors of *texts*, by hash; those that are not stored are computed, and stored."""
    known = known_vectors(place, list(texts), encoder.version)
    missing = [key for key in texts if key not in known]
    for start in range(0, len(missing), TEXTS_A_COMMIT):
        keys = missing[start : start + TEXTS_A_COMMIT]
        encoded = encoder.encode([texts[key] for key in keys])
        with transaction(place.engine) as session:
            _store(session, keys, encoded, encoder.version)
        known |= dict(zip(keys, encoded, strict=True))
    return known


def known_vectors(place: Workplace, hashes: Sequence[str], model: str) -> dict[str, FloatArray]:
    """The vectors of *model* that are stored, by hash of their text."""
    with transaction(place.engine) as session:
        found = vectors(session, hashes, model)
    return {key: np.frombuffer(value, dtype="<f4") for key, value in found.items()}


def computed_vectors(texts: Mapping[str, str], encoder: Encoder) -> dict[str, FloatArray]:
    """The vectors of *texts*, by hash. Nothing is stored that an erasure could miss."""
    found: dict[str, FloatArray] = {}
    keys = list(texts)
    for start in range(0, len(keys), TEXTS_A_COMMIT):
        batch = keys[start : start + TEXTS_A_COMMIT]
        encoded = encoder.encode([texts[key] for key in batch])
        found |= dict(zip(batch, encoded, strict=True))
        report("embed labels", len(found), len(keys))
    return found


def _store(session: Session, keys: Sequence[str], encoded: FloatArray, model: str) -> None:
    rows = [
        {"text_hash": key, "model": model, "vector": vector.astype("<f4").tobytes()}
        for key, vector in sorted(zip(keys, encoded, strict=True), key=lambda pair: pair[0])
    ]
    insert_new(session, Embedding, rows)


def _prepared(place: Workplace, row: LabelledWords) -> Imported:
    words, key = _masked(place, row.text)
    return Imported(text=words, text_hash=key, value=row.value)


def _masked(place: Workplace, text: str) -> tuple[str, str]:
    """*text* as it is embedded, and its hash."""
    about = place.company.company
    words = clean(mask_by(about, normalise(text)).text, about.brand_names)
    return words, text_hash(words)


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
