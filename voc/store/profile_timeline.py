"""Everything that a customer said and got, in one line of time, by pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from voc.models import (
    Answer,
    Consent,
    CustomerMerge,
    Feedback,
    FeedbackVersion,
    Loop,
    Message,
    MessageKind,
    Statement,
    Suppression,
    Ticket,
)
from voc.rules.highlight import Piece, pieces
from voc.store.profile import Departments, among, visible_loops


class Kind(StrEnum):
    """What happened. Of what happened at one moment the last of these is shown first."""

    FEEDBACK = "feedback"
    TICKET = "ticket"
    MESSAGE = "message"
    ANSWER = "answer"
    CONSENT = "consent"
    SUPPRESSION = "suppression"
    MERGE = "merge"
    UNMERGE = "unmerge"


RANKS: Mapping[Kind, int] = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in the line of time."""

    at: datetime
    kind: Kind
    id: int

    @property
    def key(self) -> tuple[datetime, int, int]:
        return self.at, RANKS[self.kind], self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened, and the row that says so."""

    moment: Moment
    row: Any = field(repr=False)
    words: tuple[Piece, ...] = field(default=(), repr=False)
    """Of feedback: what tickets are about is marked."""
    language: str | None = None


def timeline(
    session: Session,
    customer_id: int,
    departments: Departments,
    *,
    suppressions: Iterable[Suppression] = (),
    before: Moment | None = None,
    limit: int,
) -> list[Entry]:
    """The newest *limit* entries, the newest first.

    Args:
        departments: Whoever sees only these sees what is about their tickets, and the messages of
            those loops.
        suppressions: Of the customer's addresses: nobody else can tell whose they are.
        before: Only what is older.
    """
    asked = _Asked(session, customer_id, departments, before, limit)
    found = [*_feedback(asked), *_tickets(asked), *_messages(asked), *_answers(asked)]
    if departments is None:
        found += _consents(asked)
        found += _merges(session, customer_id, before)
        found += _suppressions(suppressions, before)
    found.sort(key=lambda entry: entry.moment.key, reverse=True)
    return _with_words(session, found[:limit], departments)


def message(
    session: Session, customer_id: int, departments: Departments, message_id: int
) -> Entry | None:
    """The entry of one message, if it is in the line of time that one sees."""
    asked = _Asked(session, customer_id, departments, None, 1)
    return next(_messages(asked, col(Message.id) == message_id), None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose entries, as whom, from where on, and how many."""

    session: Session
    customer_id: int
    departments: Departments
    before: Moment | None
    limit: int

    @property
    def loops(self) -> ColumnElement[bool]:
        return visible_loops(self.customer_id, self.departments)

    def newest(
        self, model: Any, kind: Kind, at: Any, *which: ColumnElement[bool]
    ) -> Iterator[Entry]:
        """Rows of one table, the newest first."""
        query = sa.select(model, at).where(*which, self._older(at, kind, col(model.id)))
        query = query.order_by(at.desc(), col(model.id).desc()).limit(self.limit)
        for row, moment in self.session.execute(query):
            yield Entry(moment=Moment(moment, kind, row.id), row=row)

    def _older(self, at: ColumnElement[datetime], kind: Kind, number: Any) -> ColumnElement[bool]:
        before = self.before
        if before is None:
            return sa.true()
        if RANKS[kind] < RANKS[before.kind]:
            return at <= before.at
        if RANKS[kind] > RANKS[before.kind]:
            return at < before.at
        return sa.or_(at < before.at, sa.and_(at == before.at, number < before.id))


def _feedback(asked: _Asked) -> Iterator[Entry]:
    which = [col(Feedback.customer_id) == asked.customer_id]
    if asked.departments is not None:
        which.append(col(Feedback.id).in_(select(Loop.feedback_id).where(asked.loops)))
    return asked.newest(Feedback, Kind.FEEDBACK, col(Feedback.said_at), *which)


def _tickets(asked: _Asked) -> Iterator[Entry]:
    which = [col(Ticket.customer_id) == asked.customer_id]
    if asked.departments is not None:
        which.append(among(asked.departments))
    return asked.newest(Ticket, Kind.TICKET, col(Ticket.opened_at), *which)


def _messages(asked: _Asked, *also: ColumnElement[bool]) -> Iterator[Entry]:
    theirs = col(Message.customer_id) == asked.customer_id
    which = [theirs, col(Message.kind) == MessageKind.FOLLOW_UP, *also]
    if asked.departments is not None:
        which.append(col(Message.loop_id).in_(select(Loop.id).where(asked.loops)))
    at = func.coalesce(Message.sending_at, Message.settled_at, Message.planned_at)
    return asked.newest(Message, Kind.MESSAGE, at, *which)


def _answers(asked: _Asked) -> Iterator[Entry]:
    which = col(Answer.loop_id).in_(select(Loop.id).where(asked.loops))
    return asked.newest(Answer, Kind.ANSWER, col(Answer.at), which)


def _consents(asked: _Asked) -> Iterator[Entry]:
    theirs = col(Consent.customer_id) == asked.customer_id
    return asked.newest(Consent, Kind.CONSENT, col(Consent.at), theirs)


def _merges(session: Session, customer_id: int, before: Moment | None) -> Iterator[Entry]:
    """Few: a person has confirmed each."""
    theirs = (col(CustomerMerge.kept_id) == customer_id) | (
        col(CustomerMerge.merged_id) == customer_id
    )
    for row in session.exec(select(CustomerMerge).where(theirs)):
        moments = [Moment(row.at, Kind.MERGE, row.id or 0)]
        if row.undone_at is not None:
            moments.append(Moment(row.undone_at, Kind.UNMERGE, row.id or 0))
        yield from (Entry(moment=m, row=row) for m in moments if _is_older(m, before))


def _suppressions(rows: Iterable[Suppression], before: Moment | None) -> Iterator[Entry]:
    in_order = sorted(rows, key=lambda row: (row.at, row.address_hash))
    for number, row in enumerate(in_order, 1):
        moment = Moment(row.at, Kind.SUPPRESSION, number)
        if _is_older(moment, before):
            yield Entry(moment=moment, row=row)


def _is_older(moment: Moment, before: Moment | None) -> bool:
    return before is None or moment.key < before.key


def _with_words(session: Session, entries: Sequence[Entry], seen: Departments) -> list[Entry]:
    """Feedback with its words: two queries for the page."""
    ids = [entry.moment.id for entry in entries if entry.moment.kind is Kind.FEEDBACK]
    query = (
        select(FeedbackVersion)
        .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
        .where(col(Feedback.id).in_(ids), FeedbackVersion.number == Feedback.version)
    )
    versions = {row.feedback_id: row for row in session.exec(query)}
    about = (
        select(Statement)
        .join(Ticket, col(Ticket.id) == Statement.ticket_id)
        .where(col(Statement.version_id).in_([row.id for row in versions.values()]))
    )
    if seen is not None:
        about = about.where(among(seen))
    spans: dict[int, list[tuple[int, int]]] = {}
    for statement in session.exec(about):
        spans.setdefault(statement.version_id, []).append((statement.start, statement.end))
    return [
        replace(
            entry,
            words=tuple(pieces(version.verbatim, spans.get(version.id or 0, []))),
            language=version.language or entry.row.language,
        )
        if entry.moment.kind is Kind.FEEDBACK and (version := versions.get(entry.moment.id))
        else entry
        for entry in entries
    ]
