"""Cases, the groups they belong to, and one figure for all of them and for each group.

A loop with tickets in two departments is a case of both, so the rows of a breakdown may add up
to more than the headline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Generic, TypeVar

from voc.rules.facts import Facts, LoopFact, Rated, TicketFact
from voc.rules.figures import ENOUGH, Breakdown, Figure, named

T = TypeVar("T")

NO_TICKET = "(no ticket)"
NO_TOPIC = "(no topic)"
TREND_WEEKS = 4

Groups = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Case(Generic[T]):
    """One thing that is counted, and its groups: channel, department, topic, week -> names."""

    value: T
    groups: Groups


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure, what it means in one sentence, and the same figure for each group."""

    figure: Figure
    definition: str
    by: tuple[Breakdown, ...]

    def split(self, by: str) -> Breakdown:
        """The rows by channel, department, topic or week; none if nothing was counted."""
        return next((b for b in self.by if b.by == by), Breakdown(by, ()))


def measured(
    name: str,
    definition: str,
    cases: Sequence[Case[T]],
    estimate: Callable[[Sequence[T]], Figure],
) -> Measure:
    """*estimate* over all cases, and over those of each group, sorted by name."""
    dimensions = dict.fromkeys(by for case in cases for by in case.groups)
    return Measure(
        figure=named(estimate([case.value for case in cases]), name),
        definition=definition,
        by=tuple(_split(by, cases, estimate) for by in dimensions),
    )


def _split(
    by: str, cases: Sequence[Case[T]], estimate: Callable[[Sequence[T]], Figure]
) -> Breakdown:
    values = _grouped(by, cases)
    return Breakdown(by, tuple(named(estimate(values[name]), name) for name in sorted(values)))


def _grouped(by: str, cases: Sequence[Case[T]]) -> dict[str, list[T]]:
    values: defaultdict[str, list[T]] = defaultdict(list)
    for case in cases:
        for name in case.groups[by]:
            values[name].append(case.value)
    return dict(values)


def trend(cases: Sequence[Case[T]], estimate: Callable[[Sequence[T]], Figure]) -> Breakdown:
    """The figure week by week; where most weeks have too few, over the four weeks up to each.

    A week in which nobody said anything is a row of its own: a line must not jump over it.
    """
    weekly = _grouped("week", cases)
    weeks = weeks_between(min(weekly), max(weekly)) if weekly else []
    enough = sum(len(values) >= ENOUGH for values in weekly.values())
    reach = 1 if 2 * enough >= len(weeks) else TREND_WEEKS
    rows = []
    for i, week in enumerate(weeks):
        window = weeks[max(0, i - reach + 1) : i + 1]
        rows.append(named(estimate([v for w in window for v in weekly.get(w, [])]), week))
    return Breakdown("week" if reach == 1 else f"{TREND_WEEKS} weeks up to", tuple(rows))


def week_of(moment: datetime, zone: tzinfo) -> str:
    """The ISO week of *moment* in *zone*: ``2026-W01``. Its year may not be the calendar's."""
    year, week, _ = moment.astimezone(zone).isocalendar()
    return f"{year:04d}-W{week:02d}"


def weeks_between(first: str, last: str) -> list[str]:
    """All ISO weeks from *first* to *last*, both included."""
    start, end = (date.fromisoformat(f"{week}-1") for week in (first, last))
    mondays = (start + timedelta(weeks=i) for i in range((end - start).days // 7 + 1))
    return [f"{m.isocalendar().year:04d}-W{m.isocalendar().week:02d}" for m in mondays]


class Places:
    """Which groups a rating, a loop or a ticket belongs to."""

    def __init__(self, facts: Facts, zone: tzinfo) -> None:
        self.zone = zone
        self._loops = {loop.id: loop for loop in facts.loops}
        tickets = {ticket.id: ticket for ticket in facts.tickets}
        self._tickets_of: defaultdict[int | None, list[TicketFact]] = defaultdict(list)
        self._loops_of: defaultdict[int, list[LoopFact]] = defaultdict(list)
        for loop_id, ticket_id in facts.links:
            self._tickets_of[loop_id].append(tickets[ticket_id])
            self._loops_of[ticket_id].append(self._loops[loop_id])

    def of_rated(self, rated: Rated) -> Groups:
        return self._said([rated], self._tickets_of.get(rated.loop_id, []))

    def of_loop(self, loop: LoopFact) -> Groups:
        said = self._said([loop], self._tickets_of.get(loop.id, []))
        return {**said, "kind": frozenset({loop.kind.value})}

    def of_ticket(self, ticket: TicketFact) -> Groups:
        return self._said(self._loops_of.get(ticket.id, []), [ticket])

    def _said(
        self, said: Sequence[Rated | LoopFact], tickets: Sequence[TicketFact]
    ) -> dict[str, frozenset[str]]:
        return {
            "channel": frozenset(s.channel.value for s in said),
            "department": frozenset(t.department for t in tickets) or frozenset({NO_TICKET}),
            "topic": frozenset(t.topic or NO_TOPIC for t in tickets) or frozenset({NO_TICKET}),
            "week": frozenset(week_of(s.said_at, self.zone) for s in said),
        }
