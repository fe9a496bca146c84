"""Senders that die, pause and overlap: at most one mail a message, and nothing lost in silence."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from notifications.channel import Capability, Envelope
from notifications.mailbox import MailboxChannel
from notifications.recovery import recover
from notifications.senders import SenderLock, is_dead, new_sender_id
from notifications.smtp import SmtpChannel
from tests.outbox_cases import (
    NOW,
    deliver,
    everywhere,
    make_engine,
    ready_resolution,
    states,
    the_message,
)
from tests.smtp_fakes import FaultySmtpServer
from voc.errors import ConfigurationError, IllegalTransitionError
from voc.models import MessageState as Is
from voc.settings import SmtpSettings
from voc.store import messages, outbox
from voc.store.database import transaction


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def server() -> Iterator[FaultySmtpServer]:
    with FaultySmtpServer() as server:
        yield server


def smtp(server: FaultySmtpServer) -> SmtpChannel:
    return SmtpChannel(SmtpSettings(host="127.0.0.1", port=server.port, reply_timeout_s=5))


class KilledError(BaseException):
    """No `except Exception` catches it: as good as a dead process, without one."""


class DiesAt(MailboxChannel):
    """A mailbox whose process ends at one point of a delivery."""

    def __init__(self, folder: Path, point: str) -> None:
        super().__init__(folder)
        self.point = point

    def prepare(self, mail: Envelope) -> None:
        self._maybe_die("claimed")

    def hand_over(self, mail: Envelope) -> str:
        self._maybe_die("sending")
        told = super().hand_over(mail)
        self._maybe_die("handed over")
        return told

    def _maybe_die(self, point: str) -> None:
        if point == self.point:
            raise KilledError


class LikeSmtp(DiesAt):
    """Dies like a mailbox, and cannot say what it has."""

    def capability_of(self, route: str) -> Capability:
        return Capability.NEITHER

    def look_up(self, route: str, mail: Envelope) -> str | None:
        return None


@pytest.mark.parametrize(
    ("point", "found", "unknowable"),
    [
        ("claimed", Is.QUEUED, Is.QUEUED),
        ("sending", Is.QUEUED, Is.UNKNOWN),
        ("handed over", Is.SENT, Is.UNKNOWN),
    ],
)
def test_what_a_dead_sender_left_is_put_right_by_what_is_certain(
    engine: Engine, tmp_path: Path, point: str, found: Is, unknowable: Is
) -> None:
    for kind, expected in ((DiesAt, found), (LikeSmtp, unknowable)):
        message_id = ready_resolution(engine, f"{kind.__name__}@customer.test")
        channel = kind(tmp_path / "mailbox", point)
        told: list[int | None] = []
        with pytest.raises(KilledError):
            deliver(engine, channel, tmp_path)
        recovered = recover(
            engine,
            tmp_path / "locks",
            channels=everywhere(channel),
            now=NOW,
            on_sent=lambda _s, m, _n: told.append(m.id),  # noqa: B023  (called at once)
        )
        assert recovered == {expected: 1}
        assert the_message(engine, message_id).state is expected
        assert told == ([message_id] if expected is Is.SENT else [])
        deliver(engine, MailboxChannel(tmp_path / "mailbox"), tmp_path)
    names = [path.name for path in (tmp_path / "mailbox").glob("*/*.eml")]
    assert len(names) == len(set(names))


def test_a_death_while_settling_leaves_the_message_in_doubt(
    engine: Engine, server: FaultySmtpServer, tmp_path: Path
) -> None:
    def dies(*_args: object) -> None:
        raise KilledError

    message_id = ready_resolution(engine)
    channel = smtp(server)
    with pytest.raises(KilledError):
        deliver(engine, channel, tmp_path, on_sent=dies)
    assert recover(engine, tmp_path / "locks", channels=everywhere(channel), now=NOW) == {
        Is.UNKNOWN: 1
    }
    assert deliver(engine, channel, tmp_path) == {}
    assert the_message(engine, message_id).reason == "its sender died while handing it over by smtp"
    assert len(server.stored) == 1


KILLED_IN_HAND_OVER = """
import os, signal, sys
from pathlib import Path
from notifications.mailbox import MailboxChannel
from tests.outbox_cases import deliver, make_engine

class Channel(MailboxChannel):
    def hand_over(self, mail):
        if sys.argv[2] == "after":
            super().hand_over(mail)
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
deliver(make_engine(folder), Channel(folder / "mailbox"), folder, sender_id="killed")
"""


@pytest.mark.parametrize(("point", "state"), [("before", Is.QUEUED), ("after", Is.SENT)])
def test_a_process_killed_in_mid_delivery_sends_nothing_twice(
    engine: Engine, tmp_path: Path, point: str, state: Is
) -> None:
    message_id = ready_resolution(engine)
    command = [sys.executable, "-c", KILLED_IN_HAND_OVER, str(tmp_path), point]
    root = Path(__file__).parents[2]
    killed = subprocess.run(command, cwd=root, check=False, env={**os.environ, "PYTHONPATH": "."})
    assert killed.returncode == -signal.SIGKILL
    assert the_message(engine, message_id).state is Is.SENDING
    mailbox = MailboxChannel(tmp_path / "mailbox")
    assert recover(engine, tmp_path / "locks", channels=everywhere(mailbox), now=NOW) == {state: 1}
    deliver(engine, mailbox, tmp_path)
    assert the_message(engine, message_id).state is Is.SENT
    assert len(list((tmp_path / "mailbox").glob("*/*.eml"))) == 1


def test_two_senders_at_once_deliver_each_message_once(
    engine: Engine, server: FaultySmtpServer, tmp_path: Path
) -> None:
    for n in range(12):
        ready_resolution(engine, f"c{n}@customer.test")
    counts: Counter[Is] = Counter()

    def work(sender_id: str) -> None:
        own = make_engine(tmp_path)
        counts.update(deliver(own, smtp(server), tmp_path, sender_id=sender_id))
        own.dispose()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == {Is.SENT: 12}
    assert sorted(Counter(server.recipients).values()) == [1] * 12


def test_a_sender_that_is_alive_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    class AsksForRecovery(MailboxChannel):
        def hand_over(self, mail: Envelope) -> str:
            other = MailboxChannel(tmp_path / "mailbox")
            assert (
                recover(
                    engine,
                    tmp_path / "locks",
                    channels=everywhere(other),
                    now=NOW,
                )
                == {}
            )
            return super().hand_over(mail)

    ready_resolution(engine)
    assert deliver(engine, AsksForRecovery(tmp_path / "mailbox"), tmp_path) == {Is.SENT: 1}


def test_a_paused_sender_that_lost_its_claim_hands_nothing_over(
    engine: Engine, server: FaultySmtpServer, tmp_path: Path
) -> None:
    class PausedWhilePreparing(SmtpChannel):
        def prepare(self, mail: Envelope) -> None:
            super().prepare(mail)
            with transaction(engine) as session:  # someone took it for dead
                (claimed,) = outbox.in_flight(session)
                messages.move(session, claimed, Is.QUEUED, now=NOW)
            deliver(engine, smtp(server), tmp_path, sender_id="other")

    ready_resolution(engine)
    settings = SmtpSettings(host="127.0.0.1", port=server.port)
    deliver(engine, PausedWhilePreparing(settings), tmp_path)
    assert states(engine) == {Is.SENT: 1}
    assert len(server.stored) == 1


def test_a_sender_that_was_taken_for_dead_may_still_say_that_it_sent(
    engine: Engine, server: FaultySmtpServer, tmp_path: Path
) -> None:
    class TakenForDead(SmtpChannel):
        def hand_over(self, mail: Envelope) -> str:
            told = super().hand_over(mail)
            with transaction(engine) as session:
                (sending,) = outbox.in_flight(session)
                messages.move(session, sending, Is.UNKNOWN, reason="its sender died", now=NOW)
            return told

    message_id = ready_resolution(engine)
    told: list[int | None] = []
    settings = SmtpSettings(host="127.0.0.1", port=server.port)
    deliver(engine, TakenForDead(settings), tmp_path, on_sent=lambda _s, m, _n: told.append(m.id))
    assert states(engine) == {Is.SENT: 1}
    assert told == [message_id]


def test_a_person_decides_about_what_is_in_doubt(
    engine: Engine, server: FaultySmtpServer, tmp_path: Path
) -> None:
    message_id = ready_resolution(engine, "dropped_before_storing@customer.test")
    deliver(engine, smtp(server), tmp_path)
    with transaction(engine) as session, pytest.raises(IllegalTransitionError):
        outbox.resolve_unknown(session, message_id, Is.CANCELLED, reason="r", now=NOW)
    with transaction(engine) as session:
        assert outbox.resolve_unknown(session, message_id, Is.QUEUED, reason="r", now=NOW)
        assert not outbox.resolve_unknown(session, message_id, Is.ABANDONED, reason="r", now=NOW)
    assert deliver(engine, MailboxChannel(tmp_path / "mailbox"), tmp_path) == {Is.SENT: 1}


def test_the_same_sender_does_not_start_twice(tmp_path: Path) -> None:
    with (
        SenderLock(tmp_path, "one"),
        pytest.raises(ConfigurationError, match="is at work already"),
        SenderLock(tmp_path, "one"),
    ):
        pass  # pragma: no cover
    with SenderLock(tmp_path, "one"):
        assert not is_dead(tmp_path, "one")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_that_was_tidied_away_proves_nothing(tmp_path: Path) -> None:
    sender_id = new_sender_id()
    with SenderLock(tmp_path, sender_id):
        next(tmp_path.iterdir()).unlink()
        assert not is_dead(tmp_path, sender_id)
    assert not is_dead(tmp_path, "another-machine.1.abcd")
    host = sender_id.rsplit(".", 2)[0]
    with subprocess.Popen(["true"]) as ended:
        pass
    time.sleep(0)
    assert is_dead(tmp_path, f"{host}.{ended.pid}.abcd")
