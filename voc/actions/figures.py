"""Bringing the figures up to date: only weeks in which something changed are counted again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session

from voc.models import FiguresState, TouchedDay
from voc.store import figures
from voc.store.database import reading, transaction
from voc.store.events import newest


@dataclass(frozen=True, slots=True)
class _Work:
    """What one count has to do, and what it will have seen when it is done."""

    weeks: list[str]
    events: int
    days: list[TouchedDay]


def refresh(engine: Engine, timezone: str, *, now: datetime, anew: bool = False) -> int:
    """Count the weeks that have changed; how many were counted.

    A week is counted in a snapshot, which keeps nobody from writing, and then kept in a short
    transaction. If another count has begun since, it has all that this one would still do, and
    an older number must not replace a newer one: then this one stops.

    Broken off anywhere it is simply done again: the figures say that they go further only when
    all weeks are counted. Whoever changes something meanwhile notes it, or leaves an event behind
    the last one that was looked at, and is counted the next time.

    Args:
        timezone: The company's: its weeks begin on Monday there.
        anew: Count all weeks, as is done if the time zone has changed.
    """
    zone = ZoneInfo(timezone)
    with transaction(engine) as session:
        turn = _take_turn(session, timezone, anew=anew)
    with reading(engine) as session:
        work = _look(session, zone, now)
    for done, week in enumerate(work.weeks):
        with reading(engine) as session:
            counted = figures.count_week(session, week, zone, now=now)
        with transaction(engine) as session:
            if figures.locked_state(session, timezone).turn != turn:
                return done
            figures.keep_week(session, counted)
    with transaction(engine) as session:
        state = figures.locked_state(session, timezone)
        if state.turn == turn:
            figures.forget_touched(session, work.days)
            state.events, state.counted_at = work.events, now
    return len(work.weeks)


def _take_turn(session: Session, timezone: str, *, anew: bool) -> int:
    """From here on no other count that has begun writes any more."""
    state = figures.locked_state(session, timezone)
    state.turn += 1
    if anew or state.timezone != timezone:
        state.timezone, state.counted_at = timezone, None
    return state.turn


def _look(session: Session, zone: ZoneInfo, now: datetime) -> _Work:
    """Which weeks have changed; the newest first, for that is what people look at."""
    state = session.get_one(FiguresState, 1)
    events, days = newest(session), figures.touched(session)
    if state.counted_at is None:
        weeks = figures.every_week(session, zone)
    else:
        weeks = figures.weeks_since(session, state, zone, until=events, now=now)
    weeks |= figures.weeks_of_days(days, zone)
    return _Work(sorted(weeks, reverse=True), events, days)


def are_behind(session: Session, timezone: str, *, now: datetime) -> bool:
    """Whether the figures are of another zone, or something has changed since they were counted."""
    state = session.get(FiguresState, 1)
    if state is None or state.counted_at is None or state.timezone != timezone:
        return True
    return figures.has_new(session, state, now)
