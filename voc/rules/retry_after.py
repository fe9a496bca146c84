"""What a server means by ``Retry-After``. Pure: the server's own clock is the clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 24 * 3600.0


def retry_after_s(said: str, date: str) -> float | None:
    """Seconds that a service asks us to wait, at most a day; None if it says nothing readable.

    A date is measured against the answer's own ``Date``: our clocks may differ. In the past
    means now. A date that cannot be measured, a negative number and nonsense mean nothing.

    Args:
        said: The answer's ``Retry-After``; empty if it has none.
        date: Its ``Date``.
    """
    if re.fullmatch(r"\d{1,12}(\.\d+)?", said.strip()):
        return min(float(said), LONGEST_S)
    return seconds_between(http_date(date), http_date(said))


def seconds_between(now: datetime | None, then: datetime | None) -> float | None:
    """From *now* to *then*: none if it is past, a day at most; None if one is not known."""
    if now is None or then is None:
        return None
    return min(max((then - now).total_seconds(), 0.0), LONGEST_S)


def http_date(text: str) -> datetime | None:
    """A moment as HTTP writes it; None if it is none."""
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
