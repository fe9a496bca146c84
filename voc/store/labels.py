"""What people said of statements and texts, as the router learns from it; and what was learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, update
from sqlmodel import Session, col, select

from voc.errors import NotFoundError
from voc.models import (
    Embedding,
    FeedbackVersion,
    Label,
    LabelledText,
    Statement,
    Suggestion,
    SuggestionKind,
    Ticket,
    TicketState,
    TrainedRouter,
)
from voc.store.feedback import IN_A_QUERY
from voc.store.upsert import insert_new, table_of

MOST_CONFIRMED = 5_000
"""Of the newest: they keep what is right already right; labels are what teaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """One text, and what it is."""

    text: str
    """The customer's words, masked; of an imported text: as it is embedded."""
    text_hash: str
    """Of what was embedded."""
    value: str
    at: datetime


def taught(session: Session, kind: SuggestionKind) -> list[Taught]:
    """Everything that teaches *kind*, each distinct text once, in the order of their hashes.

    The newest label of a statement wins, then the newest of a text. Where no person said anything,
    a ticket that was resolved by the very department that was suggested confirms it: else a router
    would learn from its mistakes only, and forget what it did right.
    """
    newest: dict[str, Taught] = {}
    if kind is SuggestionKind.DEPARTMENT:
        newest = {each.text_hash: each for each in _confirmed(session)}
    said: dict[str, Taught] = {}
    for each in [*_imported(session, kind), *_labelled(session, kind)]:
        if each.text_hash not in said or said[each.text_hash].at <= each.at:
            said[each.text_hash] = each
    return [each for _, each in sorted((newest | said).items())]


def _labelled(session: Session, kind: SuggestionKind) -> Iterable[Taught]:
    newest = select(func.max(Label.id)).where(Label.kind == kind).group_by(col(Label.statement_id))
    rows = session.exec(
        select(Statement, FeedbackVersion.verbatim, Label)
        .join(Label, col(Label.statement_id) == Statement.id)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .where(col(Label.id).in_(newest))
        .order_by(col(Label.id))
    )
    return [_taught(row, verbatim, label.value, label.at) for row, verbatim, label in rows]


def _imported(session: Session, kind: SuggestionKind) -> Iterable[Taught]:
    rows = session.exec(select(LabelledText).where(LabelledText.kind == kind))
    return [
        Taught(text=row.text, text_hash=row.text_hash, value=row.value, at=row.at) for row in rows
    ]


def _confirmed(session: Session) -> list[Taught]:
    """Statements of resolved tickets whose department was the newest suggestion; newest last."""
    newest = (
        select(func.max(Suggestion.id))
        .where(Suggestion.kind == SuggestionKind.DEPARTMENT)
        .group_by(col(Suggestion.statement_id))
    )
    rows = session.exec(
        select(Statement, FeedbackVersion.verbatim, Ticket)
        .join(Ticket, col(Ticket.id) == Statement.ticket_id)
        .join(Suggestion, col(Suggestion.statement_id) == Statement.id)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .where(
            col(Suggestion.id).in_(newest),
            Suggestion.value == Ticket.department,
            col(Ticket.state).in_([TicketState.RESOLVED, TicketState.CLOSED]),
            col(Ticket.resolved_at).is_not(None),
        )
        .order_by(col(Ticket.resolved_at).desc(), col(Statement.id).desc())
        .limit(MOST_CONFIRMED)
    ).all()
    return [
        _taught(row, verbatim, ticket.department, ticket.resolved_at or ticket.opened_at)
        for row, verbatim, ticket in reversed(rows)
    ]


def _taught(row: Statement, verbatim: str, value: str, at: datetime) -> Taught:
    return Taught(text=verbatim[row.start : row.end], text_hash=row.text_hash, value=value, at=at)


def words_of(session: Session, statement_id: int) -> str:
    """What the customer said in one statement, masked.

    Raises:
        NotFoundError: There is no such statement.
    """
    found = session.exec(
        select(Statement, FeedbackVersion.verbatim)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .where(col(Statement.id) == statement_id)
    ).one_or_none()
    if found is None:
        raise NotFoundError(f"there is no statement {statement_id}")
    row, verbatim = found
    return verbatim[row.start : row.end]


def imported_values(
    session: Session, kind: SuggestionKind, hashes: Sequence[str]
) -> dict[str, str]:
    """What was imported before of these texts, by hash."""
    found: dict[str, str] = {}
    for start in range(0, len(hashes), IN_A_QUERY):
        rows = session.exec(
            select(LabelledText.text_hash, LabelledText.value).where(
                LabelledText.kind == kind,
                col(LabelledText.text_hash).in_(hashes[start : start + IN_A_QUERY]),
            )
        )
        found |= dict(rows.all())
    return found


def keep_imported(session: Session, rows: Sequence[LabelledText]) -> None:
    """Insert texts that are new, and change the label of those that are not."""
    # In one order, so that two imports at once wait for each other, and never both.
    ordered = sorted(rows, key=lambda row: row.text_hash)
    insert_new(session, LabelledText, [row.model_dump(exclude={"id"}) for row in ordered])
    _relabel(session, ordered)


def _relabel(session: Session, rows: Sequence[LabelledText]) -> None:
    if not rows:
        return
    table = table_of(LabelledText)
    statement = (
        update(table)
        .where(
            table.c.text_hash == bindparam("its_hash"),
            table.c.kind == bindparam("its_kind"),
            table.c.value != bindparam("its_value"),
        )
        .values(
            value=bindparam("its_value"), actor=bindparam("its_actor"), at=bindparam("its_time")
        )
    )
    session.connection().execute(
        statement,
        [
            {
                "its_hash": row.text_hash,
                "its_kind": row.kind,
                "its_value": row.value,
                "its_actor": row.actor,
                "its_time": row.at,
            }
            for row in rows
        ],
    )


def still_there(session: Session, hashes: Sequence[str]) -> set[str]:
    """Which of these texts a statement or an imported text says: the others were erased."""
    found: set[str] = set()
    for start in range(0, len(hashes), IN_A_QUERY):
        chunk = hashes[start : start + IN_A_QUERY]
        for key in (col(Statement.text_hash), col(LabelledText.text_hash)):
            found.update(session.exec(select(key).where(key.in_(chunk))).all())
    return found


def forget_imported(session: Session, hashes: Sequence[str]) -> int:
    """Erase imported texts, and their vectors where no statement says the same; how many labels."""
    erased = 0
    for start in range(0, len(hashes), IN_A_QUERY):
        chunk = hashes[start : start + IN_A_QUERY]
        gone = set(
            session.exec(
                delete(LabelledText)
                .where(col(LabelledText.text_hash).in_(chunk))
                .returning(col(LabelledText.id), col(LabelledText.text_hash))
            ).all()
        )
        said = select(Statement.text_hash).where(col(Statement.text_hash).in_(chunk))
        left = {text_hash for _, text_hash in gone} - set(session.exec(said).all())
        session.exec(delete(Embedding).where(col(Embedding.text_hash).in_(left)))
        erased += len(gone)
    return erased


def take_back(session: Session, ticket_id: int, *, actor: str, at: datetime) -> None:
    """Forget which department *actor* said, at that moment, that a ticket's statements belong to.

    What was said before holds again.
    """
    theirs = select(Statement.id).where(Statement.ticket_id == ticket_id)
    session.execute(
        delete(Label).where(
            col(Label.statement_id).in_(theirs),
            col(Label.kind) == SuggestionKind.DEPARTMENT,
            col(Label.actor) == actor,
            col(Label.at) == at,
        )
    )


def trained_router(session: Session) -> TrainedRouter | None:
    """What was learned last; None: nothing yet."""
    return session.exec(
        select(TrainedRouter).order_by(col(TrainedRouter.id).desc()).limit(1)
    ).first()


def blank_routers(session: Session) -> None:
    """Forget what was learned; the figures stay. A new router is added in the same transaction."""
    session.exec(update(TrainedRouter).where(col(TrainedRouter.weights) != b"").values(weights=b""))
