"""Complaints: a mailbox provider tells that its user called a mail of ours spam (RFC 5965)."""

from __future__ import annotations

from email.message import Message

from notifications.inbox.parts import header, parts_of

NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "dmarc"})


def complaint_of(mail: Message) -> str | None:
    """The feedback type: "abuse"; None if this is no feedback report, "" if it is no complaint."""
    part = next(parts_of(mail, "message/feedback-report"), None)
    if part is None:
        return None
    payload = part.get_payload()
    fields = payload[0] if isinstance(payload, list) and payload else part
    kind = header(fields, "Feedback-Type").casefold() if isinstance(fields, Message) else ""
    return "" if kind in NO_COMPLAINT else kind or "abuse"
