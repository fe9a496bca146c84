"""The figures of weeks, brought up to date again and again, are what a full count gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from tasks import measure, route, understand
from tests.story import Story, story_in
from voc.actions import answers, customer_merges, figures, labels, loops, tickets
from voc.arrivals import Page, RawFeedback, RawIdentity, RawRating
from voc.errors import IllegalTransitionError, VocError
from voc.models import (
    Channel,
    Customer,
    CustomerMerge,
    DepartmentFigures,
    Feedback,
    FiguresState,
    IdentityKind,
    Loop,
    LoopKind,
    LoopState,
    RatingScale,
    Statement,
    SuggestionKind,
    Theme,
    Ticket,
    TouchedDay,
    Verdict,
    WeekFigures,
)
from voc.rules.lifecycle import LoopAction
from voc.rules.weeks import ANY
from voc.store import figures as store
from voc.store import measures, theme_places, weekly
from voc.store.database import reading, transaction
from voc.store.touched import touch
from voc.store.weekly import Wanted

ZONE = "Europe/Berlin"
WORDS = (
    "My parcel is late.",
    "You charged me twice, refund!",
    "Lovely shop.",
    "late courier again",
)
EVERYTHING = Wanted()


@pytest.fixture
def told(home: Path) -> Iterator[Story]:
    with story_in(home) as story:
        yield story


def kept(engine: Engine) -> list[dict[str, object]]:
    """All rows of figures."""
    with transaction(engine) as session:
        rows = [*session.exec(select(WeekFigures)), *session.exec(select(DepartmentFigures))]
        return sorted((row.model_dump() for row in rows), key=repr)


def says(story: Story, chance: random.Random, key: str) -> None:
    item = RawFeedback(
        external_id=key,
        verbatim=f"{chance.choice(WORDS)} {chance.randrange(9)}",
        said_at=story.now - timedelta(days=chance.randrange(30)),
        channel=chance.choice([Channel.SURVEY, Channel.REVIEW]),
        rating=RawRating(value=chance.randrange(11), scale=RatingScale.NPS),
        identities=(
            RawIdentity(kind=IdentityKind.EMAIL, value=f"c{chance.randrange(6)}@x.example"),
        ),
        consent=chance.choice([True, False, None]),
        segment=chance.choice([None, "vip", "new"]),
        touchpoint=chance.choice([None, "app"]),
        product=chance.choice([None, "sofa", "lamp"]),
    )
    story.collects(Page(items=[item], cursor=key))


def does_something(story: Story, chance: random.Random) -> None:
    """One thing that changes what is counted."""
    key = f"f{chance.randrange(12)}"
    match chance.randrange(9):
        case 0 | 1 | 2:
            says(story, chance, key)
        case 3:
            story.collects(Page(items=[], cursor="", deleted=[key]))
        case 4:
            story.wait(hours=chance.choice([1, 30, 200]))
            story.runs()
        case 5:
            works(story, chance)
        case 6:
            ends(story, chance)
        case 7:
            labels_and_places(story, chance)
        case 8:
            merges(story, chance)


def works(story: Story, chance: random.Random) -> None:
    for ticket in story.rows(Ticket):
        deed = chance.randrange(4)
        try:
            with transaction(story.place.engine) as session:
                if deed == 0:
                    tickets.accept(session, ticket.id or 0, actor="dee", now=story.now)
                elif deed == 1:
                    tickets.reassign(
                        session, ticket.id or 0, "billing", story.place.company,
                        actor="dee", now=story.now,
                    )  # fmt: skip
        except VocError:
            continue
        if deed == 2:
            try:
                story.resolves(ticket)
            except VocError:
                continue


def ends(story: Story, chance: random.Random) -> None:
    for loop in story.rows(Loop):
        deed = chance.randrange(5)
        try:
            with transaction(story.place.engine) as session:
                row = session.get_one(Loop, loop.id)
                if deed == 0:
                    loops.tell(session, row, now=story.now)
                elif deed == 1 and row.state is LoopState.TOLD:
                    loops.reopen(session, row, now=story.now)
                elif deed == 2:
                    loops.close(session, row, LoopAction.SOLVE, reason="solved", now=story.now)
                elif deed == 3:
                    loops.give_up(session, row, reason="bounced", now=story.now)
        except IllegalTransitionError:
            continue


def labels_and_places(story: Story, chance: random.Random) -> None:
    statements = [row.id or 0 for row in story.rows(Statement)]
    if not statements:
        return
    some = chance.sample(statements, k=1 + len(statements) // 3)
    with transaction(story.place.engine) as session:
        labels.set_label(
            session, some[0], SuggestionKind.SENTIMENT, "negative", story.place.company,
            actor="dee", now=story.now,
        )  # fmt: skip
        theme_places.place_anew(session, statement_ids=some)
        theme_places.place(session, dict.fromkeys(some))


def merges(story: Story, chance: random.Random) -> None:
    """Two customers become one, or two again: their segments may differ."""
    customers = [row.id or 0 for row in story.rows(Customer)]
    done = [row.id or 0 for row in story.rows(CustomerMerge)]
    try:
        with transaction(story.place.engine) as session:
            if done and chance.randrange(2):
                customer_merges.undo(session, chance.choice(done), actor="dee", now=story.now)
            elif len(customers) > 1:
                one, other = chance.sample(customers, k=2)
                customer_merges.merge(session, one, into=other, actor="dee", now=story.now)
    except VocError:
        return


@pytest.mark.parametrize("seed", [1, 2])
def test_counting_only_what_changed_gives_what_counting_everything_gives(
    told: Story, seed: int
) -> None:
    chance, engine = random.Random(seed), told.place.engine
    for _ in range(5):
        for _ in range(chance.randrange(2, 8)):
            does_something(told, chance)
        figures.refresh(engine, ZONE, now=told.now)
        updated = kept(engine)
        figures.refresh(engine, ZONE, now=told.now, anew=True)
        assert updated == kept(engine)
    with transaction(engine) as session:
        assert not figures.are_behind(session, ZONE, now=told.now)


def test_each_way_to_change_feedback_has_its_week_counted_again(told: Story) -> None:
    """One at a time: several at once would hide that one of them goes unnoticed."""
    engine = told.place.engine
    item = RawFeedback(
        external_id="f",
        verbatim="Lovely shop. Nice people.",
        said_at=told.now,
        channel=Channel.SURVEY,
        identities=(RawIdentity(kind=IdentityKind.EMAIL, value="c@x.example"),),
    )

    def arrives(changed: RawFeedback) -> None:
        told.collects(Page(items=[changed], cursor=""))

    def moves(place: Callable[[Session, list[int]], object]) -> None:
        with transaction(engine) as session:
            place(session, [key or 0 for key in session.exec(select(Statement.id))])

    def labels_one(session: Session, ids: list[int]) -> None:
        kind, company = SuggestionKind.SENTIMENT, told.place.company
        labels.set_label(session, ids[0], kind, "negative", company, actor="dee", now=told.now)

    def with_loop(does: Callable[[Session, Loop], object]) -> None:
        with transaction(engine) as session:
            does(session, session.exec(select(Loop)).one())

    def opens() -> None:
        with transaction(engine) as session:
            feedback = session.exec(select(Feedback)).one()
            loops.open_loop(session, feedback, LoopKind.ISSUE, now=told.now)

    def goes_silent(session: Session, loop: Loop) -> None:
        """And speaks just then: `close` has not looked at it yet."""
        loops.close(session, loop, LoopAction.CLOSE_SILENT, reason="silent", now=told.now)
        solved = Verdict.SOLVED
        answers.record(session, loop, solved, round_asked=1, rating=None, words=None, now=told.now)

    def is_heard(session: Session, loop: Loop) -> None:
        company = told.place.company
        assert answers.apply_answers(session, loop.id or 0, company, now=told.now) == "solved"

    deeds: dict[str, Callable[[], object]] = {
        "collected": lambda: arrives(item),
        "understood": lambda: understand.understand_range.fn(0, 10**9),
        "filed": lambda: route.route_range.fn(0, 10**9, told.now),
        "another segment": lambda: arrives(replace(item, segment="vip")),
        "labelled": lambda: moves(labels_one),
        "in a theme": lambda: moves(
            lambda session, ids: theme_places.place(session, dict.fromkeys(ids, (1, 0.9)))
        ),
        "in another theme": lambda: moves(
            lambda session, ids: theme_places.move(session, 2, dict.fromkeys(ids, 0.9))
        ),
        "a theme that was merged": lambda: moves(
            lambda session, _ids: theme_places.move_all(session, 2, 1)
        ),
        "in no theme": lambda: moves(
            lambda session, ids: theme_places.place_anew(session, statement_ids=ids)
        ),
        "owed an answer": opens,
        "told": lambda: with_loop(lambda session, loop: loops.tell(session, loop, now=told.now)),
        "silent": lambda: with_loop(goes_silent),
        "silent, then solved": lambda: with_loop(is_heard),
        "edited": lambda: arrives(replace(item, verbatim="Lovely.", segment="vip")),
        "understood again": lambda: understand.understand_range.fn(0, 10**9),
        "erased": lambda: told.collects(Page(items=[], cursor="", deleted=["f"])),
    }
    with transaction(engine) as session:
        session.add_all(
            Theme(id=key, model="m", centroid=b"", cut=0.5, size=1, born_at=told.now)
            for key in (1, 2)
        )
    before = kept(engine)
    for name, deed in deeds.items():
        deed()
        assert figures.refresh(engine, ZONE, now=told.now) == 1, name
        assert kept(engine) != before, name
        before = kept(engine)
        figures.refresh(engine, ZONE, now=told.now, anew=True)
        assert kept(engine) == before, name


def test_only_weeks_in_which_something_changed_are_counted_again(story: Story) -> None:
    engine = story.place.engine
    story.says("My parcel is late.", external_id="old")
    story.wait(weeks=3)
    story.says("My parcel is late.", external_id="new")
    assert figures.refresh(engine, ZONE, now=story.now) == 2
    assert figures.refresh(engine, ZONE, now=story.now) == 0
    story.says("It came!", external_id="new")  # an edit
    with transaction(engine) as session:
        assert figures.are_behind(session, ZONE, now=story.now)
    assert figures.refresh(engine, ZONE, now=story.now) == 1
    assert story.rows(TouchedDay) == []


def test_a_promise_that_falls_due_is_counted_though_nothing_happened(told: Story) -> None:
    engine = told.place.engine
    told.says("My parcel is late.", email=None)
    told.runs()
    figures.refresh(engine, ZONE, now=told.now)
    assert "response:due" not in told.rows(DepartmentFigures)[0].counts
    assert behind(told) is False
    told.wait(days=10)
    assert behind(told) is True
    assert figures.refresh(engine, ZONE, now=told.now) == 1
    assert told.rows(DepartmentFigures)[0].counts["response:due"] == 1
    assert behind(told) is False


def behind(story: Story, zone: str = ZONE) -> bool:
    with reading(story.place.engine) as session:
        return figures.are_behind(session, zone, now=story.now)


def test_only_customers_who_said_not_solved_reopen(told: Story) -> None:
    """Neither an edit that overtakes a written reply does, nor a reply that nobody approved."""
    engine, switch = told.place.engine, told.place.settings.kill_switch
    told.says("My parcel is late.", external_id="f")
    told.runs()
    told.resolves(told.ticket())
    switch.touch()
    told.runs()
    told.says("My parcel is late. You charged me twice, refund!", external_id="f")
    told.runs()
    switch.unlink()
    late, charged = told.rows(Ticket)
    with transaction(engine) as session:
        tickets.send_back(session, late.id or 0, told.place.company, actor="boss", now=told.now)
    for ticket in (late, charged):
        told.resolves(ticket)
    told.runs()
    assert (told.loop().state, told.loop().round) == (LoopState.TOLD, 2)
    assert came_back(told) == (0, {"delivery": 0, "billing": 0})
    with transaction(engine) as session:
        loop = session.exec(select(Loop)).one()
        no = Verdict.NOT_SOLVED
        answers.record(session, loop, no, round_asked=2, rating=None, words=None, now=told.now)
        answers.apply_answers(session, loop.id or 0, told.place.company, now=told.now)
    assert came_back(told) == (1, {"delivery": 1, "billing": 1})
    with transaction(engine) as session:  # it did not come back to whom it is handed to
        company = told.place.company
        tickets.reassign(session, late.id or 0, "billing", company, actor="dee", now=told.now)
    assert came_back(told) == (1, {"billing": 1})


def came_back(story: Story) -> tuple[int, dict[str, int]]:
    """Loops, and tickets by department, that the figures call reopened. The report agrees."""
    figures.refresh(story.place.engine, ZONE, now=story.now)
    with reading(story.place.engine) as session:
        counts = weekly.by_week(session, ["2026-W10"], EVERYTHING)[0]
        facts = measures.read(session, now=story.now)
    assert counts["reopened"] == sum(loop.reopened > 0 for loop in facts.loops)
    rows = story.rows(DepartmentFigures)
    return counts["reopened"], {row.department: row.counts.get("reopened", 0) for row in rows}


def test_the_report_waits_for_nobody_who_writes(told: Story) -> None:
    told.says("My parcel is late.")
    with transaction(told.place.engine):
        assert measure.is_stale(told.place, told.now)
        assert measure.write_report.fn(None, told.now).summary


def test_another_time_zone_moves_the_weeks(told: Story) -> None:
    engine = told.place.engine
    told.now = told.now.replace(hour=2)  # a Monday in Berlin, still Sunday in Los Angeles
    told.says("My parcel is late.")
    figures.refresh(engine, ZONE, now=told.now)
    assert {row.week for row in told.rows(WeekFigures)} == {"2026-W10"}
    assert behind(told, "America/Los_Angeles")
    figures.refresh(engine, "America/Los_Angeles", now=told.now)
    assert {row.week for row in told.rows(WeekFigures)} == {"2026-W09"}
    assert told.rows(FiguresState)[0].timezone == "America/Los_Angeles"


def test_a_count_that_breaks_off_is_done_again(
    told: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = told.place.engine
    told.says("My parcel is late.")
    figures.refresh(engine, ZONE, now=told.now)
    told.says("Lovely shop.")
    with monkeypatch.context() as patch:
        patch.setattr("voc.store.figures.count_week", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            figures.refresh(engine, ZONE, now=told.now)
    figures.refresh(engine, ZONE, now=told.now)
    with transaction(engine) as session:
        (counts,) = weekly.by_week(session, ["2026-W10"], EVERYTHING)
    assert counts["feedback"] == 2


def test_whoever_writes_does_not_wait_for_a_count(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, count_week = story.place.engine, store.count_week

    def while_somebody_writes(*given: Any, **named: Any) -> store.Counted:
        counted = count_week(*given, **named)
        with transaction(engine) as session:  # waits half a minute for a lock, then fails
            touch(session, [story.now])
        return counted

    story.says("My parcel is late.")
    monkeypatch.setattr(store, "count_week", while_somebody_writes)
    assert figures.refresh(engine, ZONE, now=story.now) == 1
    assert len(story.rows(TouchedDay)) == 1


def test_a_count_that_was_overtaken_by_a_newer_one_keeps_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.says("My parcel is late.", email=None)
    story.runs()
    engine, count_week, older = story.place.engine, store.count_week, story.now
    story.wait(days=10)

    def slow(*given: Any, **named: Any) -> store.Counted:
        counted = count_week(*given, **named)
        monkeypatch.setattr(store, "count_week", count_week)
        assert figures.refresh(engine, ZONE, now=story.now) == 1
        return counted

    monkeypatch.setattr(store, "count_week", slow)
    assert figures.refresh(engine, ZONE, now=older) == 0
    assert story.rows(DepartmentFigures)[0].counts["response:due"] == 1
    assert story.rows(FiguresState)[0].counted_at == story.now
    assert not behind(story)


def test_every_filter_gives_what_counting_the_feedback_gives(told: Story) -> None:
    chance, engine = random.Random(3), told.place.engine
    for i in range(40):
        says(told, chance, f"f{i}")
    figures.refresh(engine, ZONE, now=told.now)
    pieces = told.rows(Feedback)
    with transaction(engine) as session:
        weeks = sorted({row.week for row in session.exec(select(WeekFigures))})
        for channel in (None, "survey"):
            for touchpoints in (None, frozenset({"app"}), frozenset({"app", ""}), frozenset()):
                for product in (None, "sofa"):
                    wanted = Wanted(channel=channel, touchpoints=touchpoints, product=product)
                    found = sum(c["feedback"] for c in weekly.by_week(session, weeks, wanted))
                    assert found == sum(
                        channel in (None, piece.channel)
                        and (touchpoints is None or (piece.touchpoint or "") in touchpoints)
                        and product in (None, piece.product)
                        for piece in pieces
                    )
        offered = weekly.choices(session, weeks)
    assert offered["product"] == ["lamp", "sofa"]
    assert offered["touchpoint"] == ["app"]
    assert ANY not in {value for values in offered.values() for value in values}
