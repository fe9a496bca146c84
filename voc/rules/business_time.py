"""Clocks that only run in business hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from voc.company.hours import BusinessHours

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def add_business_hours(start: datetime, hours: float, calendar: BusinessHours) -> datetime:
    """The moment, in UTC, when *hours* of business time have passed since *start*.

    The local clock of the calendar's zone decides when a day begins and ends; what passes in
    between is real time, so a day on which clocks change is as long as it really was.

    Raises:
        ValueError: The calendar has no open hour in the next ten years (all holidays).
    """
    left = timedelta(hours=hours)
    for opens, closes in _open_spans(start, calendar):
        begin = max(opens, start)
        if closes - begin >= left:
            return begin + left
        left -= max(closes - begin, timedelta(0))
    raise ValueError("these business hours never open: remove some holidays")


def _open_spans(start: datetime, calendar: BusinessHours) -> Iterator[tuple[datetime, datetime]]:
    """Opening and closing moments, in UTC, from the day of *start* on, for ten years."""
    zone = ZoneInfo(calendar.timezone)
    first = start.astimezone(zone).date()
    for day in (first + timedelta(days=n) for n in range(3660)):
        if _is_open(day, calendar):
            opens = datetime.combine(day, calendar.start, zone).astimezone(UTC)
            closes = datetime.combine(day, calendar.end, zone).astimezone(UTC)
            if closes > start:
                yield opens, closes


def _is_open(day: date, calendar: BusinessHours) -> bool:
    return WEEKDAYS[day.weekday()] in calendar.days and day not in calendar.holidays
