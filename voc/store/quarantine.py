"""Items that could not be accepted, for those who look after the sources. Never what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, func, update
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from voc.models import Quarantine, QuarantineState
from voc.store.messages import NOT_IN_MEMORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Items of one source that wait for the same reason."""

    source: str
    reason: str
    n: int


def groups(session: Session, *, source: str = "", limit: int) -> list[Group]:
    """What waits, by source and reason, the most frequent first."""
    n = func.count()
    query = (
        select(Quarantine.source, Quarantine.reason, n)
        .where(Quarantine.state == QuarantineState.WAITING)
        .group_by(col(Quarantine.source), col(Quarantine.reason))
        .order_by(n.desc(), col(Quarantine.source), col(Quarantine.reason))
        .limit(limit)
    )
    if source:
        query = query.where(Quarantine.source == source)
    return [Group(source=s, reason=reason, n=count) for s, reason, count in session.exec(query)]


def mark(session: Session, source: str, reason: str, *, again: bool) -> int:
    """Have a group tried again, or not after all; return how many items that changes."""
    group = _of_group(source, reason)
    query = update(Quarantine).where(*group, col(Quarantine.again).is_(not again))
    changed = session.execute(query.values(again=again), execution_options=NOT_IN_MEMORY)
    return cast(CursorResult[Any], changed).rowcount


def marked(session: Session, source: str, reason: str) -> int:
    """How many items of a group are tried again with the next collecting."""
    query = select(func.count()).where(*_of_group(source, reason), col(Quarantine.again))
    return session.exec(query).one()


def _of_group(source: str, reason: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Quarantine.state) == QuarantineState.WAITING,
        col(Quarantine.source) == source,
        col(Quarantine.reason) == reason,
    )


def items(
    session: Session, source: str, reason: str, *, after: int = 0, limit: int
) -> list[Quarantine]:
    """Those of one group, without what they say, the oldest first."""
    query = (
        select(Quarantine)
        .where(*_of_group(source, reason), col(Quarantine.id) > after)
        .options(defer(Quarantine.raw_encrypted))  # type: ignore[arg-type]
        .order_by(col(Quarantine.id))
        .limit(limit)
    )
    return list(session.exec(query))
