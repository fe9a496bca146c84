"""What customers say and how well we answer, week by week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers import charts
from apps.desk.numbers.cards import Counts, interval, said
from apps.desk.numbers.charts import Columns, Line
from apps.desk.numbers.filters import TheFilter, filter_of
from apps.desk.numbers.frame import download, frame, status_of
from voc.rules import estimates
from voc.rules.estimates import Estimate
from voc.rules.figures import Figure
from voc.rules.weeks import UNSURE, total
from voc.store import weekly
from voc.store.database import reading

router = APIRouter()
HERE = "/desk/trends"
DIMENSIONS = ("channel", "touchpoint", "stage", "product", "segment")


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure that is drawn as a line; *ends* are those of its scale."""

    name: str
    term: str
    estimate: Estimate
    ends: tuple[float, float]
    behind: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Split:
    """Counts that are drawn as columns. Parts: class, name and count, from the bottom up."""

    name: str
    term: str
    parts: tuple[tuple[str, str, str], ...]
    shares: bool = False


SERIES: Mapping[str, Measured | Split] = MappingProxyType(
    {
        "nps": Measured(
            "NPS", "nps", estimates.nps, (-100, 100), ("detractors", "passives", "promoters")
        ),
        "csat": Measured("CSAT", "csat", estimates.CSAT, (0, 100), ("not_satisfied", "satisfied")),
        "ces": Measured("CES", "ces", estimates.CES, (1, 7), ("much_effort", "little_effort")),
        "stars": Measured(
            "Stars", "stars", estimates.STARS, (1, 5), ("up_to_three_stars", "four_or_five_stars")
        ),
        "sentiment": Split(
            "Sentiment",
            "sentiment",
            (
                ("negative", "negative", "sentiment:negative"),
                ("neutral", "neutral", "sentiment:neutral"),
                ("positive", "positive", "sentiment:positive"),
                (UNSURE, "unsure", f"sentiment:{UNSURE}"),
            ),
            shares=True,
        ),
        "volume": Split(
            "Volume",
            "volume",
            (
                ("routed", "a loop was opened", "state:routed"),
                ("filed", "filed: nothing to do", "state:filed"),
                ("waiting", "not read or routed yet", "waiting"),
            ),
        ),
        "closure": Measured("Closure rate", "closure rate", estimates.CLOSURE, (0, 100)),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart with its table, and over how many weeks each point reaches."""

    code: str
    name: str
    term: str
    behind: Sequence[tuple[str, str]]
    """Whose words are behind it: a group of `voc.store.verbatims`, and its name."""
    line: Line | None = None
    columns: Columns | None = None
    latest: str = ""
    reach: int = 1
    empty: bool
    header: Sequence[str]
    rows: list[list[str]]


@router.api_route(HERE, methods=READ)
def show_trends(desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)) -> HTMLResponse:
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        counts = weekly.by_week(session, [*chosen.lead, *chosen.weeks], chosen.wanted)
        facts = frame(desk, session, chosen, path=HERE, dimensions=DIMENSIONS)
    found = [chart_of(code, chosen.weeks, counts) for code in SERIES]
    return desk.view(
        "numbers/trends.html",
        visitor,
        here=HERE,
        status=status_of(chosen),
        to_words=lambda of: f"/desk/verbatims{asked.query(of=of)}",
        charts=[chart for chart in found if not chart.empty],
        missing=[chart.name for chart in found if chart.empty],
        running=len(chosen.complete) < len(chosen.weeks),
        **facts,
    )


@router.api_route(HERE + "/{code}.csv", methods=READ)
def trend_table(
    code: str, desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)
) -> Response:
    """The numbers of one chart."""
    if code not in SERIES:
        raise Refusal(404, "not_here")
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        counts = weekly.by_week(session, [*chosen.lead, *chosen.weeks], chosen.wanted)
    match SERIES[code]:
        case Measured() as measured:
            reach, figures = estimates.trend(counts, measured.estimate, lead=len(chosen.lead))
            header = ["week", code, "low_95", "high_95", "n", "unit", "weeks"]
            rows: list[list[object]] = [
                [week, f.value, f.low, f.high, f.n, f.unit, reach]
                for week, f in zip(chosen.weeks, figures, strict=True)
            ]
        case Split() as split:
            header = ["week", *(name for _, name, _ in split.parts)]
            rows = [
                [week, *(_count(each, key) for _, _, key in split.parts)]
                for week, each in zip(chosen.weeks, counts[len(chosen.lead) :], strict=True)
            ]
    return download(code, header, rows, visitor)


def chart_of(code: str, weeks: Sequence[str], counts: Sequence[Counts]) -> Chart:
    """The chart of one series. *counts* begin before *weeks*, as far as a trend reaches back."""
    lead = len(counts) - len(weeks)
    match SERIES[code]:
        case Measured() as measured:
            return _measured(code, measured, weeks, counts, lead)
        case Split() as split:
            return _split(code, split, weeks, counts[lead:])


def _measured(
    code: str, measured: Measured, weeks: Sequence[str], counts: Sequence[Counts], lead: int
) -> Chart:
    reach, figures = estimates.trend(counts, measured.estimate, lead=lead)
    whole = measured.estimate(total(counts[lead:]))
    return Chart(
        code=code,
        name=measured.name,
        term=measured.term,
        behind=[(code, code.replace("_", " ") or "everybody") for code in measured.behind],
        line=charts.line(measured.name, weeks, figures, measured.ends),
        latest=f"{said(whole)} in the whole period, n = {whole.n:,}",
        reach=reach,
        empty=whole.n == 0,
        header=("Value", "95 %", "n"),
        rows=[_row(week, figure) for week, figure in zip(weeks, figures, strict=True)],
    )


def _row(week: str, figure: Figure) -> list[str]:
    return [charts.monday(week), said(figure), interval(figure), f"{figure.n:,}"]


def _split(code: str, split: Split, weeks: Sequence[str], counts: Sequence[Counts]) -> Chart:
    parts = [
        (kind, name, [_count(each, key) for each in counts]) for kind, name, key in split.parts
    ]
    shown = [part for part in parts if any(part[2])]
    names = [name for _, name, _ in shown]
    return Chart(
        code=code,
        name=split.name,
        term=split.term,
        behind=[(kind, name) for kind, name, _ in shown],
        columns=charts.columns(split.name, weeks, shown, shares=split.shares),
        empty=not shown,
        header=names,
        rows=[
            [charts.monday(week), *(f"{part[2][i]:,}" for part in shown)]
            for i, week in enumerate(weeks)
        ],
    )


def _count(counts: Counts, key: str) -> int:
    if key == "waiting":
        return counts.get("state:collected", 0) + counts.get("state:understood", 0)
    return counts.get(key, 0)
