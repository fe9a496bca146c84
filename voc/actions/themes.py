"""What people say of themes: a name that they know it by, the topic that it belongs to."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from voc.company.model import Company
from voc.errors import ConfigurationError, VocError
from voc.models import Theme, ThemeEvent, ThemeEventKind, ThemeState
from voc.store import themes

LONGEST_NAME = 80


def name(session: Session, theme_id: int, words: str, *, actor: str, now: datetime) -> Theme:
    """Call the theme by this name from now on; rebuilds keep it. Again is harmless.

    Raises:
        VocError: The name is empty or too long, or the theme is retired.
    """
    given = " ".join(words.split())
    if not given or len(given) > LONGEST_NAME:
        raise VocError(f"a theme's name has 1 to {LONGEST_NAME} characters, not {len(given)}")
    theme = _living(session, theme_id)
    if theme.name != given:
        theme.name = given
        _tell(session, theme, ThemeEventKind.RENAMED, given, actor=actor, now=now)
    return theme


def promote(
    session: Session, theme_id: int, topic: str, company: Company, *, actor: str, now: datetime
) -> Theme:
    """Say that the theme belongs to a curated topic. Again is harmless.

    Raises:
        ConfigurationError: The company has no such topic; the text names those that it has.
        VocError: The theme is retired.
    """
    if topic not in (known := [each.id for each in company.topics]):
        there = f"use one of: {', '.join(known)}" if known else "the company file has none yet"
        raise ConfigurationError(f"no topic {topic!r}; {there}")
    theme = _living(session, theme_id)
    if theme.topic != topic:
        theme.topic = topic
        _tell(session, theme, ThemeEventKind.PROMOTED, topic, actor=actor, now=now)
    return theme


def _living(session: Session, theme_id: int) -> Theme:
    """The theme, if it still takes in statements. Held against a rebuild until the commit."""
    themes.lock_registry(session)
    theme = themes.found(session, theme_id)
    if theme.state is ThemeState.RETIRED:
        raise VocError(f"theme {theme_id} is retired; `voc theme show {theme_id}` says why")
    return theme


def _tell(
    session: Session, theme: Theme, kind: ThemeEventKind, detail: str, *, actor: str, now: datetime
) -> None:
    session.add(theme)
    session.add(ThemeEvent(theme_id=theme.id or 0, kind=kind, detail=detail, actor=actor, at=now))
