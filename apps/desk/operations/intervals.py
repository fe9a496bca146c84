"""Intervals as pictures: a line from the lower to the upper limit, a point at the value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

WIDTH = 100
"""Per cent of the drawing: the page makes it as wide as there is room."""


class Interval(Protocol):
    """A value with its limits. 0.1 is 10 per cent."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One interval of a picture; places in per cent of its width. None: nothing to draw."""

    name: str
    low: float | None = None
    value: float | None = None
    high: float | None = None


def forest(
    rows: Sequence[tuple[str, Interval | None]], *, lowest: float, highest: float
) -> list[Line]:
    """Where to draw *rows* on a scale from *lowest* to *highest*."""

    def place(x: float) -> float:
        return round(WIDTH * (min(max(x, lowest), highest) - lowest) / (highest - lowest), 2)

    return [
        Line(name=name, low=place(i.low), value=place(i.value), high=place(i.high))
        if i
        else Line(name=name)
        for name, i in rows
    ]


def per_cent(interval: Interval | None, *, signed: bool = False) -> str:
    """``12.3 % (10.0 to 14.9)``."""
    if interval is None:
        return "too few to say"
    sign = "+" if signed else ""
    value, low, high = (
        f"{100 * each:{sign}.1f}" for each in (interval.value, interval.low, interval.high)
    )
    return f"{value} % ({low} to {high})"


def limits_of(interval: Interval | None) -> list[float | None]:
    """Value, lower and upper limit for a table; nothing of too few."""
    return [interval.value, interval.low, interval.high] if interval else [None] * 3
