"""Drawing: plain rows in, an SVG out. Rendered here, offline and without a browser.

The same rows give the same bytes. Colours are told apart by the colour-blind and in grey print,
each with 4.5:1 against white; order, numbers in the bars and a table say the same without them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from voc.rules.figures import Figure

INK, QUIET, GRID = "#1c2430", "#4a5565", "#d9dee5"
NAVY, BLUE, ORANGE, TEAL = "#003f63", "#0072b2", "#c24e00", "#1f7a61"
DARK_GREY, GREY, PURPLE = "#4b4b4b", "#737373", "#8f4f83"

WIDE, NARROW = 660, 300
FONT = "Helvetica, Arial, sans-serif"
BAR, MARGIN = 30, 70
SMALLEST_WITH_NUMBER = 0.06
ROOM_FOR_NUMBER = 22
PLOT = 0.62  # of the width, beside the names
NEVER = 2.0


@dataclass(frozen=True, slots=True)
class Part:
    """How many of *kind* there are in *group*: one segment of a stacked bar."""

    group: str
    kind: str
    n: int


def line_with_band(rows: Sequence[Figure], *, width: int, title: str) -> str:
    """A figure week by week with its interval. Where nothing is said, the line is broken."""
    import altair as alt

    values = [{"week": r.name, "value": r.value, "low": r.low, "high": r.high} for r in rows]
    ends = [end for r in rows for end in (r.low, r.high) if end is not None]
    step = 20
    domain = [min(0, *ends) // step * step, -(-max(0, *ends) // step) * step]
    scale = alt.Scale(domain=domain)
    base = alt.Chart(alt.InlineData(values)).encode(
        x=alt.X("week:O", sort=None, title=None, axis=_week_axis(alt)),
    )
    gap: Any = "break-paths-show-path-domains"
    y = alt.Y("value:Q", title=title, scale=scale, axis=_signed_axis(alt))
    span = {"y": alt.Y("low:Q", title=title, scale=scale), "y2": alt.Y2("high:Q")}
    zero = alt.Chart(alt.InlineData([{"zero": 0}])).mark_rule(color=QUIET).encode(y="zero:Q")
    layers = alt.layer(
        zero,
        base.mark_area(color=BLUE, opacity=0.22, invalid=gap).encode(**span),
        base.mark_rule(color=BLUE, opacity=0.55).encode(**span),
        base.mark_line(color=NAVY, strokeWidth=2.5, invalid=gap).encode(y=y),
        base.mark_point(color=NAVY, fill="white", filled=False, size=52, opacity=1).encode(y=y),
    )
    return _svg(layers, width=width, height=300)


def stacked_columns(parts: Sequence[Part], colours: dict[str, str], *, width: int) -> str:
    """One column a week, its parts in the order of *colours*, from the bottom."""
    import altair as alt

    weeks = len({part.group for part in parts})
    has_room = weeks * ROOM_FOR_NUMBER <= width
    values = _stacked(parts, colours, SMALLEST_WITH_NUMBER if has_room else NEVER)
    x = alt.X("group:O", sort=None, title=None, axis=_week_axis(alt))
    layers = _segments(values, colours, width, x=x, along="y", size={"width": {"band": 0.82}})
    return _svg(layers, width=width, height=320)


def stacked_bars(parts: Sequence[Part], colours: dict[str, str], *, width: int) -> str:
    """One lying bar a group, its parts in the order of *colours*, from the left."""
    import altair as alt

    values = _stacked(parts, colours, ROOM_FOR_NUMBER / (PLOT * width))
    y = alt.Y("group:O", sort=None, title=None, axis=alt.Axis(labelLimit=width // 3))
    layers = _segments(values, colours, width, y=y, along="x", size={"height": {"band": 0.7}})
    groups = len({part.group for part in parts})
    return _svg(layers, width=width, height=MARGIN + 20 + BAR * groups)


def bars(rows: Sequence[tuple[str, int]], *, width: int, set_apart: frozenset[str]) -> str:
    """One lying bar a row, its number at its end. Those *set_apart* have another colour."""
    import altair as alt

    values = [{"name": name, "n": n, "apart": name in set_apart} for name, n in rows]
    room = max(n for _, n in rows) * (1.3 if width == NARROW else 1.12)  # for the numbers
    base = alt.Chart(alt.InlineData(values)).encode(
        y=alt.Y("name:O", sort=None, title=None, axis=alt.Axis(labelLimit=width // 2)),
        x=alt.X("n:Q", title=None, axis=None, scale=alt.Scale(domain=[0, room], nice=False)),
    )
    colour = alt.condition("datum.apart", alt.value(ORANGE), alt.value(BLUE))
    layers = alt.layer(
        base.mark_bar(height={"band": 0.7}).encode(color=colour),
        base.mark_text(align="left", dx=5, color=INK, fontSize=13).encode(
            text=alt.Text("n:Q", format=",")
        ),
    )
    return _svg(layers, width=width, height=20 + BAR * len(rows))


def _segments(
    values: list[dict[str, Any]],
    colours: dict[str, str],
    width: int,
    *,
    along: str,
    size: dict[str, Any],
    **across: Any,
) -> Any:
    """Bars from start to end, and their numbers where there is room for them."""
    import altair as alt

    start, middle = (
        (alt.X if along == "x" else alt.Y)(f"{field}:Q", title=None, axis=alt.Axis(tickMinStep=1))
        for field in ("start", "middle")
    )
    used = [kind for kind in colours if any(value["kind"] == kind for value in values)]
    colour = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=used, range=[colours[kind] for kind in used]),
        legend=alt.Legend(orient="top", columns=2 if width == NARROW else len(used)),
    )
    base = alt.Chart(alt.InlineData(values)).encode(**across)
    other_end = alt.X2("end:Q") if along == "x" else alt.Y2("end:Q")
    boxes = base.mark_bar(stroke="white", strokeWidth=1.5, **size).encode(
        **{along: start, f"{along}2": other_end}, color=colour
    )
    numbers = (
        base.transform_filter("datum.numbered")
        .mark_text(color="white", fontWeight="bold", fontSize=11)
        .encode(**{along: middle}, text=alt.Text("n:Q", format=","))
    )
    return alt.layer(boxes, numbers)


def _stacked(
    parts: Sequence[Part], colours: dict[str, str], smallest: float
) -> list[dict[str, Any]]:
    """Where each segment starts and ends. Done here: the layers then cannot disagree.

    Args:
        smallest: The share of the longest bar from which a segment gets its number.
    """
    order = list(colours)
    totals: dict[str, int] = {}
    for part in parts:
        totals[part.group] = totals.get(part.group, 0) + part.n
    enough = max(1, smallest * max(totals.values(), default=0))
    values: list[dict[str, Any]] = []
    for group in totals:
        own = sorted((p for p in parts if p.group == group), key=lambda p: order.index(p.kind))
        ends = [0]
        for part in own:
            ends.append(ends[-1] + part.n)
        for part, (start, end) in zip(own, pairwise(ends), strict=True):
            values.append(
                {
                    "group": group,
                    "kind": part.kind,
                    "n": part.n,
                    "start": start,
                    "end": end,
                    "middle": (start + end) / 2,
                    "numbered": part.n >= enough,
                }
            )
    return values


def _signed_axis(alt: Any) -> Any:
    return alt.Axis(tickCount=6, labelExpr="datum.value === 0 ? '0' : format(datum.value, '+d')")


def _week_axis(alt: Any) -> Any:
    """``W05``, with the year under the first week and under each W01."""
    return alt.Axis(
        labelAngle=0,
        labelOverlap=True,
        labelExpr=(
            "datum.index === 0 || slice(datum.value, 5) === 'W01'"
            " ? [slice(datum.value, 5), slice(datum.value, 0, 4)] : slice(datum.value, 5)"
        ),
    )


def _svg(chart: Any, *, width: int, height: int) -> str:
    import altair as alt

    fit = alt.AutoSizeParams(type="fit", contains="padding")
    return to_svg(chart.properties(width=width, height=height, autosize=fit))


def to_svg(chart: Any) -> str:
    """*chart* in our style, drawn."""
    styled = (
        chart.properties(background="white")
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=QUIET,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=GRID,
            domainColor=QUIET,
            tickColor=QUIET,
        )
        .configure_legend(labelColor=INK, labelFontSize=12, symbolType="square", labelLimit=200)
    )
    out = io.StringIO()
    styled.save(out, format="svg")
    return out.getvalue()
