"""An older copy of the database is put back: nothing leaves until a person has looked."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from notifications.channel import Capability
from notifications.mailbox import MailboxChannel
from notifications.reconciling import Reconciled, reconcile
from tests.outbox_cases import (
    NOW,
    SECRET,
    add_customer,
    add_loop,
    deliver,
    everywhere,
    make_company,
    make_engine,
    plan_follow_up,
    queue,
    ready_resolution,
    save_consent,
    states,
    the_message,
)
from voc.actions import doubt, restoring
from voc.actions.restoring import HANDED_OVER
from voc.journal import Journal, message_digest
from voc.models import Message, TicketEvent, TicketEventKind
from voc.models import MessageState as Is
from voc.store import books
from voc.store.database import transaction

HOUR = timedelta(hours=1)


class Mute(MailboxChannel):
    """Takes everything, and can be asked about nothing."""

    def capability_of(self, route: str) -> Capability:
        return Capability.NEITHER


class Backup:
    """The database and the journal of one home, and a copy of the former."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.engine = make_engine(home)
        self.journal = Journal(home / "journal")

    def make(self) -> None:
        self.engine.dispose()
        shutil.copy(self.home / "voc.db", self.home / "copy.db")

    def put_back(self) -> Engine:
        self.engine.dispose()
        for path in self.home.glob("voc.db*"):
            path.unlink()
        shutil.copy(self.home / "copy.db", self.home / "voc.db")
        return self.engine

    def drain(self, channel: MailboxChannel | None = None) -> dict[Is, int]:
        queue(self.engine, journal=self.journal, now=NOW + HOUR)
        return deliver(self.engine, channel or self.mute, self.home, now=NOW + HOUR)

    @property
    def mute(self) -> Mute:
        return Mute(self.home / "mailbox")

    def compare(self, channel: MailboxChannel | None = None) -> Reconciled:
        return reconcile(
            self.engine,
            self.journal,
            everywhere(channel or self.mute),
            company=make_company(),
            secret=SECRET,
            now=NOW + HOUR,
        )

    def looked(self) -> None:
        with transaction(self.engine) as session:
            restoring.finish(session, self.journal, actor="kim", now=NOW + HOUR)

    def problems(self) -> list[str]:
        with transaction(self.engine) as session:
            found = books.books(session, self.journal, secret=SECRET)
        return [str(finding) for finding in found.findings]

    def mails(self) -> int:
        return len(list((self.home / "mailbox").glob("*/*.eml")))


@pytest.fixture
def backup(tmp_path: Path) -> Iterator[Backup]:
    backup = Backup(tmp_path)
    yield backup
    backup.engine.dispose()


def test_what_left_after_the_backup_is_not_sent_again(backup: Backup) -> None:
    ready_resolution(backup.engine, "before@customer.test")
    assert backup.drain() == {Is.SENT: 1}
    queued = ready_resolution(backup.engine, "queued@customer.test")
    planned = plan_of(backup, "planned@customer.test")
    waits = plan_of(backup, "later@customer.test", NOW + 2 * HOUR)
    backup.make()
    assert backup.drain() == {Is.SENT: 2}

    backup.put_back()
    assert backup.drain() == {}  # nothing at all
    assert states(backup.engine) == {Is.SENT: 1, Is.UNKNOWN: 1, Is.PLANNED: 2}
    found = backup.compare()
    assert found == Reconciled(forgotten=2, handed_over=[queued, planned])
    assert backup.drain() == {}  # not yet
    backup.looked()
    assert backup.drain() == {}
    assert {the_message(backup.engine, m).reason for m in (queued, planned)} == {HANDED_OVER}
    assert the_message(backup.engine, waits).state is Is.PLANNED
    assert (backup.mails(), backup.problems()) == (3, [])


def plan_of(backup: Backup, address: str, not_before: datetime = NOW) -> int:
    customer_id = add_customer(backup.engine, address)
    loop_id, _ = add_loop(backup.engine, customer_id)
    return plan_follow_up(backup.engine, loop_id, customer_id, not_before=not_before)


def test_what_the_way_can_prove_is_sent_and_the_rest_waits_for_a_person(backup: Backup) -> None:
    first = ready_resolution(backup.engine, "first@customer.test")
    backup.make()
    mailbox = MailboxChannel(backup.home / "mailbox")
    backup.drain(mailbox)
    backup.put_back()
    new = ready_resolution(backup.engine, "new@customer.test")  # since, and seen by nobody yet
    backup.drain(mailbox)
    assert states(backup.engine) == {Is.UNKNOWN: 2}
    with transaction(backup.engine) as session:
        session.get_one(Message, first).route = "mailbox"  # the copy was made while SENDING
    found = backup.compare(mailbox)
    assert found == Reconciled(forgotten=1, sent=[first], not_known=[new])
    backup.looked()
    with transaction(backup.engine) as session:
        doubt.settle(session, new, Is.QUEUED, now=NOW, actor="kim")
    assert backup.drain(mailbox) == {Is.SENT: 1}
    assert (backup.mails(), backup.problems()) == (2, [])


def test_what_is_planned_anew_with_other_numbers_is_known_by_its_words(backup: Backup) -> None:
    backup.make()
    ready_resolution(backup.engine)
    assert backup.drain() == {Is.SENT: 1}
    backup.put_back()
    assert backup.drain() == {}
    backup.compare()
    backup.looked()
    add_customer(backup.engine, "someone@else.test")
    customer_id = add_customer(backup.engine)
    loop_id, _ = add_loop(backup.engine, customer_id)
    message_id = plan_follow_up(backup.engine, loop_id, customer_id, step="resolution.1")
    assert queue(backup.engine, journal=backup.journal) == {Is.UNKNOWN: 1}
    assert the_message(backup.engine, message_id).reason == HANDED_OVER
    with transaction(backup.engine) as session:
        assert doubt.settle(session, message_id, Is.QUEUED, now=NOW, actor="kim") is Is.QUEUED
    assert backup.drain() == {Is.SENT: 1}  # a person said so


def test_what_a_person_lets_go_that_was_never_written_is_written_and_not_doubted_again(
    backup: Backup,
) -> None:
    planned = plan_of(backup, "planned@customer.test")
    backup.make()
    backup.drain()
    backup.put_back()
    backup.drain()
    assert backup.compare().handed_over == [planned]
    backup.looked()
    with transaction(backup.engine) as session:
        assert doubt.settle(session, planned, Is.QUEUED, now=NOW, actor="kim") is Is.PLANNED
    assert backup.drain() == {Is.SENT: 1}


def test_a_restore_is_noticed_once_and_stands_in_the_ledger(backup: Backup) -> None:
    backup.make()
    ready_resolution(backup.engine)
    backup.drain()
    backup.put_back()
    for _ in range(3):
        backup.drain()
    with transaction(backup.engine) as session:
        assert details(session) == ["found:1"]
    backup.compare()
    backup.looked()
    backup.drain()
    with transaction(backup.engine) as session:
        assert details(session) == ["found:1", "reconciled"]


def details(session: Session) -> list[str]:
    query = select(TicketEvent).where(TicketEvent.kind == TicketEventKind.RESTORED)
    return [event.detail for event in session.exec(query)]


def test_a_database_that_nobody_put_back_is_believed(backup: Backup) -> None:
    for n in range(3):
        ready_resolution(backup.engine, f"c{n}@customer.test")
        assert backup.drain() == {Is.SENT: 1}
    assert backup.compare() == Reconciled()
    assert backup.problems() == []


def test_the_same_words_are_not_said_twice_unless_a_loop_waits_for_them(backup: Backup) -> None:
    customer_id = add_customer(backup.engine)
    steps = ("receipt", "receipt", "resolution.1", "resolution.1")
    for n, step in enumerate(steps):
        loop_id, _ = add_loop(backup.engine, customer_id, verbatim="Cold soup." + " " * n)
        plan_follow_up(backup.engine, loop_id, customer_id, step=step)
        backup.drain()
    assert states(backup.engine) == {Is.SENT: 3, Is.CANCELLED: 1}
    cancelled = the_message(backup.engine, state=Is.CANCELLED)
    assert (cancelled.template, cancelled.reason) == ("receipt", "same_words")


def test_books_that_do_not_balance_say_where(backup: Backup) -> None:
    message_id = ready_resolution(backup.engine)
    other_id = ready_resolution(backup.engine, "lee@customer.test")
    backup.drain()
    assert backup.problems() == []
    with transaction(backup.engine) as session:
        save_consent(session, 1, granted=False, at=NOW)
        session.get_one(Message, other_id).sending_at = None
        sent = session.get_one(Message, message_id)
        head = restoring.head_of(session)
        digest = message_digest(sent.message_id or "")
    backup.journal.hand_over(head, digest, "", NOW)
    problems = " ".join(backup.problems())
    assert f"handed over: message {message_id}: 2 times" in problems
    assert "the journal has 1 that no message here was" in problems
