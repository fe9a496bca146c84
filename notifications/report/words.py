"""Figures and codes as people read them. The same words on the page, in Markdown and in `voc`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from voc.models import LoopState, MessageState, QuarantineState, TicketState
from voc.rules.figures import TOO_FEW, Figure
from voc.rules.measures import Measures

UNFINISHED = frozenset({TicketState.OPEN, TicketState.IN_PROGRESS})


def label(code: str) -> str:
    """A state, channel, department or topic, readable: ``could_not_tell`` -> Could not tell."""
    words = code.replace("_", " ")
    return words[:1].upper() + words[1:]


LOOP_STATES = {state: label(state) for state in LoopState}
TICKET_STATES = {state: label(state) for state in TicketState}
MESSAGE_STATES = {state: label(state) for state in MessageState} | {
    MessageState.UNKNOWN: "In doubt"
}


def value(figure: Figure) -> str:
    """``+32``, ``84.2 %``, ``5.1 h``, or that there are too few to say."""
    if figure.value is None:
        return TOO_FEW
    return f"{number(figure.value, figure.unit)}{_suffix(figure.unit)}"


def interval(figure: Figure) -> str:
    """``+21 to +43``; empty where nothing is said. An open end is said in words."""
    low, high = figure.low, figure.high
    if low is None and high is None:
        return ""
    suffix = "" if figure.unit.startswith("of") else _suffix(figure.unit)
    if high is None and low is not None:
        return f"at least {number(low, figure.unit)}{suffix}"
    if low is None and high is not None:
        return f"at most {number(high, figure.unit)}{suffix}"
    ends = (number(end, figure.unit) for end in (low, high) if end is not None)
    return f"{' to '.join(ends)}{suffix}"


def number(amount: float, unit: str) -> str:
    """As many digits as the figure deserves. A zero has no sign."""
    match unit:
        case "points":
            return f"{round(amount):+d}" if round(amount) else "0"
        case "%":
            return f"{amount:.0f}"
        case "h":
            return f"{amount:,.0f}" if amount >= 100 else f"{amount:.1f}"  # noqa: PLR2004
        case _:
            return f"{amount:.2f}"


def _suffix(unit: str) -> str:
    return {"points": "", "%": " %", "h": " h"}.get(unit, f" {unit}")


def sentence(figure: Figure) -> str:
    """The whole figure in one line, for alternative texts and terminals."""
    if figure.value is None:
        return f"{TOO_FEW} (n = {figure.n:,})"
    return f"{value(figure)} (95 %: {interval(figure)}; n = {figure.n:,})"


def summary(measures: Measures) -> list[tuple[str, str]]:
    """What fits in a terminal: every figure, then what waits for somebody."""
    rows = [(m.figure.name, sentence(m.figure)) for m in measures.headlines]
    rows.append(("Loops", tally((LOOP_STATES[c.state], c.n) for c in measures.loops)))
    late = sum(c.n for c in measures.tickets if c.late and c.state in UNFINISHED)
    tickets = tally((label(c.state), c.n) for c in measures.tickets)
    rows.append(("Tickets", f"{tickets}; late now {late:,}"))
    rows.append(("Feedback", tally((label(c.state), c.n) for c in measures.feedback)))
    rows.append(("Messages", tally((MESSAGE_STATES[c.state], c.n) for c in measures.messages)))
    waiting = sum(c.n for c in measures.quarantined if c.state is QuarantineState.WAITING)
    rows.append(("In quarantine", f"{waiting:,}"))
    return rows


def tally(counts: Iterable[tuple[str, int]]) -> str:
    """``Closed 120, Open 8``, the most frequent first; "none" if there is nothing."""
    totals: Counter[str] = Counter()
    for name, n in counts:
        totals[name] += n
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {n:,}" for name, n in ranked) or "none"
