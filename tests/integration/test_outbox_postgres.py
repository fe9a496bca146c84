"""The outbox on PostgreSQL: claims that skip locked rows, and looks that wait for opt-outs."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlmodel import Session, SQLModel

from notifications.channel import Envelope
from notifications.liveness import GRACE, liveness
from notifications.mailbox import MailboxChannel
from notifications.recovery import recover
from tests.outbox_cases import (
    NOW,
    SECRET,
    add_customer,
    add_loop,
    deliver,
    everywhere,
    plan_follow_up,
    queue,
    ready_resolution,
    states,
    the_message,
)
from tests.postgres_server import binaries, postgres_server
from voc.errors import ConfigurationError, TransientError
from voc.models import Message
from voc.models import MessageState as Is
from voc.rules.pseudonym import pseudonym
from voc.store import contact, messages
from voc.store.database import transaction, with_manners
from voc.store.verify import event_chain

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = with_manners(create_engine(url))
    SQLModel.metadata.create_all(engine)
    yield engine
    SQLModel.metadata.drop_all(engine)
    engine.dispose()


def test_a_message_goes_from_planned_to_sent(engine: Engine, tmp_path: Path) -> None:
    message_id = ready_resolution(engine)
    mailbox = MailboxChannel(tmp_path / "mailbox")
    assert deliver(engine, mailbox, tmp_path) == {Is.SENT: 1}
    assert the_message(engine, message_id).settled_at == NOW
    assert recover(engine, tmp_path / "locks", channels=everywhere(mailbox), now=NOW) == {}


def test_planning_merging_and_cancelling(engine: Engine) -> None:
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    for _ in range(2):
        plan_follow_up(engine, loop_id, customer_id, step="receipt")
    plan_follow_up(engine, loop_id, customer_id)
    assert queue(engine) == {Is.CANCELLED: 1, Is.QUEUED: 1}
    with transaction(engine) as session:
        n = messages.cancel(
            session, loop_id=loop_id, steps=["resolution"], reason="reopened", now=NOW
        )
    assert n == 1
    assert states(engine) == {Is.CANCELLED: 2}


def test_senders_at_once_deliver_each_message_once(engine: Engine, tmp_path: Path) -> None:
    handed_over: list[str] = []

    class Counting(MailboxChannel):
        def hand_over(self, mail: Envelope) -> str:
            handed_over.append(mail.message_id)
            return super().hand_over(mail)

    for n in range(20):
        ready_resolution(engine, f"c{n}@customer.test")
    counts: Counter[Is] = Counter()

    def work(sender_id: str) -> None:
        channel = Counting(tmp_path / "mailbox")
        counts.update(deliver(engine, channel, tmp_path, sender_id=sender_id))

    threads = [threading.Thread(target=work, args=(f"s{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == {Is.SENT: 20}
    assert len(handed_over) == len(set(handed_over)) == 20


def test_the_last_look_waits_for_an_opt_out_that_has_begun(engine: Engine, tmp_path: Path) -> None:
    locked = threading.Event()

    def opt_out() -> None:
        with transaction(engine) as session:
            contact.lock_contact(session, 1)
            locked.set()
            hashed = pseudonym(SECRET, "kim@customer.test")
            contact.suppress(session, hashed, reason="opted_out", how="page", now=NOW)
            threading.Event().wait(0.3)  # the look comes now, and must not look past us

    class OptsOutMeanwhile(MailboxChannel):
        def prepare(self, mail: Envelope) -> None:
            threading.Thread(target=opt_out).start()
            assert locked.wait(5)

    assert ready_resolution(engine) == 1
    channel = OptsOutMeanwhile(tmp_path / "mailbox")
    assert deliver(engine, channel, tmp_path) == {Is.SUPPRESSED: 1}


def test_a_sender_is_alive_while_its_session_lives_and_dead_some_time_after(
    engine: Engine, tmp_path: Path
) -> None:
    alive = liveness(engine, tmp_path)

    def is_dead(sending_at: datetime | None, now: datetime = NOW) -> bool:
        return alive.is_dead("one", sending_at=sending_at, now=now)

    with alive.hold("one") as sender:
        assert sender.is_held()
        assert not is_dead(None)
        assert not is_dead(NOW, NOW + timedelta(days=1))
        with pytest.raises(ConfigurationError, match="is at work already"), alive.hold("one"):
            pass  # pragma: no cover
        end_sessions_that_hold_locks(engine)
        assert not sender.is_held()
        assert is_dead(None)
        assert not is_dead(NOW, NOW + GRACE - timedelta(seconds=1))
        assert is_dead(NOW, NOW + GRACE)
        assert not sender.is_held()


def end_sessions_that_hold_locks(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(
            text(
                "select pg_terminate_backend(pid, 5000) from pg_locks "
                "where locktype = 'advisory' and pid <> pg_backend_pid()"
            )
        )


def test_a_sender_whose_session_has_ended_hands_nothing_over(
    engine: Engine, tmp_path: Path
) -> None:
    class LosesItsSession(MailboxChannel):
        def prepare(self, mail: Envelope) -> None:
            end_sessions_that_hold_locks(engine)

        def hand_over(self, mail: Envelope) -> str:
            raise AssertionError

    ready_resolution(engine)
    channel = LosesItsSession(tmp_path / "mailbox")
    with pytest.raises(TransientError, match="has ended"):
        deliver(engine, channel, tmp_path)
    mailbox = MailboxChannel(tmp_path / "mailbox")
    assert recover(engine, tmp_path / "locks", channels=everywhere(mailbox), now=NOW) == {
        Is.QUEUED: 1
    }
    assert deliver(engine, mailbox, tmp_path) == {Is.SENT: 1}


@pytest.mark.parametrize("commits", [False, True])
def test_a_connection_that_drops_at_commit_is_asked_what_became_of_it(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: bool
) -> None:
    settling: list[int] = []
    do_commit = engine.dialect.do_commit

    def drops(connection: Any) -> None:
        if settling:
            settling.clear()
            if commits:
                do_commit(connection)
            connection.driver_connection.close()
        do_commit(connection)

    monkeypatch.setattr(engine.dialect, "do_commit", drops)
    message_id = ready_resolution(engine)
    mailbox = MailboxChannel(tmp_path / "mailbox")
    told: list[int | None] = []

    def on_sent(_session: Session, message: Message, _now: datetime) -> None:
        told.append(message.id)
        if len(told) == 1:
            settling.append(1)

    assert deliver(engine, mailbox, tmp_path, on_sent=on_sent) == {Is.SENT: 1}
    assert the_message(engine, message_id).state is Is.SENT
    assert len(told) == (1 if commits else 2)  # its effect is there once


def test_senders_and_those_who_take_back_do_not_wait_for_each_other(
    engine: Engine, tmp_path: Path
) -> None:
    for n in range(6):
        ready_resolution(engine, f"c{n}@customer.test")

    def takes_back() -> None:
        for loop_id in range(1, 7):
            with transaction(engine) as session:
                messages.cancel(session, loop_id=loop_id, reason="duplicate", now=NOW)

    threads = [threading.Thread(target=takes_back)] + [
        threading.Thread(
            target=deliver,
            args=(engine, MailboxChannel(tmp_path / "mailbox"), tmp_path),
            kwargs={"sender_id": f"s{n}"},
        )
        for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(states(engine)) <= {Is.SENT, Is.CANCELLED}
    with transaction(engine) as session:
        assert event_chain(session) is None
