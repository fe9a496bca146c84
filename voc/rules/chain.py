"""The hash chain over ticket events: each link covers its content and the link before."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

GENESIS = "0" * 64


def link(
    previous_hash: str,
    *,
    ticket_id: int | None,
    loop_id: int | None,
    kind: str,
    actor: str,
    detail: str,
    at: datetime,
    message_id: int | None = None,
) -> str:
    """The hash, in hex, of one event behind *previous_hash*.

    An event without a message is hashed as if there were none: so were those of before.
    """
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    content = [previous_hash, ticket_id, loop_id, kind, actor, detail, moment]
    if message_id is not None:
        content.append(message_id)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
