"""A stage that is killed in the middle, and run again: each message once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.settings import get_current_settings
from sqlmodel import col, select

from flows.collect import collect
from flows.follow_up import follow_up
from flows.route import route
from flows.understand import understand
from notifications.channel import Envelope
from notifications.mailbox import MailboxChannel
from tasks import follow_up as follow_up_tasks
from tasks.workplace import workplace
from tests.outbox_cases import everywhere
from voc.models import Message, MessageState
from voc.settings import Settings
from voc.store.database import transaction

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_server")]

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KILLED_AFTER = 3
RUN = "from tests.flows.test_killed import be_killed; be_killed()"


class Ledger(MailboxChannel):
    """A mailbox that writes down every mail it is given, and may be the end of its process."""

    def __init__(self, settings: Settings, deadly_mail: int | None = None) -> None:
        super().__init__(settings.mailbox)
        self.path = settings.home / "handed_over"
        self.deadly_mail = deadly_mail

    def hand_over(self, mail: Envelope) -> str:
        told = super().hand_over(mail)
        with self.path.open("a") as ledger:
            ledger.write(f"{mail.message_id}\n")
        if len(self.handed_over()) == self.deadly_mail:
            os.kill(os.getpid(), signal.SIGKILL)  # it has the mail, and we do not know it
        return told

    def handed_over(self) -> list[str]:
        return self.path.read_text().split()


def be_killed() -> None:
    """Run the stage with a channel that kills its process. In a process of its own."""
    follow_up_tasks.open_channels = lambda settings: everywhere(
        Ledger(settings, deadly_mail=KILLED_AFTER)
    )
    follow_up(now=NOW)


def states() -> list[MessageState]:
    with transaction(workplace().engine) as session:
        return list(session.exec(select(col(Message.state))))


def test_a_stage_that_is_killed_while_it_sends_sends_each_message_once(
    found_company: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = found_company()
    for stage in (collect, understand, route):
        stage(now=NOW)

    api = get_current_settings().api.url
    killed = subprocess.run(
        [sys.executable, "-c", RUN],
        env=os.environ | {"PREFECT_API_URL": str(api), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert len((home / "handed_over").read_text().split()) == KILLED_AFTER
    assert MessageState.SENDING in states()

    monkeypatch.setattr(follow_up_tasks, "open_channels", lambda s: everywhere(Ledger(s)))
    follow_up(now=NOW)

    handed_over = (home / "handed_over").read_text().split()
    assert len(handed_over) == len(set(handed_over)) > KILLED_AFTER
    assert states().count(MessageState.SENT) == len(handed_over)
    assert not {MessageState.CLAIMED, MessageState.SENDING, MessageState.QUEUED} & set(states())
