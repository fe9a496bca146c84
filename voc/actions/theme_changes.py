"""What discovery and rebuilds change about themes. Each change is a line of their lineage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from voc.models import (
    AssignmentState,
    Statement,
    Theme,
    ThemeEvent,
    ThemeEventKind,
    ThemeState,
)
from voc.store import theme_places, themes

SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTheme:
    """A group of statements as clustering found it."""

    centroid: bytes
    """Little-endian float32, unit length."""
    cut: float
    words: Sequence[str]
    members: Mapping[int, float]
    """Similarity to the centroid by statement id, the most central first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrouped:
    """A group of a rebuild, and what it has to do with the themes there were."""

    found: FoundTheme
    continues: int | None = None
    split_from: int | None = None
    merged: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When themes were looked for, in which vectors, and what had been seen of the registry."""

    now: datetime
    model: str
    revision: int
    """Of the registry when it was read: a change that was computed on an older one is dropped."""
    newest: int
    """The newest statement that was looked at."""
    run: str | None


def discovered(
    session: Session,
    born: Sequence[FoundTheme],
    joins: Mapping[int, Mapping[int, float]],
    when: When,
) -> Counter[str]:
    """Keep what a discovery found; counts, or `overtaken` if the registry changed meanwhile.

    Args:
        joins: By theme the statements that join it, with their similarity.
    """
    if not _begin(session, when):
        return Counter(overtaken=1)
    given_up = _given_up_without_themes(session) if born else ()
    for found in born:
        _bear(session, found, None, when)
    for theme_id, members in joins.items():
        theme_places.move(session, theme_id, members)
    return Counter(
        themes_born=len(born),
        joined_themes=sum(len(members) for members in joins.values()),
        in_new_themes=sum(len(found.members) for found in born),
        placed_anew=theme_places.place_anew(session, states=given_up),
    )


def rebuilt(
    session: Session,
    groups: Sequence[Regrouped],
    retired: Sequence[int],
    sampled: Sequence[int],
    when: When,
) -> Counter[str]:
    """Keep what a rebuild found; counts, or `overtaken` if the registry changed meanwhile.

    What was said lately and now is in no group, waits, or was in a theme that is gone, loses its
    place, to be placed among the themes there are now. Older statements stay where they were.

    Args:
        sampled: Ids of all statements that were grouped, ascending.
    """
    if not _begin(session, when):
        return Counter(overtaken=1)
    given_up = _given_up_without_themes(session)
    counts: Counter[str] = Counter(born=0, continued=0, split=0, merged=0, retired=0)
    for group in groups:
        theme = _regroup(session, group, when)
        counts["continued" if group.continues else "born"] += 1
        counts["split"] += group.split_from is not None
        for merged_id in group.merged:
            _merge(session, merged_id, theme, when)
            counts["merged"] += 1
    for theme_id in retired:
        _retire(session, theme_id, ThemeEventKind.RETIRED, None, when)
        counts["retired"] += 1
    grouped = {key for group in groups for key in group.found.members}
    counts["placed_anew"] = theme_places.place_anew(
        session,
        statement_ids=[key for key in sampled if key not in grouped],
        of_themes=retired,
        since=sampled[0] if sampled else 0,
        states=(AssignmentState.WAITING, *given_up),
    )
    return counts


def _given_up_without_themes(session: Session) -> tuple[AssignmentState, ...]:
    """With the first themes, what was given up because there was none gets another chance."""
    return () if themes.active(session) else (AssignmentState.UNASSIGNED,)


def _begin(session: Session, when: When) -> bool:
    """Lock the registry; whether it is as it was when the change was computed."""
    registry = themes.lock_registry(session)
    if registry.revision != when.revision:
        return False
    registry.revision += 1
    registry.discovered_to = max(registry.discovered_to, when.newest)
    session.add(registry)
    return True


def _bear(session: Session, found: FoundTheme, parent: int | None, when: When) -> Theme:
    theme = Theme(
        words=list(found.words),
        model=when.model,
        centroid=found.centroid,
        cut=found.cut,
        size=len(found.members),
        central_statement_id=_central(session, found),
        born_at=when.now,
    )
    session.add(theme)
    session.flush()
    theme_places.move(session, theme.id or 0, found.members)
    _tell(session, theme.id or 0, ThemeEventKind.BORN, parent, when)
    return theme


def _regroup(session: Session, group: Regrouped, when: When) -> Theme:
    """The theme of a group: the one that it continues, or a new one."""
    if group.continues is None:
        theme = _bear(session, group.found, group.split_from, when)
        if group.split_from is not None:
            _tell(session, group.split_from, ThemeEventKind.SPLIT, theme.id, when)
        return theme
    theme, found = session.get_one(Theme, group.continues), group.found
    theme.words, theme.model = list(found.words), when.model
    theme.centroid, theme.cut, theme.size = found.centroid, found.cut, len(found.members)
    theme.central_statement_id = _central(session, found)
    session.add(theme)
    theme_places.move(session, group.continues, found.members)
    _tell(session, group.continues, ThemeEventKind.CONTINUED, None, when)
    return theme


def _merge(session: Session, merged_id: int, into: Theme, when: When) -> None:
    """One theme becomes part of another, with its statements; what people said of it is kept."""
    merged = session.get_one(Theme, merged_id)
    into.name, into.topic = into.name or merged.name, into.topic or merged.topic
    session.add(into)
    theme_places.move_all(session, merged_id, into.id or 0)
    _retire(session, merged_id, ThemeEventKind.MERGED, into.id, when)


def _retire(
    session: Session, theme_id: int, kind: ThemeEventKind, other: int | None, when: When
) -> None:
    theme = session.get_one(Theme, theme_id)
    theme.state, theme.retired_at = ThemeState.RETIRED, when.now
    session.add(theme)
    _tell(session, theme_id, kind, other, when)


def _central(session: Session, found: FoundTheme) -> int | None:
    """The most central statement that was not erased meanwhile."""
    ids = list(found.members)[:10]
    there = set(session.exec(select(Statement.id).where(col(Statement.id).in_(ids))))
    return next((key for key in ids if key in there), None)


def _tell(
    session: Session, theme_id: int, kind: ThemeEventKind, other: int | None, when: When
) -> None:
    session.add(
        ThemeEvent(
            theme_id=theme_id, kind=kind, other_id=other, actor=SYSTEM, run=when.run, at=when.now
        )
    )
