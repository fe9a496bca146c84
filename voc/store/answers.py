"""What customers said to follow-ups, and what of it waits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from voc.company.fitting import TRIAGE
from voc.errors import NotFoundError
from voc.models import Answer, Feedback, FeedbackState, Loop, LoopTicket, Ticket, Verdict


def unapplied(session: Session, now: datetime) -> list[int]:
    """Ids of the loops with answers, given by *now*, that nothing was done about yet.

    Those with unclear words are among them until a person, or the customer, makes them clear.
    """
    waiting = (col(Answer.applied_at).is_(None), col(Answer.at) <= now)
    return sorted(session.exec(select(Answer.loop_id).where(*waiting).distinct()))


def of_loop(session: Session, loop_id: int, now: datetime) -> list[Answer]:
    """All that the customer said about a loop by *now*, the oldest first."""
    query = select(Answer).where(Answer.loop_id == loop_id, col(Answer.at) <= now)
    return list(session.exec(query.order_by(col(Answer.at), col(Answer.id))))


def unclear(
    session: Session,
    limit: int,
    *,
    departments: Collection[str] | None = None,
    known: Collection[str] = (),
) -> list[tuple[Answer, Loop]]:
    """Answers that wait for a person to judge them, the oldest first.

    Args:
        departments: Only those that one of these judges, as `voc.actions.judging` says; all if
            None.
        known: All departments of the company: for what is about another one's, triage is asked.
    """
    query = (
        select(Answer, Loop)
        .join(Loop, col(Loop.id) == Answer.loop_id)
        .where(Answer.verdict == Verdict.UNCLEAR, col(Answer.applied_at).is_(None))
        .order_by(col(Answer.at), col(Answer.id))
        .limit(limit)
    )
    if departments is not None:
        query = query.where(_judged_by(departments, known))
    return list(session.exec(query))


def _judged_by(departments: Collection[str], known: Collection[str]) -> ColumnElement[bool]:
    about = select(LoopTicket.loop_id).join(Ticket, col(Ticket.id) == LoopTicket.ticket_id)
    about = about.where(LoopTicket.loop_id == Answer.loop_id)
    theirs = about.where(col(Ticket.department).in_(departments)).exists()
    if TRIAGE not in departments:
        return theirs
    gone = about.where(col(Ticket.department).not_in(known)).exists()
    return or_(theirs, gone, ~about.exists())


def is_erased(session: Session, loop: Loop) -> bool:
    """Whether what the loop is about was erased."""
    return session.get_one(Feedback, loop.feedback_id).state is FeedbackState.FILED


def found(session: Session, answer_id: int) -> Answer:
    """The answer.

    Raises:
        NotFoundError: There is none with this id.
    """
    if (answer := session.get(Answer, answer_id)) is None:
        text = f"there is no answer {answer_id}; `voc answers list` shows those that wait"
        raise NotFoundError(text)
    return answer
