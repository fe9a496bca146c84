"""A mail server that behaves, and misbehaves: a real SMTP conversation on a free local port."""

from __future__ import annotations

import asyncio
import threading
from email import message_from_bytes
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

GREETING = {"greeting_421", "greeting_dropped"}
AT_MAIL = {"mail_451", "mail_421", "mail_530", "mail_552", "mail_dropped"}
AT_RCPT = {
    "rcpt_450": "450 4.2.0 greylisted",
    "rcpt_450_in_an_hour": "450 4.2.0 greylisted, try again in 60 minutes",
    "rcpt_550": "550 5.1.1 no such user",
    "rcpt_550_policy": "550 5.7.1 we do not know you",
    "rcpt_552_full": "552 5.2.2 mailbox full",
}
AT_DATA = {
    "data_451": "451 4.3.0 local error",
    "data_552": "552 5.3.4 too big",
    "data_554": "554 5.7.1 spam",
    "data_garbage_unstored": "xyz not smtp",
}


class FaultySmtpServer:
    """Does one thing wrong with each mail: what its recipient's local part names, or `fault`.

    `stored` holds the Message-ID of every mail that a recipient would find in their inbox, in
    order: what the server said about it, if anything, is another matter.
    """

    def __init__(self) -> None:
        self.fault = "ok"
        self.stored: list[str] = []
        self.contents: list[bytes] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.mails_a_connection: int | None = None
        self._lock = threading.Lock()
        self._controller = _OnAnyFreePort(self, hostname="127.0.0.1", port=0)

    @property
    def port(self) -> int:
        return self._controller.port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._controller.stop()

    def fault_of(self, address: str | None) -> str:
        local = (address or "").split("@")[0].split("+")[0]
        known = {*AT_RCPT, *AT_DATA, *HANDLED_BELOW}
        return local if local in known else self.fault

    async def handle_MAIL(
        self, server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.fault == "mail_dropped":
            server.transport.abort()
        if self.fault in AT_MAIL:
            return f"{self.fault.removeprefix('mail_')} 4.3.0 not now"
        session.mails = getattr(session, "mails", 0) + 1
        if self.mails_a_connection is not None and session.mails > self.mails_a_connection:
            return "421 4.7.0 enough for this connection"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        fault = self.fault_of(address)
        if fault == "rcpt_dropped":
            server.transport.abort()
        if fault in AT_RCPT:
            return AT_RCPT[fault]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        fault = self.fault_of(envelope.rcpt_tos[0])
        if fault in AT_DATA:
            return AT_DATA[fault]
        if fault == "dropped_before_storing":
            server.transport.abort()
            return "250 never read"
        self._store(envelope)
        if fault == "dropped_after_storing":
            server.transport.abort()
        if fault == "hangs_after_storing":
            await asyncio.sleep(1)
            server.transport.abort()
        if fault == "garbage_after_storing":
            return "xyz not smtp"
        if fault == "half_a_reply_after_storing":
            server.transport.write(b"25")
            server.transport.close()
        if fault == "dropped_at_quit":
            asyncio.get_running_loop().call_later(0.02, server.transport.abort)
        return "250 2.0.0 queued"

    def _store(self, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        with self._lock:
            self.stored.append(str(message_from_bytes(content)["Message-ID"]))
            self.contents.append(content)
            self.recipients.extend(envelope.rcpt_tos)


HANDLED_BELOW = {
    "rcpt_dropped",
    "cut_before_354",
    "cut_in_the_body",
    "dropped_before_storing",
    "dropped_after_storing",
    "hangs_after_storing",
    "garbage_after_storing",
    "half_a_reply_after_storing",
    "dropped_at_quit",
}


class FaultySmtp(SMTP):
    async def _handle_client(self) -> None:
        server: FaultySmtpServer = self.event_handler
        server.connections += 1
        if server.fault == "greeting_421":
            await self.push("421 4.3.2 not today")
        if server.fault in GREETING:
            self.transport.abort() if server.fault == "greeting_dropped" else self.transport.close()
            return
        await super()._handle_client()

    async def smtp_DATA(self, arg: str) -> None:
        recipient = self.envelope.rcpt_tos[0] if self.envelope.rcpt_tos else None
        fault = self.event_handler.fault_of(recipient)
        if fault == "cut_in_the_body":
            await self.push("354 go on")
            await asyncio.sleep(0.02)
        if fault in {"cut_in_the_body", "cut_before_354"}:
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class _OnAnyFreePort(Controller):
    """aiosmtpd 1.4.6 connects to the port it was *asked* for, which fails for port 0."""

    def factory(self) -> SMTP:
        return FaultySmtp(self.handler, hostname="mx.test", enable_SMTPUTF8=True)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
