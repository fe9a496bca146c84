"""Items that could not be accepted, for those who look after the sources. Never what they say."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from voc.models import Quarantine, QuarantineState


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


def items(
    session: Session, source: str, reason: str, *, after: int = 0, limit: int
) -> list[Quarantine]:
    """Those of one group, without what they say, the oldest first."""
    query = (
        select(Quarantine)
        .where(
            Quarantine.state == QuarantineState.WAITING,
            Quarantine.source == source,
            Quarantine.reason == reason,
            col(Quarantine.id) > after,
        )
        .options(defer(Quarantine.raw_encrypted))  # type: ignore[arg-type]
        .order_by(col(Quarantine.id))
        .limit(limit)
    )
    return list(session.exec(query))
