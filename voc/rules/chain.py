"""The hash chain over the ledger's events: each link covers its content and the link before."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import NotRequired, TypedDict, Unpack

GENESIS = "0" * 64


class Content(TypedDict):
    """What of an event is hashed, beside the link before it."""

    ticket_id: int | None
    loop_id: int | None
    kind: str
    actor: str
    detail: str
    at: datetime
    message_id: NotRequired[int | None]


def link(previous_hash: str, **event: Unpack[Content]) -> str:
    """The hash, in hex, of one event behind *previous_hash*.

    An event without a message is hashed as if there were none: so were those of before.
    """
    moment = event["at"].astimezone(UTC).isoformat(timespec="microseconds")
    hashed = [
        previous_hash,
        event["ticket_id"],
        event["loop_id"],
        event["kind"],
        event["actor"],
        event["detail"],
        moment,
    ]
    if (message_id := event.get("message_id")) is not None:
        hashed.append(message_id)
    return hashlib.sha256(json.dumps(hashed).encode()).hexdigest()
