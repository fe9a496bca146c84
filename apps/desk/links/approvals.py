"""An approver's page: read a message that waits, let it leave or refuse it. In English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.desk import Desk, Refusal, TheVisit, Visit
from apps.desk.links.customers import READ
from apps.desk.links.forms import DecisionForm, read_decision
from notifications.preview import Preview, preview
from voc.actions import approval as actions
from voc.models import LinkPurpose, Loop, Message, MessageState, Ticket
from voc.rules.messages import ENDED
from voc.store import approval as store
from voc.store import tickets
from voc.store.database import reading, transaction

router = APIRouter()

# The message's own page: nothing of it runs, loads or leads anywhere, and nothing can be sent.
MESSAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
DONE = {
    "approve": "Approved. It leaves with the next run, just as it stands here.",
    "refuse": "Refused. It will not be sent.",
}
CHANGED = "It was written anew since you read it. Please read this one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message in the hands of somebody who may decide on it."""

    actor: str
    message: Message

    @property
    def words(self) -> Preview | None:
        return preview(self.message)


@router.api_route("/p/{token}", methods=READ)
def show_message(visit: TheVisit) -> HTMLResponse:
    with reading(visit.desk.engine) as session:
        held = _held(session, visit)
        form = DecisionForm() if store.is_waiting(held.message) else None
        return _page(session, visit, held, form=form)


@router.api_route("/p/{token}/html", methods=READ)
def show_html(visit: TheVisit) -> HTMLResponse:
    """The HTML part alone, as a mail program would draw it."""
    with reading(visit.desk.engine) as session:
        words = _held(session, visit).words
    if words is None or words.html is None:
        raise Refusal(404, "unknown", "en")
    return HTMLResponse(words.html, headers={"Content-Security-Policy": MESSAGE_POLICY})


@router.post("/p/{token}")
def decide(
    visit: TheVisit,
    deed: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
    seen: Annotated[str, Form()] = "",
) -> HTMLResponse:
    form = read_decision(deed, why, seen)
    with transaction(visit.desk.engine) as session:
        held = _held(session, visit)
        if not store.is_waiting(held.message):
            return _page(session, visit, held, form=None, status=409)
        if form.errors:
            return _page(session, visit, held, form=form, status=422)
        try:
            _act(session, visit, held, form)
        except actions.ChangedError:  # raised before anything was changed
            return _page(session, visit, held, form=form, note=CHANGED, status=409)
        except actions.NotWaitingError:  # somebody else was quicker
            return _page(session, visit, held, form=None, status=409)
        return _page(session, visit, held, form=None, done=DONE[form.deed])


def _act(session: Session, visit: Visit, held: Held, form: DecisionForm) -> None:
    number, seen, actor, now = held.message.id or 0, form.seen, held.actor, visit.now
    if form.deed == "approve":
        actions.approve(session, number, seen=seen, actor=actor, now=now)
    else:
        company = visit.desk.company
        actions.refuse(session, number, company, why=form.why, seen=seen, actor=actor, now=now)


def _held(session: Session, visit: Visit) -> Held:
    """The message that an approver's link is about.

    Raises:
        Refusal: There is no such link, it has expired, or who got it approves no longer.
    """
    link = visit.link(session)
    number = store.message_of(link.message)
    if link.purpose is not LinkPurpose.APPROVE or number is None:
        raise Refusal(404, "unknown", "en")
    if link.expired:
        raise Refusal(410, "expired", "en")
    if link.message.recipient not in visit.desk.company.follow_up.approval.approvers:
        raise Refusal(410, "not_approver", "en")
    return Held(actor=link.message.recipient, message=store.found(session, number))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageWords:
    """A message as its page shows it."""

    id: int
    what: str
    loop: int | None
    tickets: list[tuple[int, str, str | None]]
    """Each ticket's number, its department, and why it happened."""
    standing: str
    decided_by: str | None
    decided_at: datetime | None
    refusal: str | None
    changed: bool
    """Whether other bytes than these were approved."""
    fingerprint: str
    words: Preview | None


KINDS = {
    "receipt": "a receipt: we got it",
    "thanks": "thanks to a promoter",
    "resolution": "the reply: what we did",
    "reminder": "a reminder: did that solve it?",
    "review_reply": "a public reply to a review",
}


def _standing(message: Message) -> str:
    if store.is_waiting(message):
        return "It waits for you."
    if message.state is MessageState.CANCELLED and message.refusal:
        return "It was refused and will not be sent."
    if message.approved_by and message.state is not MessageState.CANCELLED:
        return f"It was approved already. It is {message.state.value} now."
    if message.state is MessageState.PLANNED:
        return "It is being written anew. You will get a new mail when it waits again."
    if message.state in ENDED - {MessageState.HELD}:
        return "It is no longer needed: what it was about has changed. Nothing is left to decide."
    return f"It is {message.state.value} now. There is nothing to decide at this moment."


def words_of(session: Session, desk: Desk, message: Message) -> MessageWords:
    """What an approver has to know of a message."""
    loop = session.get(Loop, message.loop_id) if message.loop_id else None
    theirs: list[Ticket] = tickets.tickets_of(session, loop.id or 0) if loop else []
    waits = store.is_waiting(message)
    return MessageWords(
        id=message.id or 0,
        what=KINDS.get(message.template, message.template),
        loop=loop.id if loop else None,
        tickets=[
            (t.id or 0, desk.company.department_or_triage(t.department).name, t.root_cause)
            for t in theirs
        ],
        standing=_standing(message),
        decided_by=None if waits else message.approved_by,
        decided_at=desk.local(message.approved_at, None) if message.approved_at else None,
        refusal=message.refusal,
        changed=waits and message.approved_hash is not None,
        fingerprint=actions.fingerprint(message),
        words=preview(message),
    )


def _page(
    session: Session,
    visit: Visit,
    held: Held,
    *,
    form: DecisionForm | None,
    done: str | None = None,
    note: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    return visit.desk.page(
        "approval.html",
        status=status,
        message=words_of(session, visit.desk, held.message),
        html_page=f"/p/{visit.token}/html",
        form=form,
        done=done,
        note=note,
    )
