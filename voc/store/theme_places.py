"""Where statements stand among the themes: work is found by state, and costs what is new."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, case, delete, func, update
from sqlmodel import Session, SQLModel, col, select

from voc.models import (
    AssignmentState,
    Embedding,
    Feedback,
    FeedbackVersion,
    Statement,
    Theme,
    ThemeAssignment,
    ThemeRegistry,
    ThemeState,
)
from voc.store.feedback import IN_A_QUERY, vectors
from voc.store.touched import touch_placed, touch_statements
from voc.store.upsert import insert_new

LOOK_BACK = 10_000
"""How far below the newest placed statement a new one may lie.

Transactions that run at once do not commit in the order of their ids. One stores some hundred
statements, so what commits late is near; `learn` looks at all there are.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """A statement that nobody has placed yet."""

    statement_id: int
    vector: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A statement that can be compared, and the active theme that it is in, if any."""

    statement_id: int
    theme_id: int | None
    vector: bytes


def span_unplaced(session: Session, *, all_of_them: bool = False) -> tuple[int, int, int]:
    """Lowest and highest id, and number, of statements without a place; zeros if there is none.

    Args:
        all_of_them: Also those far below the newest placed one: reads through all statements.
    """
    floor = 0 if all_of_them else newest_placed(session) - LOOK_BACK
    ids = col(Statement.id)
    low, high, n = session.exec(
        select(func.min(ids), func.max(ids), func.count())
        .select_from(Statement)
        .outerjoin(ThemeAssignment, col(ThemeAssignment.statement_id) == ids)
        .where(ids > floor, col(ThemeAssignment.statement_id).is_(None))
    ).one()
    return low or 0, high or 0, n


def unplaced(
    session: Session, low: int, high: int, *, model: str, languages: Collection[str], limit: int
) -> list[Unplaced]:
    """Statements with ids from *low* to *high* without a place, with *model*'s vectors.

    Args:
        languages: That the model reads. Vectors of others would be alike by their language.
            What a customer has edited away has no vector here, either.
    """
    spoken = col(FeedbackVersion.language)
    is_read = spoken.is_(None) | spoken.in_(languages)
    is_current = col(FeedbackVersion.number) == Feedback.version
    vector = case((is_read & is_current, col(Embedding.vector)))
    rows = session.exec(
        select(col(Statement.id), vector)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
        .outerjoin(ThemeAssignment, col(ThemeAssignment.statement_id) == Statement.id)
        .outerjoin(
            Embedding,
            (col(Embedding.text_hash) == Statement.text_hash) & (col(Embedding.model) == model),
        )
        .where(col(Statement.id).between(low, high), col(ThemeAssignment.statement_id).is_(None))
        .order_by(col(Statement.id))
        .limit(limit)
    )
    return [Unplaced(statement_id=key or 0, vector=vector) for key, vector in rows]


def place(session: Session, statements: Mapping[int, tuple[int, float] | None]) -> None:
    """Give statements that have no place theirs: a theme and how similar, or None: they wait."""
    rows = [
        {
            "statement_id": statement_id,
            "state": AssignmentState.ASSIGNED if fits else AssignmentState.WAITING,
            "theme_id": fits[0] if fits else None,
            "similarity": fits[1] if fits else None,
        }
        for statement_id, fits in statements.items()
    ]
    insert_new(session, ThemeAssignment, rows)
    touch_statements(session, list(statements))


def set_apart(session: Session, ids: Sequence[int]) -> None:
    """Statements without a vector, or in a language that is not read, cannot be compared."""
    state = AssignmentState.NOT_COMPARABLE
    insert_new(session, ThemeAssignment, [{"statement_id": key, "state": state} for key in ids])


def move(session: Session, theme_id: int, members: Mapping[int, float]) -> None:
    """Put statements that have a place into this theme, each with its similarity."""
    table = SQLModel.metadata.tables["themeassignment"]
    statement = (
        update(table)
        .where(table.c.statement_id == bindparam("key"))
        .values(state=AssignmentState.ASSIGNED, theme_id=theme_id, similarity=bindparam("near"))
    )
    rows = [{"key": key, "near": similarity} for key, similarity in members.items()]
    if rows:
        session.connection().execute(statement, rows)
        touch_statements(session, list(members))


def move_all(session: Session, from_id: int, to_id: int) -> None:
    """One theme has become part of another."""
    touch_placed(session, col(ThemeAssignment.theme_id) == from_id)
    session.exec(
        update(ThemeAssignment)
        .where(col(ThemeAssignment.theme_id) == from_id)
        .values(theme_id=to_id)
    )


def newest_placed(session: Session) -> int:
    """The highest id of a statement that has a place; 0 if none has."""
    return session.exec(select(func.max(col(ThemeAssignment.statement_id)))).one() or 0


def waiting_since_discovery(session: Session) -> int:
    """How many statements began to wait after the last discovery looked."""
    registry = session.get(ThemeRegistry, 1)
    query = select(func.count()).where(
        ThemeAssignment.state == AssignmentState.WAITING,
        col(ThemeAssignment.statement_id) > (registry.discovered_to if registry else 0),
    )
    return session.exec(query).one()


def waiting(session: Session, *, model: str, limit: int) -> list[Placed]:
    """The newest that wait and that *model* has vectors of, oldest first."""
    rows = session.exec(
        select(col(Statement.id), col(Embedding.vector))
        .join(ThemeAssignment, col(ThemeAssignment.statement_id) == Statement.id)
        .join(Embedding, col(Embedding.text_hash) == Statement.text_hash)
        .where(ThemeAssignment.state == AssignmentState.WAITING, Embedding.model == model)
        .order_by(col(ThemeAssignment.statement_id).desc())
        .limit(limit)
    ).all()
    return [
        Placed(statement_id=key or 0, theme_id=None, vector=vector)
        for key, vector in reversed(rows)
    ]


def give_up_waiting(session: Session, *, keep: int) -> int:
    """All but the *keep* newest that wait are unassigned from now on; how many these are."""
    waits = col(ThemeAssignment.state) == AssignmentState.WAITING
    newest_too_many = session.exec(
        select(col(ThemeAssignment.statement_id))
        .where(waits)
        .order_by(col(ThemeAssignment.statement_id).desc())
        .offset(keep)
        .limit(1)
    ).first()
    if newest_too_many is None:
        return 0
    return session.exec(
        update(ThemeAssignment)
        .where(waits, col(ThemeAssignment.statement_id) <= newest_too_many)
        .values(state=AssignmentState.UNASSIGNED)
    ).rowcount


def newest_comparable(session: Session, *, limit: int) -> list[tuple[int, str, int | None]]:
    """Id, text hash and active theme of the newest placed statements, oldest first."""
    rows = session.exec(
        select(col(Statement.id), col(Statement.text_hash), col(Theme.id))
        .join(ThemeAssignment, col(ThemeAssignment.statement_id) == Statement.id)
        .outerjoin(
            Theme,
            (col(Theme.id) == ThemeAssignment.theme_id) & (col(Theme.state) == ThemeState.ACTIVE),
        )
        .where(ThemeAssignment.state != AssignmentState.NOT_COMPARABLE)
        .order_by(col(Statement.id).desc())
        .limit(limit)
    ).all()
    return [(key or 0, digest, theme_id) for key, digest, theme_id in reversed(rows)]


def with_vectors(
    session: Session, rows: Sequence[tuple[int, str, int | None]], *, model: str
) -> list[Placed]:
    """Those of *rows* that *model* has a vector of."""
    stored = vectors(session, sorted({digest for _, digest, _ in rows}), model)
    return [
        Placed(statement_id=key, theme_id=theme_id, vector=stored[digest])
        for key, digest, theme_id in rows
        if digest in stored
    ]


def place_anew(
    session: Session,
    *,
    statement_ids: Sequence[int] = (),
    of_themes: Collection[int] = (),
    since: int = 0,
    states: Collection[AssignmentState] = (),
) -> int:
    """Take their places from these statements: whoever looks at all will place them anew.

    Args:
        of_themes: Statements of these themes, those with ids from *since* on.

    Returns:
        How many these are.
    """
    key = col(ThemeAssignment.statement_id)
    parts: list[ColumnElement[bool]] = [
        key.in_(statement_ids[start : start + IN_A_QUERY])
        for start in range(0, len(statement_ids), IN_A_QUERY)
    ]
    if of_themes:
        parts.append(col(ThemeAssignment.theme_id).in_(of_themes) & (key >= since))
    if states:
        parts.append(col(ThemeAssignment.state).in_(states))
    for part in parts:
        touch_placed(session, part)
    return sum(session.exec(delete(ThemeAssignment).where(part)).rowcount for part in parts)
