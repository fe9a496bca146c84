"""A rendered message to the bytes that go over the wire, checked to hold what was meant only.

Cleaning alone is not trusted: on Pythons before 3.11.15 an encoded word in a subject or a name
becomes a header line of its own when the mail is written (CVE-2024-6923).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any

from email_validator import EmailNotValidError, validate_email

from notifications.render import Rendered
from voc.errors import ConfigurationError, VocError

SUBJECT_LENGTH = 150
MIME_HEADERS = ("MIME-Version", "Content-Type", "Content-Language")
INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)
NEVER_FOLDED = {"to", "list-unsubscribe", "in-reply-to", "references", "message-id"}


class CannotComposeError(VocError):
    """This message cannot be made into a mail. Trying again does not help."""


class _WirePolicy(EmailPolicy):
    """The standard library encodes a URL that is longer than a line; robots cannot read that."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in NEVER_FOLDED:
            return f"{name}: {value}\r\n".encode()
        return super().fold_binary(name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Everything that stands in a mail's head, beside its words."""

    sender: str
    recipient: str = field(repr=False)
    message_id: str
    date: datetime
    language: str
    thread: str | None = None
    unsubscribe: str | None = None
    """For follow-ups: the one-click address."""
    unsubscribe_address: str | None = None
    """The same by mail, where somebody reads it."""
    reply_to: str | None = None


def compose(letter: Letter, words: Rendered) -> bytes:
    """The frozen bytes of a mail: plain text first, HTML as the alternative.

    Raises:
        CannotComposeError: An address is none, or the bytes say more than was meant.
    """
    recipient = wire_address(letter.recipient)
    headers = _headers(letter, recipient, words.subject)
    mail = EmailMessage(policy=_WirePolicy(linesep="\r\n", utf8=not recipient.isascii()))
    try:
        for name, value in headers.items():
            mail[name] = value
        mail.set_content(words.text)
        mail.add_alternative(words.html, subtype="html")
        mail["Content-Language"] = letter.language  # setting the content clears such headers
        mail.set_boundary(f"=_{letter.message_id.strip('<>').partition('@')[0]}")
        content = mail.as_bytes()
    except (ValueError, MessageError, UnicodeError) as exc:
        raise CannotComposeError(f"the mail cannot be written: {type(exc).__name__}") from None
    _check_wire(content, {*headers, *MIME_HEADERS}, recipient)
    return content


def wire_address(address: str) -> str:
    """An address as it stands in SMTP: the domain in ASCII.

    Raises:
        CannotComposeError: It is no address.
    """
    try:
        valid = validate_email(
            address,
            check_deliverability=False,  # the recipient's server knows best, and needs no DNS here
            globally_deliverable=False,
            test_environment=True,  # .test names are as good as any: they only lead nowhere
        )
    except EmailNotValidError:
        raise CannotComposeError("bad address") from None
    return f"{valid.local_part}@{valid.ascii_domain}"


def sender_of(sender: str) -> Address:
    """The company's "Name <address>".

    Raises:
        ConfigurationError: There is no address in it.
    """
    name, address = parseaddr(sender)
    try:
        local, _, domain = wire_address(address).rpartition("@")
    except CannotComposeError:
        advice = 'write it as "Name <address@example.com>"'
        raise ConfigurationError(f"company.sender has no e-mail address: {advice}") from None
    return Address(clean_header(name), local, domain)


def clean_header(text: str) -> str:
    """*text* as one visible line that no program takes for an encoded word."""
    line = INVISIBLE.sub(" ", text)
    while "=?" in line:
        line = line.replace("=?", "= ?")
    return " ".join(line.split())[:SUBJECT_LENGTH]


def _headers(letter: Letter, recipient: str, subject: str) -> dict[str, Any]:
    local, _, domain = recipient.rpartition("@")
    headers: dict[str, Any] = {
        "From": sender_of(letter.sender),
        "To": Address("", local, domain),
        "Subject": clean_header(subject),
        "Date": format_datetime(letter.date),
        "Message-ID": letter.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if letter.thread is not None:
        headers |= {"In-Reply-To": letter.thread, "References": letter.thread}
    if letter.reply_to is not None:
        local, _, domain = letter.reply_to.rpartition("@")
        headers["Reply-To"] = Address("", local, domain)
    if letter.unsubscribe is not None:
        by_mail = f", <mailto:{letter.unsubscribe_address}>" if letter.unsubscribe_address else ""
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe}>{by_mail}"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _check_wire(content: bytes, meant: set[str], recipient: str) -> None:
    head = content.partition(b"\r\n\r\n")[0]
    lines = re.split(rb"\r\n(?![ \t])", head)
    names = sorted(line.partition(b":")[0].decode("latin-1").lower() for line in lines)
    if names != sorted(name.lower() for name in meant):
        raise CannotComposeError("the mail has headers that were not meant")
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", content):
        raise CannotComposeError("the mail has a bare line end or a zero byte")
    if f"To: {recipient}".encode() not in lines:
        raise CannotComposeError("the mail is not addressed to exactly one recipient")
