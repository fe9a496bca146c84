"""Themes: put new statements into them, and look for new ones among those that fit nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from sqlmodel import Session

from nlp.arrays import FloatArray
from nlp.clean import clean
from nlp.themes import DISCOVER_FROM, PENDING, Found, Theme, assign, discover, label_words
from tasks import understand
from tasks.discreet import discreet
from tasks.workplace import Workplace, workplace
from voc.actions.theme_changes import FoundTheme, When, discovered
from voc.company.model import Company
from voc.progress import report
from voc.store import theme_places, themes
from voc.store.database import transaction
from voc.store.theme_places import Placed, Unplaced

SEED = 2026
PLACED_A_COMMIT = 2_000
TEXTS_A_THEME = 50
"""How many of a theme's statements its words are taken from."""

Words = dict[int, tuple[str, ...]]


def themes_wait(place: Workplace) -> bool:
    """Whether there are statements to place, or enough of those that wait to look among them."""
    with transaction(place.engine) as session:
        new = theme_places.span_unplaced(session)[2]
        return new > 0 or theme_places.waiting_since_discovery(session) >= DISCOVER_FROM


@task(task_run_name="assign themes {low} to {high}", cache_policy=NO_CACHE)
@discreet
def assign_themes(low: int, high: int) -> dict[str, int]:
    """Place the statements with ids from *low* to *high* that have no place yet."""
    place = workplace()
    model = encoder_version(place)
    languages = understand.unlearned_models(place).reader.languages
    counts: Counter[str] = Counter()
    while True:
        with transaction(place.engine) as session:
            themes.lock_registry(session)  # nobody retires a theme that we put something into
            batch = theme_places.unplaced(
                session,
                low,
                high,
                model=model,
                languages=languages,
                limit=PLACED_A_COMMIT,
            )
            if not batch:
                counts["unassigned"] = theme_places.give_up_waiting(session, keep=PENDING)
                return dict(counts)
            counts += _place(session, batch, model)
        low = batch[-1].statement_id + 1


def _place(session: Session, batch: Sequence[Unplaced], model: str) -> Counter[str]:
    """Each of *batch* to the nearest theme, if it is near enough."""
    comparable = {each.statement_id: each.vector for each in batch if each.vector is not None}
    assigned = assign(as_array(list(comparable.values())), registered(session, model))
    theme_places.place(
        session,
        {
            statement_id: None if theme_id < 0 else (int(theme_id), float(similarity))
            for statement_id, theme_id, similarity in zip(
                comparable, assigned.themes, assigned.similarity, strict=True
            )
        },
    )
    theme_places.set_apart(session, [each.statement_id for each in batch if each.vector is None])
    n = int((assigned.themes >= 0).sum())
    return Counter(themed=n, fit_no_theme=len(comparable) - n)


@task(cache_policy=NO_CACHE)
@discreet
def discover_themes(now: datetime) -> dict[str, int]:
    """Look for new themes among the statements that wait, if enough of them are new."""
    place = workplace()
    model = encoder_version(place)
    with transaction(place.engine) as session:
        if theme_places.waiting_since_discovery(session) < DISCOVER_FROM:
            return {}
        when = as_of(session, model, now)
        pool = theme_places.waiting(session, model=model, limit=PENDING)
        known = registered(session, model)
    report("looking for themes", 0, 0)
    vectors = as_array([each.vector for each in pool])
    found = discover(vectors, known, seed=SEED)
    near = {theme.id: theme.centroid for theme in known}
    joins: dict[int, dict[int, float]] = {}
    for row, theme_id in sorted(found.joins.items()):
        similarity = float(vectors[row] @ near[theme_id])
        joins.setdefault(theme_id, {})[pool[row].statement_id] = similarity
    words = words_of(place, pool, found.born, beside=list(near)) if found.born else {}
    born = [
        as_found(each, pool, vectors, words.get(number, ()))
        for number, each in enumerate(found.born)
    ]
    with transaction(place.engine) as session:
        return dict(discovered(session, born, joins, when))


def encoder_version(place: Workplace) -> str:
    """Of the encoder that reads now. Nothing is loaded for it."""
    return understand.unlearned_models(place).reader.encoder_version


def as_of(session: Session, model: str, now: datetime) -> When:
    """What the registry is now, for a change that takes a while to compute."""
    return When(
        now=now,
        model=model,
        revision=themes.lock_registry(session).revision,
        newest=theme_places.newest_placed(session),
        run=flow_run.id,
    )


def registered(session: Session, model: str) -> list[Theme]:
    """The active themes that were found in *model*'s vectors."""
    return [
        Theme(id=row.id or 0, centroid=as_row(row.centroid), cut=row.cut, size=row.size)
        for row in themes.active(session)
        if row.model == model
    ]


def as_row(vector: bytes) -> FloatArray:
    """One stored vector, shape ``(d,)``."""
    return np.frombuffer(vector, dtype="<f4")


def as_array(stored: Sequence[bytes]) -> FloatArray:
    """Stored vectors, shape ``(n, d)``."""
    if not stored:
        return np.empty((0, 0), dtype=np.float32)
    return np.frombuffer(b"".join(stored), dtype="<f4").reshape(len(stored), -1)


def as_found(
    found: Found, rows: Sequence[Placed], vectors: FloatArray, words: Sequence[str]
) -> FoundTheme:
    """A group of *rows* with the ids of its statements."""
    similarity = vectors[found.members] @ found.centroid
    return FoundTheme(
        centroid=found.centroid.astype("<f4").tobytes(),
        cut=found.cut,
        words=words,
        members={
            rows[row].statement_id: float(near)
            for row, near in zip(found.members, similarity, strict=True)
        },
    )


def words_of(
    place: Workplace, rows: Sequence[Placed], groups: Sequence[Found], *, beside: Sequence[int] = ()
) -> Words:
    """By place in *groups* the words that tell each from the others and from themes *beside*."""
    ids = {
        number: [rows[row].statement_id for row in group.members[:TEXTS_A_THEME]]
        for number, group in enumerate(groups)
    }
    with transaction(place.engine) as session:
        others = themes.central(session, beside, limit=TEXTS_A_THEME)
        ids |= {-theme_id: members for theme_id, members in others.items() if members}
        keys = sorted({key for members in ids.values() for key in members})
        said, speakers = themes.texts(session, keys), themes.speakers(session, keys)
    names = place.company.company.brand_names
    texts = {
        number: by_customer(
            {key: clean(said[key], names) for key in members if key in said and key in speakers},
            speakers,
        )
        for number, members in ids.items()
    }
    return label_words(texts, stop_words=own_names(place.company))


def by_customer(said: Mapping[int, str], speakers: Mapping[int, int]) -> list[str]:
    """What each customer said, in one text: a word that two texts have, two customers used.

    So no theme is named in the words of one customer, who may want them erased.
    """
    texts: dict[int, list[str]] = {}
    for key, text in said.items():
        texts.setdefault(speakers[key], []).append(text)
    return [" and ".join(theirs) for theirs in texts.values()]


def own_names(company: Company) -> frozenset[str]:
    """The words of the company's own names: they say nothing of a theme."""
    return frozenset(
        word.casefold() for name in company.company.brand_names for word in name.split()
    )
