"""Bringing the figures up to date: only weeks in which something changed are counted again."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session

from voc.models import FiguresState, TouchedDay
from voc.store import figures
from voc.store.database import transaction


def refresh(engine: Engine, timezone: str, *, now: datetime, anew: bool = False) -> int:
    """Count the weeks that have changed, each in a transaction of its own; how many these are.

    Broken off anywhere it is simply done again: the figures say that they go further only when
    all weeks are counted. Whoever changes something meanwhile notes it, or leaves an event behind
    the last one that was looked at, and is counted the next time.

    Args:
        timezone: The company's: its weeks begin on Monday there.
        anew: Count all weeks, as is done if the time zone has changed.
    """
    zone = ZoneInfo(timezone)
    with transaction(engine) as session:
        state = figures.locked_state(session, timezone)
        events, days = figures.newest_event(session), figures.touched(session)
        if anew or state.counted_at is None or state.timezone != timezone:
            state.timezone, state.counted_at = timezone, None
            weeks = figures.every_week(session, zone)
        else:
            weeks = figures.weeks_since(session, state, zone, until=events, now=now)
        weeks |= figures.weeks_of_days(days, zone)
    for week in sorted(weeks, reverse=True):  # what people look at first
        with transaction(engine) as session:
            figures.locked_state(session, timezone)
            figures.count_week(session, week, zone, now=now)
    with transaction(engine) as session:
        _move_on(session, timezone, events=events, days=days, now=now)
    return len(weeks)


def _move_on(
    session: Session, timezone: str, *, events: int, days: list[TouchedDay], now: datetime
) -> None:
    """Another process may have counted further meanwhile: then that stands."""
    figures.forget_touched(session, days)
    state: FiguresState = figures.locked_state(session, timezone)
    if state.timezone == timezone and events >= state.events:
        state.events, state.counted_at = events, now
        session.add(state)


def are_behind(session: Session) -> bool:
    """Whether something has changed since the figures were counted."""
    state = session.get(FiguresState, 1)
    if state is None or state.counted_at is None:
        return True
    return bool(figures.touched(session)) or figures.newest_event(session) > state.events
