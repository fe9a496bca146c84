"""Which ticket comes first, and when one that was put off comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Self
from zoneinfo import ZoneInfo

from voc.columns import LARGEST
from voc.models import Priority, Ticket
from voc.rules.facts import TicketFact
from voc.rules.lifecycle import UNFINISHED

RANKS = MappingProxyType(
    {Priority.URGENT: 0, Priority.HIGH: 1, Priority.NORMAL: 2, Priority.LOW: 3}
)
MORNING = time(9)
LONGEST_SNOOZE = timedelta(days=90)


def next_promise(ticket: Ticket | TicketFact) -> datetime | None:
    """When we are late if nothing happens: until it is taken both clocks run. None: finished."""
    if ticket.state not in UNFINISHED:
        return None
    if ticket.accepted_at is None:
        return min(ticket.first_response_due_at, ticket.resolution_due_at)
    return ticket.resolution_due_at


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a ticket stands in a queue: the earliest promise first, so what is late leads."""

    due_at: datetime
    rank: int
    ticket_id: int

    @classmethod
    def of(cls, ticket: Ticket) -> Self:
        """The place of an unfinished ticket.

        Raises:
            ValueError: It is finished.
        """
        if (due := next_promise(ticket)) is None:
            raise ValueError("what is finished has no place in a queue")
        return cls(due, RANKS[ticket.priority], ticket.id or 0)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What `str` wrote; None if it is something else."""
        due, _, numbers = text.partition("~")
        rank, _, ticket_id = numbers.partition("~")
        try:
            moment = datetime.fromisoformat(due)
            place = cls(moment.astimezone(UTC), int(rank), int(ticket_id))
        except (ValueError, OverflowError):
            return None
        is_ours = moment.tzinfo and place.rank in RANKS.values() and 0 < place.ticket_id <= LARGEST
        return place if is_ours else None

    def __str__(self) -> str:
        return f"{self.due_at.isoformat()}~{self.rank}~{self.ticket_id}"


class SnoozeUntil(StrEnum):
    """When a ticket that was put off comes back."""

    HOUR = "hour"
    TOMORROW = "tomorrow"
    WEEK = "week"
    DATE = "date"


def wakes_at(until: SnoozeUntil, day: date | None, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment at which a snooze ends; in the morning, on the department's clock.

    Args:
        day: Of `SnoozeUntil.DATE`.

    Raises:
        ValueError: There is no day, it is past, or further away than `LONGEST_SNOOZE`.
    """
    if until is SnoozeUntil.HOUR:
        return now + timedelta(hours=1)
    today = now.astimezone(zone).date()
    if until is SnoozeUntil.TOMORROW:
        day = today + timedelta(days=1)
    elif until is SnoozeUntil.WEEK:
        day = today + timedelta(days=7 - today.weekday())
    if day is None or not today < day <= today + LONGEST_SNOOZE:
        raise ValueError(f"choose a day from tomorrow on, {LONGEST_SNOOZE.days} days at most")
    return datetime.combine(day, MORNING, zone)


def before_due(ticket: Ticket, wakes: datetime, now: datetime) -> datetime:
    """When a ticket that is put off is back: at the latest when its next promise falls due.

    So whatever is late stands in the queue, and no clock stops while nobody looks.

    Raises:
        ValueError: It is late already, or finished.
    """
    due = next_promise(ticket)
    if due is None or due <= now:
        raise ValueError("it is late: what is late cannot be put off")
    return min(wakes, due)
