"""The numbers: what customers say, how many we answered, how fast, and what went wrong.

Pure arithmetic over `Facts`. `docs/measures.md` defines each; the definitions here are the same
in one sentence, and the report prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial

from voc.models import LoopKind, LoopState, RatingScale
from voc.rules.cases import Case, Measure, Places, measured, trend
from voc.rules.counts import (
    LoopCount,
    TicketCount,
    by_code,
    count_loops,
    count_tickets,
    count_waits,
    hours_until,
)
from voc.rules.facts import Facts, FeedbackCount, LoopFact, MessageCount, QuarantineCount
from voc.rules.figures import Breakdown, mean, nps, proportion, quantile
from voc.rules.ratings import MEANINGS, has_value, is_detractor, is_promoter, is_satisfied

COULD_BE_TOLD = (LoopState.OPEN, LoopState.TOLD, LoopState.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All numbers of one period. Rows are sorted, so that the same facts give the same report."""

    since: datetime | None
    now: datetime
    nps: Measure
    csat: Measure
    ces: Measure
    closure: Measure
    first_answer: Measure
    first_answer_p90: Measure
    closing: Measure
    closing_p90: Measure
    reopened: Measure
    answered: Measure
    reassigned: Measure
    nps_trend: Breakdown
    loops: tuple[LoopCount, ...]
    waits: tuple[tuple[str, int], ...]
    tickets: tuple[TicketCount, ...]
    messages: tuple[MessageCount, ...]
    feedback: tuple[FeedbackCount, ...]
    quarantined: tuple[QuarantineCount, ...]

    @property
    def headlines(self) -> tuple[Measure, ...]:
        """Every figure, in the order that people read them."""
        return (
            self.nps,
            self.csat,
            self.ces,
            self.closure,
            self.first_answer,
            self.first_answer_p90,
            self.closing,
            self.closing_p90,
            self.reopened,
            self.answered,
            self.reassigned,
        )


def measure(facts: Facts, zone: tzinfo) -> Measures:
    """All numbers from *facts*; weeks are ISO weeks of *zone*, the company's."""
    places = Places(facts, zone)
    outcomes = [
        Case(is_promoter(r.rating, r.scale) - is_detractor(r.rating, r.scale), places.of_rated(r))
        for r in facts.rated
        if r.scale is RatingScale.NPS and has_value(r.rating, r.scale)
    ]
    return Measures(
        since=facts.since,
        now=facts.now,
        nps=measured("NPS", "Promoters (9-10) minus detractors (0-6), in points.", outcomes, nps),
        nps_trend=trend(outcomes, nps),
        loops=count_loops(facts.loops, places),
        waits=count_waits(facts.loops),
        tickets=count_tickets(facts.tickets, facts.now),
        messages=by_code(facts.messages),
        feedback=by_code(facts.feedback),
        quarantined=by_code(facts.quarantined),
        **_satisfaction(facts, places),
        **_promises(facts, places),
        **_speeds(facts, places),
    )


def _satisfaction(facts: Facts, places: Places) -> dict[str, Measure]:
    def rated(scale: RatingScale) -> list[Case[float]]:
        """Values that the scale does not have are left out: they cannot be an answer to it."""
        return [
            Case(r.rating, places.of_rated(r))
            for r in facts.rated
            if r.scale is scale and has_value(r.rating, scale)
        ]

    satisfied = [
        Case(is_satisfied(case.value, RatingScale.CSAT), case.groups)
        for case in rated(RatingScale.CSAT)
    ]
    ends = MEANINGS[RatingScale.CES]
    return {
        "csat": measured("CSAT", "Customers who gave 4 or 5 of 5.", satisfied, proportion),
        "ces": measured(
            "CES",
            "Mean effort, 1 to 7. Low is good: 1 is the least effort.",
            rated(RatingScale.CES),
            partial(mean, lowest=ends.low, highest=ends.high, unit="of 7"),
        ),
    }


def _promises(facts: Facts, places: Places) -> dict[str, Measure]:
    could = [loop for loop in facts.loops if loop.state in COULD_BE_TOLD]
    # A thanks asks nothing, so it can neither be answered nor reopened.
    asked = [p for p in facts.loops if p.first_told_at and p.kind is LoopKind.ISSUE]

    def loops(of: Sequence[LoopFact], hit: Callable[[LoopFact], bool]) -> list[Case[bool]]:
        return [Case(hit(loop), places.of_loop(loop)) for loop in of]

    return {
        "closure": measured(
            "Closure rate",
            "Loops that ended with the customer told, of those that could. Open ones count "
            "against it.",
            loops(could, lambda loop: loop.state is LoopState.CLOSED),
            proportion,
        ),
        "reopened": measured(
            "Reopen rate",
            "Loops that came back as not solved, of those with an issue that were told.",
            loops(asked, lambda loop: loop.reopened > 0),
            proportion,
        ),
        "answered": measured(
            "Answer rate",
            "Loops whose customer answered our question, of those with an issue that were told.",
            loops(asked, lambda loop: loop.answered),
            proportion,
        ),
        "reassigned": measured(
            "Re-assignment rate",
            "Tickets that went to another department, of all tickets.",
            [Case(t.hand > 1, places.of_ticket(t)) for t in facts.tickets],
            proportion,
        ),
    }


def _speeds(facts: Facts, places: Places) -> dict[str, Measure]:
    told = [
        Case(hours_until(loop, loop.first_told_at), places.of_loop(loop))
        for loop in facts.loops
        if loop.first_told_at is not None
    ]
    closed = [
        Case(hours_until(loop, loop.closed_at), places.of_loop(loop))
        for loop in facts.loops
        if loop.closed_at is not None and loop.state is LoopState.CLOSED
    ]
    waiting = sum(p.state is LoopState.OPEN and p.first_told_at is None for p in facts.loops)
    unclosed = sum(p.state in {LoopState.OPEN, LoopState.TOLD} for p in facts.loops)
    median, p90 = partial(quantile, q=0.5, unit="h"), partial(quantile, q=0.9, unit="h")
    first = f"from the feedback to our first answer; {waiting} loops still wait and are not in it."
    last = f"from the feedback to the closed loop; {unclosed} are not closed and not in it."
    half, nine = "Half were faster. Hours", "9 of 10 were faster. Hours"
    return {
        "first_answer": measured("First answer, median", f"{half} {first}", told, median),
        "first_answer_p90": measured("First answer, p90", f"{nine} {first}", told, p90),
        "closing": measured("Time to close, median", f"{half} {last}", closed, median),
        "closing_p90": measured("Time to close, p90", f"{nine} {last}", closed, p90),
    }
