"""What is counted of a week: of feedback by cell, of tickets by department. Pure.

A name of a count is ``what`` or ``what:which``; all are whole numbers, so that weeks can be added
up in any order and give the same. What a count means: docs/measures.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import combinations
from typing import cast

from voc.models import FeedbackState, LoopKind, LoopState, RatingScale, TicketState
from voc.rules import reasons
from voc.rules.cases import week_of, weeks_between
from voc.rules.ratings import has_value, is_detractor, is_promoter, is_satisfied
from voc.rules.sums import bucket_of

Cell = tuple[str, str, str, str]
"""Channel, touchpoint, product, segment."""

ANY = "*"
MOST_VALUES = 2
"""With so many values given, or fewer, a cell is kept; others are sums of the finest cells."""
HALF_STARS = 2
"""Stars are counted in halves: some review sites give them."""
UNSURE = "unsure"
TOLD_STATES = (LoopState.OPEN, LoopState.TOLD, LoopState.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopPart:
    """What became of a piece of feedback that we owed an answer for."""

    kind: LoopKind
    state: LoopState
    reason: str | None
    reopened: int
    first_told_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of feedback, as it is counted."""

    state: FeedbackState
    said_at: datetime
    rating: float | None
    scale: RatingScale | None
    loop: LoopPart | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPart:
    """One ticket, as it is counted."""

    state: TicketState
    hand: int
    reopened_hand: int | None
    first_response_due_at: datetime
    resolution_due_at: datetime
    accepted_at: datetime | None
    resolved_at: datetime | None


def cell_of(channel: str, touchpoint: str | None, product: str | None, segment: str | None) -> Cell:
    """Where a piece is counted. A value that reads like ours for all of them is no value."""
    return _value(channel), _value(touchpoint), _value(product), _value(segment)


def _value(given: str | None) -> str:
    return "" if given is None or given == ANY else given


def kept_cells(cell: Cell) -> set[Cell]:
    """The cells that a piece in *cell* counts in: its own, and each with at most two values."""
    given = [{*some} for n in range(MOST_VALUES + 1) for some in combinations(range(len(cell)), n)]
    kept = {tuple(v if i in some else ANY for i, v in enumerate(cell)) for some in given}
    return {cell, *cast(set[Cell], kept)}


def rolled_up(cells: Mapping[Cell, Counter[str]]) -> dict[Cell, Counter[str]]:
    """The counts of all kept cells, from those of the finest."""
    found: dict[Cell, Counter[str]] = {}
    for cell, counts in cells.items():
        for kept in kept_cells(cell):
            found.setdefault(kept, Counter()).update(counts)
    return found


def count_piece(piece: Piece) -> Iterator[tuple[str, int]]:
    """What one piece of feedback adds."""
    yield "feedback", 1
    yield f"state:{piece.state}", 1
    if piece.rating is not None and piece.scale and has_value(piece.rating, piece.scale):
        yield from _count_rating(piece.rating, piece.scale)
    if piece.loop is not None:
        yield from _count_loop(piece.loop, piece.said_at)


def _count_rating(rating: float, scale: RatingScale) -> Iterator[tuple[str, int]]:
    yield f"{scale}:n", 1
    match scale:
        case RatingScale.NPS:
            yield "nps:promoters", int(is_promoter(rating, scale))
            yield "nps:detractors", int(is_detractor(rating, scale))
        case RatingScale.CSAT:
            yield "csat:satisfied", int(is_satisfied(rating, scale))
        case RatingScale.CES | RatingScale.STARS | RatingScale.TEN:
            units = round(rating * HALF_STARS)
            yield f"{scale}:sum", units
            yield f"{scale}:squares", units * units


def _count_loop(loop: LoopPart, said_at: datetime) -> Iterator[tuple[str, int]]:
    yield "loops", 1
    yield f"loop:{loop.state}", 1
    if loop.state in TOLD_STATES:
        yield "could", 1
    if loop.state is LoopState.CLOSED:
        yield f"closed:{loop.reason or UNSURE}", 1
    if loop.state is LoopState.COULD_NOT_TELL:
        yield f"untold:{reasons.group_of(loop.reason)}", 1
    if loop.first_told_at is not None:
        yield "told", 1
        yield f"first_answer:{_waited(said_at, loop.first_told_at)}", 1
        if loop.kind is LoopKind.ISSUE:
            yield "asked", 1
            yield "reopened", int(loop.reopened > 0)
    if loop.closed_at is not None and loop.state is LoopState.CLOSED:
        yield f"closing:{_waited(said_at, loop.closed_at)}", 1


def _waited(since: datetime, until: datetime) -> int:
    """A source's clock may run ahead of ours: never below 0."""
    return bucket_of(max(0.0, (until - since) / timedelta(hours=1)))


def count_ticket(ticket: TicketPart, now: datetime) -> Iterator[tuple[str, int]]:
    """What one ticket adds to its department. A promise counts once it is kept or broken."""
    resolved_at = ticket.resolved_at
    answered_at = min(filter(None, (ticket.accepted_at, resolved_at)), default=None)
    yield "tickets", 1
    yield f"ticket:{ticket.state}", 1
    for name, due_at, done_at in (
        ("response", ticket.first_response_due_at, answered_at),
        ("resolution", ticket.resolution_due_at, resolved_at),
    ):
        dropped = done_at is None and ticket.state is TicketState.CLOSED
        if not dropped and (done_at is not None or due_at < now):
            yield f"{name}:due", 1
            yield f"{name}:kept", int(done_at is not None and done_at <= due_at)
    came_back = ticket.reopened_hand == ticket.hand  # to those who have it now
    if resolved_at is not None or came_back:
        yield "resolved", 1
        yield "reopened", int(came_back)
    yield "handed_over", int(ticket.hand > 1)


def total(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """All of them together."""
    found: Counter[str] = Counter()
    for each in counts:
        found.update(each)
    return found


def part(counts: Mapping[str, int], what: str) -> dict[str, int]:
    """Of ``what:which`` each which, the most frequent first."""
    found = {name.partition(":")[2]: n for name, n in counts.items() if name.startswith(f"{what}:")}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def span_of(week: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """When an ISO week begins and ends, in UTC."""
    monday = date.fromisoformat(f"{week}-1")
    begin, end = (
        datetime.combine(day, time(), zone).astimezone(UTC)
        for day in (monday, monday + timedelta(weeks=1))
    )
    return begin, end


def weeks_of_day(day: date, zone: tzinfo) -> set[str]:
    """The ISO weeks of *zone* that a day of UTC is part of: one, or two."""
    begin = datetime.combine(day, time(), UTC)
    return {week_of(begin, zone), week_of(begin + timedelta(days=1, microseconds=-1), zone)}


def last_weeks(n: int, now: datetime, zone: tzinfo) -> list[str]:
    """The week of *now* and the n - 1 before it, the oldest first."""
    return weeks_up_to(week_of(now, zone), n)


def weeks_up_to(week: str, n: int) -> list[str]:
    """That week and the n - 1 before it, the oldest first."""
    first = date.fromisoformat(f"{week}-1") - timedelta(weeks=n - 1)
    return weeks_between(f"{first:%G}-W{first:%V}", week)
