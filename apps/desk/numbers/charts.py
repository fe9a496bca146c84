"""Charts as plain geometry: the templates draw them as inline SVG.

Lines lie in a box of 1000 by 1000 that is stretched to its place, while strokes and dots keep
their size. Bars are given in per cent, so that their patterns are not stretched. What a chart
says, its text alternative and its table say, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import ceil, floor

from apps.desk.numbers.cards import interval, said
from voc.rules.figures import Figure

BOX = 1000
MOST_TICKS = 5
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A figure week by week, with its interval as a band."""

    paths: list[str]
    """The lines between neighbours that both have a value."""
    bands: list[str]
    dots: list[tuple[int, int]]
    zero: int | None
    """Where 0 lies, if values lie on both sides of it."""
    ticks: list[str]
    """From top to bottom, evenly spaced."""
    labels: list[str]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One part of a column, in per cent. `kind` is its class, which gives colour and pattern."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A stacked column a week."""

    bars: list[Bar]
    ticks: list[str]
    labels: list[str]
    kinds: list[tuple[str, str]]
    """Class and name, from the bottom up."""
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisker:
    """A share with its interval, from left to right; None: too few to say."""

    low: int
    value: int
    high: int
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A small line of shares, and its newest point."""

    paths: list[str]
    dot: tuple[int, int]
    says: str


def line(
    name: str, weeks: Sequence[str], figures: Sequence[Figure], ends: tuple[float, float]
) -> Line:
    """A line with its band. *ends* are those of the scale; the axis is cut to what is needed."""
    unit = figures[0].unit
    low, high, ticks = _axis([] if unit == "%" else figures, ends)

    def y(value: float) -> int:
        return round(BOX * (high - value) / (high - low))

    points = [(_middle(i, len(weeks)), figure) for i, figure in enumerate(figures)]
    runs = [list(run) for known, run in groupby(points, lambda p: p[1].value is not None) if known]
    return Line(
        paths=[_path([(x, y(f.value or 0)) for x, f in run]) for run in runs],
        bands=[
            _path(
                [(x, y(f.high or 0)) for x, f in run] + [(x, y(f.low or 0)) for x, f in run[::-1]]
            )
            + "Z"
            for run in runs
        ],
        dots=[(x, y(f.value)) for x, f in points if f.value is not None],
        zero=y(0) if low < 0 < high else None,
        ticks=[f"{tick:g} %" if unit == "%" else f"{tick:g}" for tick in reversed(ticks)],
        labels=labels_of(weeks),
        says=_told(name, weeks, figures),
    )


def columns(
    name: str,
    weeks: Sequence[str],
    parts: Sequence[tuple[str, str, Sequence[int]]],
    *,
    shares: bool = False,
) -> Columns:
    """Stacked columns of counts, or of shares of each week's sum.

    Args:
        parts: Class, name, and the counts of each week; from the bottom up.
    """
    sums = [sum(counts[i] for _, _, counts in parts) for i in range(len(weeks))]
    top = _nice(max(sums, default=0))
    step = 100 / max(1, len(weeks))
    bars = []
    for i in range(len(weeks)):
        whole, below = (sums[i] if shares else top), 0
        for kind, _, counts in parts:
            begin, below = below, below + counts[i]
            if counts[i]:
                top_at, foot_at = (100 * (1 - n / whole) for n in (below, begin))
                bars.append(_bar(kind, step * (i + 0.1), top_at, step * 0.8, foot_at - top_at))
    ticks = ["100 %", "50 %", "0 %"] if shares else [f"{top:,}", f"{top // 2:,}", "0"]
    said_of = ", ".join(f"{name_of} {sum(counts):,}" for _, name_of, counts in parts)
    return Columns(
        bars=bars,
        ticks=ticks,
        labels=labels_of(weeks),
        kinds=[(kind, name_of) for kind, name_of, _ in parts],
        says=f"{name}, {len(weeks)} weeks up to {weeks[-1]}. In all: {said_of}.",
    )


def _bar(kind: str, x: float, y: float, width: float, height: float) -> Bar:
    x, y, width, height = (round(each, 2) for each in (x, y, width, height))
    return Bar(x=x, y=y, width=width, height=height, kind=kind)


def whisker(name: str, figure: Figure) -> Whisker | None:
    """A share on a line from 0 to 100 %."""
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    low, value, high = (round(BOX * each / 100) for each in (figure.low, figure.value, figure.high))
    says = f"{name}: {said(figure)}, between {interval(figure)}"
    return Whisker(low=low, value=value, high=high, says=says)


def spark(counts: Sequence[int]) -> str:
    """A small line of counts, from 0 to the largest."""
    top = max(1, *counts)
    ends = len(counts)
    return _path([(_middle(i, ends), round(BOX * (1 - n / top))) for i, n in enumerate(counts)])


def spark_of_shares(name: str, weeks: Sequence[str], figures: Sequence[Figure]) -> Spark | None:
    """A small line of shares, from 0 to 100 %, broken where there are too few cases."""
    points = [
        (_middle(i, len(figures)), None if f.value is None else round(BOX * (1 - f.value / 100)))
        for i, f in enumerate(figures)
    ]
    runs = [list(run) for known, run in groupby(points, lambda p: p[1] is not None) if known]
    known = [(x, y) for x, y in points if y is not None]
    if not known:
        return None
    return Spark(
        paths=[_path([(x, y or 0) for x, y in run]) for run in runs],
        dot=known[-1],
        says=_told(name, weeks, figures),
    )


def labels_of(weeks: Sequence[str]) -> list[str]:
    """The first, a middle and the last week, by their Mondays."""
    return [monday(week) for week in dict.fromkeys([weeks[0], weeks[len(weeks) // 2], weeks[-1]])]


def monday(week: str) -> str:
    """The day on which a week begins: ``5 Jan 2026``."""
    return f"{date.fromisoformat(f'{week}-1'):%-d %b %Y}"


def sunday(week: str) -> str:
    """The day on which a week ends."""
    return f"{date.fromisoformat(f'{week}-7'):%-d %b %Y}"


def _middle(i: int, n: int) -> int:
    return round(BOX * (i + 0.5) / max(1, n))


def _path(points: Sequence[tuple[int, int]]) -> str:
    return "M" + " L".join(f"{x} {y}" for x, y in points)


def _axis(figures: Sequence[Figure], ends: tuple[float, float]) -> tuple[float, float, list[float]]:
    """Where the axis begins and ends, and what stands beside it."""
    known = [each for f in figures for each in (f.low, f.high) if each is not None]
    least, most = (min(known), max(known)) if known else ends
    reach = most - least
    step = next((s for s in (0.5, *STEPS) if reach / s <= MOST_TICKS - 2), STEPS[-1])
    low, high = max(ends[0], floor(least / step) * step), min(ends[1], ceil(most / step) * step)
    if high <= low:
        low, high = ends
        step = (high - low) / 2
    n = round((high - low) / step)
    return low, low + n * step, [low + step * i for i in range(n + 1)]


def _nice(n: int) -> int:
    """An even number not below *n* that reads well: 2, 4, 10, 20, 40, 100 ..."""
    scale = 1
    while True:
        for base in (2, 4, 10):
            if base * scale >= n:
                return base * scale
        scale *= 10


def _told(name: str, weeks: Sequence[str], figures: Sequence[Figure]) -> str:
    known = [(week, f) for week, f in zip(weeks, figures, strict=True) if f.value is not None]
    if not known:
        return f"{name}: too few cases in every week."
    (first, begin), (last, end) = known[0], known[-1]
    return (
        f"{name} from {said(begin)} in the week of {monday(first)} to {said(end)} in the week of "
        f"{monday(last)}, between {interval(end)}."
    )
