"""Reading the figures of weeks: a few hundred rows, however much was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from voc.models import DepartmentFigures, FiguresState, WeekFigures
from voc.rules.weeks import ANY, MOST_VALUES

MOST_CHOICES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cells are asked for; None: whatever the value."""

    channel: str | None = None
    touchpoints: frozenset[str] | None = None
    product: str | None = None
    segment: str | None = None


def counted_at(session: Session) -> datetime | None:
    """How fresh the figures are; None: nobody has counted to the end yet."""
    state = session.get(FiguresState, 1)
    return state.counted_at if state else None


def reaches_back(session: Session, weeks: Sequence[str]) -> bool:
    """Whether something was counted as early as these weeks: else they are empty by nature."""
    first = session.exec(select(func.min(col(WeekFigures.week)))).one()
    return bool(weeks and first and first <= weeks[0])


def by_week(session: Session, weeks: Sequence[str], wanted: Wanted) -> list[Counter[str]]:
    """The counts of each week, in their order."""
    return _summed(session, WeekFigures.counts, weeks, wanted)


def themes_by_week(session: Session, weeks: Sequence[str], wanted: Wanted) -> list[Counter[str]]:
    """The statements of each week by theme (``7``), and the negative ones (``7:negative``)."""
    return _summed(session, WeekFigures.themes, weeks, wanted)


def _summed(
    session: Session, column: dict[str, int], weeks: Sequence[str], wanted: Wanted
) -> list[Counter[str]]:
    found: dict[str, Counter[str]] = {week: Counter() for week in weeks}
    rows = session.exec(
        select(col(WeekFigures.week), col(column)).where(
            col(WeekFigures.week).in_(weeks), *_cells(wanted)
        )
    )
    for week, counts in rows:
        counted = found[week]
        for name, n in counts.items():
            counted[name] += n
    return [found[week] for week in weeks]


def _cells(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Conditions: the one kept row that says it, or all of the finest cells that do."""
    given: list[ColumnElement[bool]] = []
    others = []
    for column, value in (
        (col(WeekFigures.channel), wanted.channel),
        (col(WeekFigures.touchpoint), wanted.touchpoints),
        (col(WeekFigures.product), wanted.product),
        (col(WeekFigures.segment), wanted.segment),
    ):
        if value is None:
            others.append(column)
        elif isinstance(value, frozenset):
            given.append(column.in_(sorted(value)))
        else:
            given.append(column == value)
    is_kept = len(given) <= MOST_VALUES
    return given + [column == ANY if is_kept else column != ANY for column in others]


def choices(session: Session, weeks: Sequence[str]) -> dict[str, list[str]]:
    """The touchpoints, products and segments that there are in these weeks."""
    found = {}
    columns = {
        name: col(getattr(WeekFigures, name))
        for name in ("channel", "touchpoint", "product", "segment")
    }
    for name in ("touchpoint", "product", "segment"):
        others = [other == ANY for each, other in columns.items() if each != name]
        values = columns[name]
        query = select(values).where(col(WeekFigures.week).in_(weeks), *others)
        query = query.where(values.not_in([ANY, ""])).distinct().order_by(values)
        found[name] = list(session.exec(query.limit(MOST_CHOICES)))
    return found


def by_department(session: Session, weeks: Collection[str]) -> dict[str, dict[str, Counter[str]]]:
    """By department and week what became of the tickets that were opened then."""
    rows = session.exec(
        select(
            col(DepartmentFigures.department),
            col(DepartmentFigures.week),
            col(DepartmentFigures.counts),
        ).where(col(DepartmentFigures.week).in_(weeks))
    )
    found: dict[str, dict[str, Counter[str]]] = {}
    for department, week, counts in rows:
        found.setdefault(department, {})[week] = Counter(counts)
    return found
