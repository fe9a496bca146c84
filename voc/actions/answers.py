"""What customers say back: kept as it comes in, applied by the close stage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from sqlmodel import Session

from voc.actions import doubt, judging, loops, tickets
from voc.company.model import Company
from voc.models import (
    Answer,
    AnswerWay,
    Loop,
    LoopState,
    TicketEventKind,
    TicketState,
    Verdict,
)
from voc.rules import provenance
from voc.rules.lifecycle import LoopAction
from voc.store import answers as answer_store
from voc.store import events
from voc.store import loops as loop_store
from voc.store import tickets as ticket_store
from voc.store.events import Happening, lock_head

UNASKED = 0
ANSWERABLE = frozenset({LoopState.OPEN, LoopState.TOLD, LoopState.CLOSED})
"""Open as well: a message whose reply was lost may have arrived, and its answer counts."""


def takes_answers(session: Session, loop: Loop, round_asked: int | None) -> bool:
    """Whether an answer to the question of that round can still mean anything.

    Also where we had given up telling: whoever answers the question of this very round has got
    it, whatever came back. Never where what it is about was erased: nothing more is kept of it.
    """
    if answer_store.is_erased(session, loop):
        return False
    arrived_after_all = loop.state is LoopState.COULD_NOT_TELL and loop.round == round_asked
    return loop.state in ANSWERABLE or arrived_after_all


def record(
    session: Session,
    loop: Loop,
    verdict: Verdict,
    *,
    round_asked: int,
    rating: int | None,
    words: str | None,
    now: datetime,
    way: AnswerWay = AnswerWay.PAGE,
    at: datetime | None = None,
) -> Answer:
    """Keep an answer. `close` acts on it; what was said before is kept, the newest holds.

    Args:
        round_asked: Of the question; `UNASKED` if it answers a message that asked nothing.
        words: With personal data masked.
        at: When they said it. Default: now.
    """
    answer = Answer(
        loop_id=loop.id or 0,
        round=round_asked,
        verdict=verdict,
        rating=rating,
        words=words,
        at=min(at or now, now),  # nothing is newer than now, whatever a provider's clock says
        way=way,
    )
    session.add(answer)
    answered = Happening(
        kind=TicketEventKind.ANSWERED,
        loop_id=loop.id,
        detail=provenance.answered(verdict, way, round_asked),
    )
    events.append(session, [answered], actor="customer", now=now)
    return answer


def apply_answers(session: Session, loop_id: int, company: Company, *, now: datetime) -> str:
    """Close or reopen a loop by the newest clear answer to its current question.

    An answer to an earlier round's question changes nothing: the world has moved on. One that
    overtakes our own knowledge of having asked waits until the message is settled. Unclear
    words wait for a person, unless the customer has spoken again since.
    """
    loop = ticket_store.locked_loop(session, loop_id)
    said = answer_store.of_loop(session, loop_id, now)
    waiting = {answer.id for answer in said if answer.applied_at is None}
    current = [answer for answer in said if answer.round == loop.round]
    if any(answer.id in waiting for answer in current):
        doubt.believe_the_answer(session, loop, now=now)
        if doubt.is_being_asked(session, loop):
            return "asked_just_now"
        if loop.state is LoopState.COULD_NOT_TELL:
            loops.tell(session, loop, now=now)
    unclear = _for_a_person(said, loop)
    for answer in unclear:
        judging.ask_owners(session, answer, loop, company, now=now)
    for answer in said:
        if answer.id in waiting and answer not in unclear:
            answer.applied_at = now
            session.add(answer)
    clear = [answer for answer in current if answer.verdict is not Verdict.UNCLEAR]
    newest = clear[-1] if clear else None
    # Unclear words after a yes may take it back; a no need not wait for what they mean.
    if (
        newest is not None
        and newest.id in waiting
        and (newest is current[-1] or newest.verdict is Verdict.NOT_SOLVED)
    ):
        return _act_on(session, loop, newest.verdict, company, now=now)
    return "unclear" if unclear else "outdated"


def _for_a_person(said: Sequence[Answer], loop: Loop) -> list[Answer]:
    """The unclear words since the customer last spoke clearly. Erased ones say nothing."""
    if loop.state not in ANSWERABLE:
        return []
    latest = takewhile(lambda answer: answer.verdict is Verdict.UNCLEAR, reversed(said))
    return [answer for answer in latest if answer.applied_at is None and answer.words is not None]


def _act_on(
    session: Session, loop: Loop, verdict: Verdict, company: Company, *, now: datetime
) -> str:
    """Do what the customer's newest word asks for; what came of it."""
    if loop.state not in {LoopState.TOLD, LoopState.CLOSED}:
        return "outdated"
    if verdict is Verdict.NOT_SOLVED:
        reopen(session, loop, company, now=now)
        return "reopened"
    if loop.state is LoopState.TOLD:
        loops.close(session, loop, LoopAction.SOLVE, reason="solved", now=now)
    else:
        loops.solve_after_all(session, loop, now=now)
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
