"""A mailbox over IMAP: what came since the cursor. Nothing there is changed: no flag, no deletion.

The cursor is UIDVALIDITY and the last UID that was read. If the server starts to count anew, all
mails are read again; each is known by its own id, so that nothing counts twice.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import (
    ImapToolsError,
    MailboxFolderSelectError,
    MailboxLoginError,
    MailboxStarttlsError,
)

from voc.errors import SourceRefusedError, SourceUnavailableError
from voc.settings import ImapSettings

SOURCE = "imap"
BATCH = 50
MOST_BYTES = 1_000_000
"""Of a mail: its headers and first parts. What a person wrote stands before what is attached."""
ARRIVED = re.compile(rb'INTERNALDATE "([^"]+)"')
UID = re.compile(rb"\bUID (\d+)")
TIME = "%d-%b-%Y %H:%M:%S %z"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail as it lies in the mailbox."""

    uid: int
    arrived_at: datetime | None
    """By the mail server's clock."""
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some mails, and how far the mailbox is read with them."""

    mails: list[Fetched]
    cursor: str


def new_mails(settings: ImapSettings, cursor: str | None) -> Iterator[Batch]:
    """What came since *cursor*, in batches, oldest first; at most a megabyte of each mail.

    Raises:
        SourceUnavailableError: The server cannot be reached, or hung up.
        SourceRefusedError: Name, password, folder or certificate are wrong.
    """
    with _errors_told(settings), _opened(settings) as mailbox:
        validity = int(mailbox.client.response("UIDVALIDITY")[1][0] or 0)
        known, _, last = (cursor or "").partition(":")
        start = int(last) + 1 if known == str(validity) else 1
        # The server answers n:* with the newest mail even if that is older than n.
        uids = sorted(uid for uid in map(int, mailbox.uids(f"UID {start}:*")) if uid >= start)
        for at in range(0, len(uids), BATCH):
            wanted = uids[at : at + BATCH]
            yield Batch(_fetch(mailbox, wanted), f"{validity}:{wanted[-1]}")


def _fetch(mailbox: BaseMailBox, uids: list[int]) -> list[Fetched]:
    """The mails with these UIDs that are still there."""
    numbers = ",".join(map(str, uids))
    what = f"(UID INTERNALDATE BODY.PEEK[]<0.{MOST_BYTES}>)"
    status, answer = mailbox.client.uid("FETCH", numbers, what)
    if status != "OK":
        raise imaplib.IMAP4.abort("the mails cannot be fetched")
    found = []
    for item, after in zip_longest(answer, answer[1:]):
        if isinstance(item, tuple):  # what the server says of the mail, before and after it
            told = item[0] + (after if isinstance(after, bytes) else b"")
            if uid := UID.search(told):
                found.append(Fetched(int(uid[1]), _arrived_at(told), item[1]))
    return sorted(found, key=lambda mail: mail.uid)


def _arrived_at(told: bytes) -> datetime | None:
    found = ARRIVED.search(told)
    with suppress(ValueError):
        return datetime.strptime(found[1].decode().strip(), TIME).astimezone(UTC) if found else None
    return None


@contextmanager
def _opened(settings: ImapSettings) -> Iterator[BaseMailBox]:
    """The folder, open for reading only."""
    mailbox = _connect(settings)
    try:
        _log_in(mailbox, settings)
        mailbox.folder.set(settings.folder, readonly=True)
        yield mailbox
    finally:
        # What was read is ours by now: how the goodbye goes does not matter.
        with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
            mailbox.logout()


def _connect(settings: ImapSettings) -> BaseMailBox:
    host, port, timeout = settings.host, settings.port, settings.timeout_s
    if settings.security == "none":
        return MailBoxUnencrypted(host, port, timeout=timeout)
    trusted = ssl.create_default_context()
    kind = MailBox if settings.security == "tls" else MailBoxStartTls
    return kind(host, port, timeout=timeout, ssl_context=trusted)


def _log_in(mailbox: BaseMailBox, settings: ImapSettings) -> None:
    name, password = settings.username, settings.password.get_secret_value()
    login = mailbox.login if f"{name}{password}".isascii() else mailbox.login_utf8
    try:
        login(name, password, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except (MailboxLoginError, imaplib.IMAP4.error):
        reason = "refuses the login; check VOC_IMAP__USERNAME and VOC_IMAP__PASSWORD"
        raise SourceRefusedError(SOURCE, f"{settings.host}:{settings.port} {reason}") from None


@contextmanager
def _errors_told(settings: ImapSettings) -> Iterator[None]:
    """All that can go wrong, in one sentence that says what to do. Servers' own texts stay out."""
    where = f"{settings.host}:{settings.port}"
    try:
        yield
    except MailboxFolderSelectError:
        reason = f"{where} has no folder {settings.folder!r}; set VOC_IMAP__FOLDER"
        raise SourceRefusedError(SOURCE, reason) from None
    except ssl.SSLCertVerificationError as exc:
        reason = f"the certificate of {where} is not trusted: {exc.verify_message}"
        raise SourceRefusedError(SOURCE, reason) from None
    except (MailboxStarttlsError, ssl.SSLError):
        reason = f"{where} does not speak {settings.security}; check VOC_IMAP__SECURITY"
        raise SourceRefusedError(SOURCE, reason) from None
    except TimeoutError:
        reason = f"{where} did not answer within {settings.timeout_s:g} s"
        raise SourceUnavailableError(SOURCE, reason) from None
    except OSError as exc:
        reason = f"cannot connect to {where}: {exc.strerror or type(exc).__name__}"
        raise SourceUnavailableError(SOURCE, reason) from None
    except (ImapToolsError, imaplib.IMAP4.error) as exc:
        reason = f"{where} broke off: {type(exc).__name__}"
        raise SourceUnavailableError(SOURCE, reason) from None
