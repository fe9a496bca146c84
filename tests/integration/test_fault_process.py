"""Processes that end, run twice, or run out of memory; clocks that jump."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from notifications.channel import Envelope
from notifications.mailbox import MailboxChannel
from notifications.recovery import recover
from tasks import understand
from tasks.workplace import workplace
from tests.outbox_cases import NOW, deliver, everywhere, make_engine, ready_resolution, states
from tests.story import Story, fake_models, write_company
from voc.errors import VocError
from voc.models import Feedback, FeedbackState, Message
from voc.models import MessageState as Is

LATE = "The parcel came late."
MEGABYTE = 2**20


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    write_company(home)
    place = workplace()
    models = fake_models(place.company)
    monkeypatch.setattr(understand, "build_models", lambda _company: models)
    return Story(place)


class StopsInMidSend(MailboxChannel):
    """Asks its own process to end, politely, while a mail is being handed over."""

    def hand_over(self, mail: Envelope) -> str:
        told = super().hand_over(mail)
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()  # the default action needs no help from us
        return told


def test_a_sender_that_is_asked_to_end_sends_nothing_more_and_nothing_twice(
    engine: Engine, tmp_path: Path
) -> None:
    for n in range(3):
        ready_resolution(engine, f"c{n}@customer.test")
    engine.dispose()
    if (child := os.fork()) == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        deliver(make_engine(tmp_path), StopsInMidSend(tmp_path / "mailbox"), tmp_path)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGTERM
    assert states(engine) == {Is.SENDING: 1, Is.QUEUED: 2}
    mailbox = MailboxChannel(tmp_path / "mailbox")
    assert recover(engine, tmp_path / "locks", channels=everywhere(mailbox), now=NOW) == {
        Is.SENT: 1
    }
    assert deliver(engine, mailbox, tmp_path) == {Is.SENT: 2}
    assert len(list((tmp_path / "mailbox").glob("*/*.eml"))) == 3


def test_the_same_stages_at_the_same_minute_do_everything_once(shop: Story) -> None:
    for n in range(4):
        shop.says(LATE, rating=2, email=f"c{n}@example.com")
    failed: list[BaseException] = []
    begin = threading.Barrier(2)

    def run() -> None:
        try:
            begin.wait(10)
            shop.runs()
        except BaseException as exc:  # noqa: BLE001  (told below)
            failed.append(exc)

    runs = [threading.Thread(target=run) for _ in range(2)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    shop.runs()
    assert failed == []
    assert len(shop.mails(to="@example.com")) == 4
    keys = [(m.subject, m.step, m.recipient) for m in shop.rows(Message)]
    assert len(keys) == len(set(keys))
    assert shop.broken_books() == []


def test_a_model_that_runs_out_of_memory_loses_nothing(
    shop: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real limit, in a child: what could not be read waits for a run that has the memory."""
    shop.says(LATE, rating=2)
    shop.place.engine.dispose()

    def hungry(*_args: object, **_more: object) -> object:
        return bytearray(4096 * MEGABYTE)

    if (child := os.fork()) == 0:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + 512 * MEGABYTE,) * 2)
        monkeypatch.setattr(understand, "understand", hungry)
        try:
            understand.understand_range.fn(0, 10**9)
        except VocError as exc:
            os._exit(7 if "MemoryError" in str(exc) else 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert [f.state for f in shop.rows(Feedback)] == [FeedbackState.COLLECTED]
    shop.runs()
    assert [f.state for f in shop.rows(Feedback)] == [FeedbackState.ROUTED]


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=1)])
def test_a_clock_that_jumps_sends_nothing_twice(shop: Story, jump: timedelta) -> None:
    shop.says(LATE, rating=2)
    shop.runs()
    shop.now += jump
    shop.runs()
    assert len(shop.mails(to="kim@example.com")) == 1
    shop.now -= jump
    shop.resolves(shop.ticket())
    shop.runs()
    assert len(shop.mails(to="kim@example.com")) == 2
    assert shop.broken_books() == []
