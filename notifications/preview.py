"""What a frozen message says, for the eyes of whoever has to approve it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default

from voc.models import DeliveryChannel, Message

TOKEN = re.compile(r"(/[a-z]/)[a-z2-7]{32}\b", re.IGNORECASE)
HIDDEN = r"\1…"
SHOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The words of a message, as it would arrive."""

    recipient: str = field(repr=False)
    """Masked: enough to tell two apart, not enough to write to them."""
    subject: str | None = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


def preview(message: Message) -> Preview | None:
    """What *message* says; None if it is not written.

    The secret part of each link is hidden: it speaks for the customer.
    """
    if message.content is None:
        return None
    recipient = masked(message.address or "")
    if message.channel is not DeliveryChannel.EMAIL:
        text = message.content.decode("utf-8", errors="replace")
        return Preview(recipient=recipient, subject=None, text=TOKEN.sub(HIDDEN, text))
    mail = message_from_bytes(message.content, policy=default)
    return Preview(
        recipient=recipient,
        subject=str(mail["Subject"] or ""),
        text=_part(mail.get_body(("plain",))) or "",
        html=_part(mail.get_body(("html",))),
    )


def text_of(channel: DeliveryChannel, content: bytes) -> str:
    """The words of frozen bytes, links and all. Mails are ours: no odd header has to be read."""
    if channel is DeliveryChannel.EMAIL:
        parts = message_from_bytes(content).walk()  # of all policies the one that is quickest
        texts = (part for part in parts if part.get_content_type() == "text/plain")
        payload = next(text.get_payload(decode=True) for text in texts)
        content = payload if isinstance(payload, bytes) else b""
    return content.decode("utf-8", errors="replace")


def masked(address: str) -> str:
    """``ki…@customer.example`` or ``+4…21``: no address, but a hint whose it is."""
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:SHOWN]}…@{domain}"
    return f"{address[:SHOWN]}…{address[-SHOWN:]}" if address else "unknown"


def _part(part: object) -> str | None:
    get_content = getattr(part, "get_content", None)
    return None if get_content is None else TOKEN.sub(HIDDEN, get_content())
