"""Messages that leave only when somebody has read them: the oldest first, read, decide."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import READERS, WORKERS
from apps.desk.desk import Desk, Number, Refusal, TheDesk
from apps.desk.links import judging
from apps.desk.links.approvals import CHANGED, DONE, MESSAGE_POLICY, words_of
from apps.desk.links.customers import READ
from apps.desk.links.forms import DecisionForm, read_decision
from apps.desk.operations.message import found
from apps.desk.operations.paging import read_spot, written
from apps.desk.operations.piles import BY_CODE, row_of
from notifications.preview import preview
from voc.actions import approval as actions
from voc.company.model import Company
from voc.models import Message, Role
from voc.store import answers, audit, message_lists
from voc.store.approval import is_waiting
from voc.store.database import reading, transaction

router = APIRouter()
HERE = "/desk/approvals"
PAGE = 50
DEEDS = {"approve": "message_approved", "refuse": "message_refused"}


def may_decide(visitor: Visitor, company: Company) -> bool:
    """Whether they approve messages: the company file's approvers, or operations without any."""
    approvers = {address.lower() for address in company.follow_up.approval.approvers}
    if approvers:
        return visitor.role in WORKERS and visitor.email.lower() in approvers
    return visitor.role is Role.OPERATIONS


def may_read(visitor: Visitor, company: Company) -> bool:
    """Whether they see messages that wait: of every department."""
    return visitor.role is not Role.OWNER or may_decide(visitor, company)


@router.api_route(HERE, methods=READ)
def show_waiting(
    desk: TheDesk, visitor: Visitor = see(READERS), after: str = "", done: str = ""
) -> HTMLResponse:
    may = may_read(visitor, desk.company)
    with reading(desk.engine) as session:
        waiting = _waiting(session, after) if may else []
        known = [department.id for department in desk.company.departments]
        replies = answers.unclear(session, PAGE + 1, departments=visitor.departments, known=known)
    rows, rest = waiting[:PAGE], waiting[PAGE:]
    more = written(message_lists.spot_of(rows[-1])) if rest else None
    return desk.view(
        "operations/approvals.html",
        visitor,
        here=HERE,
        may_read=may,
        rows=[row_of(message) for message in rows],
        more=f"{HERE}?after={more}" if more else None,
        replies=[answer for answer, _ in replies[:PAGE]],
        more_replies=len(replies) > PAGE,
        ways=WAYS,
        done=(DONE | judging.DONE).get(done, ""),
    )


WAYS = {"mail": "by mail", "sms": "by text message", "page": "on our page"}


def _waiting(session: Session, after: str) -> list[Message]:
    pile = BY_CODE["approval"]
    return message_lists.page(
        session, pile.states, reasons=pile.reasons, after=read_spot(after), limit=PAGE + 1
    )


@router.api_route(HERE + "/{message_id}", methods=READ)
def show_message(
    message_id: Number, desk: TheDesk, visitor: Visitor = see(READERS)
) -> HTMLResponse:
    with reading(desk.engine) as session:
        message = _found(session, desk, visitor, message_id)
        return _page(session, desk, visitor, message)


@router.api_route(HERE + "/{message_id}/html", methods=READ)
def show_html(message_id: Number, desk: TheDesk, visitor: Visitor = see(READERS)) -> HTMLResponse:
    """The HTML part alone, as a mail program would draw it."""
    with reading(desk.engine) as session:
        words = preview(_found(session, desk, visitor, message_id))
    if words is None or words.html is None:
        raise Refusal(404, "not_here")
    return HTMLResponse(words.html, headers={"Content-Security-Policy": MESSAGE_POLICY})


@router.post(HERE + "/{message_id}", response_model=None)
def decide(
    message_id: Number,
    desk: TheDesk,
    *,
    visitor: Visitor = do(WORKERS),
    deed: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
    seen: Annotated[str, Form()] = "",
) -> HTMLResponse | RedirectResponse:
    form = read_decision(deed, why, seen)
    if not may_decide(visitor, desk.company):
        raise Refusal(403, "not_yours")
    with transaction(desk.engine) as session:
        message = _found(session, desk, visitor, message_id)
        if form.errors:
            return _page(session, desk, visitor, message, form=form, status=422)
        try:
            _act(session, desk, visitor, message_id, form)
        except actions.ChangedError:  # raised before anything was changed
            return _page(session, desk, visitor, message, form=form, problem=CHANGED, status=409)
        except actions.NotWaitingError:  # somebody else was quicker
            return _page(session, desk, visitor, message, status=409)
    return RedirectResponse(f"{HERE}?done={form.deed}", 303)


def _act(
    session: Session, desk: Desk, visitor: Visitor, message_id: int, form: DecisionForm
) -> None:
    actor, now = visitor.email, visitor.now
    if form.deed == "approve":
        actions.approve(session, message_id, seen=form.seen, actor=actor, now=now)
    else:
        actions.refuse(
            session, message_id, desk.company, why=form.why, seen=form.seen, actor=actor, now=now
        )
    audit.write(session, actor, DEEDS[form.deed], f"message:{message_id}", form.seen[:12], at=now)


def _found(session: Session, desk: Desk, visitor: Visitor, message_id: int) -> Message:
    """A message that waits for approval, did, or will again; that they saw it is noted.

    Raises:
        Refusal: There is none with this number, or it is none of theirs to read.
    """
    if not may_read(visitor, desk.company):
        raise Refusal(404, "not_here")
    message = found(session, message_id)
    was_waiting = message.needs_approval or is_waiting(message)
    if not (was_waiting or actions.needs_approval(message, desk.company)):
        raise Refusal(404, "not_here")
    visitor.saw(f"message:{message_id}")
    return message


def _page(
    session: Session,
    desk: Desk,
    visitor: Visitor,
    message: Message,
    *,
    form: DecisionForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    waits = is_waiting(message)
    return desk.view(
        "operations/approval.html",
        visitor,
        here=HERE,
        status=status,
        message=words_of(session, desk, message),
        row=row_of(message),
        approvers=desk.company.follow_up.approval.approvers,
        waits=waits,
        may_decide=waits and may_decide(visitor, desk.company),
        form=form or DecisionForm(),
        problem=problem,
    )
