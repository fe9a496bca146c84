"""The picture of an experiment: each variant's share, and how far it is from the first one's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from notifications.report.charts import BLUE, GREY, INK, NAVY, ORANGE, QUIET, TEAL, to_svg
from voc.rules.comparing import Compared, Interval, Judgement

WIDTH, ROW = 560, 46
COLOURS = {
    Judgement.BETTER: TEAL,
    Judgement.WORSE: ORANGE,
    Judgement.NO_DIFFERENCE: BLUE,
    Judgement.TOO_FEW: GREY,
}


def draw_comparison(arms: Sequence[Compared]) -> str:
    """The SVG: shares above, differences from the first variant below."""
    import altair as alt

    shares = [_share(arm, arm.rate) for arm in arms if arm.rate]
    panels = [_panel(shares, "share of the customers, per cent, with its 95 % interval")]
    if differences := [_difference(arm, arm.difference) for arm in arms if arm.difference]:
        first = arms[0].tally.arm
        title = f"difference from {first}, percentage points, valid whenever you look"
        panels.append(alt.layer(_zero(), _panel(differences, title)))
    heights = (ROW * len(rows) for rows in (shares, differences) if rows)
    sized = (
        panel.properties(width=WIDTH, height=height)
        for panel, height in zip(panels, heights, strict=True)
    )
    return to_svg(alt.vconcat(*sized, spacing=34))


def _share(arm: Compared, interval: Interval) -> dict[str, Any]:
    counts = f"{arm.tally.events:,} of {arm.tally.n:,}"
    return _row(arm, interval, f"{100 * interval.value:.1f} ({counts})", NAVY)


def _difference(arm: Compared, interval: Interval) -> dict[str, Any]:
    judgement = arm.judgement or Judgement.TOO_FEW
    label = f"{100 * interval.value:+.1f}: {judgement.value}"
    return _row(arm, interval, label, COLOURS[judgement])


def _row(arm: Compared, interval: Interval, label: str, colour: str) -> dict[str, Any]:
    limits = {"low": 100 * interval.low, "high": 100 * interval.high}
    return {
        "arm": arm.tally.arm,
        "value": 100 * interval.value,
        "label": label,
        "colour": colour,
        **limits,
    }


def _panel(rows: list[dict[str, Any]], title: str) -> Any:
    import altair as alt

    base = alt.Chart(alt.InlineData(rows)).encode(
        y=alt.Y("arm:N", sort=None, title=None, axis=alt.Axis(labelLimit=140)),
        color=alt.Color("colour:N", scale=None),
    )
    spans = base.mark_rule(strokeWidth=5, opacity=0.45, strokeCap="round").encode(
        x=alt.X("low:Q", title=title), x2=alt.X2("high:Q")
    )
    x = alt.X("value:Q", title=title)
    points = base.mark_point(filled=True, size=130, opacity=1).encode(x=x)
    labels = base.mark_text(dy=-15, fontSize=12).encode(x=x, text="label:N", color=alt.value(INK))
    return alt.layer(spans, points, labels)


def _zero() -> Any:
    import altair as alt

    rule = alt.Chart(alt.InlineData([{"zero": 0}])).mark_rule(color=QUIET, strokeDash=[4, 3])
    return rule.encode(x=alt.X("zero:Q"))
