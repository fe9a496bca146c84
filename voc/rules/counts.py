"""Plain counts by state, reason, department and week: the tables beside the figures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from voc.models import LoopState, TicketState
from voc.rules.cases import Places, week_of
from voc.rules.facts import FeedbackCount, LoopFact, MessageCount, QuarantineCount, TicketFact
from voc.rules.queue import next_promise

Counted = TypeVar("Counted", MessageCount, FeedbackCount, QuarantineCount)

HOUR_S = 3600
WAITS = (
    (1, "under 1 h"),
    (4, "1 to 4 h"),
    (8, "4 to 8 h"),
    (24, "8 to 24 h"),
    (48, "1 to 2 days"),
    (96, "2 to 4 days"),
)
LONGEST_WAIT = "over 4 days"
NO_ANSWER_YET = "no answer yet"

_SMTP_REPLY = re.compile(r"\b([245]\d\d)(?:[ -]([245]\.\d{1,3}\.\d{1,3}))?\b")
_ADDRESS = re.compile(r"\S+@\S+")
_LONG_NUMBER = re.compile(r"\+?\d(?:[\d ().-]{5,})\d")
_SPACES = re.compile(r"\s+")
LONGEST_REASON = 80


@dataclass(frozen=True, slots=True)
class LoopCount:
    week: str
    state: LoopState
    reason: str
    n: int


@dataclass(frozen=True, slots=True)
class TicketCount:
    department: str
    state: TicketState
    late: bool
    n: int


def count_loops(loops: Iterable[LoopFact], places: Places) -> tuple[LoopCount, ...]:
    """Loops by week of the feedback, state and reason."""
    counts = Counter(
        (week_of(loop.said_at, places.zone), loop.state, as_code(loop.reason)) for loop in loops
    )
    return tuple(LoopCount(*key, n) for key, n in sorted(counts.items()))


def count_waits(loops: Iterable[LoopFact]) -> tuple[tuple[str, int], ...]:
    """How many loops waited how long for our first answer. All buckets, also the empty ones."""
    counts: Counter[str] = Counter()
    for loop in loops:
        if loop.first_told_at is not None:
            hours = hours_until(loop, loop.first_told_at)
            counts[next((name for end, name in WAITS if hours < end), LONGEST_WAIT)] += 1
        elif loop.state is LoopState.OPEN:
            counts[NO_ANSWER_YET] += 1
    names = (*(name for _, name in WAITS), LONGEST_WAIT, NO_ANSWER_YET)
    return tuple((name, counts[name]) for name in names)


def count_tickets(tickets: Iterable[TicketFact], now: datetime) -> tuple[TicketCount, ...]:
    """Tickets by department, state, and whether a promise was broken."""
    counts = Counter((t.department, t.state, is_late(t, now)) for t in tickets)
    return tuple(TicketCount(*key, n) for key, n in sorted(counts.items()))


def is_late(ticket: TicketFact, now: datetime) -> bool:
    """Whether the next promise is over; of a finished ticket, whether one was broken."""
    if (due_at := next_promise(ticket)) is not None:
        return due_at < now
    resolved_at = ticket.resolved_at or ticket.closed_at or now
    answered_at = min(ticket.accepted_at or resolved_at, resolved_at)
    return answered_at > ticket.first_response_due_at or resolved_at > ticket.resolution_due_at


def hours_until(loop: LoopFact, moment: datetime) -> float:
    """Hours since the customer said it. A source's clock may run ahead of ours: never below 0."""
    return max(0.0, (moment - loop.said_at).total_seconds() / HOUR_S)


def by_code(counts: Sequence[Counted]) -> tuple[Counted, ...]:
    """The same counts, their reasons made codes, equal ones added up, the most frequent first."""
    totals: dict[tuple[str, str], Counted] = {}
    for count in counts:
        reason = as_code(count.reason)
        before = totals.get(key := (count.state.value, reason))
        totals[key] = replace(count, reason=reason, n=count.n + (before.n if before else 0))
    return tuple(sorted(totals.values(), key=lambda c: (-c.n, c.state.value, c.reason or "")))


def as_code(reason: str | None) -> str:
    """A reason that may stand in a report: of a server's reply only its numbers.

    Mail servers quote the address that they refuse, and each in another wording.
    """
    text = _SPACES.sub(" ", reason or "").strip()
    if (reply := _SMTP_REPLY.match(text)) or (
        _ADDRESS.search(text) and (reply := _SMTP_REPLY.search(text))
    ):
        return f"the server said {' '.join(part for part in reply.groups() if part)}"
    text = _LONG_NUMBER.sub("[number]", _ADDRESS.sub("[address]", text))
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."
