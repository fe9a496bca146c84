"""Replies whose words only a person can judge: read one, say what it means."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import READERS, WORKERS
from apps.desk.desk import Desk, Number, Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.links.forms import PRESSABLE
from apps.desk.links.judging import Read, facts_of
from apps.desk.operations.approvals import HERE
from voc.actions.answers import apply_answers
from voc.actions.judging import judge, judging_departments
from voc.errors import NotFoundError
from voc.models import Loop, Verdict
from voc.store import answers, audit, tickets
from voc.store.database import reading, transaction

router = APIRouter()


@router.api_route("/desk/replies/{answer_id}", methods=READ)
def show_reply(answer_id: Number, desk: TheDesk, visitor: Visitor = see(READERS)) -> HTMLResponse:
    with reading(desk.engine) as session:
        read = _read(session, desk, visitor, answer_id)
        return _page(session, desk, visitor, read)


@router.post("/desk/replies/{answer_id}", response_model=None)
def say_what_it_means(
    answer_id: Number,
    desk: TheDesk,
    visitor: Visitor = do(WORKERS),
    verdict: Annotated[str, Form()] = "",
) -> HTMLResponse | RedirectResponse:
    now = visitor.now
    with transaction(desk.engine) as session:
        read = _read(session, desk, visitor, answer_id)
        tickets.locked_loop(session, read.loop.id or 0)
        session.refresh(read.answer)
        if not read.waits:
            return _page(session, desk, visitor, read, status=409)
        if verdict not in PRESSABLE:
            return _page(session, desk, visitor, read, missing=True, status=422)
        judge(session, answer_id, Verdict(verdict), actor=visitor.email, now=now)
        came = apply_answers(session, read.loop.id or 0, desk.company, now=now)
        audit.write(session, visitor.email, "judged", f"answer:{answer_id}", verdict, at=now)
    return RedirectResponse(f"{HERE}?done={came}", 303)


def _read(session: Session, desk: Desk, visitor: Visitor, answer_id: int) -> Read:
    """The answer and its loop; that they saw it is noted.

    Raises:
        Refusal: There is none with this number, or it is about other departments' tickets only.
    """
    try:
        answer = answers.found(session, answer_id)
    except NotFoundError:
        raise Refusal(404, "not_here") from None
    loop = session.get_one(Loop, answer.loop_id)
    theirs = tickets.tickets_of(session, answer.loop_id)
    if not any(map(visitor.sees, judging_departments(theirs, desk.company))):
        raise Refusal(404, "not_here")
    visitor.saw(f"answer:{answer_id}")
    return Read(actor=visitor.email, answer=answer, loop=loop)


def _page(
    session: Session,
    desk: Desk,
    visitor: Visitor,
    read: Read,
    *,
    missing: bool = False,
    status: int = 200,
) -> HTMLResponse:
    theirs = tickets.tickets_of(session, read.loop.id or 0)
    return desk.view(
        "operations/reply.html",
        visitor,
        here=HERE,
        status=status,
        at=read.answer.at,
        tickets=[
            (t.id, desk.company.department_or_triage(t.department).name, visitor.sees(t.department))
            for t in theirs
        ],
        missing=missing,
        may_judge=read.waits and visitor.role in WORKERS,
        **facts_of(session, read),
    )
