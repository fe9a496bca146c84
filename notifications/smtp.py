"""The way out by SMTP. Its one job beside sending is to say *how sure* it is.

Outcomes are read off the phase in which something went wrong, then off the reply code, never
off the exception's class: aiosmtplib raises the same `SMTPServerDisconnected` when the server
hangs up at MAIL (nothing arrived) and after the final dot (it may have).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import aiosmtplib

from notifications.channel import (
    Capability,
    ChannelDownError,
    Envelope,
    NoSuchMailboxError,
)
from voc.errors import NotSentError, RefusedError, UnconfirmedError
from voc.rules.retries import asked_wait_s
from voc.settings import SmtpSettings

LATER, NEVER, CODES_END = 400, 500, 600
TOO_BIG = 552  # the only permanent refusal at MAIL that is about this message
NO_MAILBOX = {550, 551, 553}
QUIT_TIMEOUT_S = 5
QUEUED_AS = re.compile(r"(?:queued as|\bid=)\s*<?([\w.@=+-]{4,100})", re.IGNORECASE)
Result = TypeVar("Result")
# aiosmtplib makes the best of an odd address, which may then be somebody else's.
PLAIN_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f<>()\[\]\\,:;@\"]+@[^\s\x00-\x1f\x7f<>()\\,;@\"]+")


class SmtpChannel:
    """One connection, reused from mail to mail. Not for use in a running event loop."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._loop: asyncio.Runner | None = None
        self._client: aiosmtplib.SMTP | None = None
        self._envelope_open = False

    def route_for(self, recipient: str) -> str:
        return "smtp"

    def capability_of(self, route: str) -> Capability:
        return Capability.NEITHER

    def look_up(self, route: str, mail: Envelope) -> str | None:
        return None

    def prepare(self, mail: Envelope) -> None:
        """Connect unless we are, and let the server accept sender and recipient."""
        self._run(self._prepare(mail))

    def hand_over(self, mail: Envelope) -> str:
        """Give the server the mail itself, and read its answer."""
        return self._run(self._hand_over(mail))

    def close(self) -> None:
        if self._client is not None and self._client.is_connected:
            self._run(_quit(self._client))
        if self._loop is not None:
            self._loop.close()
        self._client = self._loop = None

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        if self._loop is None:
            self._loop = asyncio.Runner()
        return self._loop.run(work)

    async def _prepare(self, mail: Envelope) -> None:
        reused = self._client is not None and self._client.is_connected
        try:
            await self._open_envelope(mail)
        except ChannelDownError:
            if not reused:
                raise
            await self._drop()  # it had tired of the old connection; a new one may do
            await self._open_envelope(mail)

    async def _open_envelope(self, mail: Envelope) -> None:
        client = await self._connected()
        options = _options(mail, client)
        encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        try:
            if self._envelope_open:
                await client.rset()
            self._envelope_open = True
            await client.mail(mail.sender, options=options, encoding=encoding)
        except aiosmtplib.SMTPResponseException as exc:
            raise _at_mail(exc.code, exc.message) from None
        except (aiosmtplib.SMTPException, OSError) as exc:
            await self._drop()
            raise ChannelDownError(f"{type(exc).__name__} at MAIL") from None
        try:
            await client.rcpt(mail.recipient, encoding=encoding)
        except aiosmtplib.SMTPResponseException as exc:
            raise _at_rcpt(exc.code, exc.message) from None
        except (aiosmtplib.SMTPException, OSError) as exc:
            await self._drop()
            raise NotSentError(f"{type(exc).__name__} at RCPT") from None

    async def _hand_over(self, mail: Envelope) -> str:
        if self._client is None or not self._envelope_open:
            raise NotSentError("hand_over without prepare")
        timeout = self._settings.reply_timeout_s
        try:
            _, answer = await self._client.data(mail.content, timeout=timeout)
        except aiosmtplib.SMTPResponseException as exc:
            # Refused before the mail (no 354) or after its final dot: not taken either way. Any
            # other answer is no answer: garbage after the dot has been seen on mails that came.
            if LATER <= exc.code < NEVER:
                raise NotSentError(f"{exc.code} at DATA", asked_wait_s(exc.message)) from None
            if NEVER <= exc.code < CODES_END:
                raise RefusedError(f"{exc.code} at DATA") from None
            await self._drop()
            raise UnconfirmedError("unclear answer at DATA") from None
        except (aiosmtplib.SMTPException, OSError) as exc:
            await self._drop()
            raise UnconfirmedError(f"{type(exc).__name__} at DATA") from None
        finally:
            self._envelope_open = False
        return provider_id(answer)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        s = self._settings
        client = aiosmtplib.SMTP(
            hostname=s.host,
            port=s.port,
            timeout=s.connect_timeout_s,
            use_tls=s.security == "tls",
            start_tls=s.security == "starttls",
            validate_certs=True,
            cert_bundle=str(s.ca_file) if s.ca_file else None,
        )
        try:
            await client.connect()
            await client.ehlo()
            if s.username is not None and s.password is not None:
                await client.login(s.username, s.password.get_secret_value())
        except aiosmtplib.SMTPResponseException as exc:
            await _end(client)
            raise ChannelDownError(
                f"{exc.code} when connecting", asked_wait_s(exc.message)
            ) from None
        except (aiosmtplib.SMTPException, OSError) as exc:
            await _end(client)
            raise ChannelDownError(f"{type(exc).__name__} when connecting") from None
        self._client, self._envelope_open = client, False
        return client

    async def _drop(self) -> None:
        client, self._client, self._envelope_open = self._client, None, False
        if client is not None:
            await _end(client)


async def _quit(client: aiosmtplib.SMTP) -> None:
    # Everything was answered before: how the goodbye goes says nothing about any mail.
    with suppress(aiosmtplib.SMTPException, OSError):
        await client.execute_command(b"QUIT", timeout=QUIT_TIMEOUT_S)
    await _end(client)


async def _end(client: aiosmtplib.SMTP) -> None:
    """Let go of the connection now: a TLS one would wait for the other side to end it, too."""
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    await asyncio.sleep(0)  # the socket is closed in the loop's next round


def provider_id(answer: str) -> str:
    """What the server calls the mail, in the wording of the common ones; "" if it does not say."""
    found = QUEUED_AS.search(answer)
    return found[1] if found else ""


def _options(mail: Envelope, client: aiosmtplib.SMTP) -> list[str]:
    if not PLAIN_ADDRESS.fullmatch(mail.recipient):
        raise RefusedError("the address cannot be written in SMTP")
    if mail.recipient.isascii() and mail.sender.isascii():
        return []
    if not client.supports_extension("smtputf8"):
        raise RefusedError("the mail server cannot write to addresses outside ASCII")
    return ["SMTPUTF8", "BODY=8BITMIME"]


def _at_mail(code: int, text: str) -> NotSentError | RefusedError:
    """A refusal at MAIL is about us (login, limits, sender), except if the mail is too big."""
    if code == TOO_BIG:
        return RefusedError(f"{code} at MAIL")
    is_about_now = LATER <= code < NEVER and code != 421  # noqa: PLR2004  (421: it hangs up)
    error = NotSentError if is_about_now else ChannelDownError
    return error(f"{code} at MAIL", asked_wait_s(text))


def _at_rcpt(code: int, text: str) -> NotSentError | RefusedError:
    """Only "no such mailbox" is about the address; 5.7 is about us, 5.2 about a full mailbox."""
    if not NEVER <= code < CODES_END:
        return NotSentError(f"{code} at RCPT", asked_wait_s(text))
    detail = re.match(r"5\.(\d+)\.\d+", text)
    if code in NO_MAILBOX and (detail is None or detail[1] == "1"):
        return NoSuchMailboxError(f"{code} at RCPT")
    return RefusedError(f"{code} at RCPT")
