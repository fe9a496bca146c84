"""Themes on both databases: placing, discovery, rebuilds, erasure, and runs that overlap or die."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from nlp.arrays import FloatArray
from tasks import learn
from tasks import themes as finding
from tests.nlp_fakes import FakeEncoder
from tests.story import START, Story
from tests.theme_cases import DIMENSIONS, MODEL, anywhere, around, common_words, says
from voc.actions import theme_changes, themes
from voc.actions.erase import erase_feedback
from voc.actions.theme_changes import FoundTheme, Regrouped, When
from voc.errors import ConfigurationError, NotFoundError, VocError
from voc.models import (
    AssignmentState,
    Embedding,
    Feedback,
    FeedbackVersion,
    Label,
    Statement,
    Suggestion,
    SuggestionKind,
    Theme,
    ThemeAssignment,
    ThemeEvent,
    ThemeEventKind,
    ThemeRegistry,
    ThemeState,
)
from voc.store import theme_figures, theme_places
from voc.store import themes as store
from voc.store.database import transaction

WORDS = (
    "parcel came late",
    "refund is missing",
    "courier was rude",
    "shoes fit well",
    "website is slow",
    "coupon was refused",
    "invoice is wrong",
    "app crashes often",
    "box was damaged",
    "phone line busy",
    "colour looks different",
    "gift card empty",
)
KINDS = range(len(WORDS))
LATE, REFUND, RUDE = 0, 1, 2

on_sqlite = pytest.mark.parametrize("database_url", [""], ids=["sqlite"])
"""For what does not depend on the database."""


@dataclass
class Shop:
    """A shop whose customers say things of known kinds."""

    story: Story
    seeds: int = 0

    @property
    def engine(self) -> Engine:
        return self.story.place.engine

    def hears(self, kind: int, n: int) -> list[int]:
        """*n* statements of one kind, each in words of its own."""
        self.seeds += 1
        words = [f"{WORDS[kind]} {number}" for number in range(n)]
        return says(self.engine, around(kind, n, seed=self.seeds), words, at=self.story.now)

    def hears_each(self, n: int, kinds: Iterable[int] = KINDS) -> dict[int, list[int]]:
        """*n* statements of each kind."""
        return {kind: self.hears(kind, n) for kind in kinds}

    def hears_noise(self, n: int) -> list[int]:
        self.seeds += 1
        return says(self.engine, anywhere(n, seed=self.seeds), "something else", at=self.story.now)

    def places(self) -> dict[str, int]:
        return finding.assign_themes.fn(0, 10**9)

    def discovers(self) -> dict[str, int]:
        return finding.discover_themes.fn(self.story.now)

    def learns(self) -> dict[str, int]:
        """As the flow does: place, rebuild, place what lost its place."""
        self.places()
        counts = learn.rebuild_themes.fn(self.story.now)
        self.places()
        return counts

    def themes(self, state: ThemeState = ThemeState.ACTIVE) -> list[Theme]:
        return [theme for theme in self.story.rows(Theme) if theme.state is state]

    def placed(self) -> dict[int, int | None]:
        return {row.statement_id: row.theme_id for row in self.story.rows(ThemeAssignment)}

    def states(self) -> Counter[str]:
        return Counter(row.state.value for row in self.story.rows(ThemeAssignment))

    def events(self, theme_id: int) -> list[tuple[str, int | None]]:
        rows = self.story.rows(ThemeEvent)
        return [(row.kind.value, row.other_id) for row in rows if row.theme_id == theme_id]

    def theme_of(self, ids: list[int]) -> int:
        """The one theme that most of them are in."""
        placed = self.placed()
        [(theme_id, n)] = Counter(placed.get(key) for key in ids).most_common(1)
        assert theme_id is not None
        assert n >= 0.7 * len(ids)
        return theme_id


@pytest.fixture
def shop(story: Story, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(finding, "label_words", common_words)
    return Shop(story)


def everything(shop: Shop) -> list[object]:
    """All that is stored of themes, to compare."""
    tables = (Theme, ThemeAssignment, ThemeEvent, ThemeRegistry)
    return [row.model_dump() for table in tables for row in shop.story.rows(table)]


# Little to go by


def test_a_language_that_is_not_read_joins_no_theme(shop: Shop) -> None:
    foreign = shop.hears(LATE, 3)
    with transaction(shop.engine) as session:
        for version in session.exec(select(FeedbackVersion)):
            version.language = "de"
    english = shop.hears(LATE, 3)

    shop.places()

    states = {row.statement_id: row.state for row in shop.story.rows(ThemeAssignment)}
    assert {states[key] for key in foreign} == {AssignmentState.NOT_COMPARABLE}
    assert {states[key] for key in english} == {AssignmentState.WAITING}


@on_sqlite
@pytest.mark.parametrize("n", [0, 1, 5, 39])
def test_few_statements_wait_and_nothing_breaks(shop: Shop, n: int) -> None:
    shop.hears(LATE, n)

    assert shop.places().get("fit_no_theme", 0) == n
    assert shop.discovers() == {}
    assert shop.learns() == {"too_few_statements": n}

    assert shop.states() == Counter(waiting=n) if n else not shop.states()
    assert not shop.themes()


@on_sqlite
def test_the_first_themes_have_words_and_say_that_they_were_born(shop: Shop) -> None:
    ids = shop.hears_each(12)

    counts = shop.learns()

    assert counts["born"] == len(KINDS)
    found = {shop.theme_of(ids[kind]): WORDS[kind] for kind in KINDS}
    assert len(found) == len(KINDS)
    for theme in shop.themes():
        assert set(theme.words[0].split()) <= set(found[theme.id or 0].split())
        assert shop.events(theme.id or 0) == [("born", None)]
        assert len(np.frombuffer(theme.centroid, dtype="<f4")) == DIMENSIONS


@on_sqlite
def test_statements_without_a_vector_are_set_apart(shop: Shop) -> None:
    ids = shop.hears(LATE, 3)
    with transaction(shop.engine) as session:
        session.delete(session.get_one(Embedding, (f"h{ids[1]}", MODEL)))

    shop.places()

    assert shop.states() == {"waiting": 2, "not_comparable": 1}
    assert not finding.themes_wait(shop.story.place)


# What is new


def test_new_statements_go_to_the_theme_that_is_there_and_stay(shop: Shop) -> None:
    ids = shop.hears_each(12)
    shop.learns()
    before = shop.placed()
    late, refund, noise = shop.hears(LATE, 30), shop.hears(REFUND, 30), shop.hears_noise(10)

    counts = shop.places()

    assert shop.theme_of(late) == shop.theme_of(ids[LATE])
    assert shop.theme_of(refund) == shop.theme_of(ids[REFUND])
    assert all(shop.placed()[key] is None for key in noise)
    assert counts["themed"] + counts["fit_no_theme"] == 70
    assert {key: shop.placed()[key] for key in before} == before
    near = {row.statement_id: row.similarity or 0 for row in shop.story.rows(ThemeAssignment)}
    assert all(near[key] > 0.5 for key in late if shop.placed()[key])


@on_sqlite
def test_placing_again_changes_nothing(shop: Shop) -> None:
    shop.hears_each(12)
    shop.learns()
    before = everything(shop)

    assert shop.places() == {"unassigned": 0}

    assert everything(shop) == before
    assert not finding.themes_wait(shop.story.place)


@on_sqlite
def test_old_statements_are_not_looked_at_unless_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theme_places, "LOOK_BACK", 10)
    ids = shop.hears(LATE, 30)
    shop.places()
    with transaction(shop.engine) as session:
        theme_places.place_anew(session, statement_ids=[ids[0], ids[25]])
        assert theme_places.span_unplaced(session) == (ids[25], ids[25], 1)
        assert theme_places.span_unplaced(session, all_of_them=True) == (ids[0], ids[25], 2)


def test_all_but_the_newest_stop_waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PENDING", 30)
    ids = shop.hears_noise(50)

    counts = shop.places()

    assert counts["unassigned"] == 20
    waiting = {
        row.statement_id
        for row in shop.story.rows(ThemeAssignment)
        if row.state is AssignmentState.WAITING
    }
    assert waiting == set(ids[20:])


# Discovery


@on_sqlite
def test_two_hundred_that_wait_are_looked_at_once(shop: Shop) -> None:
    shop.hears_each(18, range(11))
    shop.hears(RUDE, 1)
    shop.places()
    assert shop.discovers() == {}
    shop.hears(REFUND, 1)
    shop.places()
    assert finding.themes_wait(shop.story.place)

    counts = shop.discovers()

    assert counts["themes_born"] == len(shop.themes()) == 11
    assert shop.states()["assigned"] == counts["in_new_themes"] > 150
    assert not finding.themes_wait(shop.story.place)
    assert shop.discovers() == {}
    shop.hears_noise(199)
    shop.places()
    assert shop.discovers() == {}


@on_sqlite
def test_what_was_given_up_before_there_were_themes_gets_another_chance(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PENDING", 216)
    early = shop.hears(LATE, 40)
    shop.hears_each(18)
    shop.places()
    assert shop.states() == {"waiting": 216, "unassigned": 40}

    counts = shop.discovers()
    shop.places()

    assert counts["placed_anew"] == 40
    assert shop.theme_of(early)


@on_sqlite
def test_a_theme_grows_by_those_that_its_border_kept_out(shop: Shop) -> None:
    ids = shop.hears_each(12)
    shop.learns()
    theme_id = shop.theme_of(ids[LATE])
    with transaction(shop.engine) as session:
        for theme in store.active(session):
            theme.cut = 0.999
            session.add(theme)
    more = shop.hears_each(18)
    shop.places()

    counts = shop.discovers()

    assert counts["themes_born"] == 0
    assert counts["joined_themes"] > 150
    assert shop.theme_of(more[LATE]) == theme_id


# Rebuilds


def test_a_rebuild_keeps_ids_and_names_and_says_so(shop: Shop) -> None:
    ids = shop.hears_each(12, KINDS[1:])
    shop.learns()
    known = {kind: shop.theme_of(ids[kind]) for kind in ids}
    with transaction(shop.engine) as session:
        themes.name(session, known[REFUND], "Money", actor="dee", now=shop.story.now)
    new = shop.hears_each(12)
    shop.story.wait(days=7)

    counts = shop.learns()

    assert (counts["born"], counts["continued"], counts["retired"]) == (1, len(known), 0)
    assert {kind: shop.theme_of(ids[kind] + new[kind]) for kind in ids} == known
    assert shop.theme_of(new[LATE]) not in known.values()
    assert {theme.id: theme.name for theme in shop.themes() if theme.name} == {
        known[REFUND]: "Money"
    }
    kinds = [kind for kind, _ in shop.events(known[REFUND])]
    assert kinds == ["born", "renamed", "continued"]


@on_sqlite
def test_a_theme_that_nobody_speaks_of_any_more_retires_with_its_older_statements(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = shop.hears(LATE, 20)
    others = shop.hears_each(12, KINDS[1:])
    shop.learns()
    gone = shop.theme_of(late)
    shop.hears_each(12, KINDS[1:])
    monkeypatch.setattr(learn, "WINDOW", 2 * 12 * len(others) + 5)  # five of LATE are left

    counts = shop.learns()

    assert counts["retired"] == 1
    assert [theme.id for theme in shop.themes(ThemeState.RETIRED)] == [gone]
    assert shop.events(gone)[-1] == ("retired", None)
    assert gone in {shop.placed()[key] for key in late[:15]}
    assert {shop.placed()[key] for key in late[15:]} == {None}
    fresh = shop.hears(LATE, 5)
    shop.places()
    assert {shop.placed()[key] for key in fresh} == {None}


def test_a_sample_is_bounded_in_order_and_the_same_each_time() -> None:
    rows: list[tuple[int, str, int | None]] = [(key, f"h{key}", None) for key in range(9_000)]

    sample = learn._sampled(rows)

    assert len(sample) == learn.SAMPLE < len(rows)
    assert sample == sorted(sample) == learn._sampled(rows)
    assert learn._sampled(rows[:50]) == rows[:50]


def found_theme(ids: list[int], direction: int = LATE) -> FoundTheme:
    centroid = np.eye(DIMENSIONS, dtype="<f4")[direction]
    members = dict.fromkeys(ids, 0.9)
    return FoundTheme(centroid=centroid.tobytes(), cut=0.5, words=("parcel",), members=members)


def as_of(session: Session, shop: Shop) -> When:
    return finding.as_of(session, MODEL, shop.story.now)


def two_themes(shop: Shop) -> tuple[list[int], list[int]]:
    """Two themes of thirty, with ids 1 and 2."""
    a, b = shop.hears(LATE, 30), shop.hears(REFUND, 30)
    shop.places()
    with transaction(shop.engine) as session:
        born = [found_theme(a), found_theme(b, REFUND)]
        theme_changes.discovered(session, born, {}, as_of(session, shop))
    return a, b


def test_a_split_keeps_the_id_on_one_part_and_remembers_the_other(shop: Shop) -> None:
    a, b = two_themes(shop)
    groups = [
        Regrouped(found=found_theme(a[:20]), continues=1),
        Regrouped(found=found_theme(a[20:], RUDE), split_from=1),
        Regrouped(found=found_theme(b, REFUND), continues=2),
    ]
    with transaction(shop.engine) as session:
        counts = theme_changes.rebuilt(session, groups, (), a + b, as_of(session, shop))

    assert counts == Counter(born=1, continued=2, split=1)
    assert shop.events(1) == [("born", None), ("continued", None), ("split", 3)]
    assert shop.events(3) == [("born", 1)]
    assert {shop.placed()[key] for key in a[20:]} == {3}


def test_a_merge_takes_all_statements_along_and_the_name_that_only_one_had(shop: Shop) -> None:
    a, b = two_themes(shop)
    with transaction(shop.engine) as session:
        themes.name(session, 2, "Money", actor="dee", now=shop.story.now)
        groups = [Regrouped(found=found_theme(a), continues=1, merged=(2,))]
        counts = theme_changes.rebuilt(session, groups, (), a, as_of(session, shop))

    assert counts == Counter(continued=1, merged=1, placed_anew=0)
    assert [(t.id, t.name) for t in shop.themes()] == [(1, "Money")]
    assert {shop.placed()[key] for key in a + b} == {1}
    assert shop.events(2)[-1] == ("merged", 1)


def test_what_a_rebuild_leaves_out_loses_its_place_and_gets_a_new_one(shop: Shop) -> None:
    a, b = two_themes(shop)
    with transaction(shop.engine) as session:
        groups = [Regrouped(found=found_theme(a[:25]), continues=1)]
        counts = theme_changes.rebuilt(session, groups, (2,), a + b, as_of(session, shop))

    assert counts == Counter(continued=1, retired=1, placed_anew=5 + 30)
    shop.places()
    assert {shop.placed()[key] for key in a[25:]} == {1}
    assert {shop.placed()[key] for key in b} == {None}


@on_sqlite
def test_what_was_computed_on_an_older_registry_is_dropped(shop: Shop) -> None:
    a, b = two_themes(shop)
    with transaction(shop.engine) as session:
        stale = as_of(session, shop)
        groups = [Regrouped(found=found_theme(b, REFUND), continues=2)]
        theme_changes.rebuilt(session, groups, (), b, stale)
    before = everything(shop)

    with transaction(shop.engine) as session:
        assert theme_changes.rebuilt(session, groups, (1,), a + b, stale) == {"overtaken": 1}
        assert theme_changes.discovered(session, [found_theme(a)], {}, stale) == {"overtaken": 1}

    assert everything(shop) == before


def add_vectors(engine: Engine, ids: list[int], vectors: FloatArray, model: str) -> None:
    with transaction(engine) as session:
        for key, vector in zip(ids, vectors, strict=True):
            session.add(
                Embedding(text_hash=f"h{key}", model=model, vector=vector.astype("<f4").tobytes())
            )


@on_sqlite
def test_under_another_encoder_a_theme_is_where_its_statements_are(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = shop.hears_each(12)
    shop.learns()
    before = {kind: shop.theme_of(ids[kind]) for kind in KINDS}
    monkeypatch.setattr(FakeEncoder, "version", "fake-2")
    for kind in KINDS:
        add_vectors(shop.engine, ids[kind], around(31 - kind, 12, seed=7), "fake-2")

    counts = shop.learns()

    assert counts["continued"] == len(KINDS)
    assert {kind: shop.theme_of(ids[kind]) for kind in KINDS} == before
    assert {theme.model for theme in shop.themes()} == {"fake-2"}


# Runs that overlap or die


def test_runs_at_once_find_each_theme_once(shop: Shop) -> None:
    shop.hears_each(18)
    results: list[dict[str, int]] = []

    def run() -> None:
        shop.places()
        results.append(shop.discovers())

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 3
    assert sum(counts.get("themes_born", 0) for counts in results) == len(shop.themes()) == 12
    assert shop.states().total() == 216


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_in(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, where: str, run: Callable[[], object]
) -> None:
    """Run it in a process of its own that dies at *where* in `voc.store.theme_places`."""
    shop.engine.dispose()
    child = os.fork()
    if child == 0:
        shop.engine.dispose(close=False)
        monkeypatch.setattr(theme_places, where, die)
        run()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_run_that_is_killed_changes_nothing_and_the_next_does_it_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.hears_each(18)
    killed_in(shop, monkeypatch, "give_up_waiting", shop.places)
    shop.places()
    killed_in(shop, monkeypatch, "move", shop.discovers)
    assert not shop.themes()
    assert shop.discovers()["themes_born"] == 12
    before = everything(shop)
    killed_in(shop, monkeypatch, "place_anew", lambda: learn.rebuild_themes.fn(shop.story.now))

    assert everything(shop) == before
    assert shop.learns()["continued"] == 12
    assert shop.states().total() == 216


# Erasure


def test_erased_feedback_leaves_its_theme_and_is_no_longer_its_example(shop: Shop) -> None:
    two_themes(shop)
    theme = shop.themes()[0]
    central = theme.central_statement_id
    with transaction(shop.engine) as session:
        feedback = session.get_one(Feedback, central)
        [gone] = store.texts(session, [central or 0]).values()
        assert theme_figures.quotes(session, theme, limit=3)[0] == gone
        erase_feedback(session, feedback, now=shop.story.now)

    theme = shop.themes()[0]
    assert theme.central_statement_id is None
    assert central not in shop.placed()
    with transaction(shop.engine) as session:
        shown = theme_figures.quotes(session, theme, limit=50)
        assert len(shown) == 29
        assert gone not in shown
        sizes = {row.theme.id: row.size for row in theme_figures.listing(session, now=START)}
    assert sizes == {1: 29, 2: 30}


def test_a_theme_whose_last_statement_was_erased_keeps_no_words(shop: Shop) -> None:
    two_themes(shop)
    theme = shop.themes()[0]
    assert theme.words
    with transaction(shop.engine) as session:
        theirs = [key for key, theme_id in shop.placed().items() if theme_id == theme.id]
        for key in theirs:
            erase_feedback(session, session.get_one(Feedback, key), now=shop.story.now)

    assert shop.themes()[0].words == []


def test_a_theme_is_named_in_words_that_two_customers_used(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[int, list[str]] = {}

    def remember(texts: Mapping[int, list[str]], **_: object) -> dict[int, tuple[str, ...]]:
        seen.update(texts)
        return {}

    monkeypatch.setattr(finding, "label_words", remember)
    a, b = two_themes(shop)
    with transaction(shop.engine) as session:
        for key in a[:10]:
            feedback = session.get_one(Feedback, key)
            feedback.customer_id = a[0]
            session.add(feedback)

    finding.words_of(shop.story.place, [], [], beside=[1, 2])

    assert len(seen[-1]) == 30 - 9
    assert len(seen[-2]) == len(b)
    [theirs] = [text for text in seen[-1] if f"{WORDS[LATE]} 3" in text]
    assert theirs.count(WORDS[LATE]) == 10


# What people say of themes


@on_sqlite
def test_naming_and_promoting_twice_is_told_once(shop: Shop) -> None:
    two_themes(shop)
    company, now = shop.story.place.company, shop.story.now
    for _ in range(2):
        with transaction(shop.engine) as session:
            themes.name(session, 1, "  Late \n parcels ", actor="dee", now=now)
            themes.promote(session, 1, "late_parcel", company, actor="dee", now=now)

    theme = shop.themes()[0]
    assert (theme.name, theme.topic) == ("Late parcels", "late_parcel")
    told = [(row.kind, row.detail, row.actor) for row in shop.story.rows(ThemeEvent)][2:]
    assert told == [
        (ThemeEventKind.RENAMED, "Late parcels", "dee"),
        (ThemeEventKind.PROMOTED, "late_parcel", "dee"),
    ]


@on_sqlite
def test_what_cannot_be_is_one_sentence(shop: Shop) -> None:
    a, b = two_themes(shop)
    company, now = shop.story.place.company, shop.story.now
    with transaction(shop.engine) as session:
        groups = [Regrouped(found=found_theme(a), continues=1, merged=(2,))]
        theme_changes.rebuilt(session, groups, (), a + b, as_of(session, shop))
    with transaction(shop.engine) as session:
        with pytest.raises(ConfigurationError, match="late_parcel, wrong_charge"):
            themes.promote(session, 1, "no_such", company, actor="dee", now=now)
        with pytest.raises(NotFoundError, match="voc theme list"):
            themes.name(session, 99, "x", actor="dee", now=now)
        with pytest.raises(VocError, match="retired"):
            themes.name(session, 2, "x", actor="dee", now=now)
        for words in ("  ", "x" * 81):
            with pytest.raises(VocError, match="1 to 80"):
                themes.name(session, 1, words, actor="dee", now=now)


def test_figures_count_weeks_and_what_fits_nowhere(shop: Shop) -> None:
    shop.story.now = START - timedelta(days=10)
    two_themes(shop)
    shop.story.now = START - timedelta(days=2)
    late, noise = shop.hears(LATE, 20), shop.hears_noise(7)
    shop.places()
    shop.hears_noise(3)

    with transaction(shop.engine) as session:
        first, second = theme_figures.listing(session, now=START)
        standing = theme_figures.standing(session)

    joined = Counter(shop.placed()[key] for key in late)
    assert joined[1] > 15
    assert (first.theme.id, first.size) == (1, 30 + joined[1])
    assert (first.this_week, first.last_week) == (joined[1], 30)
    assert first.newest == START - timedelta(days=2)
    assert (second.this_week, second.last_week) == (0, 30)
    assert {shop.placed()[key] for key in noise} == {None}
    assert (standing.not_placed, standing.total) == (3, 90)
    assert standing.unassigned_share == (7 + joined[None]) / 87


def test_an_edit_counts_once_and_a_label_wins(shop: Shop) -> None:
    a, _ = two_themes(shop)
    with transaction(shop.engine) as session:
        session.get_one(Feedback, a[0]).version = 2
        session.add(
            FeedbackVersion(
                id=1_000,
                feedback_id=a[0],
                number=2,
                verbatim="better now",
                content_hash="1" * 64,
                collected_at=START,
            )
        )
        for key, value in ((a[1], "negative"), (a[2], "negative"), (a[3], None)):
            session.add(
                Suggestion(
                    statement_id=key,
                    kind=SuggestionKind.SENTIMENT,
                    model="m",
                    value=value,
                    probability=0.9,
                )
            )
        session.add(
            Label(
                statement_id=a[2],
                kind=SuggestionKind.SENTIMENT,
                value="neutral",
                actor="dee",
                at=START,
            )
        )
    with transaction(shop.engine) as session:
        sizes = {row.theme.id: row.size for row in theme_figures.listing(session, now=START)}
        assert sizes == {1: 29, 2: 30}
        assert theme_figures.sentiments(session, 1) == {"negative": 1, "neutral": 1, None: 1}
        assert session.exec(select(col(Statement.id)).where(Statement.id == a[0])).one()


@on_sqlite
def test_nothing_that_a_task_says_is_more_than_a_number(shop: Shop) -> None:
    shop.hears_each(18)
    said = [shop.places(), shop.discovers(), shop.learns()]

    assert all(isinstance(n, int) for counts in said for n in counts.values())
    named = SimpleNamespace(names={name for counts in said for name in counts})
    assert all(name.replace("_", "").isalpha() for name in named.names)
