"""When to try again: one message, and a provider that works for nobody."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from random import Random

BACKOFF = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 300, 600, 840, 1440))
RETRIED_FOR = timedelta(hours=72)
FAIR_CHANCE = 3
"""Attempts that a message has whatever its age: caps and quiet hours may have kept it for days."""
PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60))
LONGEST = timedelta(days=1)

WAIT = re.compile(
    r"\b(?:in|after|wait|for)\s+(\d{1,6})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b",
    re.IGNORECASE,
)
UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


def retry_at(
    attempts: int, now: datetime, rng: Random, *, queued_at: datetime, asked: timedelta | None
) -> datetime | None:
    """When to try again after this many failed attempts; None if it is time to stop.

    Half of the wait is left to chance, so that a crowd does not come back as a crowd.

    Args:
        queued_at: When the message was frozen: three days later it is old news.
        asked: How long the other side asked us to wait; we never come back earlier.
    """
    if attempts > len(BACKOFF):
        return None
    again = now + max(BACKOFF[attempts - 1] * rng.uniform(0.5, 1), asked or timedelta(0))
    is_late = again > queued_at + RETRIED_FOR
    return None if is_late and attempts >= FAIR_CHANCE else again


def pause_after(failures: int) -> timedelta:
    """How long a provider is left alone after so many failures in a row (at least one)."""
    return PAUSES[min(failures, len(PAUSES)) - 1]


def asked_wait_s(reply: str) -> float | None:
    """Seconds that a mail server's words ask for: "450 greylisted, try again in 5 minutes"."""
    if (found := WAIT.search(reply)) is None:
        return None
    return min(int(found[1]) * UNITS[found[2][0].lower()], LONGEST).total_seconds()
