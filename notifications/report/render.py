"""The measures as one page and as Markdown. Pure: the same measures, the same bytes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from notifications.render import clean
from notifications.report import words
from notifications.report.exhibits import exhibits
from voc.models import LoopState
from voc.rules.figures import ENOUGH, TOO_FEW, Figure
from voc.rules.measures import Measures

LONGEST_WHOLE_WORD = 12
MARKUP = re.compile(r"[\\|\[\]`*<>]")

_NOT_IN_THE_RATE = (LoopState.COULD_NOT_TELL, LoopState.NOT_ACTIONABLE, LoopState.DUPLICATE)


def _data_uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _cell(text: str) -> str:
    """Text that a Markdown table keeps in its cell, and shows as it is."""
    return MARKUP.sub(r"\\\g<0>", " ".join(clean(text).split()))


def _has_long_word(text: str) -> bool:
    """Whether a narrow page must break a word of this; others stay whole."""
    return any(len(word) > LONGEST_WHOLE_WORD for word in text.split())


_ENV = Environment(
    loader=PackageLoader("notifications.report"),
    autoescape=select_autoescape(("html.j2",), default_for_string=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENV.filters.update(
    value=words.value,
    interval=words.interval,
    label=words.label,
    data_uri=_data_uri,
    cell=_cell,
)
_ENV.tests["long_worded"] = _has_long_word


@dataclass(frozen=True, slots=True)
class Table:
    """Plain rows under a caption; `id` names it on the page."""

    id: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Track:
    """Where a figure and its interval lie on its scale, in per cent of the way."""

    start: float
    reach: float
    at: float
    low_end: str
    high_end: str


def html(measures: Measures, company_name: str, now: datetime) -> str:
    """ONE page that needs nothing else: no script, no fonts, nothing from any other place."""
    return _render("report.html", measures, company_name, now)


def markdown(measures: Measures, company_name: str, now: datetime) -> str:
    """The same numbers as Markdown, without pictures."""
    return _render("report.md", measures, company_name, now)


def _render(template: str, measures: Measures, company_name: str, now: datetime) -> str:
    return _ENV.get_template(f"{template}.j2").render(
        company=company_name,
        now=now,
        measures=measures,
        exhibits=exhibits(measures),
        tables={table.id: table for table in _tables(measures)},
        tracks={m.figure.name: _track(m.figure) for m in measures.headlines},
        enough=ENOUGH,
        too_few=TOO_FEW,
    )


def _tables(measures: Measures) -> Iterable[Table]:
    ended: dict[tuple[str, str], int] = {}
    for count in measures.loops:
        key = (words.LOOP_STATES[count.state], words.label(count.reason or ""))
        ended[key] = ended.get(key, 0) + count.n
    beside = {words.LOOP_STATES[state] for state in _NOT_IN_THE_RATE}
    ranked = sorted(ended.items(), key=lambda item: (-item[1], item[0]))
    header = ("State", "Reason", "Loops")
    yield Table(
        "beside",
        "Not in the closure rate, by reason",
        header,
        tuple((*key, f"{n:,}") for key, n in ranked if key[0] in beside),
    )
    yield Table(
        "rate",
        "In the closure rate, by reason",
        header,
        tuple((*key, f"{n:,}") for key, n in ranked if key[0] not in beside),
    )
    yield Table(
        "feedback",
        "Feedback by state and reason",
        ("State", "Reason", "Feedback"),
        tuple(
            (words.label(c.state), words.label(c.reason or ""), f"{c.n:,}")
            for c in measures.feedback
        ),
    )
    yield Table(
        "quarantined",
        "Quarantined by reason",
        ("State", "Reason", "Items"),
        tuple(
            (words.label(c.state), words.label(c.reason or ""), f"{c.n:,}")
            for c in measures.quarantined
        ),
    )


def _track(figure: Figure) -> Track | None:
    if figure.value is None:
        return None
    low = figure.value if figure.low is None else figure.low
    high = figure.value if figure.high is None else figure.high
    first, last = _ends(figure.unit, high)
    start, at, end = (100 * (x - first) / (last - first) for x in (low, figure.value, high))
    return Track(
        round(start, 1),
        round(end - start, 1),
        round(at, 1),
        _end(first, figure.unit),
        _end(last, figure.unit),
    )


def _ends(unit: str, high: float) -> tuple[float, float]:
    """The ends of a figure's scale; hours have no end, so they get the next full day."""
    fixed = {"points": (-100.0, 100.0), "%": (0.0, 100.0), "of 7": (1.0, 7.0)}
    return fixed.get(unit) or (0.0, 24.0 * max(1, ceil(high / 24)))


def _end(end: float, unit: str) -> str:
    return f"{end:+g}" if unit == "points" else f"{end:,g}"
