"""The pictures of the report: each a drawing, what it says in words, and the same as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from notifications.report import charts
from notifications.report.charts import NARROW, WIDE, Part
from notifications.report.words import (
    LOOP_STATES,
    MESSAGE_STATES,
    TICKET_STATES,
    UNFINISHED,
    interval,
    label,
    sentence,
    tally,
    value,
)
from voc.models import LoopState, MessageState, TicketState
from voc.rules.cases import weeks_between
from voc.rules.counts import NO_ANSWER_YET
from voc.rules.measures import Measures

WEEKS_DRAWN = 26
MOST_CELLS_OPEN = 64

LOOP_COLOURS = {
    LoopState.CLOSED: charts.NAVY,
    LoopState.TOLD: charts.BLUE,
    LoopState.OPEN: charts.ORANGE,
    LoopState.COULD_NOT_TELL: charts.DARK_GREY,
    LoopState.NOT_ACTIONABLE: charts.GREY,
    LoopState.DUPLICATE: charts.PURPLE,
}
TICKET_COLOURS = {
    TicketState.OPEN: charts.ORANGE,
    TicketState.IN_PROGRESS: charts.BLUE,
    TicketState.RESOLVED: charts.TEAL,
    TicketState.CLOSED: charts.NAVY,
}
WENT_WRONG = frozenset(
    {
        MessageState.UNKNOWN,
        MessageState.BOUNCED,
        MessageState.COMPLAINED,
        MessageState.FAILED,
        MessageState.DEAD,
        MessageState.ABANDONED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One picture, drawn when asked for. Without `draw` there is nothing; `alt` says why."""

    name: str
    title: str
    alt: str
    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    draw: Callable[[int], str] | None
    """Width in pixels in, SVG out."""

    @property
    def wide(self) -> str:
        return self.draw(WIDE) if self.draw else ""

    @property
    def narrow(self) -> str:
        return self.draw(NARROW) if self.draw else ""

    @property
    def is_long(self) -> bool:
        return len(self.rows) * len(self.header) > MOST_CELLS_OPEN


def exhibits(measures: Measures) -> dict[str, Exhibit]:
    """All pictures by name."""
    made = (
        _nps_over_weeks(measures),
        _loops_by_outcome(measures),
        _waits(measures),
        _tickets(measures),
        _messages(measures),
    )
    return {exhibit.name: exhibit for exhibit in made}


def _nps_over_weeks(measures: Measures) -> Exhibit:
    trend = measures.nps_trend
    rows = trend.rows[-WEEKS_DRAWN:]
    said = [row for row in rows if row.value is not None]
    if said:
        first, last = said[0], said[-1]
        alt = f"NPS from {first.name}: {sentence(first)}, to {last.name}: {sentence(last)}."
    else:
        alt = "No week has enough answers to say anything."
    span = "each week" if trend.by == "week" else f"the {trend.by} each point, as one week has few"
    return Exhibit(
        name="nps",
        title="NPS over the weeks",
        alt=alt,
        note=f"Answers of {span}. The band is the 95 % interval; no line: too few to say.",
        header=(label(trend.by), "NPS", "95 %", "n"),
        rows=tuple((r.name, value(r), interval(r), f"{r.n:,}") for r in rows),
        draw=(lambda width: charts.line_with_band(rows, width=width, title="NPS in points"))
        if said
        else None,
    )


def _loops_by_outcome(measures: Measures) -> Exhibit:
    counts: Counter[tuple[str, LoopState]] = Counter()
    for count in measures.loops:
        counts[count.week, count.state] += count.n
    weeks = sorted({week for week, _ in counts})
    weeks = weeks_between(weeks[0], weeks[-1])[-WEEKS_DRAWN:] if weeks else []
    used = [state for state in LOOP_COLOURS if any(counts[week, state] for week in weeks)]
    parts = [Part(w, LOOP_STATES[s], counts[w, s]) for w in weeks for s in used]
    colours = {LOOP_STATES[state]: LOOP_COLOURS[state] for state in used}
    alt = f"Loops by outcome: {tally((part.kind, part.n) for part in parts)}."
    return Exhibit(
        name="loops",
        title="Loops by outcome",
        alt=alt,
        note="By the week in which the customer said it; young weeks are still open. "
        f"The last {WEEKS_DRAWN} weeks at most.",
        header=("Week", *(LOOP_STATES[state] for state in used)),
        rows=tuple((week, *(f"{counts[week, state]:,}" for state in used)) for week in weeks),
        draw=(lambda width: charts.stacked_columns(parts, colours, width=width)) if parts else None,
    )


def _waits(measures: Measures) -> Exhibit:
    rows, total = measures.waits, sum(n for _, n in measures.waits)
    return Exhibit(
        name="waits",
        title="How long customers waited for the first answer",
        alt=f"Loops by wait: {_listed(rows)}." if total else "There are no loops yet.",
        note="From the feedback to our first answer, and loops that still wait.",
        header=("Wait", "Loops", "Share"),
        rows=tuple((name, f"{n:,}", f"{n / total:.0%}" if total else "") for name, n in rows),
        draw=(lambda width: charts.bars(rows, width=width, set_apart=frozenset({NO_ANSWER_YET})))
        if total
        else None,
    )


def _tickets(measures: Measures) -> Exhibit:
    counts: Counter[tuple[str, TicketState]] = Counter()
    late: Counter[tuple[str, bool]] = Counter()
    for count in measures.tickets:
        counts[count.department, count.state] += count.n
        if count.late:
            late[count.department, count.state in UNFINISHED] += count.n
    departments = sorted({department for department, _ in counts})
    departments.sort(key=lambda name: -sum(counts[name, state] for state in TICKET_COLOURS))
    parts = [
        Part(label(d), TICKET_STATES[s], counts[d, s]) for d in departments for s in TICKET_COLOURS
    ]
    colours = {TICKET_STATES[state]: colour for state, colour in TICKET_COLOURS.items()}
    alt = f"Tickets by department: {tally((part.group, part.n) for part in parts)}."
    return Exhibit(
        name="tickets",
        title="Tickets by department and state",
        alt=alt,
        note="Late now: not resolved, and the next promise is over. Was late: finished too late.",
        header=("Department", *colours, "Late now", "Was late"),
        rows=tuple(
            (
                label(d),
                *(f"{counts[d, state]:,}" for state in TICKET_COLOURS),
                f"{late[d, True]:,}",
                f"{late[d, False]:,}",
            )
            for d in departments
        ),
        draw=(lambda width: charts.stacked_bars(parts, colours, width=width)) if parts else None,
    )


def _messages(measures: Measures) -> Exhibit:
    counts: Counter[MessageState] = Counter()
    for count in measures.messages:
        counts[count.state] += count.n
    rows = [(MESSAGE_STATES[state], counts[state]) for state in MessageState if counts[state]]
    wrong = frozenset(MESSAGE_STATES[state] for state in WENT_WRONG)
    return Exhibit(
        name="messages",
        title="Messages by state",
        alt=f"Messages by state: {_listed(rows)}." if rows else "There are no messages yet.",
        note="A row before it is sent; orange went wrong or may have: "
        f"{', '.join(name for name, _ in rows if name in wrong) or 'none'}.",
        header=("State", "Reason", "Messages"),
        rows=tuple(
            (MESSAGE_STATES[c.state], label(c.reason or ""), f"{c.n:,}") for c in measures.messages
        ),
        draw=(lambda width: charts.bars(rows, width=width, set_apart=wrong)) if rows else None,
    )


def _listed(rows: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in rows)
