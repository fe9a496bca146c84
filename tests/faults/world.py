"""All that is outside of the shop, as one: mail going out and coming in, text messages, posts."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from urllib.request import urlopen

from rehearsal.fakes.mastodon import FakeMastodon
from rehearsal.fakes.server import Answer, Asked
from rehearsal.fakes.twilio import FakeTwilio
from tests.faults import children
from tests.faults.letterbox import serve_letterbox
from tests.faults.provider import Provider, provider, write_entry

SETTLE, FORGET = "/settle", "/forget"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How the shop reaches it."""

    smtp: Provider
    letterbox: int
    """The port of an IMAP server."""
    urls: Mapping[str, str]
    """Of posts and of text messages."""

    def forget(self) -> None:
        """Nothing of earlier runs has ever come."""
        self.smtp.forget()
        self._ask(FORGET)

    def settle(self) -> None:
        """Wait until all have done with whom they talked to: what they have now, they have."""
        self.smtp.settle()
        self._ask(SETTLE)

    def _ask(self, path: str) -> None:
        with urlopen(f"{self.urls['twilio']}{path}") as answer:  # noqa: S310  (our own)
            answer.read()

    def received(self) -> list[str]:
        """Of each message that came: its Message-ID, or the digest of a text's words."""
        return [entry.message_id for entry in self.smtp.entries() if entry.what == "stored"]


@contextmanager
def world(folder: Path, home: Path) -> Iterator[World]:
    """Servers in child processes. The mails that come in are read in *home*."""
    log = folder / "received"
    letters, letters_there = Pipe()
    web, web_there = Pipe()
    with (
        provider(log) as smtp,
        children.alive(lambda: serve_letterbox(home / "letters", letters_there.send)),
        children.alive(lambda: _serve_web(log, web_there.send)),
    ):
        yield World(smtp=smtp, letterbox=letters.recv(), urls=web.recv())


def by_mail(world: World) -> dict[str, str]:
    """Mails leave for real."""
    return to_server(world.smtp) | {"SMTP__REPLY_TIMEOUT_S": "0.5"}


def to_server(smtp: Provider) -> dict[str, str]:
    return {
        "DELIVERY": "live",
        "PUBLIC_URL": "https://feedback.corner.example",
        "SMTP__HOST": "127.0.0.1",
        "SMTP__PORT": str(smtp.port),
    }


def by_text(world: World) -> dict[str, str]:
    """Text messages do, too."""
    return by_mail(world) | {
        "TWILIO__ACCOUNT_SID": "AC123",
        "TWILIO__AUTH_TOKEN": "token",
        "TWILIO__SENDER": "+441234567890",
        "TWILIO__BASE_URL": world.urls["twilio"],
        "TWILIO__TIMEOUT_S": "0.5",
    }


def with_letterbox(world: World) -> dict[str, str]:
    """Mail comes in."""
    return {
        "REPLY_ADDRESS": "care@corner.example",
        "IMAP__HOST": "127.0.0.1",
        "IMAP__PORT": str(world.letterbox),
        "IMAP__SECURITY": "none",
        "IMAP__USERNAME": "care",
        "IMAP__PASSWORD": "secret",
        "IMAP__TIMEOUT_S": "2",
    }


def _serve_web(log: Path, tell: Callable[[dict[str, str]], object]) -> None:
    with (
        FakeMastodon() as none,
        FakeMastodon() as some,
        FakeMastodon() as changed,
        _Twilio(log) as twilio,
    ):
        for fake in (some, changed):
            first = fake.post(1, "my parcel was late")
            fake.post(2, "courier was rude", acct="lee@x.social")
            third = fake.post(3, "refund is wrong", acct="ana@x.social")
        changed.edit(first.id, "my parcel was very late", 50)
        changed.delete(third.id)
        changed.post(60, "perfect, thanks", acct="max@x.social")
        fakes = {"none": none, "some": some, "changed": changed, "twilio": twilio}
        tell({name: fake.url for name, fake in fakes.items()})
        threading.Event().wait()


class _Twilio(FakeTwilio):
    """Writes down what it took, and can be waited for."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log

    def respond(self, asked: Asked) -> Answer:
        if asked.path == SETTLE:
            # Who called before has a thread until they are gone.
            while sum("process_request" in each.name for each in threading.enumerate()) > 1:
                time.sleep(0.001)
            return Answer(200, {})
        if asked.path == FORGET:
            self.taken.clear()
            return Answer(200, {})
        before = len(self.taken)
        answer = super().respond(asked)
        for sms in self.taken[before:]:
            write_entry(self._log, "stored", sms.to, text_digest(sms.body))
        return answer


def text_digest(words: str) -> str:
    """What stands for a text message where mails have their Message-ID."""
    return hashlib.sha256(words.encode()).hexdigest()
