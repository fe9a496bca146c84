"""The outbox on PostgreSQL: claims that skip locked rows, and looks that wait for opt-outs."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlmodel import SQLModel

from notifications.channel import Envelope
from notifications.mailbox import MailboxChannel
from notifications.outbox import recover
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
from voc.models import MessageState as Is
from voc.rules.pseudonym import pseudonym
from voc.store import contact, messages
from voc.store.database import transaction, with_manners

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
