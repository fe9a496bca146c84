"""One number as a page shows it: what it is called, what it says, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.desk.numbers.terms import TERMS
from voc.rules.estimates import Estimate
from voc.rules.figures import Figure

HOURS_IN_TWO_DAYS = 48
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A number with its definition. `change` compares complete weeks; empty: nothing to say."""

    name: str
    value: str
    note: str = ""
    change: str = ""
    definition: str
    href: str = ""
    tone: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The counts of a period, of its complete weeks, and of as many weeks before these."""

    whole: Counts
    complete: Counts
    before: Counts | None


def count_card(name: str, key: str, counts: Compared, term: str, href: str = "") -> Card:
    """How many there are of *key*."""
    return Card(
        name=name,
        value=f"{counts.whole.get(key, 0):,}",
        change=_more_or_less(counts, key),
        definition=TERMS[term],
        href=href,
    )


def figure_card(name: str, estimate: Estimate, counts: Compared, term: str, href: str = "") -> Card:
    """A figure with its interval and how many cases it stands on."""
    figure = estimate(counts.whole)
    return Card(
        name=name,
        value=said(figure),
        note=_reach(figure),
        change=_moved(counts, estimate),
        definition=f"{TERMS[term]} {TERMS['interval']}",
        href=href,
    )


def said(figure: Figure) -> str:
    """The value of a figure as people read it."""
    return figure.note if figure.value is None else spoken(figure.value, figure.unit)


def spoken(value: float, unit: str) -> str:
    """A value with its unit."""
    match unit:
        case "%":
            return f"{value:.0f} %"
        case "points":
            return f"{round(value):+d}" if round(value) else "0"
        case "h":
            return f"{value:.1f} h" if value < HOURS_IN_TWO_DAYS else f"{value / 24:.1f} days"
    return f"{value:.1f} {unit}"


def interval(figure: Figure) -> str:
    """From where to where chance alone may move it; empty if nothing is known."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{spoken(figure.low, figure.unit)} to {spoken(figure.high, figure.unit)}"


def _reach(figure: Figure) -> str:
    between = interval(figure)
    cases = figure.note if figure.unit == "%" and figure.value is not None else f"n = {figure.n:,}"
    return f"{cases} · 95 % interval: {between}" if between else cases


def _more_or_less(counts: Compared, key: str) -> str:
    if counts.before is None:
        return ""
    now, then = counts.complete.get(key, 0), counts.before.get(key, 0)
    if now == then:
        return f"unchanged at {now:,}"
    return f"{'▲' if now > then else '▼'} {now:,} after {then:,}"


def _moved(counts: Compared, estimate: Estimate) -> str:
    if counts.before is None:
        return ""
    now, then = estimate(counts.complete), estimate(counts.before)
    if now.value is None or then.value is None or None in {now.low, now.high, then.low, then.high}:
        return ""
    if said(now) == said(then):
        return f"unchanged at {said(now)}"
    sign = "▲" if now.value > then.value else "▼"
    apart = (now.low or 0) > (then.high or 0) or (now.high or 0) < (then.low or 0)
    words = "" if apart else ", within what chance does"
    return f"{sign} {said(now)} after {said(then)}{words}"
