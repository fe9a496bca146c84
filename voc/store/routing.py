"""The facts that routing decides on, and the open tickets that an issue may join."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from voc.models import (
    Customer,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Label,
    Loop,
    LoopState,
    Statement,
    Suggestion,
    SuggestionKind,
    Ticket,
)
from voc.rules.lifecycle import UNFINISHED
from voc.rules.ratings import is_promoter, share
from voc.rules.routing import PERSON, PieceFacts, StatementFacts

DUPLICATE = "duplicate"
SAID_WITHIN = timedelta(days=7)


def understood(session: Session, low: int, high: int, *, limit: int) -> list[Feedback]:
    """Understood feedback with ids from *low* to *high* that is neither routed nor filed."""
    return list(
        session.exec(
            select(Feedback)
            .where(Feedback.state == FeedbackState.UNDERSTOOD, col(Feedback.id).between(low, high))
            .order_by(col(Feedback.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def strays(
    session: Session, departments: Collection[str], *, limit: int | None = None
) -> list[tuple[int, str]]:
    """Unfinished tickets of a department that is none of these, the oldest first, with its id."""
    query = select(Ticket.id, Ticket.department).where(
        col(Ticket.state).in_(UNFINISHED), col(Ticket.department).not_in(departments)
    )
    rows = session.exec(query.order_by(col(Ticket.id)).limit(limit))
    return [(ticket_id or 0, department) for ticket_id, department in rows]


def twin_loop(session: Session, piece: Feedback) -> Loop | None:
    """The open loop of what the same customer said in the same words through another source.

    Its reply answers both: nobody wants the same apology twice.
    """
    theirs, ours = aliased(FeedbackVersion), aliased(FeedbackVersion)
    lately = piece.said_at - SAID_WITHIN, piece.said_at + SAID_WITHIN
    query = (
        select(Loop)
        .join(Feedback, col(Feedback.id) == Loop.feedback_id)
        .join(
            theirs,
            (col(theirs.feedback_id) == Feedback.id) & (col(theirs.number) == Feedback.version),
        )
        .join(ours, (col(ours.feedback_id) == piece.id) & (col(ours.number) == piece.version))
        .where(
            Feedback.customer_id == piece.customer_id,
            Feedback.source != piece.source,
            col(Feedback.said_at).between(*lately),
            theirs.verbatim == ours.verbatim,
            theirs.verbatim != "",
            col(Loop.state).in_([LoopState.OPEN, LoopState.TOLD]),
        )
        .order_by(col(Loop.id))
    )
    return session.exec(query.limit(1)).first()


def duplicates_of(session: Session, feedback: Feedback) -> list[Feedback]:
    """What was filed because *feedback* says it already."""
    theirs, ours = aliased(FeedbackVersion), aliased(FeedbackVersion)
    query = (
        select(Feedback)
        .join(
            theirs,
            (col(theirs.feedback_id) == Feedback.id) & (col(theirs.number) == Feedback.version),
        )
        .join(ours, (col(ours.feedback_id) == feedback.id) & (col(ours.number) == feedback.version))
        .where(
            Feedback.customer_id == feedback.customer_id,
            Feedback.state == FeedbackState.FILED,
            Feedback.reason == DUPLICATE,
            theirs.verbatim == ours.verbatim,
        )
    )
    return list(session.exec(query.order_by(col(Feedback.id))))


def facts_for(session: Session, pieces: Sequence[Feedback]) -> dict[int, PieceFacts]:
    """By feedback id what `rules.routing.decide` needs, from four queries."""
    ids = [piece.id for piece in pieces]
    versions = session.exec(
        select(FeedbackVersion)
        .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
        .where(col(Feedback.id).in_(ids), FeedbackVersion.number == Feedback.version)
    ).all()
    texts = {version.id: version.verbatim for version in versions}
    statements = session.exec(
        select(Statement)
        .where(col(Statement.version_id).in_(texts))
        .order_by(col(Statement.version_id), col(Statement.start))
    ).all()
    said = said_of(session, [s.id for s in statements])
    by_version: dict[int, list[StatementFacts]] = {}
    for row in statements:
        text = texts[row.version_id][row.start : row.end]
        by_version.setdefault(row.version_id, []).append(_statement(row, text, said))
    customers = [piece.customer_id for piece in pieces]
    values = {
        customer.id: customer.value
        for customer in session.exec(select(Customer).where(col(Customer.id).in_(customers)))
    }
    version_of = {version.feedback_id: version.id or 0 for version in versions}
    return {
        piece.id or 0: _piece(
            piece, by_version.get(version_of[piece.id or 0], []), values.get(piece.customer_id)
        )
        for piece in pieces
    }


def _piece(
    piece: Feedback, statements: Sequence[StatementFacts], value: float | None
) -> PieceFacts:
    rating_share, promoter = None, False
    if piece.rating is not None and piece.rating_scale is not None:
        rating_share = share(piece.rating, piece.rating_scale)
        promoter = is_promoter(piece.rating, piece.rating_scale)
    return PieceFacts(
        source=piece.source,
        channel=piece.channel,
        touchpoint=piece.touchpoint,
        rating_share=rating_share,
        is_promoter=promoter,
        customer_value=value,
        statements=statements,
    )


Said = dict[tuple[int, SuggestionKind], Suggestion | Label]


def said_of(session: Session, ids: Sequence[int | None]) -> Said:
    """Of each statement the newest suggestion of each kind, or the newest label: it wins."""
    said: Said = {}
    suggested = select(Suggestion).where(col(Suggestion.statement_id).in_(ids))
    for suggestion in session.exec(suggested.order_by(col(Suggestion.id))):
        said[suggestion.statement_id, suggestion.kind] = suggestion
    labelled = select(Label).where(col(Label.statement_id).in_(ids))
    for label in session.exec(labelled.order_by(col(Label.id))):
        said[label.statement_id, label.kind] = label
    return said


def _statement(row: Statement, text: str, said: Said) -> StatementFacts:
    key = row.id or 0
    sentiment = said.get((key, SuggestionKind.SENTIMENT))
    topic = said.get((key, SuggestionKind.TOPIC))
    department = said.get((key, SuggestionKind.DEPARTMENT))
    return StatementFacts(
        id=key,
        text=text,
        sentiment=sentiment.value if sentiment else None,
        topic=topic.value if topic else None,
        department=department.value if department else None,
        probability=department.probability if isinstance(department, Suggestion) else 1.0,
        offers=department.offers if isinstance(department, Suggestion) else [],
        judge=_judge(department),
    )


def _judge(said: Suggestion | Label | None) -> str:
    if said is None:
        return "nobody"
    return f"model:{said.model}" if isinstance(said, Suggestion) else PERSON


def ticket_to_join(
    session: Session, customer_id: int, department: str, topic: str | None
) -> Ticket | None:
    """The customer's oldest unfinished ticket of the same department on the same topic."""
    if topic is None:
        return None
    return session.exec(
        select(Ticket)
        .where(
            Ticket.customer_id == customer_id,
            Ticket.department == department,
            Ticket.topic == topic,
            col(Ticket.state).in_(UNFINISHED),
        )
        .order_by(col(Ticket.id))
        .limit(1)
    ).first()
