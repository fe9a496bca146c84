"""What customers talk about: themes that rise and fall, with the words behind each number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import Number, Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers import charts
from apps.desk.numbers.cards import Counts, interval, said
from apps.desk.numbers.filters import Filter, TheFilter, filter_of
from apps.desk.numbers.frame import download, frame, status_of
from apps.desk.operations.paging import read_spot, written
from voc.models import Theme, ThemeState
from voc.rules.estimates import proportion
from voc.rules.weeks import total
from voc.store import theme_words, weekly
from voc.store.database import reading

router = APIRouter()
HERE = "/desk/themes"
DIMENSIONS = ("channel", "touchpoint", "stage", "product", "segment")
MOST = 50
PAGE = 25
WORDS = 6
NOTICEABLE = 5
"""Below so many statements in both periods nothing is said to rise or fall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One theme in numbers. *complete* and *before* count complete weeks."""

    id: int
    name: str
    topic: str | None
    retired: bool
    n: int
    complete: int
    before: int | None
    moves: str
    """rising, falling, new, or nothing to say."""
    negative: str
    weeks: Sequence[int]
    spark: str
    says: str


@router.api_route(HERE, methods=READ)
def show_themes(desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)) -> HTMLResponse:
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        compares = weekly.reaches_back(session, chosen.before)
        rows, left_out = _rows(session, chosen, most=MOST)
        facts = frame(desk, session, chosen, path=HERE, dimensions=DIMENSIONS)
    return desk.view(
        "numbers/themes.html",
        visitor,
        here=HERE,
        status=status_of(chosen),
        rows=rows,
        compares=compares,
        left_out=left_out,
        **facts,
    )


@router.api_route(HERE + ".csv", methods=READ)
def themes_table(desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)) -> Response:
    """All themes of the period, with their statements of each week."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        found, _ = _rows(session, chosen)
    header = ["theme", "name", "topic", "statements", "complete_weeks", "weeks_before", "moves"]
    rows = ([r.id, r.name, r.topic, r.n, r.complete, r.before, r.moves, *r.weeks] for r in found)
    return download("themes", [*header, *chosen.weeks], rows, visitor)


@router.api_route(HERE + "/{theme_id}.csv", methods=READ)
def theme_table(
    theme_id: Number, desk: TheDesk, asked: TheFilter, visitor: Visitor = see(WATCHERS)
) -> Response:
    """How much was said of one theme, week by week."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        _existing(session, theme_id)
        weeks = weekly.themes_by_week(session, chosen.weeks, chosen.wanted)
    rows = (
        [week, counts[str(theme_id)], counts[f"{theme_id}:negative"]]
        for week, counts in zip(chosen.weeks, weeks, strict=True)
    )
    return download(f"theme-{theme_id}", ["week", "statements", "negative"], rows, visitor)


@router.api_route(HERE + "/{theme_id}", methods=READ)
def show_theme(
    theme_id: Number,
    desk: TheDesk,
    asked: TheFilter,
    visitor: Visitor = see(WATCHERS),
    after: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """One theme: its numbers, and what customers said."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        theme = _existing(session, theme_id)
        weeks = weekly.themes_by_week(session, chosen.weeks, chosen.wanted)
        found = theme_words.newest(
            session, theme_id, chosen.wanted, chosen.span, after=read_spot(after), limit=PAGE
        )
        facts = frame(desk, session, chosen, path=f"{HERE}/{theme_id}", dimensions=DIMENSIONS)
    counts = [week[str(theme_id)] for week in weeks]
    name = name_of(theme)
    return desk.view(
        "numbers/theme.html",
        visitor,
        here=HERE,
        status=status_of(chosen),
        theme=theme,
        name=name,
        n=sum(counts),
        negative=_negative(theme_id, total(weeks)),
        columns=charts.columns(name, chosen.weeks, [("said", "statements", counts)]),
        table=[(charts.monday(w), n) for w, n in zip(chosen.weeks, counts, strict=True)],
        verbatims=found.verbatims,
        more=asked.query(after=written(found.after)) if found.after else None,
        back_to=found.after.at if found.after else None,
        **facts,
    )


def _existing(session: Session, theme_id: int) -> Theme:
    if (theme := session.get(Theme, theme_id)) is None:
        raise Refusal(404, "not_here")
    return theme


def name_of(theme: Theme) -> str:
    """What people call it; without a name, what its statements have in common."""
    return theme.name or ", ".join(theme.words[:WORDS]) or f"Theme {theme.id}"


def _rows(session: Session, chosen: Filter, *, most: int | None = None) -> tuple[list[Row], int]:
    """The themes that customers spoke of most, and how many others there are."""
    weeks = weekly.themes_by_week(session, [*chosen.before, *chosen.weeks], chosen.wanted)
    before, now = weeks[: len(chosen.before)], weeks[len(chosen.before) :]
    whole, complete = total(now), total(now[: len(chosen.complete)])
    then = total(before) if weekly.reaches_back(session, chosen.before) else None
    spoken_of = sorted(int(key) for key in {*whole, *(then or ())} if key.isdigit())
    spoken_of.sort(key=lambda key: -whole[str(key)])
    themes = theme_words.names(session, spoken_of[:most])
    rows = [
        _row(themes[key], now, whole, complete, then) for key in spoken_of[:most] if key in themes
    ]
    return rows, len(spoken_of) - len(spoken_of[:most])


def _row(
    theme: Theme, weeks: Sequence[Counts], whole: Counts, complete: Counts, then: Counts | None
) -> Row:
    key = str(theme.id)
    counts = [week.get(key, 0) for week in weeks]
    now, before = complete.get(key, 0), None if then is None else then.get(key, 0)
    name = name_of(theme)
    return Row(
        id=theme.id or 0,
        name=name,
        topic=theme.topic,
        retired=theme.state is ThemeState.RETIRED,
        n=sum(counts),
        complete=now,
        before=before,
        moves=_moves(now, before),
        negative=_negative(theme.id or 0, whole),
        weeks=counts,
        spark=charts.spark(counts),
        says=f"{name}: {', '.join(map(str, counts))} statements a week",
    )


def _moves(now: int, before: int | None) -> str:
    """Whether a difference is more than chance: two Poisson counts, by the normal rule."""
    if before is None or max(now, before) < NOTICEABLE:
        return ""
    if not before:
        return "new"
    if abs(now - before) < 2 * (now + before) ** 0.5:
        return ""
    return "rising" if now > before else "falling"


def _negative(theme_id: int, counts: Counts) -> str:
    figure = proportion(f"{theme_id}:negative", f"{theme_id}")(counts)
    between = interval(figure)
    return f"{said(figure)} ({between})" if between else said(figure)
