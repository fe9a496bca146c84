"""How fresh and how complete what sources brought is. Counted from one index, never from rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select
from sqlmodel import Session, col, select

from voc.columns import UtcDateTime
from voc.models import Feedback, FeedbackState, Quarantine, QuarantineState, SourceCursor

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is known of one source."""

    source: str
    read_at: datetime | None
    """When it last had a page for us."""
    newest: datetime | None
    """When the newest thing was said."""
    weeks: tuple[int, ...]
    """How much was said in each of the spans that were asked for."""
    states: dict[FeedbackState, int] = field(default_factory=dict)
    """How many items are in each state; one more than was asked for at most: there are more."""
    quarantined: int = 0
    """In the same way."""


def known(session: Session) -> list[str]:
    """The sources that were ever read, those that have left the company file among them."""
    return sorted(session.exec(select(SourceCursor.source)))


def health(
    session: Session, sources: Collection[str], spans: Sequence[Span], *, most: int
) -> list[Health]:
    """How each source does: a handful of short reads of an index for each.

    Args:
        spans: Weeks, say: from (included) to (not included).
        most: As far as items by state are counted.
    """
    cursors = {row.source: row.read_at for row in session.exec(select(SourceCursor))}
    return [
        Health(
            source=source,
            read_at=cursors.get(source),
            newest=_newest(session, source),
            weeks=_said_in(session, source, spans),
            states={state: _in_state(session, source, state, most) for state in FeedbackState},
            quarantined=_quarantined(session, source, most),
        )
        for source in sources
    ]


def _newest(session: Session, source: str) -> datetime | None:
    found: list[datetime] = []
    for state in FeedbackState:
        found += session.scalars(_newest_query(), {"source": source, "state": state})
    return max(found, default=None)


@cache
def _newest_query() -> Select[tuple[datetime]]:
    """Built once, as the others here: a page asks some of them a hundred times."""
    said_at = col(Feedback.said_at)
    return sa.select(said_at).where(*_in_one_state()).order_by(said_at.desc()).limit(1)


def _said_in(session: Session, source: str, spans: Sequence[Span]) -> tuple[int, ...]:
    asked: dict[str, object] = {"source": source, "states": list(FeedbackState)}
    for i, (begin, end) in enumerate(spans):
        asked |= {f"begin_{i}": begin, f"end_{i}": end}
    return tuple(session.execute(_said_query(len(spans)), asked).one()) if spans else ()


@cache
def _said_query(spans: int) -> Select[Any]:
    """One number for each of so many spans: asked one by one they cost several times as much."""
    return sa.select(*(_said_between(f"begin_{i}", f"end_{i}") for i in range(spans)))


def _said_between(begin: str, end: str) -> sa.ScalarSelect[int]:
    said_at = col(Feedback.said_at)
    counted = sa.select(sa.func.count()).where(
        col(Feedback.source) == sa.bindparam("source"),
        col(Feedback.state).in_(sa.bindparam("states", expanding=True)),  # so the index serves
        said_at >= sa.bindparam(begin, type_=UtcDateTime()),
        said_at < sa.bindparam(end, type_=UtcDateTime()),
    )
    return counted.scalar_subquery()


def _in_state(session: Session, source: str, state: FeedbackState, most: int) -> int:
    asked = {"source": source, "state": state, "most": most + 1}
    return session.scalars(_in_state_query(), asked).one()


@cache
def _in_state_query() -> Select[tuple[int]]:
    some = sa.select(col(Feedback.state)).where(*_in_one_state()).limit(sa.bindparam("most"))
    return sa.select(sa.func.count()).select_from(some.subquery())


def _in_one_state() -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(Feedback.source) == sa.bindparam("source"),
        col(Feedback.state) == sa.bindparam("state"),
    )


def _quarantined(session: Session, source: str, most: int) -> int:
    query = select(Quarantine.reason).where(
        Quarantine.state == QuarantineState.WAITING, Quarantine.source == source
    )
    some = query.limit(most + 1).subquery()
    return session.exec(select(sa.func.count()).select_from(some)).one()
