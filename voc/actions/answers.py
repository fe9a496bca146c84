"""What customers say back: kept as it comes in, applied by the close stage."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from voc.actions import doubt, loops, tickets
from voc.company.model import Company
from voc.models import Answer, Loop, LoopState, TicketState, Verdict
from voc.rules.lifecycle import LoopAction
from voc.store import loops as loop_store
from voc.store import tickets as ticket_store
from voc.store.events import lock_head


def record(
    session: Session,
    loop: Loop,
    verdict: Verdict,
    *,
    round_asked: int,
    rating: int | None,
    words: str | None,
    now: datetime,
) -> Answer:
    """Keep an answer. `close` acts on it; what was said before is kept, the newest holds.

    Args:
        words: With personal data masked.
    """
    answer = Answer(
        loop_id=loop.id or 0,
        round=round_asked,
        verdict=verdict,
        rating=rating,
        words=words,
        at=now,
    )
    session.add(answer)
    return answer


def unapplied(session: Session, now: datetime) -> list[int]:
    """Ids of the loops with answers, given by *now*, that nothing was done about yet."""
    waiting = (col(Answer.applied_at).is_(None), col(Answer.at) <= now)
    return sorted(session.exec(select(Answer.loop_id).where(*waiting).distinct()))


def apply_answers(session: Session, loop_id: int, company: Company, *, now: datetime) -> str:
    """Close or reopen a loop by the newest answer to its current question.

    An answer to an earlier round's question changes nothing: the world has moved on. One that
    overtakes our own knowledge of having asked waits until the message is settled.
    """
    loop = ticket_store.locked_loop(session, loop_id)
    waiting = session.exec(
        select(Answer)
        .where(Answer.loop_id == loop_id, col(Answer.applied_at).is_(None), col(Answer.at) <= now)
        .order_by(col(Answer.at), col(Answer.id))
    ).all()
    current = [answer for answer in waiting if answer.round == loop.round]
    if current:
        doubt.believe_the_answer(session, loop, now=now)
    if current and doubt.is_being_asked(session, loop):
        return "asked_just_now"
    for answer in waiting:
        answer.applied_at = now
        session.add(answer)
    if not current or loop.state not in {LoopState.TOLD, LoopState.CLOSED}:
        return "outdated"
    if current[-1].verdict is Verdict.NOT_SOLVED:
        reopen(session, loop, company, now=now)
        return "reopened"
    if loop.state is LoopState.TOLD:
        loops.close(session, loop, LoopAction.SOLVE, reason="solved", now=now)
    elif loop.reason != "solved":
        loop.reason = "solved"
        session.add(loop)
    return "solved"


def reopen(session: Session, loop: Loop, company: Company, *, now: datetime) -> None:
    """Not solved: the loop and all its finished tickets go back to work, one level up."""
    loops.reopen(session, loop, now=now)
    for ticket in ticket_store.tickets_of(session, loop.id or 0):
        if ticket.state in {TicketState.RESOLVED, TicketState.CLOSED}:
            tickets.reopen(session, ticket.id or 0, company, now=now)


def close_silent(session: Session, company: Company, *, now: datetime) -> int:
    """Close loops whose customers were told and said nothing for so many days."""
    patience = timedelta(days=company.follow_up.close_silent_after_days)
    lock_head(session)
    silent = loop_store.silent(session, now - patience)
    for loop in silent:
        loops.close(session, loop, LoopAction.CLOSE_SILENT, reason="silent", now=now)
    return len(silent)


def give_up_untellable(session: Session, *, now: datetime) -> int:
    """End the open loops whose deciding message will never arrive, each with the reason."""
    lock_head(session)
    lost = loop_store.untellable(session)
    for loop, reason in lost:
        loops.give_up(session, loop, reason=reason[:64], now=now)
    return len(lost)
