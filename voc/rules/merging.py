"""Which messages are said by another one: one mail instead of three."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from voc.models import MessageState as Is

RECEIPT = "receipt"
RESOLUTION = "resolution"
MERGED = "merged"
MERGES_WITHIN = timedelta(hours=24)

NEVER_LEFT = frozenset({Is.CANCELLED, Is.SUPPRESSED, Is.EXPIRED, Is.FAILED, Is.DEAD})
"""States in which a message has ended without leaving: what it should have said is unsaid."""


def share_out(waiting: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """By the message that carries them the others to the same customer; the oldest carries.

    Args:
        waiting: Ids of messages and of their customers.
    """
    by_customer: dict[int, list[int]] = {}
    for message_id, customer_id in sorted(waiting):
        by_customer.setdefault(customer_id, []).append(message_id)
    return {oldest: others for oldest, *others in by_customer.values() if others}
