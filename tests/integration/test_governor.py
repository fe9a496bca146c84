"""The governor at work: by which channel, how often, all in one mail, and never after a no."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from itertools import count
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, StaticPool, create_engine
from sqlmodel import Session, SQLModel, col, select

from notifications import queueing
from notifications.channel import Capability, Envelope
from notifications.queueing import merge_waiting
from notifications.writing import Writer, Written
from tests.outbox_cases import (
    NOW,
    POLICY,
    SECRET,
    add_address,
    add_customer,
    add_loop,
    deliver,
    make_company,
    make_engine,
    plan_follow_up,
    queue,
    save,
    save_consent,
    the_message,
)
from voc.actions import loops
from voc.actions.contact import stop_sms, unsubscribe
from voc.actions.erase import erase_feedback
from voc.company.experiments import Experiment, Variant
from voc.models import (
    Consent,
    Customer,
    DeliveryChannel,
    Exposure,
    Feedback,
    Identity,
    IdentityKind,
    Loop,
    Message,
    MessageKind,
    Purpose,
    TicketEventKind,
    TicketState,
)
from voc.models import MessageState as Is
from voc.rules.contact import Why
from voc.rules.merging import MERGED
from voc.rules.messages import GONE
from voc.rules.pseudonym import pseudonym
from voc.store import contact
from voc.store.database import transaction, with_manners
from voc.store.events import Happening, append, length, lock_head
from voc.store.merging import merge_receipts
from voc.store.upsert import insert_new
from voc.store.verify import event_chain

PHONE = "+441632960123"
STRICT = make_company(POLICY.model_copy(update={"cap_7_days": 1, "cap_30_days": 2}))
BY_TEXT_TOO = make_company(
    POLICY.model_copy(update={"cap_7_days": 1, "channels": ("email", "sms")})
)
DAY = timedelta(days=1)


@dataclass
class Recorder:
    """A channel that keeps in memory what it was given."""

    handed: list[Envelope] = field(default_factory=list)

    def route_for(self, recipient: str) -> str:
        return "recorder"

    def capability_of(self, route: str) -> Capability:
        return Capability.NEITHER

    def prepare(self, mail: Envelope) -> None:
        pass

    def hand_over(self, mail: Envelope) -> str:
        self.handed.append(mail)
        return ""

    def look_up(self, route: str, mail: Envelope) -> str | None:
        return None

    def close(self) -> None:
        pass

    def words(self) -> list[str]:
        return [text_of(mail.content) for mail in self.handed]


def text_of(content: bytes) -> str:
    body = message_from_bytes(content, policy=default).get_body(("plain",))  # type: ignore[attr-defined]
    return str(body.get_content())


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def any_engine(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    if not database_url:
        engine = make_engine(tmp_path)
    else:
        engine = with_manners(create_engine(database_url))
        SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


def add_phone(engine: Engine, customer_id: int, *, agreed: bool | None = True) -> None:
    kind, purpose = IdentityKind.PHONE, Purpose.FOLLOW_UP_SMS
    with transaction(engine) as session:
        save(session, Identity(customer_id=customer_id, kind=kind, value=PHONE, at=NOW))
        if agreed is not None:
            said = {"customer_id": customer_id, "purpose": purpose, "granted": agreed}
            save(session, Consent.model_validate(said | {"how": "t", "at": NOW}))


def owe_receipt(engine: Engine, customer_id: int, words: str, now: datetime = NOW) -> int:
    """A new loop about these words; the id of its receipt."""
    loop_id, _ = add_loop(engine, customer_id, verbatim=words, state=TicketState.OPEN)
    return plan_follow_up(engine, loop_id, customer_id, step="receipt", now=now)


def drop_loop_of(engine: Engine, message_id: int, now: datetime = NOW) -> None:
    with transaction(engine) as session:
        loop = session.get_one(Loop, session.get_one(Message, message_id).loop_id)
        loops.drop(session, loop, reason="test", now=now)


# One mail for several comments


def test_three_comments_in_a_day_get_one_receipt_that_quotes_them_all(
    engine: Engine, tmp_path: Path
) -> None:
    kim = add_customer(engine)
    receipts = [owe_receipt(engine, kim, f"Number {n} broke.") for n in (1, 2, 3)]
    assert queue(engine, company=STRICT) == {Is.CANCELLED: 2, Is.QUEUED: 1}
    channel = Recorder()
    assert deliver(engine, channel, tmp_path, company=STRICT) == {Is.SENT: 1}
    (words,) = channel.words()
    assert all(words.count(f"Number {n} broke.") == 1 for n in (1, 2, 3))
    others = [the_message(engine, message_id) for message_id in receipts[1:]]
    assert {(m.reason, m.merged_into_id) for m in others} == {("merged", receipts[0])}


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_several_comments_are_quoted_in_the_customers_language(
    engine: Engine, language: str
) -> None:
    kim = add_customer(engine, language=language)
    first = owe_receipt(engine, kim, "One.")
    owe_receipt(engine, kim, "Two.")
    queue(engine, company=STRICT)
    content = the_message(engine, first).content or b""
    assert message_from_bytes(content)["Content-Language"] == language
    assert [quote in text_of(content) for quote in ("One.", "Two.")] == [True, True]


def test_receipts_that_wait_for_the_cap_are_written_anew_together(
    any_engine: Engine, tmp_path: Path
) -> None:
    engine = any_engine
    kim = add_customer(engine)
    channel = Recorder()
    for day, words in enumerate(["One.", "Two.", "Three.", "Four."]):
        owe_receipt(engine, kim, words, NOW + day * DAY)
        queue(engine, NOW + day * DAY, STRICT)
        deliver(engine, channel, tmp_path, now=NOW + day * DAY, company=STRICT)
    assert [m.recipient for m in channel.handed] == ["kim@customer.test"]
    later = NOW + 7 * DAY
    queue(engine, later, STRICT)
    assert deliver(engine, channel, tmp_path, now=later, company=STRICT) == {Is.SENT: 1}
    first, second = channel.words()
    assert "One." in first
    assert all(words in second for words in ("Two.", "Three.", "Four."))
    assert "One." not in second


def test_if_the_loop_of_the_carrier_is_dropped_the_others_are_planned_again(
    any_engine: Engine, tmp_path: Path
) -> None:
    engine = any_engine
    kim = add_customer(engine)
    carrier, *others = [owe_receipt(engine, kim, f"Number {n}.") for n in (1, 2, 3)]
    queue(engine, company=STRICT)
    drop_loop_of(engine, carrier)
    queue(engine, company=STRICT)
    channel = Recorder()
    deliver(engine, channel, tmp_path, company=STRICT)
    (words,) = channel.words()
    assert [f"Number {n}." in words for n in (1, 2, 3)] == [False, True, True]
    assert the_message(engine, others[0]).state is Is.SENT
    assert the_message(engine, others[1]).merged_into_id == others[0]


def test_words_that_were_erased_do_not_leave_in_anothers_mail(
    engine: Engine, tmp_path: Path
) -> None:
    kim = add_customer(engine)
    owe_receipt(engine, kim, "Stays.")
    gone = owe_receipt(engine, kim, "Goes.")
    queue(engine, company=STRICT)
    with transaction(engine) as session:
        loop = session.get_one(Loop, session.get_one(Message, gone).loop_id)
        erase_feedback(session, session.get_one(Feedback, loop.feedback_id), now=NOW)
    channel = Recorder()
    assert deliver(engine, channel, tmp_path, company=STRICT) == {}
    queue(engine, company=STRICT)
    deliver(engine, channel, tmp_path, company=STRICT)
    (words,) = channel.words()
    assert "Stays." in words
    assert "Goes." not in words


def test_a_loop_that_was_told_meanwhile_is_left_out(engine: Engine, tmp_path: Path) -> None:
    kim = add_customer(engine)
    owe_receipt(engine, kim, "Open.")
    told = owe_receipt(engine, kim, "Told.")
    queue(engine, company=STRICT)
    drop_loop_of(engine, told)
    channel = Recorder()
    queue(engine, company=STRICT)
    deliver(engine, channel, tmp_path, company=STRICT)
    assert ["Told." in words for words in channel.words()] == [False]
    assert the_message(engine, told).reason == Why.NOT_WANTED


def test_what_may_never_leave_ends_for_its_own_reason_and_is_not_merged(engine: Engine) -> None:
    kim = add_customer(engine, consent=False)
    for n in (1, 2, 3):
        owe_receipt(engine, kim, f"Number {n}.")
    assert queue(engine, company=STRICT) == {Is.SUPPRESSED: 3}


def test_an_opt_out_after_merging_is_told_of_each_of_them(engine: Engine, tmp_path: Path) -> None:
    kim = add_customer(engine)
    receipts = [owe_receipt(engine, kim, f"Number {n}.") for n in (1, 2, 3)]
    queue(engine, company=STRICT)
    with transaction(engine) as session:
        unsubscribe(session, kim, secret=SECRET, how="test", now=NOW)
    deliver(engine, Recorder(), tmp_path, company=STRICT)
    queue(engine, company=STRICT)
    found = [the_message(engine, message_id) for message_id in receipts]
    assert {(m.state, m.reason) for m in found} == {(Is.SUPPRESSED, Why.OPTED_OUT)}


def test_what_was_merged_long_ago_is_not_looked_at_again(engine: Engine) -> None:
    kim = add_customer(engine)
    carrier = owe_receipt(engine, kim, "Long ago.")
    drop_loop_of(engine, carrier)
    old = the_message(engine, carrier).model_dump(exclude={"id", "subject"})
    merged = old | {"reason": MERGED, "merged_into_id": carrier}

    def work() -> int:
        """How many steps SQLite's machine takes to merge what waits."""
        steps = count()
        with transaction(engine) as session:
            connection = session.connection().connection.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            connection.set_progress_handler(lambda: next(steps) < 0, 1)
            merge_receipts(session, company=STRICT, secret=SECRET, now=NOW)
            connection.set_progress_handler(None, 0)
        return next(steps)

    before = work()
    with transaction(engine) as session:
        rows = [merged | {"subject": f"old:{n}"} for n in range(200)]
        assert insert_new(session, Message, rows) == len(rows)
    assert work() == before


def test_whoever_opts_out_twice_is_in_the_ledger_once(engine: Engine) -> None:
    kim = add_customer(engine)
    for _ in range(2):
        with transaction(engine) as session:
            unsubscribe(session, kim, secret=SECRET, how="test", now=NOW)
            assert length(session) == len(Purpose)
    with transaction(engine) as session:
        add_address(session, kim, "kim@new.test")
        unsubscribe(session, kim, secret=SECRET, how="test", now=NOW)
        assert length(session) == 2 * len(Purpose)  # that is news


def test_the_ledgers_head_is_locked_once_in_a_transaction_and_anew_in_the_next(
    engine: Engine,
) -> None:
    step = Happening(kind=TicketEventKind.RESTORED)
    with Session(engine, expire_on_commit=False) as mine:
        head = lock_head(mine)
        assert lock_head(mine) is head
        append(mine, [step], actor="test", now=NOW)
        mine.rollback()
        assert lock_head(mine).length == 0
        mine.commit()
        with transaction(engine) as others:
            append(others, [step], actor="test", now=NOW)
        assert lock_head(mine).length == 1
        with mine.begin_nested() as point:
            append(mine, [step], actor="test", now=NOW)
            point.rollback()
        append(mine, [step], actor="test", now=NOW)
        mine.commit()
        assert event_chain(mine) is None


def test_what_is_merged_while_the_carrier_is_written_is_not_forgotten(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kim = add_customer(engine)
    carrier = owe_receipt(engine, kim, "Early.")

    class Interrupted(Writer):
        def write(self, *args: object, **options: object) -> Written:
            owe_receipt(engine, kim, "Late.")
            merge_waiting(engine, company=STRICT, secret=SECRET, now=NOW)
            return super().write(*args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(queueing, "Writer", Interrupted)
        queue(engine, company=STRICT)
    assert the_message(engine, carrier).state is Is.PLANNED
    queue(engine, company=STRICT)
    channel = Recorder()
    deliver(engine, channel, tmp_path, company=STRICT)
    (words,) = channel.words()
    assert "Early." in words
    assert "Late." in words


def in_memory() -> Engine:
    """What is looked at here is what is decided, not whether it lasts."""
    engine = with_manners(create_engine("sqlite://", poolclass=StaticPool))
    SQLModel.metadata.create_all(engine)
    return engine


schedules = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["comment", "comment", "drop", "run"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=8, deadline=None)
@given(schedules)
def test_whatever_comes_when_each_loop_is_told_of_once_and_no_cap_is_broken(
    schedule: list[tuple[int, str]],
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        engine = in_memory()
        kim, channel, sent_at = add_customer(engine), Recorder(), list[datetime]()
        now, numbers, said, dropped = NOW, count(1), dict[str, int](), set[str]()

        def run() -> None:
            queue(engine, now, STRICT)
            before = len(channel.handed)
            deliver(engine, channel, folder, now=now, company=STRICT)
            sent_at.extend([now] * (len(channel.handed) - before))

        for days, event in schedule:
            now += days * DAY
            if event == "comment":
                words = f"Number {next(numbers)}."
                said[words] = owe_receipt(engine, kim, words, now)
            elif event == "drop" and (live := sorted(said.keys() - dropped)):
                drop_loop_of(engine, said[live[0]], now)
                dropped.add(live[0])
            else:
                run()
        for _ in range(5):  # until everything that was deferred is due
            run()
            now += 10 * DAY
        told = [words for words in said for mail in channel.words() if words in mail]
        engine.dispose()
    assert max(Counter(told).values(), default=1) == 1
    assert set(said) - dropped <= set(told)
    for at in sent_at:
        assert sum(at - 7 * DAY < other <= at for other in sent_at) <= 1
        assert sum(at - 30 * DAY < other <= at for other in sent_at) <= 2


# Channels


def test_who_has_no_mail_address_gets_a_text_message_if_they_agreed_to_that(
    engine: Engine, tmp_path: Path
) -> None:
    kim = add_customer(engine, address=None)
    add_phone(engine, kim)
    message_id = owe_receipt(engine, kim, "Cold soup.")
    queue(engine, company=BY_TEXT_TOO)
    queued = the_message(engine, message_id)
    assert (queued.channel, queued.address) == (DeliveryChannel.SMS, PHONE)
    channel = Recorder()
    assert deliver(engine, channel, tmp_path, company=BY_TEXT_TOO) == {Is.SENT: 1}
    assert [(m.channel, m.recipient) for m in channel.handed] == [(DeliveryChannel.SMS, PHONE)]


@pytest.mark.parametrize("agreed", [False, None])
def test_a_consent_to_mails_is_none_to_text_messages(engine: Engine, agreed: bool | None) -> None:
    kim = add_customer(engine, address=None)
    add_phone(engine, kim, agreed=agreed)
    message_id = owe_receipt(engine, kim, "Cold soup.")
    assert queue(engine, company=BY_TEXT_TOO) == {Is.SUPPRESSED: 1}
    assert the_message(engine, message_id).reason == Why.NO_CONSENT


def test_the_first_channel_is_taken_and_what_is_frozen_for_it_stays_there(
    engine: Engine, tmp_path: Path
) -> None:
    kim = add_customer(engine)
    add_phone(engine, kim)
    message_id = owe_receipt(engine, kim, "Cold soup.")
    queue(engine, company=BY_TEXT_TOO)
    assert the_message(engine, message_id).channel is DeliveryChannel.EMAIL
    with transaction(engine) as session:
        hashed = pseudonym(SECRET, "kim@customer.test")
        contact.suppress(session, hashed, reason=Why.BOUNCED, how="test", now=NOW)
    assert deliver(engine, Recorder(), tmp_path, company=BY_TEXT_TOO) == {Is.SUPPRESSED: 1}
    assert the_message(engine, message_id).reason == Why.BOUNCED


def test_caps_count_text_messages_and_mails_alike(engine: Engine, tmp_path: Path) -> None:
    kim = add_customer(engine, address=None)
    add_phone(engine, kim)
    owe_receipt(engine, kim, "Cold soup.")
    queue(engine, company=BY_TEXT_TOO)
    deliver(engine, Recorder(), tmp_path, company=BY_TEXT_TOO)
    with transaction(engine) as session:
        address = Identity(customer_id=kim, kind=IdentityKind.EMAIL, value="k@new.test", at=NOW)
        save(session, address)
    message_id = owe_receipt(engine, kim, "Cold tea.")
    queue(engine, company=BY_TEXT_TOO)
    assert deliver(engine, Recorder(), tmp_path, company=BY_TEXT_TOO) == {Is.QUEUED: 1}
    waiting = the_message(engine, message_id)
    assert (waiting.channel, waiting.reason) == (DeliveryChannel.EMAIL, Why.CAP_7_DAYS)


def test_a_message_that_changed_its_channel_is_still_planned_once(engine: Engine) -> None:
    kim = add_customer(engine, address=None)
    add_phone(engine, kim)
    message_id = owe_receipt(engine, kim, "Cold soup.")
    queue(engine, company=BY_TEXT_TOO)
    loop_id = the_message(engine, message_id).loop_id or 0
    assert plan_follow_up(engine, loop_id, kim, step="receipt") == message_id
    with transaction(engine) as session:
        contact.lock_contact(session, kim)
        stop_sms(session, pseudonym(SECRET, PHONE), kim, now=NOW)


# Country, experiment


def test_nobody_is_written_to_in_a_country_where_the_policy_says_never(engine: Engine) -> None:
    company = make_company(POLICY.model_copy(update={"countries": {"CH": "never"}}))
    owe_receipt(engine, add_customer(engine, country="CH"), "Cold soup.")
    assert queue(engine, company=company) == {Is.SUPPRESSED: 1}
    assert the_message(engine).reason == Why.COUNTRY


def test_the_hold_out_of_an_experiment_hears_nothing_while_it_runs(engine: Engine) -> None:
    variants = (Variant(id="plain"),)
    trial = Experiment(
        id="tone",
        variants=variants,
        hold_out=0.5,
        outcome="came_back",
        begins=date(2026, 3, 1),
        ends=date(2026, 3, 9),
    )
    company = make_company().model_copy(update={"experiments": (trial,)})
    kim = add_customer(engine)
    message_id = owe_receipt(engine, kim, "Cold soup.")
    with transaction(engine) as session:
        loop_id = session.get_one(Message, message_id).loop_id
        drawn = {"experiment": "tone", "customer_id": kim, "variant": "hold_out", "at": NOW}
        session.add(Exposure.model_validate(drawn | {"loop_id": loop_id}))
    for now, held_out in ((NOW, True), (NOW + 10 * DAY, False)):
        with transaction(engine) as session:
            facts = contact.facts_for(
                session, [message_id], company=company, secret=SECRET, kill_switch=False, now=now
            )
        assert facts[message_id].held_out is held_out


# An opt-out against three senders


@dataclass
class Race:
    """Mails of which some are stopped before, some while, some after they are handed over.

    By the number of the customer: 0 of 3 is stopped before the last look, 1 of 3 while it is
    handed over, and of the others nobody knows.
    """

    wanted: Queue[int] = field(default_factory=Queue)
    stopped: dict[int, threading.Event] = field(default_factory=dict)
    log: list[tuple[str, int]] = field(default_factory=list)

    def sent(self) -> list[int]:
        return [number for what, number in self.log if what == "sent"]


class Racing(Recorder):
    def __init__(self, race: Race) -> None:
        super().__init__()
        self.race = race

    def prepare(self, mail: Envelope) -> None:
        number = int(mail.recipient.partition("@")[0])
        if number % 3 != 1:
            self.race.wanted.put(number)
        if number % 3 == 0:
            assert self.race.stopped[number].wait(60)

    def hand_over(self, mail: Envelope) -> str:
        number = int(mail.recipient.partition("@")[0])
        self.race.log.append(("sent", number))
        if number % 3 == 1:
            self.race.wanted.put(number)
            assert self.race.stopped[number].wait(60)
        return ""


def queue_mails(session: Session, n: int) -> None:
    """One frozen mail to each of *n* customers; their address begins with their number."""
    for number in range(1, n + 1):
        address = f"{number}@customer.test"
        save(session, Customer(id=number, created_at=NOW))
        kind = IdentityKind.EMAIL
        session.add(Identity(customer_id=number, kind=kind, value=address, at=NOW))
        save_consent(session, number, granted=True, at=NOW)
        values = {"step": "receipt", "kind": MessageKind.FOLLOW_UP, "template": "receipt"}
        key = {"subject": f"loop:{number}", "recipient": f"customer:{number}"}
        frozen = {"address": address, "message_id": f"<{number}@x.test>", "content": b"Hello"}
        at = {"planned_at": NOW, "not_before": NOW, "frozen_at": NOW, "state": Is.QUEUED}
        save(session, Message.model_validate(values | key | frozen | at | {"customer_id": number}))


def test_nothing_is_handed_over_after_an_unsubscribe_was_confirmed(
    any_engine: Engine, tmp_path: Path
) -> None:
    n, senders = 48, 3
    race = Race(stopped={number: threading.Event() for number in range(1, n + 1)})
    on_its_way: dict[int, bool] = {}
    with transaction(any_engine) as session:
        queue_mails(session, n)

    def stop_them() -> None:
        while number := race.wanted.get():
            with transaction(any_engine) as session:
                warned = unsubscribe(session, number, secret=SECRET, how="test", now=NOW)
            on_its_way[number] = warned
            race.log.append(("stopped", number))
            race.stopped[number].set()

    def send(sender: int) -> None:
        deliver(any_engine, Racing(race), tmp_path, sender_id=f"sender-{sender}")

    stopping = threading.Thread(target=stop_them)
    sending = [threading.Thread(target=send, args=(sender,)) for sender in range(senders)]
    for thread in (stopping, *sending):
        thread.start()
    for thread in sending:
        thread.join()
    race.wanted.put(0)
    stopping.join()

    assert sorted(on_its_way) == list(range(1, n + 1))
    assert max(Counter(race.sent()).values()) == 1
    for number, warned in on_its_way.items():
        after = race.log[race.log.index(("stopped", number)) :]
        assert warned or ("sent", number) not in after
        if number % 3 == 0:
            assert not warned
            assert number not in race.sent()
        if number % 3 == 1:
            assert warned
    with transaction(any_engine) as session:
        gone = session.exec(select(Message.customer_id).where(col(Message.state).in_(GONE))).all()
    assert sorted(gone) == sorted(race.sent())  # type: ignore[type-var]
