"""How long to wait before asking a service again. Pure: the server's own clock is the clock."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime

import httpx

from voc.rules.retry_after import LONGEST_S, http_date, retry_after_s, seconds_between

_FIRST_S = 1.0
_BACK_OFF_CAP_S = 60.0


def asked_wait(headers: httpx.Headers) -> float | None:
    """Seconds that the service asks us to wait, at most a day; None if it says nothing readable."""
    return retry_after_s(headers.get("retry-after", ""), headers.get("date", ""))


def wait_for_quota(headers: httpx.Headers) -> float:
    """Seconds until the service's quota is filled again; 0 while some is left.

    The reset comes as a moment (Mastodon), as Unix seconds (X) or as seconds to go (Reddit).
    """
    if headers.get("x-ratelimit-remaining", "").strip() not in ("0", "0.0"):
        return 0.0
    reset, now = headers.get("x-ratelimit-reset", "").strip(), http_date(headers.get("date", ""))
    if re.fullmatch(r"\d{1,8}(\.\d+)?", reset):
        return min(float(reset), LONGEST_S)
    if re.fullmatch(r"\d{9,11}", reset):
        return seconds_between(now, datetime.fromtimestamp(int(reset), UTC)) or 0.0
    return seconds_between(now, _iso(reset)) or 0.0


def back_off(attempt: int, rng: random.Random) -> float:
    """Seconds before attempt number *attempt* + 1: doubling, with jitter, at most a minute.

    Half is fixed and half is chance, so that clients which failed together do not come back
    together, and none comes back at once.
    """
    ceiling = min(_BACK_OFF_CAP_S, _FIRST_S * 2.0 ** min(attempt, 10))
    return ceiling * (0.5 + rng.random() / 2)


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
