"""What an unclear reply means: a colleague reads it and says so. Only a POST changes anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.desk import Refusal, TheVisit, Visit
from apps.desk.links.customers import READ
from apps.desk.links.forms import PRESSABLE
from notifications.render import clean
from voc.actions.answers import apply_answers
from voc.actions.judging import judge, judges_of
from voc.models import Answer, LinkPurpose, Loop, Verdict
from voc.store import answers, links, tickets
from voc.store.database import reading, transaction

router = APIRouter()

DONE = {
    "solved": "The case is closed as solved.",
    "reopened": "The case is open again, one level up. Its owners get a mail.",
    "unclear": "Noted. The customer has written again since: those words wait for you, too.",
    "asked_just_now": "Noted. It takes effect as soon as our own message is on its way.",
    "outdated": "Noted. The case has moved on since, so nothing else changes.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An answer in the hands of somebody who may say what it means."""

    actor: str
    answer: Answer
    loop: Loop

    @property
    def waits(self) -> bool:
        return self.answer.verdict is Verdict.UNCLEAR and self.answer.applied_at is None


@router.api_route("/j/{token}", methods=READ)
def show_answer(visit: TheVisit) -> HTMLResponse:
    with reading(visit.desk.engine) as session:
        return _page(session, visit, _read(session, visit))


@router.post("/j/{token}")
def say_what_it_means(visit: TheVisit, verdict: Annotated[str, Form()] = "") -> HTMLResponse:
    with transaction(visit.desk.engine) as session:
        read = _read(session, visit, to_judge=True)
        if not read.waits:
            return _page(session, visit, read, status=409)
        if verdict not in PRESSABLE:
            return _page(session, visit, read, status=422, missing=True)
        number, now = read.answer.id or 0, visit.now
        judge(session, number, Verdict(verdict), actor=read.actor, now=now)
        came = apply_answers(session, read.loop.id or 0, visit.desk.company, now=now)
        return _page(session, visit, read, done=DONE[came])


def _read(session: Session, visit: Visit, *, to_judge: bool = False) -> Read:
    """The answer of a colleague's link; to judge it, its loop is locked until the commit.

    Raises:
        Refusal: There is no such link, it has expired, or who got the mail owns none of the
            loop's tickets any more: then its words are none of theirs.
    """
    link = visit.link(session)
    kind, _, number = link.message.subject.partition(":")
    if link.purpose is not LinkPurpose.JUDGE or link.loop is None or kind != "answer":
        raise Refusal(404, "unknown", "en")
    if link.expired:
        raise Refusal(410, "expired", "en")
    loop = tickets.locked_loop(session, link.loop.id or 0) if to_judge else link.loop
    answer = answers.found(session, int(number))
    theirs = tickets.tickets_of(session, loop.id or 0)
    actor = link.message.recipient
    if actor not in {person.email for person in judges_of(theirs, visit.desk.company)}:
        raise Refusal(410, "handed_over", "en")
    return Read(actor=actor, answer=answer, loop=loop)


def _page(
    session: Session,
    visit: Visit,
    read: Read,
    *,
    done: str | None = None,
    missing: bool = False,
    status: int = 200,
) -> HTMLResponse:
    return visit.desk.page(
        "judge.html",
        status=status,
        day=visit.desk.local(read.answer.at, None),
        missing=missing,
        done=done,
        **facts_of(session, read),
    )


def facts_of(session: Session, read: Read) -> dict[str, Any]:
    """What a page shows to somebody who has to judge an answer."""
    answer = read.answer
    said = links.said_in_loop(session, read.loop)
    theirs = tickets.tickets_of(session, read.loop.id or 0)
    return {
        "words": answer.words,
        "way": answer.way.value,
        "quote": said.text,
        "quote_language": said.language,
        "told": [clean(ticket.action_taken) for ticket in theirs if ticket.action_taken],
        "waits": read.waits,
        "verdict": answer.verdict.value,
        "judged_by": answer.judged_by,
    }
