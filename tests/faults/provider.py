"""The other side, in a process of its own: a mail server that writes down what it really stored."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.faults import children
from tests.smtp_fakes import FaultySmtp, FaultySmtpServer

MIX: Mapping[str, float] = MappingProxyType(
    {
        "rcpt_450": 0.03,
        "rcpt_dropped": 0.02,
        "cut_before_354": 0.02,
        "cut_in_the_body": 0.01,
        "data_451": 0.03,
        "data_554": 0.01,
        "dropped_before_storing": 0.02,
        "dropped_after_storing": 0.02,
        "hangs_after_storing": 0.01,
        "garbage_after_storing": 0.01,
        "half_a_reply_after_storing": 0.01,
    }
)
"""How often what goes wrong with a mail: 19 % of all."""
REPLY_LOST = frozenset(
    {
        "cut_before_354",
        "cut_in_the_body",
        "dropped_before_storing",
        "dropped_after_storing",
        "hangs_after_storing",
        "garbage_after_storing",
        "half_a_reply_after_storing",
    }
)
"""After these nobody on our side can know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One line of the provider's log."""

    what: str
    """``stored``, or the name of what went wrong."""
    recipient: str
    message_id: str = ""
    at_ns: int
    """On the monotonic clock, which all processes of a machine share."""


@dataclass(frozen=True, slots=True)
class Provider:
    """How its clients see it."""

    port: int
    log: Path

    def entries(self) -> list[Stored]:
        if not self.log.exists():
            return []
        return [Stored(**json.loads(line)) for line in self.log.read_text().splitlines()]

    def forget(self) -> None:
        self.log.unlink(missing_ok=True)

    def settle(self) -> None:
        """Wait until the server has done with all who called before: what it has now, it has."""
        with socket.create_connection(("127.0.0.1", self.port)) as caller:
            answers = caller.makefile("rb")
            answers.readline()
            caller.sendall(b"SETTLE\r\n")
            assert answers.readline().startswith(b"250")


@contextmanager
def provider(
    log: Path,
    mix: Mapping[str, float] = MappingProxyType({}),
    seed: int = 0,
    slow_s: float = 0,
) -> Iterator[Provider]:
    """A mail server in a child process.

    Args:
        mix: What goes wrong, and how often.
        slow_s: How long it takes for a mail at most: half before it stores it, half after.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        server = _Server(log, mix, random.Random(seed), slow_s)
        with children.alive(lambda: _serve(listener, server)):
            listener.close()
            yield Provider(port, log)


def _serve(listener: socket.socket, server: _Server) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: _Conversation(server, loop=loop), sock=listener)
        await asyncio.Event().wait()

    asyncio.run(work())


class _Server(FaultySmtpServer):
    def __init__(
        self, log: Path, mix: Mapping[str, float], rng: random.Random, slow_s: float
    ) -> None:
        super().__init__()
        self.log, self.mix, self.rng, self.slow_s = log, mix, rng, slow_s
        self.callers = 0
        self.drawn: dict[str, str] = {}

    def fault_of(self, address: str | None) -> str:
        return self.drawn.get(address or "", "ok")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        names = [*self.mix, "ok"]
        weights = [*self.mix.values(), 1 - sum(self.mix.values())]
        self.drawn[address] = fault = self.rng.choices(names, weights)[0]
        if fault != "ok":
            write_entry(self.log, fault, address)
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.rng.uniform(0, self.slow_s / 2))
        told = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(self.rng.uniform(0, self.slow_s / 2))
        return told

    def _store(self, envelope: Envelope) -> None:
        super()._store(envelope)
        write_entry(self.log, "stored", envelope.rcpt_tos[0], self.stored[-1])


def write_entry(log: Path, what: str, recipient: str, message_id: str = "") -> None:
    """Add a line to a provider's log."""
    line = {
        "what": what,
        "recipient": recipient,
        "message_id": message_id,
        "at_ns": time.monotonic_ns(),
    }
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, json.dumps(line).encode() + b"\n")
    os.close(descriptor)


class _Conversation(FaultySmtp):
    def __init__(self, server: _Server, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, hostname="mx.test", enable_SMTPUTF8=True, loop=loop)
        self._server = server

    def connection_made(self, transport: Any) -> None:
        self._server.callers += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.callers -= 1
        super().connection_lost(error)

    async def smtp_SETTLE(self, _arg: str | None) -> None:
        """Answer when nobody else is there any more."""
        while self._server.callers > 1:
            await asyncio.sleep(0.001)
        await self.push("250 settled")
