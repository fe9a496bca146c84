"""Customers' pages: say whether it is solved, stop the mails. Only a POST changes anything."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from babel.dates import format_date
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.desk import Desk, Refusal, TheVisit, Visit
from apps.desk.links.forms import PRESSABLE, AnswerForm, as_form, read_answer
from apps.desk.links.masking import masked_words
from notifications.render import clean, shorten
from notifications.words import QUOTE_LENGTH
from voc.actions import answers
from voc.actions.contact import ONE_CLICK, UNSUBSCRIBE_PAGE, unsubscribe
from voc.models import LinkPurpose, Loop, Verdict
from voc.store import customers, links, tickets
from voc.store.database import reading, transaction
from voc.store.links import FoundLink

router = APIRouter()
READ = ["GET", "HEAD"]


@router.api_route("/a/{token}", methods=READ)
def ask(visit: TheVisit, verdict: str = "") -> HTMLResponse:
    """The question. A verdict in the address is what was pressed in the mail: not an answer yet."""
    with reading(visit.desk.engine) as session:
        link, loop = _question(session, visit)
        return _answer_page(session, visit.desk, link, loop, pressed=verdict)


@router.post("/a/{token}")
def take_answer(
    visit: TheVisit,
    verdict: Annotated[str, Form()] = "",
    rating: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
) -> HTMLResponse:
    desk, form = visit.desk, read_answer(verdict, rating, words)
    with reading(desk.engine) as session:
        link, loop = _question(session, visit)
        if form.errors:
            return _answer_page(session, desk, link, loop, form)
        known = customers.known_values(session, [loop.customer_id]).get(loop.customer_id, [])
    # Not in the transaction: it may take a moment.
    masked = masked_words(desk.company, form.words, known)
    with transaction(desk.engine) as session:
        loop = tickets.locked_loop(session, loop.id or 0)
        language = desk.language(link.customer)
        _check_question(session, link, loop, language)
        _keep(session, loop, form, masked, now=visit.now)
    return desk.page("thanks.html", language=language, verdict=form.verdict)


def _question(session: Session, visit: Visit) -> tuple[FoundLink, Loop]:
    """The link and the loop that it asks about.

    Raises:
        Refusal: There is no such question, or it is not open any more.
    """
    link = visit.link(session)
    if link.purpose is not LinkPurpose.ANSWER or link.loop is None or link.customer is None:
        raise Refusal(404, "unknown")
    language = visit.desk.language(link.customer)
    if link.expired:
        raise Refusal(410, "expired", language)
    _check_question(session, link, link.loop, language)
    return link, link.loop


def _check_question(session: Session, link: FoundLink, loop: Loop, language: str) -> None:
    if not answers.takes_answers(session, loop, link.round):
        raise Refusal(410, "ended", language)
    if link.round != loop.round:
        raise Refusal(410, "outdated", language)


def _keep(
    session: Session, loop: Loop, form: AnswerForm, words: str | None, *, now: datetime
) -> None:
    """Store an answer, unless it is the one that we have: people press buttons twice."""
    verdict, rating = Verdict(form.verdict), form.rating_given
    newest = links.newest_answer(session, loop.id or 0, loop.round)
    if newest and (newest.verdict, newest.rating, newest.words) == (verdict, rating, words):
        return
    answers.record(
        session,
        loop,
        verdict,
        round_asked=loop.round,
        rating=rating,
        words=words,
        now=now,
    )


def _answer_page(
    session: Session,
    desk: Desk,
    link: FoundLink,
    loop: Loop,
    form: AnswerForm | None = None,
    *,
    pressed: str = "",
) -> HTMLResponse:
    """The question. Without a form as it was typed: with the earlier answer, to be changed."""
    newest = links.newest_answer(session, loop.id or 0, loop.round)
    earlier = newest if newest and newest.verdict in PRESSABLE else None
    form = form or as_form(earlier)
    said = links.said_in_loop(session, loop)
    tickets_of = tickets.tickets_of(session, loop.id or 0)
    language = desk.language(link.customer)
    zone = link.customer.timezone if link.customer else None
    day = desk.local(earlier.at, zone).date() if earlier else None
    return desk.page(
        "answer.html",
        language=language,
        status=422 if form.errors else 200,
        quote=shorten(said.text, QUOTE_LENGTH),
        quote_language=said.language,
        done=[clean(t.action_taken) for t in tickets_of if t.action_taken],
        form=form,
        pressed=pressed if pressed in PRESSABLE else None,
        earlier=earlier.verdict.value if earlier else None,
        day=format_date(day, "long", locale=language) if day else None,
    )


@router.api_route("/u/{token}", methods=READ)
def offer_silence(visit: TheVisit) -> HTMLResponse:
    with reading(visit.desk.engine) as session:
        link = _subscription(session, visit)
    language = visit.desk.language(link.customer)
    return visit.desk.page("unsubscribe.html", language=language, again=False)


@router.post("/u/{token}")
def fall_silent(
    visit: TheVisit,
    one_click: Annotated[str, Form(alias="List-Unsubscribe")] = "",
    button: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Our own button, or a mail program's (RFC 8058): it sends no cookies and follows nothing."""
    desk = visit.desk
    how = {("One-Click", ""): ONE_CLICK, ("", "stop"): UNSUBSCRIBE_PAGE}.get((one_click, button))
    with transaction(desk.engine) as session:
        link = _subscription(session, visit)
        language = desk.language(link.customer)
        if how is None:
            return desk.page("unsubscribe.html", language=language, status=422, again=True)
        on_its_way = unsubscribe(
            session,
            link.message.customer_id or 0,
            secret=desk.secret,
            how=how,
            now=visit.now,
            address=link.message.address,
        )
    return desk.page("unsubscribed.html", language=language, on_its_way=on_its_way)


def _subscription(session: Session, visit: Visit) -> FoundLink:
    """The link of somebody who wants no more mails. Its age does not matter.

    A mail may lie in a mailbox for years; whoever opens it may still have enough of us.

    Raises:
        Refusal: There is no such link.
    """
    link = visit.link(session)
    if link.purpose is not LinkPurpose.UNSUBSCRIBE or link.customer is None:
        raise Refusal(404, "unknown")
    return link
