"""What time it is for the company: a rehearsal has its own, stored clock."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from voc.models import RehearsalClock


def rehearsal_clock(session: Session) -> RehearsalClock | None:
    """The stored clock, or None for a company that is not played."""
    return session.get(RehearsalClock, 1)


def set_clock(session: Session, *, moment: int, now: datetime, finished: bool) -> None:
    session.merge(RehearsalClock(id=1, moment=moment, now=now, finished=finished))
