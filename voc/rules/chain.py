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
) -> str:
    """The hash, in hex, of one event behind *previous_hash*."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    content = json.dumps([previous_hash, ticket_id, loop_id, kind, actor, detail, moment])
    return hashlib.sha256(content.encode()).hexdigest()
