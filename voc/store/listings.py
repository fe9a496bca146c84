"""Pages of rows for other programs: in the order of their numbers, from one number on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from voc.models import (
    Consent,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Label,
    Loop,
    LoopTicket,
    Statement,
    Suggestion,
    SuggestionKind,
    Ticket,
    TicketEvent,
    TicketEventKind,
    TicketState,
)
from voc.rules.cloud_events import TYPES
from voc.store.routing import said_of

Said = tuple[Feedback, FeedbackVersion]
MOVES = frozenset(kind for kind, type_ in TYPES.items() if type_.startswith("ticket.")) | {
    TicketEventKind.DECIDED  # what the customer says anew is about it, too
}
"""Events that change what a ticket is. Its version is the newest of them."""
HARMLESS = frozenset(
    {TicketEventKind.COMMENTED, TicketEventKind.COMMENT_REMOVED, TicketEventKind.ESCALATED}
)
"""Those of them that a person at the desk does not have to have seen before they act."""


def tickets_after(
    session: Session,
    after: int,
    limit: int,
    *,
    department: str | None,
    state: TicketState | None,
    customer: int | None,
) -> Sequence[Ticket]:
    """Tickets of which all holds that is given."""
    query = select(Ticket).where(col(Ticket.id) > after)
    query = query.where(Ticket.department == department) if department else query
    query = query.where(Ticket.state == state) if state else query
    query = query.where(Ticket.customer_id == customer) if customer else query
    return session.exec(query.order_by(col(Ticket.id)).limit(limit)).all()


def changed_after(
    session: Session, after: int, limit: int
) -> tuple[list[tuple[Ticket, int]], int | None]:
    """Tickets with their versions, of those that have one above *after*, by version.

    The ledger's numbers follow the order of commits, so whoever goes on from the largest version
    that they have seen misses nothing. What has changed again since stands further on.

    Returns:
        Also where to go on; None: that was all.
    """
    query = select(TicketEvent.id, TicketEvent.ticket_id).where(
        col(TicketEvent.id) > after,
        col(TicketEvent.kind).in_(sorted(MOVES)),
        col(TicketEvent.ticket_id).is_not(None),
    )
    moves = session.exec(query.order_by(col(TicketEvent.id)).limit(limit)).all()
    end = (moves[-1][0] or 0) if moves else after
    versions = versions_of(session, {ticket for _, ticket in moves})
    newest = {ticket: version for ticket, version in versions.items() if version <= end}
    tickets = session.exec(select(Ticket).where(col(Ticket.id).in_(newest))).all()
    found = sorted(((each, newest[each.id or 0]) for each in tickets), key=itemgetter(1))
    return found, end if len(moves) == limit else None


def versions_of(session: Session, ticket_ids: Iterable[int | None]) -> dict[int, int]:
    """By ticket its version: it grows with whatever happens to it, and never comes back."""
    query = (
        select(TicketEvent.ticket_id, func.max(TicketEvent.id))
        .where(
            col(TicketEvent.ticket_id).in_(list(ticket_ids)),
            col(TicketEvent.kind).in_(sorted(MOVES)),
        )
        .group_by(col(TicketEvent.ticket_id))
    )
    return {ticket: newest or 0 for ticket, newest in session.exec(query) if ticket is not None}


def loops_by_ticket(session: Session, ticket_id: int) -> dict[int, int]:
    """Of the loops that wait for a ticket: by loop its feedback."""
    query = (
        select(Loop.id, Loop.feedback_id)
        .join(LoopTicket, col(LoopTicket.loop_id) == Loop.id)
        .where(LoopTicket.ticket_id == ticket_id)
        .order_by(col(Loop.id))
    )
    return {loop: feedback for loop, feedback in session.exec(query) if loop is not None}


def feedback_after(
    session: Session,
    after: int,
    limit: int,
    *,
    state: FeedbackState | None,
    customer: int | None,
) -> Sequence[Said]:
    """Feedback of which all holds that is given, with its newest words."""
    also = [col(Feedback.id) > after]
    if state:
        also.append(col(Feedback.state) == state)
    if customer:
        also.append(col(Feedback.customer_id) == customer)
    return _feedback(session, also, limit)


def one_feedback(session: Session, feedback_id: int) -> Said | None:
    """A piece with its newest words."""
    return next(iter(_feedback(session, [col(Feedback.id) == feedback_id], 1)), None)


def statements_in(
    session: Session, version: FeedbackVersion
) -> list[tuple[Statement, dict[SuggestionKind, Suggestion | Label]]]:
    """What stands in one version, and what is thought of it: a person's label wins."""
    query = select(Statement).where(Statement.version_id == version.id)
    rows = session.exec(query.order_by(col(Statement.start))).all()
    said = said_of(session, [row.id for row in rows])
    return [
        (row, {kind: said[row.id, kind] for kind in SuggestionKind if (row.id, kind) in said})
        for row in rows
        if row.id is not None
    ]


def loop_of_feedback(session: Session, feedback_id: int) -> int | None:
    """The loop that was opened for a piece."""
    return session.exec(select(Loop.id).where(Loop.feedback_id == feedback_id)).one_or_none()


def consents_of(session: Session, customer_id: int) -> dict[str, bool]:
    """What a customer said last about each purpose."""
    query = select(Consent.purpose, Consent.granted).where(Consent.customer_id == customer_id)
    rows = session.exec(query.order_by(col(Consent.at), col(Consent.id)))
    return {str(purpose): granted for purpose, granted in rows}


def _feedback(session: Session, also: Sequence[ColumnElement[bool]], limit: int) -> Sequence[Said]:
    query = (
        select(Feedback, FeedbackVersion)
        .join(
            FeedbackVersion,
            (col(FeedbackVersion.feedback_id) == Feedback.id)
            & (col(FeedbackVersion.number) == Feedback.version),
        )
        .where(*also)
    )
    return session.exec(query.order_by(col(Feedback.id)).limit(limit)).all()
