"""Words that only a person can judge: who is asked, and what their word does."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from voc.company.model import TRIAGE, Company, Person
from voc.errors import VocError
from voc.models import (
    Answer,
    Loop,
    MessageKind,
    Ticket,
    TicketEventKind,
    Verdict,
)
from voc.store import answers, events, messages
from voc.store import tickets as ticket_store
from voc.store.events import Happening

TEMPLATE = "customer_replied"


def ask_owners(
    session: Session, answer: Answer, loop: Loop, company: Company, *, now: datetime
) -> None:
    """Owe an alert to everybody who may judge these words, once."""
    theirs = ticket_store.tickets_of(session, loop.id or 0)
    for person in judges_of(theirs, company):
        messages.plan(
            session,
            subject=f"answer:{answer.id}",
            step="judge.1",
            recipient=person.email,
            kind=MessageKind.ALERT,
            template=TEMPLATE,
            loop_id=loop.id,
            ticket_id=theirs[0].id if theirs else None,
            now=now,
        )


def judging_departments(tickets: list[Ticket], company: Company) -> set[str]:
    """Those of a loop's tickets; triage where it has none, or their department is gone.

    `voc.store.answers.unclear` asks the same of the database.
    """
    return {company.department_or_triage(t.department).id for t in tickets} or {TRIAGE}


def judges_of(tickets: list[Ticket], company: Company) -> list[Person]:
    """The owners of the departments that judge what is said about a loop's tickets."""
    ids = judging_departments(tickets, company)
    people = [person for d in company.departments if d.id in ids for person in d.owners]
    return list({person.email: person for person in people}.values())


def judge(
    session: Session, answer_id: int, verdict: Verdict, *, actor: str, now: datetime
) -> Answer:
    """Say what unclear words mean. `apply_answers` then does what such an answer does.

    Raises:
        NotFoundError: There is no such answer.
        VocError: It waits for nobody any more, or *verdict* says no more than before.
    """
    loop_id = answers.found(session, answer_id).loop_id
    ticket_store.locked_loop(session, loop_id)
    answer = answers.found(session, answer_id)
    session.refresh(answer)
    if verdict is Verdict.UNCLEAR:
        raise VocError("judge an answer as solved or not_solved")
    if answer.verdict is not Verdict.UNCLEAR or answer.applied_at is not None:
        raise VocError(f"answer {answer_id} does not wait for a judgement any more")
    answer.verdict, answer.judged_by = verdict, actor
    session.add(answer)
    judged = Happening(kind=TicketEventKind.JUDGED, loop_id=loop_id, detail=verdict)
    events.append(session, [judged], actor=actor, now=now)
    return answer
