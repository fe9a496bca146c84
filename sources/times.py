"""Moments as sources write them. What could mean two days is not guessed."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime

# With dots the day comes first wherever dots are used; with slashes it depends on the country,
# so 03/04/2026 needs a `date_format`.
_KNOWN = (
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
)
_NUMBER = re.compile(r"\d{5}(\.\d+)?|\d{10}(\.\d+)?|\d{13}")
_LOOSE_ZONE = re.compile(r"\s+([+-]\d{2}:?\d{2})$")
_UTC_WORD = re.compile(r"\s*(UTC|GMT|Z)$", re.IGNORECASE)
_SERIALS = (20_000, 80_000)  # the years 1954 to 2119
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (a serial has no zone)
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def parse_time(
    value: str | float, *, zone: tzinfo = UTC, date_format: str | None = None
) -> datetime | None:
    """The moment in UTC, or None if *value* is none that is certain.

    Knows ISO 8601, day.month.year, year/month/day, RFC 2822, Unix seconds and milliseconds, and
    Excel's day numbers. A time that falls into the hour that a clock change skips is moved on.
    """
    try:
        moment = _read(value, date_format)
        if moment is None:
            return None
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def _read(value: str | float, date_format: str | None) -> datetime | None:
    if isinstance(value, int | float):
        return _from_number(float(value))
    text = " ".join(value.split())
    if date_format and (moment := _strptime(text, date_format)):
        return moment
    if _NUMBER.fullmatch(text):
        return _from_number(float(text))
    try:
        return datetime.fromisoformat(_LOOSE_ZONE.sub(r"\1", _UTC_WORD.sub("+00:00", text)))
    except ValueError:
        pass
    for known in _KNOWN:
        if moment := _strptime(text, known):
            return moment
    return _rfc_2822(text)


def _from_number(number: float) -> datetime | None:
    """Five digits are Excel's days since 1900, ten are Unix seconds, thirteen milliseconds."""
    if not math.isfinite(number):
        return None
    if _SERIALS[0] <= number < _SERIALS[1]:
        return _EXCEL_EPOCH + timedelta(seconds=round(number * 86_400))
    if 10**9 <= number < 10**10:
        return datetime.fromtimestamp(number, UTC)
    if 10**12 <= number < 10**13:
        return datetime.fromtimestamp(number / 1000, UTC)
    return None


def _strptime(text: str, date_format: str) -> datetime | None:
    try:
        return datetime.strptime(text, date_format)  # noqa: DTZ007 (the caller gives the zone)
    except ValueError:
        return None


def _rfc_2822(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
