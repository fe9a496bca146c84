"""A message as the local mailbox keeps it: a mail as it is, any other with a head."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from html import escape
from pathlib import Path

from notifications.channel import Envelope
from notifications.render import shorten
from voc.models import DeliveryChannel

SUFFIXES = {
    DeliveryChannel.EMAIL: ".eml",
    DeliveryChannel.SMS: ".txt",
    DeliveryChannel.REVIEW: ".txt",
    DeliveryChannel.SLACK: ".json",
    DeliveryChannel.TEAMS: ".json",
    DeliveryChannel.APPRISE: ".json",
    DeliveryChannel.WEBHOOK: ".json",
}
"""What the file of a message is called at its end."""

TITLE_LENGTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the listing says of a kept message."""

    at: datetime
    channel: str
    title: str


def as_kept(mail: Envelope) -> bytes:
    """The file's content. Says beside the frozen bytes where they would have gone."""
    suffix = SUFFIXES[mail.channel]
    if suffix == ".eml":
        return mail.content
    head = {
        "channel": mail.channel.value,
        "to": mail.recipient,
        "date": mail.frozen_at.isoformat(),
    }
    if suffix == ".json":
        content = json.loads(mail.content)
        return json.dumps({**head, "content": content}, ensure_ascii=False, indent=1).encode()
    lines = [f"{name.capitalize()}: {value}" for name, value in head.items()]
    return "\n".join([*lines, "", mail.content.decode(), ""]).encode()


def read_kept(path: Path) -> Kept:
    """What stands at the head of a kept message; its words are not looked at."""
    content = path.read_bytes()
    if path.suffix == ".eml":
        mail = BytesHeaderParser().parsebytes(content.partition(b"\r\n\r\n")[0])
        subject = str(make_header(decode_header(mail["Subject"])))
        return Kept(at=parsedate_to_datetime(mail["Date"]), channel="email", title=subject)
    if path.suffix == ".json":
        found = json.loads(content)
        at, title = datetime.fromisoformat(found["date"]), f"to {found['to']}"
        return Kept(at=at, channel=found["channel"], title=title)
    lines, _, text = content.decode().partition("\n\n")
    head = dict(line.split(": ", 1) for line in lines.splitlines())
    at, title = datetime.fromisoformat(head["Date"]), shorten(text, TITLE_LENGTH)
    return Kept(at=at, channel=head["Channel"], title=title)


def as_page(path: Path) -> str | None:
    """What a browser shows of it: a mail's HTML part, if it has one; all else as plain text."""
    content = path.read_bytes()
    if path.suffix == ".eml":
        parts = message_from_bytes(content).walk()  # by the old rules: five times as fast
        html = next((part for part in parts if part.get_content_type() == "text/html"), None)
        return None if html is None else bytes(html.get_payload(decode=True)).decode()
    return f"<pre>{escape(content.decode())}</pre>"
