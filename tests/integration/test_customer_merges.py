"""Two customers turn out to be one: what moves, whose no holds, and that it can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, StaticPool, create_engine
from sqlmodel import SQLModel, col, select

from tasks import follow_up, route, understand
from tests.factories import NOW, save
from tests.outbox_cases import add_customer, add_loop, plan_follow_up, queue
from tests.story import Story, story_in
from voc.actions import customer_merges, doubt, loops, outbox
from voc.actions.contact import unsubscribe
from voc.actions.customer_merges import MergeRefusedError
from voc.actions.erase import erase_feedback
from voc.models import (
    AuditEntry,
    Consent,
    Customer,
    CustomerMerge,
    Exposure,
    Feedback,
    FeedbackVersion,
    Identity,
    Loop,
    LoopState,
    Message,
    MessageState,
    Purpose,
    Suppression,
    Ticket,
)
from voc.rules.customer_merges import Refused
from voc.store.books import books
from voc.store.customer_merges import EVERYTHING, goes_back
from voc.store.database import transaction, with_manners
from voc.store.messages import move
from voc.store.upsert import table_of
from voc.store.verify import event_chain, verify

BOSS = "boss@corner.example"
LATER = NOW + timedelta(days=1)


@contextmanager
def in_memory() -> Iterator[Engine]:
    engine = with_manners(create_engine("sqlite://", poolclass=StaticPool))
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def engine() -> Iterator[Engine]:
    with in_memory() as engine:
        yield engine


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with story_in(tmp_path) as story:
        yield story


def merge(engine: Engine, merged_id: int, into: int, now: datetime = LATER) -> int:
    with transaction(engine) as session:
        return customer_merges.merge(session, merged_id, into=into, actor=BOSS, now=now).id or 0


def undo(engine: Engine, merge_id: int, now: datetime = LATER) -> None:
    with transaction(engine) as session:
        customer_merges.undo(session, merge_id, actor=BOSS, now=now)


def refusal(engine: Engine, merged_id: int, into: int) -> Refused:
    with pytest.raises(MergeRefusedError) as caught:
        merge(engine, merged_id, into)
    return caught.value.why


def owners(engine: Engine, model: type[SQLModel]) -> list[int]:
    """The customer of each row, in the order of the keys."""
    table = table_of(model)
    with transaction(engine) as session:
        query = sa.select(table.c.customer_id).order_by(*table.primary_key)
        return list(session.execute(query).scalars())


def everything(engine: Engine) -> dict[str, list[Any]]:
    """All rows about customers, as they are."""
    tables = [table_of(Customer), *map(table_of, EVERYTHING)]
    with transaction(engine) as session:
        return {
            table.name: [
                tuple(row) for row in session.execute(table.select().order_by(*table.primary_key))
            ]
            for table in tables
        }


def consent(
    customer_id: int,
    at: datetime,
    *,
    granted: bool = True,
    purpose: Purpose = Purpose.FOLLOW_UP,
) -> Consent:
    return Consent(customer_id=customer_id, purpose=purpose, granted=granted, how="shop", at=at)


# What moves


def test_no_table_with_a_customer_is_forgotten() -> None:
    pointing = {
        table.name
        for table in SQLModel.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "customer" and table.name not in {"customer", "customermerge"}
    }
    assert pointing == {table_of(model).name for model in EVERYTHING}
    assert all("customer_id" in SQLModel.metadata.tables[name].c for name in pointing)


def test_everything_of_the_one_is_the_others_and_is_written_down(engine: Engine) -> None:
    kim, lee = add_customer(engine), add_customer(engine, "lee@customer.test")
    loop_id, _ = add_loop(engine, lee)
    plan_follow_up(engine, loop_id, lee)
    number = merge(engine, lee, kim)
    for model in (Identity, Feedback, Loop, Ticket, Message, Consent):
        assert set(owners(engine, model)) == {kim}
    with transaction(engine) as session:
        assert session.get_one(Customer, lee).merged_into_id == kim
        done = session.get_one(CustomerMerge, number)
        logged = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
    assert done.moved["loop"] == [loop_id]
    assert done.moved["identity"] == [2]
    assert [(e.actor, e.deed, e.subject) for e in logged] == [
        (BOSS, "merged", f"customer:{kim}"),
        (BOSS, "merged", f"customer:{lee}"),
    ]


def test_a_customer_who_was_drawn_twice_for_an_experiment_counts_once(engine: Engine) -> None:
    kim, lee = add_customer(engine), add_customer(engine, "lee@customer.test")
    loop_id, _ = add_loop(engine, lee)
    drawn: dict[str, Any] = {"variant": "a", "loop_id": loop_id, "at": NOW}
    with transaction(engine) as session:
        for who, names in ((kim, "x"), (lee, "xy")):
            save(session, *(Exposure(customer_id=who, experiment=e, **drawn) for e in names))
    before = everything(engine)
    number = merge(engine, lee, kim)
    with transaction(engine) as session:
        assert session.get_one(CustomerMerge, number).moved["exposure"] == ["y"]
    undo(engine, number)
    assert everything(engine)["exposure"] == before["exposure"]


def test_who_is_unknown_the_same_or_merged_is_not_merged(engine: Engine) -> None:
    kim, lee, bo = (add_customer(engine, f"{n}@customer.test") for n in ("kim", "lee", "bo"))
    assert refusal(engine, kim, kim) is Refused.SAME
    assert refusal(engine, 99, kim) is Refused.UNKNOWN
    merge(engine, lee, kim)
    assert refusal(engine, lee, bo) is Refused.MERGED
    assert refusal(engine, bo, lee) is Refused.MERGED


@pytest.mark.parametrize("state", [MessageState.CLAIMED, MessageState.SENDING])
@pytest.mark.parametrize("whose", ["kept", "merged"])
def test_while_a_message_is_on_its_way_nothing_changes_hands(
    engine: Engine, state: MessageState, whose: str
) -> None:
    kim, lee = add_customer(engine), add_customer(engine, "lee@customer.test")
    customer_id = kim if whose == "kept" else lee
    loop_id, _ = add_loop(engine, customer_id)
    message_id = plan_follow_up(engine, loop_id, customer_id)
    with transaction(engine) as session:
        session.get_one(Message, message_id).state = state
    assert refusal(engine, lee, kim) is Refused.ON_THE_WAY
    assert owners(engine, Loop) == [customer_id]


# Whose no holds


@pytest.mark.parametrize("said", ["before", "after"])
@pytest.mark.parametrize("who", ["kept", "merged"])
def test_a_no_of_either_holds_for_both_and_the_undoing_takes_nothing_else_back(
    engine: Engine, who: str, said: str
) -> None:
    """Whoever of them said yes, and however long ago the no was."""
    kim, lee = add_customer(engine), add_customer(engine, "lee@customer.test")
    silent, open_ = (kim, lee) if who == "kept" else (lee, kim)
    with transaction(engine) as session:
        unsubscribe(session, silent, secret=b"s", how="test", now=NOW)
        if said == "before":
            save(session, consent(open_, NOW + timedelta(hours=2)))
    before = everything(engine)
    number = merge(engine, lee, kim)
    with transaction(engine) as session:
        newest = select(Consent.granted).where(Consent.customer_id == kim)
        for purpose in Purpose:
            query = newest.where(Consent.purpose == purpose)
            order = col(Consent.at).desc(), col(Consent.id).desc()
            assert session.exec(query.order_by(*order)).first() is False
    undo(engine, number)
    assert everything(engine) == before


def test_a_no_that_was_said_while_they_were_one_stays_with_both(engine: Engine) -> None:
    kim, lee = add_customer(engine), add_customer(engine, "lee@customer.test")
    number = merge(engine, lee, kim)
    with transaction(engine) as session:
        unsubscribe(session, kim, secret=b"s", how="test", now=LATER)
    undo(engine, number, LATER + timedelta(days=1))
    with transaction(engine) as session:
        said = select(Consent.customer_id).where(col(Consent.granted).is_(False))
        assert set(session.exec(said)) == {kim, lee}
        assert verify(session)["nothing left after an opt out"] is None


# A life


def test_a_loop_is_told_once_whoever_the_customer_turns_out_to_be(story: Story) -> None:
    engine = story.place.engine
    story.says("The parcel came late.", rating=2, email="kim@example.com")
    story.says("The parcel came late again.", rating=2, email="lee@example.com")
    story.runs()
    for ticket in story.rows(Ticket):
        story.resolves(ticket)
    story.runs()
    story.wait(days=1)
    before = len(story.rows(Message)), story.mails()

    def runs_again() -> None:
        with transaction(engine) as session:
            for loop in session.exec(select(Loop)).all():
                assert not loops.plan_follow_up(session, loop, "resolution", now=story.now)
        story.runs()
        assert (len(story.rows(Message)), story.mails()) == before
        assert story.broken_books() == []

    number = merge(engine, 2, 1, story.now)
    runs_again()
    undo(engine, number, story.now)
    runs_again()
    assert {loop.state for loop in story.rows(Loop)} == {LoopState.TOLD}


def test_what_waits_goes_along_and_comes_back_to_its_own_address(story: Story) -> None:
    """Planned before the merge, written during it, parted again before it left."""
    engine = story.place.engine
    story.says("The parcel came late.", rating=2, email="lee@example.com")
    story.says("I was charged the wrong money.", rating=2, email="kim@example.com")
    understand.understand_range.fn(0, 10**9)
    route.route_range.fn(0, 10**9, story.now)
    for ticket in story.rows(Ticket):
        story.resolves(ticket)
    story.wait(days=1)
    number = merge(engine, 1, 2, story.now)
    follow_up.render_planned.fn(story.now)
    undo(engine, number, story.now)
    story.runs()
    assert story.broken_books() == []
    (to_lee,), (to_kim,) = story.mails(to="lee@"), story.mails(to="kim@")
    assert "parcel" in to_lee
    assert "money" not in to_lee
    assert "money" in to_kim
    assert "parcel" not in to_kim


def taken_for_one(story: Story, kept_id: int, *, planned: str) -> int:
    """Two customers' replies, written while they were merged; the number of the merge.

    Args:
        planned: Whether the replies were planned before the merge, or while they were one.
    """
    story.says("I was charged the wrong money.", rating=2, email="kim@example.com")
    story.says("The parcel came late.", rating=2, email="lee@example.com")
    understand.understand_range.fn(0, 10**9)
    route.route_range.fn(0, 10**9, story.now)
    story.wait(days=1)
    if planned == "before":
        for ticket in story.rows(Ticket):
            story.resolves(ticket)
    number = merge(story.place.engine, 3 - kept_id, kept_id, story.now)
    if planned == "meanwhile":
        for ticket in story.rows(Ticket):
            story.resolves(ticket)
    follow_up.render_planned.fn(story.now)
    return number


def replies(story: Story, *states: MessageState) -> list[int]:
    return [
        row.id or 0
        for row in story.rows(Message)
        if row.step == "resolution.1" and (row.state in states or not states)
    ]


def assert_each_got_their_own_reply(story: Story) -> None:
    assert story.broken_books() == []
    assert {loop.state for loop in story.rows(Loop)} == {LoopState.TOLD}
    for to, word, others in (("kim@", "money", "parcel"), ("lee@", "parcel", "money")):
        mails = story.mails(to=to)
        assert len([mail for mail in mails if "We mended it." in mail]) == 1
        assert all(word in mail and others not in mail for mail in mails)


def stop(story: Story, state: MessageState, *message_ids: int) -> None:
    """It waits for a person from now on: its reply was lost, or one holds it."""
    with transaction(story.place.engine) as session:
        for message_id in message_ids:
            if state is MessageState.HELD:
                outbox.hold(session, message_id, actor=BOSS, now=story.now)
            else:
                message = session.get_one(Message, message_id)
                assert move(session, message, state, reason="timeout", now=story.now)


def let_go(story: Story, *message_ids: int) -> None:
    """A person says "Send again", or "Release"."""
    with transaction(story.place.engine) as session:
        for message_id in message_ids:
            if session.get_one(Message, message_id).state is MessageState.HELD:
                outbox.release(session, message_id, actor=BOSS, now=story.now)
            else:
                doubt.settle(session, message_id, MessageState.QUEUED, now=story.now, actor=BOSS)


@pytest.mark.parametrize("state", [MessageState.UNKNOWN, MessageState.HELD])
@pytest.mark.parametrize(("kept_id", "planned"), [(1, "before"), (2, "meanwhile")])
def test_what_a_person_lets_go_after_the_undoing_goes_to_whom_it_is_about(
    story: Story, state: MessageState, kept_id: int, planned: str
) -> None:
    """It was lost, or held, while they were one: its bytes may be for the other's address."""
    number = taken_for_one(story, kept_id, planned=planned)
    stop(story, state, *replies(story))
    with transaction(story.place.engine) as session:
        promised = goes_back(session, session.get_one(CustomerMerge, number))["message"]
    undo(story.place.engine, number, story.now)
    theirs = [row for row in story.rows(Message) if row.customer_id == 3 - kept_id]
    assert len(theirs) == promised
    assert len(replies(story, state)) == 2
    let_go(story, *replies(story))
    story.runs()
    assert_each_got_their_own_reply(story)


@pytest.mark.parametrize("state", [MessageState.UNKNOWN, MessageState.HELD])
def test_what_a_lost_or_held_receipt_said_for_the_other_is_said_to_them(
    story: Story, state: MessageState
) -> None:
    """One receipt quoted both; parted, each gets a receipt about what they said."""
    story.says("I was charged the wrong money.", rating=2, email="kim@example.com")
    story.says("The parcel came late.", rating=2, email="lee@example.com")
    understand.understand_range.fn(0, 10**9)
    route.route_range.fn(0, 10**9, story.now)
    number = merge(story.place.engine, 2, 1, story.now)
    follow_up.render_planned.fn(story.now)
    (carrier,) = [row.id or 0 for row in story.rows(Message) if row.content and row.customer_id]
    stop(story, state, carrier)
    undo(story.place.engine, number, story.now)
    let_go(story, carrier)
    story.runs()
    (to_kim,), (to_lee,) = story.mails(to="kim@"), story.mails(to="lee@")
    assert ("money" in to_kim, "parcel" in to_kim) == (True, False)
    assert ("money" in to_lee, "parcel" in to_lee) == (False, True)
    assert story.broken_books() == []


def test_what_was_written_before_the_merge_is_sent_again_as_it_is(story: Story) -> None:
    story.says("I was charged the wrong money.", rating=2, email="kim@example.com")
    story.says("The parcel came late.", rating=2, email="lee@example.com")
    understand.understand_range.fn(0, 10**9)
    route.route_range.fn(0, 10**9, story.now)
    follow_up.render_planned.fn(story.now)
    to_kim = next(row for row in story.rows(Message) if row.address == "kim@example.com")
    story.wait(hours=1)
    undo(story.place.engine, merge(story.place.engine, 1, 2, story.now), story.now)
    stop(story, MessageState.HELD, to_kim.id or 0)
    let_go(story, to_kim.id or 0)
    again = next(row for row in story.rows(Message) if row.id == to_kim.id)
    assert (again.state, again.content) == (MessageState.QUEUED, to_kim.content)


def test_a_new_round_of_a_loop_that_goes_back_goes_back_with_it(story: Story) -> None:
    engine = story.place.engine
    story.says("I was charged the wrong money.", email="kim@example.com")
    story.says("The parcel came late.", rating=2, email="lee@example.com")
    story.runs()
    number = merge(engine, 2, 1, story.now)
    with transaction(engine) as session:
        unsubscribe(session, 1, secret=story.place.secret, how="test", now=story.now)
    undo(engine, number, story.now)
    with transaction(engine) as session:  # they agree again, each for themselves
        for suppressed in session.exec(select(Suppression)).all():
            session.delete(suppressed)
        session.add(consent(2, story.now))
    number = merge(engine, 2, 1, story.now)
    with transaction(engine) as session:
        session.add(consent(1, story.now))
    story.resolves(story.rows(Ticket)[1])
    undo(engine, number, story.now)
    planned = [row for row in story.rows(Message) if row.step == "resolution.1"]
    assert [(row.customer_id, row.recipient) for row in planned] == [(2, "customer:1")]
    story.runs()
    receipt, resolution = story.mails(to="lee@")
    assert "We mended it." in resolution
    assert "We mended it." not in receipt
    assert story.broken_books() == []


def test_what_is_collected_after_a_merge_is_the_kept_customers(story: Story) -> None:
    engine = story.place.engine
    story.says("The parcel came late.", email="kim@example.com")
    story.says("The parcel came late.", email="lee@example.com")
    number = merge(engine, 2, 1, story.now)
    key = story.says("It was wet, too.", email="lee@example.com")
    assert owners(engine, Feedback) == [1, 1, 1]
    undo(engine, number, story.now)
    assert owners(engine, Feedback) == [1, 2, 1]  # what came since stays
    story.says("It was very wet.", email="lee@example.com", external_id=key)
    assert owners(engine, Feedback) == [1, 2, 1]
    story.says("And late.", email="lee@example.com")
    assert owners(engine, Feedback) == [1, 2, 1, 2]


def test_words_of_a_merged_customer_can_be_erased_and_the_merge_undone(story: Story) -> None:
    engine = story.place.engine
    story.says("The parcel came late.", rating=1, email="kim@example.com")
    story.says("I was charged the wrong money.", rating=1, email="lee@example.com")
    story.runs()
    number = merge(engine, 2, 1, story.now)
    with transaction(engine) as session:
        assert erase_feedback(session, session.get_one(Feedback, 2), now=story.now)
    undo(engine, number, story.now)
    story.runs()
    assert [v.verbatim for v in story.rows(FeedbackVersion)] == ["The parcel came late.", ""]
    assert owners(engine, Feedback) == [1, 2]
    with transaction(engine) as session:
        assert books(session, story.place.journal, secret=story.place.secret).findings == ()
    assert story.broken_books() == []


@pytest.mark.parametrize(("merged_id", "kept_id"), [(1, 2), (2, 1)])
def test_the_books_hold_when_somebody_who_opted_out_is_somebody_who_was_told(
    story: Story, merged_id: int, kept_id: int
) -> None:
    engine = story.place.engine
    story.says("I was charged the wrong money.", rating=2, email="kim@example.com")
    story.says("The parcel came late.", rating=2, email="lee@example.com")
    with transaction(engine) as session:
        unsubscribe(session, 1, secret=story.place.secret, how="test", now=story.now)
    story.runs()
    assert len(story.mails(to="lee@")) == 1
    number = merge(engine, merged_id, kept_id, story.now)
    assert story.broken_books() == []
    with transaction(engine) as session:
        assert books(session, story.place.journal, secret=story.place.secret).findings == ()
    story.resolves(story.rows(Ticket)[1])
    story.runs()
    assert len(story.mails(to="lee@")) == 1
    undo(engine, number, story.now)
    assert story.broken_books() == []


# The undoing


def test_merges_are_undone_from_the_newest_and_once(engine: Engine) -> None:
    kim, lee, bo = (add_customer(engine, f"{n}@customer.test") for n in ("kim", "lee", "bo"))
    before = everything(engine)
    first, second = merge(engine, lee, kim), merge(engine, kim, bo)
    for number, why in ((first, Refused.LATER_MERGE), (99, Refused.UNKNOWN)):
        with pytest.raises(MergeRefusedError) as caught:
            undo(engine, number)
        assert caught.value.why is why
    undo(engine, second)
    undo(engine, first)
    assert everything(engine) == before
    with pytest.raises(MergeRefusedError) as caught:
        undo(engine, first)
    assert caught.value.why is Refused.UNDONE


consents = st.lists(
    st.tuples(st.sampled_from([*Purpose]), st.booleans(), st.integers(0, 50)), max_size=3
)
people = st.lists(st.tuples(st.integers(0, 2), consents), min_size=3, max_size=3)
pairs = st.permutations([1, 2, 3])


@settings(max_examples=6, deadline=None)
@given(people, pairs, st.lists(st.booleans(), max_size=2))
def test_merging_and_undoing_gives_the_same_rows(
    who: list[tuple[int, list[tuple[Purpose, bool, int]]]], order: list[int], twice: list[bool]
) -> None:
    with in_memory() as engine:
        for number, (said, agreed) in enumerate(who):
            customer_id = add_customer(engine, f"{number}@customer.test", consent=None)
            with transaction(engine) as session:
                for purpose, granted, hours in agreed:
                    at = NOW + timedelta(hours=hours)
                    session.add(consent(customer_id, at, granted=granted, purpose=purpose))
            for n in range(said):
                loop_id, _ = add_loop(engine, customer_id, verbatim=f"Words of {number}, {n}.")
                plan_follow_up(engine, loop_id, customer_id)
        queue(engine)
        before = everything(engine)
        one, two, three = order
        merges = [merge(engine, one, two), *(merge(engine, two, three) for _ in twice[:1])]
        for number in reversed(merges):
            undo(engine, number)
        assert everything(engine) == before
        with transaction(engine) as session:
            assert event_chain(session) is None
