"""Themes, and the words of their statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select

from voc.errors import NotFoundError
from voc.models import (
    Feedback,
    FeedbackVersion,
    Statement,
    Theme,
    ThemeAssignment,
    ThemeRegistry,
    ThemeState,
)
from voc.store.feedback import IN_A_QUERY
from voc.store.upsert import insert_new


def themes_of(session: Session, statements: ColumnElement[bool]) -> set[int]:
    """The ids of the themes that these statements are in."""
    query = select(ThemeAssignment.theme_id).join(
        Statement, col(Statement.id) == ThemeAssignment.statement_id
    )
    return {found for found in session.exec(query.where(statements)) if found is not None}


def forget_words(session: Session, theme_ids: Collection[int]) -> None:
    """Themes that nobody's statements are in any more keep no words of anybody."""
    has_some = select(ThemeAssignment.statement_id).where(ThemeAssignment.theme_id == Theme.id)
    session.exec(
        update(Theme).where(col(Theme.id).in_(theme_ids), ~has_some.exists()).values(words=[])
    )


def lock_registry(session: Session) -> ThemeRegistry:
    """The registry's row, held until the transaction ends. Made if there is none yet."""
    insert_new(session, ThemeRegistry, [{"id": 1, "revision": 0, "discovered_to": 0}])
    query = select(ThemeRegistry).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one()


def found(session: Session, theme_id: int) -> Theme:
    """The theme.

    Raises:
        NotFoundError: There is none with this id.
    """
    if (theme := session.get(Theme, theme_id)) is None:
        raise NotFoundError(f"there is no theme {theme_id}; `voc theme list` shows those there are")
    return theme


def active(session: Session) -> list[Theme]:
    """The themes that take in statements, oldest first."""
    query = select(Theme).where(Theme.state == ThemeState.ACTIVE).order_by(col(Theme.id))
    return list(session.exec(query))


def central(session: Session, theme_ids: Sequence[int], *, limit: int) -> dict[int, list[int]]:
    """By theme the ids of its most central statements, *limit* at most."""
    return {
        theme_id: list(
            session.exec(
                select(col(ThemeAssignment.statement_id))
                .where(ThemeAssignment.theme_id == theme_id)
                .order_by(col(ThemeAssignment.similarity).desc(), col(ThemeAssignment.statement_id))
                .limit(limit)
            )
        )
        for theme_id in theme_ids
    }


def texts(session: Session, statement_ids: Sequence[int]) -> dict[int, str]:
    """The words of statements, personal data masked."""
    said: dict[int, str] = {}
    for start in range(0, len(statement_ids), IN_A_QUERY):
        rows = session.exec(
            select(Statement, FeedbackVersion.verbatim)
            .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
            .where(col(Statement.id).in_(statement_ids[start : start + IN_A_QUERY]))
        )
        said |= {row.id or 0: verbatim[row.start : row.end].strip() for row, verbatim in rows}
    return said


def speakers(session: Session, statement_ids: Sequence[int]) -> dict[int, int]:
    """By statement the customer who said it."""
    said: dict[int, int] = {}
    for start in range(0, len(statement_ids), IN_A_QUERY):
        rows = session.exec(
            select(col(Statement.id), col(Feedback.customer_id))
            .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
            .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
            .where(col(Statement.id).in_(statement_ids[start : start + IN_A_QUERY]))
        )
        said |= {key or 0: customer_id for key, customer_id in rows}
    return said
