"""Providers that work for nobody just now: all that goes by them waits together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, update
from sqlmodel import Session, col, select

from voc.models import Breaker
from voc.rules.retries import pause_after

TRY = timedelta(minutes=2)
"""How long one try may take, and everybody else waits for what comes of it."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether a provider may be used."""

    until: datetime | None = None
    """Not before then."""
    on_trial: bool = False
    """It failed last time, and what comes of this try decides for all: `works`, `has_failed`."""


def ask(session: Session, provider: str, now: datetime) -> Leave:
    """Whether *provider* may be used; after its pause by one sender: whoever asks first."""
    breaker = session.get(Breaker, provider)
    if breaker is None or breaker.open_until is None:
        return Leave()
    if breaker.open_until > now:
        return Leave(until=breaker.open_until)
    ours = (
        update(Breaker)
        .where(col(Breaker.provider) == provider, col(Breaker.open_until) == breaker.open_until)
        .values(open_until=now + TRY)
    )
    result = session.execute(ours, execution_options={"synchronize_session": False})
    first = cast(CursorResult[Any], result).rowcount == 1
    return Leave(on_trial=True) if first else Leave(until=now + TRY)


def has_failed(
    session: Session, provider: str, *, reason: str, now: datetime, asked: timedelta = timedelta(0)
) -> datetime:
    """Leave *provider* alone for a while, longer each time; until when.

    Args:
        asked: How long it asks to be left alone.
    """
    query = select(Breaker).where(Breaker.provider == provider).with_for_update()
    breaker = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    failures = breaker.failures + 1 if breaker else 1
    until = now + max(pause_after(failures), asked)
    session.merge(
        Breaker(
            provider=provider,
            failures=failures,
            open_until=until,
            reason=reason[:255],
            changed_at=now,
        )
    )
    return until


def works(session: Session, provider: str) -> None:
    """It took something, or refused it for a reason of its own: others may go on."""
    session.execute(delete(Breaker).where(col(Breaker.provider) == provider))


def open_ones(session: Session) -> list[Breaker]:
    """The providers that are left alone, or wait for somebody's try."""
    query = select(Breaker).where(col(Breaker.open_until).is_not(None))
    return list(session.exec(query.order_by(col(Breaker.provider))))
