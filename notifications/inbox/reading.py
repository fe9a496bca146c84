"""One raw mail to what it is: pure, and whatever the bytes are, never an error."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from email.message import Message

from notifications.inbox.bounces import report_of
from notifications.inbox.complaints import complaint_of
from notifications.inbox.machines import machine_sign
from notifications.inbox.parts import (
    UnreadableMailError,
    header,
    headers,
    message_ids,
    take_apart,
    visible_text,
)
from voc.models import InboundKind
from voc.rules.tokens import ReturnPurpose

RECIPIENTS = (
    "To",
    "Cc",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Delivered-To",
    "X-Forwarded-To",
    "Resent-To",
)
MOST_IDS = 50
RETURNED_ID = re.compile(
    rb"^[> \t]*Message-ID:\s*(<[!-;=?-~]{3,250}>)", re.IGNORECASE | re.MULTILINE
)
Token = tuple[ReturnPurpose, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailIn:
    """What a mail is and which message of ours it names. Whether it names one, the store knows."""

    event_id: str
    """The same whenever the same mail is read. Says nothing of its sender."""
    kind: InboundKind | None
    """None if it says nothing that matters: a delay, a read receipt."""
    code: str = ""
    """5.1.1, abuse, auto-submitted."""
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    """Of our return addresses that it came to, or that a report tells of."""
    message_ids: tuple[str, ...] = field(default=(), repr=False)
    """That it answers, or that a report returns; the nearest first."""
    text: str = field(default="", repr=False)
    """Of a reply: what its reader sees, quotations included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAddresses:
    """What mails of ours look like from outside."""

    reply_address: str
    """care@example.com: tokens follow a plus sign. Empty: there are none."""
    sender: str

    @property
    def all(self) -> Collection[str]:
        return [address for address in (self.reply_address, self.sender) if address]

    def tokens_in(self, text: str) -> tuple[Token, ...]:
        """Tokens of our return addresses in *text*, each once; whether they are ours or not."""
        local, _, domain = self.reply_address.rpartition("@")
        if not local:
            return ()
        pattern = rf"{re.escape(local)}\+([bru])-([a-z2-7]{{8,64}})@{re.escape(domain)}(?![\w-])"
        found = re.findall(pattern, text, re.IGNORECASE)
        return tuple(dict.fromkeys((ReturnPurpose(p.lower()), t.lower()) for p, t in found))


def read_mail(raw: bytes, own: OwnAddresses) -> MailIn:
    """What the mail is. UNREADABLE if it cannot be told, with the reason as its code."""
    digest = _digest(raw)
    try:
        return _read(raw, digest, own)
    except UnreadableMailError as exc:
        reason = str(exc)
    except Exception as exc:  # noqa: BLE001  (a poison mail: it is kept, and the rest goes on)
        reason = type(exc).__name__
    return MailIn(event_id=f"unreadable-{digest}", kind=InboundKind.UNREADABLE, code=reason)


def _read(raw: bytes, digest: str, own: OwnAddresses) -> MailIn:
    mail = take_apart(raw)
    own_id = message_ids(header(mail, "Message-ID"))[:1]
    event_id = _digest(own_id[0].encode("utf-8", "replace")) if own_id else digest
    tokens = own.tokens_in(headers(mail, RECIPIENTS))
    purposes = {purpose for purpose, _ in tokens}
    reported = _reported(mail, to_bounce_address=ReturnPurpose.BOUNCE in purposes)
    if reported is not None:
        kind, code = reported
        returned = [each for each in _returned_ids(raw) if each not in own_id]
        return MailIn(
            event_id=event_id,
            kind=kind,
            code=code,
            tokens=own.tokens_in(raw.decode("latin-1")),
            message_ids=tuple(returned),
        )
    kind, code = _written(mail, purposes, own)
    return MailIn(
        event_id=event_id,
        kind=kind,
        code=code,
        tokens=tokens,
        message_ids=_answered_ids(mail),
        text=visible_text(mail) if kind is InboundKind.REPLIED else "",
    )


def _reported(mail: Message, *, to_bounce_address: bool) -> tuple[InboundKind | None, str] | None:
    """What a mail server or a mailbox provider tells; None if this is no such report."""
    complaint = complaint_of(mail)
    if complaint is not None:
        return (InboundKind.COMPLAINED if complaint else None), complaint
    if str(mail.get_param("report-type", "")).casefold() == "disposition-notification":
        return None, ""  # it was opened, or deleted unread: no answer
    report = report_of(mail, to_bounce_address=to_bounce_address)
    return None if report is None else (report.kind, report.status)


def _written(
    mail: Message, purposes: Collection[ReturnPurpose], own: OwnAddresses
) -> tuple[InboundKind, str]:
    """What somebody wrote, or a machine in their name."""
    if ReturnPurpose.UNSUBSCRIBE in purposes:  # mail programs send these by themselves, rightly
        return InboundKind.OPTED_OUT, "mailto"
    if ReturnPurpose.BOUNCE in purposes:
        return InboundKind.AUTO_REPLIED, "bounce-address"
    sign = machine_sign(mail, own_addresses=own.all)
    return (InboundKind.AUTO_REPLIED, sign) if sign else (InboundKind.REPLIED, "")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _answered_ids(mail: Message) -> tuple[str, ...]:
    answered = message_ids(header(mail, "In-Reply-To"))
    thread = message_ids(header(mail, "References"))
    return tuple(dict.fromkeys([*answered, *reversed(thread)]))[:MOST_IDS]


def _returned_ids(raw: bytes) -> Iterable[str]:
    found = (each.decode("latin-1") for each in RETURNED_ID.findall(raw))
    return tuple(dict.fromkeys(found))[:MOST_IDS]
