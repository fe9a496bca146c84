"""One message: its life, why it is where it is, what it says, and what can be done about it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import OPERATIONS, WATCHERS
from apps.desk.desk import Desk, Number, Refusal, TheDesk
from apps.desk.links.approvals import MESSAGE_POLICY
from apps.desk.links.customers import READ
from apps.desk.operations.message_deeds import DEEDS, Deed, deeds_for
from apps.desk.operations.messages import HERE, standing
from apps.desk.operations.piles import in_words, row_of
from notifications.preview import preview
from voc.actions.kill_switch import Thrown
from voc.actions.why import Explanation, explain_message
from voc.errors import NotFoundError, VocError
from voc.models import Message, TicketEvent
from voc.rules.message_history import STATES, Entry, ImpossibleHistoryError, replay
from voc.store import audit, evidence, message_lists
from voc.store.approval import is_waiting
from voc.store.database import reading, transaction
from voc.store.outbox import history

router = APIRouter()


@router.api_route(HERE + "/{message_id}", methods=READ)
def show_message(
    message_id: Number, desk: TheDesk, visitor: Visitor = see(WATCHERS), done: str = ""
) -> HTMLResponse:
    with reading(desk.engine) as session:
        said = DEEDS[done].done if done in DEEDS else ""
        return _page(session, desk, visitor, message_id, done=said)


@router.api_route(HERE + "/{message_id}/html", methods=READ)
def show_html(message_id: Number, desk: TheDesk, visitor: Visitor = see(WATCHERS)) -> HTMLResponse:
    """The HTML part alone, as a mail program would draw it."""
    with reading(desk.engine) as session:
        words = preview(_shown(session, visitor, message_id))
    if words is None or words.html is None:
        raise Refusal(404, "not_here")
    return HTMLResponse(words.html, headers={"Content-Security-Policy": MESSAGE_POLICY})


@router.api_route(HERE + "/{message_id}/{word}", methods=READ)
def ask(
    message_id: Number, word: str, desk: TheDesk, visitor: Visitor = see(OPERATIONS)
) -> HTMLResponse:
    """What a deed means, and whether they are sure."""
    with reading(desk.engine) as session:
        message = _shown(session, visitor, message_id)
        deed = _deed(word)
        if deed not in deeds_for(message):
            return _too_late(session, desk, visitor, message_id)
        return desk.view(
            "operations/ask.html",
            visitor,
            here=HERE,
            about=f"Message {message_id}",
            row=row_of(message),
            deed=deed,
            back=f"{HERE}/{message_id}",
        )


@router.post(HERE + "/{message_id}/{word}", response_model=None)
def act(
    message_id: Number, word: str, desk: TheDesk, visitor: Visitor = do(OPERATIONS)
) -> HTMLResponse | RedirectResponse:
    deed = _deed(word)
    try:
        with transaction(desk.engine) as session:
            found(session, message_id)
            deed.act(session, message_id, visitor.email, visitor.now)
            audit.write(
                session, visitor.email, f"message_{word}", f"message:{message_id}", at=visitor.now
            )
    except VocError:  # somebody, or a run, was quicker
        with reading(desk.engine) as session:
            return _too_late(session, desk, visitor, message_id)
    return RedirectResponse(f"{HERE}/{message_id}?done={word}", 303)


def found(session: Session, message_id: int) -> Message:
    """The message.

    Raises:
        Refusal: There is none with this number.
    """
    try:
        return evidence.found_message(session, message_id)
    except NotFoundError:
        raise Refusal(404, "not_here") from None


def _shown(session: Session, visitor: Visitor, message_id: int) -> Message:
    """The message, for a page; that they saw it is noted.

    Raises:
        Refusal: There is none with this number.
    """
    message = found(session, message_id)
    visitor.saw(f"message:{message_id}")
    return message


def _deed(word: str) -> Deed:
    if word not in DEEDS:
        raise Refusal(404, "not_here")
    return DEEDS[word]


def _too_late(session: Session, desk: Desk, visitor: Visitor, message_id: int) -> HTMLResponse:
    problem = "Nothing was done: it is elsewhere by now, as you can see below."
    return _page(session, desk, visitor, message_id, problem=problem, status=409)


def _page(
    session: Session,
    desk: Desk,
    visitor: Visitor,
    message_id: int,
    *,
    done: str = "",
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    message = _shown(session, visitor, message_id)
    events = history(session, message_id)
    stops = standing(desk, visitor, session)
    return desk.view(
        "operations/message.html",
        visitor,
        here=HERE,
        status=status,
        message=message,
        row=row_of(message),
        words=preview(message),
        why=_why(session, desk, visitor, message, stops["switch"]),
        events=events,
        reports=message_lists.reported(session, message_id),
        agrees=_agrees(message, events),
        needs_approval=is_waiting(message),
        deeds=deeds_for(message) if stops["may_act"] else [],
        in_words=in_words,
        done=done,
        problem=problem,
        **stops,
    )


def _why(
    session: Session, desk: Desk, visitor: Visitor, message: Message, switch: Thrown | None
) -> Explanation:
    return explain_message(
        session,
        message.id or 0,
        company=desk.company,
        secret=desk.secret,
        kill_switch=switch is not None,
        now=visitor.now,
    )


def _agrees(message: Message, events: list[TicketEvent]) -> bool:
    """Whether it can be where it is, after what the ledger says of it."""
    told = [
        Entry(event_id=e.id or 0, kind=e.kind, detail=e.detail, actor=e.actor)
        for e in events
        if e.kind in STATES
    ]
    try:
        return message.state in replay(told, is_whole=False)
    except ImpossibleHistoryError:
        return False
