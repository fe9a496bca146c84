"""Quiet hours: on the clock of the customer, or on each clock that may be theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

Span = tuple[time, time]
"""From when until when it is quiet, every day. It may go over midnight."""

LOOK_AHEAD = 3  # days: quiet hours repeat daily, but for the days on which a clock is changed


def zone(name: str) -> ZoneInfo:
    """The time zone of this name; UTC where a source told us one that does not exist."""
    return _known(name) or ZoneInfo("UTC")


@lru_cache(maxsize=1024)
def zones_of(
    timezone: str | None, country: str | None, countries: tuple[str, ...], fallback: str
) -> tuple[str, ...]:
    """Every zone whose clock may be on the customer's wall.

    Args:
        timezone: Theirs, if we know it.
        country: Theirs, if we know it: it may have many zones.
        countries: Where customers live of whom we know neither.
        fallback: The zone to take if we know nothing at all.
    """
    if timezone and _known(timezone):
        return (timezone,)
    theirs = _zones_in([country] if country else ()) or _zones_in(countries)
    return theirs or (fallback,)


@lru_cache(maxsize=4096)
def first_allowed(
    zones: tuple[str, ...], spans: tuple[Span, ...], now: datetime
) -> datetime | None:
    """The first moment from *now* on at which it is quiet on none of the clocks.

    None if there is none: the clocks are so far apart that it is always quiet on one of them.
    """
    clocks = [zone(name) for name in zones]

    def is_quiet(at: datetime) -> bool:
        walls = (at.astimezone(clock).time() for clock in clocks)
        return any(_lies_in(wall, span) for wall in walls for span in spans)

    if not is_quiet(now):
        return now
    moments = {m for clock in clocks for m in _endings(clock, spans, now) if m > now}
    return next((m for m in sorted(moments) if not is_quiet(m)), None)


def _lies_in(wall: time, span: Span) -> bool:
    begin, end = span
    return begin <= wall < end if begin <= end else wall >= begin or wall < end


def _endings(clock: ZoneInfo, spans: Iterable[Span], now: datetime) -> Iterator[datetime]:
    """When quiet hours can end on this clock: at their end, or when the clock is changed."""
    today = now.astimezone(clock).date()
    for days in range(LOOK_AHEAD + 1):
        for _, end in spans:
            wall = datetime.combine(today + timedelta(days=days), end, clock)
            yield from (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    for days in range(LOOK_AHEAD):
        begin = (now + timedelta(days=days)).astimezone(UTC)
        if (moment := _change(clock, begin)) is not None:
            yield moment


def _change(clock: ZoneInfo, begin: datetime) -> datetime | None:
    """The second, in the day from *begin* on, in which the clock is changed; None if it is not."""
    low, high = 0, 24 * 60 * 60
    before = begin.astimezone(clock).utcoffset()
    if before == (begin + timedelta(seconds=high)).astimezone(clock).utcoffset():
        return None
    while high - low > 1:
        middle = (low + high) // 2
        at = begin + timedelta(seconds=middle)
        low, high = (middle, high) if at.astimezone(clock).utcoffset() == before else (low, middle)
    return (begin + timedelta(seconds=high)).replace(microsecond=0)


def _zones_in(countries: Iterable[str]) -> tuple[str, ...]:
    by_country = get_global("territory_zones")
    names = {name for each in countries for name in by_country.get(each.upper(), ())}
    # Those of the sea stand under "ZZ", which means that nobody knows the country.
    return tuple(sorted(n for n in names if not n.startswith("Etc/") and _known(n)))


@lru_cache(maxsize=1024)
def _known(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
