"""What people see of themes: how large, since when, how it feels, and how much fits nowhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from voc.models import (
    AssignmentState,
    Feedback,
    FeedbackVersion,
    Label,
    Statement,
    Suggestion,
    SuggestionKind,
    Theme,
    ThemeAssignment,
    ThemeEvent,
    ThemeState,
)
from voc.store.themes import texts

WEEK = timedelta(days=7)
CURRENT = (col(Feedback.id) == FeedbackVersion.feedback_id) & (
    col(Feedback.version) == FeedbackVersion.number
)
LOOKED_AT = 50
"""Of how many central statements different ones are chosen to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where all statements stand that can be compared."""

    in_themes: int
    in_retired: int
    waiting: int
    unassigned: int
    not_placed: int
    """New: nobody has looked at them yet."""

    @property
    def total(self) -> int:
        return self.in_themes + self.in_retired + self.waiting + self.unassigned + self.not_placed

    @property
    def unassigned_share(self) -> float:
        """Of all that were looked at, those that fit no theme: 0 to 1."""
        looked_at = self.total - self.not_placed
        return (self.waiting + self.unassigned) / looked_at if looked_at else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeFigures:
    """One theme in numbers; edited feedback counts with its newest words only."""

    theme: Theme
    size: int
    this_week: int
    last_week: int
    newest: datetime | None


def standing(session: Session) -> Standing:
    """Count the statements by where they stand."""
    rows = session.exec(
        select(col(ThemeAssignment.state), col(Theme.state), func.count())
        .outerjoin(Theme, col(Theme.id) == ThemeAssignment.theme_id)
        .group_by(col(ThemeAssignment.state), col(Theme.state))
    )
    n: Counter[tuple[AssignmentState, ThemeState | None]] = Counter()
    for state, of_theme, count in rows:
        n[state, of_theme] = count
    statements = session.exec(select(func.count()).select_from(Statement)).one()
    return Standing(
        in_themes=n[AssignmentState.ASSIGNED, ThemeState.ACTIVE],
        in_retired=n[AssignmentState.ASSIGNED, ThemeState.RETIRED],
        waiting=n[AssignmentState.WAITING, None],
        unassigned=n[AssignmentState.UNASSIGNED, None],
        not_placed=statements - n.total(),
    )


def listing(session: Session, *, now: datetime, retired: bool = False) -> list[ThemeFigures]:
    """The themes, the largest first; with *retired* also those that take in nothing new."""
    themes = select(Theme)
    if not retired:
        themes = themes.where(Theme.state == ThemeState.ACTIVE)
    sizes, lately = _sizes(session), _lately(session, now)
    found = []
    for theme in session.exec(themes.order_by(col(Theme.id))):
        size, newest = sizes.get(theme.id, (0, None))
        this_week, last_week = lately.get(theme.id, (0, 0))
        found.append(
            ThemeFigures(
                theme=theme, size=size, this_week=this_week, last_week=last_week, newest=newest
            )
        )
    return sorted(found, key=lambda each: -each.size)


def _sizes(session: Session) -> dict[int | None, tuple[int, datetime]]:
    """By theme how many statements it has, and when the newest was said."""
    rows = session.exec(
        select(col(ThemeAssignment.theme_id), func.count(), func.max(col(Feedback.said_at)))
        .join(Statement, col(Statement.id) == ThemeAssignment.statement_id)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .join(Feedback, CURRENT)
        .where(ThemeAssignment.state == AssignmentState.ASSIGNED)
        .group_by(col(ThemeAssignment.theme_id))
    )
    return {theme_id: (n, newest) for theme_id, n, newest in rows}


def _lately(session: Session, now: datetime) -> dict[int | None, tuple[int, int]]:
    """By theme what was said in the last seven days, and in the seven before: how much."""
    said = col(Feedback.said_at)
    rows = session.exec(
        select(
            col(ThemeAssignment.theme_id),
            func.sum(case((said > now - WEEK, 1), else_=0)),
            func.sum(case((said <= now - WEEK, 1), else_=0)),
        )
        .join(Statement, col(Statement.id) == ThemeAssignment.statement_id)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .join(Feedback, CURRENT)
        .where(
            ThemeAssignment.state == AssignmentState.ASSIGNED, said > now - 2 * WEEK, said <= now
        )
        .group_by(col(ThemeAssignment.theme_id))
    )
    return {theme_id: (this_week, last_week) for theme_id, this_week, last_week in rows}


def quotes(session: Session, theme: Theme, *, limit: int) -> list[str]:
    """What is most typical of the theme, personal data masked; each once, *limit* at most."""
    ids = session.exec(
        select(col(ThemeAssignment.statement_id))
        .where(ThemeAssignment.theme_id == theme.id)
        .order_by(
            (col(ThemeAssignment.statement_id) == theme.central_statement_id).desc(),
            col(ThemeAssignment.similarity).desc(),
            col(ThemeAssignment.statement_id),
        )
        .limit(LOOKED_AT)
    ).all()
    said = texts(session, ids)
    return list(dict.fromkeys(said[key] for key in ids if said.get(key)))[:limit]


def sentiments(session: Session, theme_id: int) -> Counter[str | None]:
    """How many statements feel how; None: not sure, or a language that is not supported."""
    ours: SelectOfScalar[int] = select(ThemeAssignment.statement_id).where(
        ThemeAssignment.theme_id == theme_id
    )
    felt: dict[int, str | None] = {}
    for table in (Suggestion, Label):  # the newest holds, and a label wins
        rows = session.exec(
            select(col(table.statement_id), col(table.value))
            .where(table.kind == SuggestionKind.SENTIMENT, col(table.statement_id).in_(ours))
            .order_by(col(table.id))
        )
        felt.update((statement_id, value) for statement_id, value in rows)
    return Counter(felt.values())


def lineage(session: Session, theme_id: int) -> list[ThemeEvent]:
    """What happened to the theme, oldest first."""
    query = select(ThemeEvent).where(ThemeEvent.theme_id == theme_id)
    return list(session.exec(query.order_by(col(ThemeEvent.id))))
