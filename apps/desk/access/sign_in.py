"""Signing in with a password, signing out, and where the day begins."""

from __future__ import annotations

import hmac
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from apps.desk.access.door import COOKIE
from apps.desk.access.gate import HOMES, SignInFirst, Visitor, do, see, visitor_of
from apps.desk.access.notices import outside
from apps.desk.access.roles import EVERYBODY
from apps.desk.desk import Desk, TheDesk
from apps.desk.guards import client_of
from voc.actions.accounts import subject_of
from voc.models import Account
from voc.passwords import hash_password, is_outdated, is_password
from voc.rules.access import own_path
from voc.rules.tokens import digest, token_hash
from voc.store import accounts, audit
from voc.store.database import reading, transaction

router = APIRouter()

FORM_COOKIE = "voc_sign_in"
"""Ties the form to the browser that it was shown in: else a page elsewhere could sign somebody in
with an account that is not theirs, and read along."""
FORM_LASTS_S = 3600
DONE = {
    "out": "You are signed out.",
    "password": "Your password is set. Sign in with it.",
    "expired": "You were signed out. What you just sent was not saved; what you typed is kept in "
    "this window.",
}
WRONG = "This address and this password do not belong together."
TOO_MANY = "There were too many tries. Please wait a few minutes and try again."
TOO_OLD = "This page was open for too long. Please try again."
LONGEST_ADDRESS = 320


@router.get("/desk")
def go_home(visitor: Visitor = see(EVERYBODY)) -> RedirectResponse:
    return RedirectResponse(HOMES[visitor.role], 303)


@router.get("/sign-in")
def show_sign_in(
    request: Request,
    desk: TheDesk,
    wanted: Annotated[str, Query(alias="next")] = "",
    done: str = "",
) -> Response:
    try:
        visitor_of(request, desk)
    except SignInFirst:
        return _form(request, desk, wanted, said=DONE.get(done, ""))
    return RedirectResponse(own_path(wanted), 303)


@router.post("/sign-in")
def sign_in(
    *,
    request: Request,
    desk: TheDesk,
    background: BackgroundTasks,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
    wanted: Annotated[str, Form(alias="next")] = "",
) -> Response:
    shown = partial(_form, request, desk, wanted, email=email)
    if not hmac.compare_digest(csrf.encode(), _form_key(desk, _browser(request, desk)).encode()):
        return shown(wrong=TOO_OLD, status=403)
    background.add_task(desk.afterwards.do)
    if not may_try(request, desk, email):
        return shown(wrong=TOO_MANY, status=429)
    entered = _enter_with_password(desk, email, password)
    return shown(wrong=WRONG, status=422) if entered is None else welcome(desk, entered, wanted)


@router.post("/sign-out")
def sign_out(desk: TheDesk, visitor: Visitor = do(EVERYBODY)) -> RedirectResponse:
    with transaction(desk.engine) as session:
        accounts.end_session(session, visitor.token_hash)
        subject = f"account:{visitor.account_id}"
        audit.write(session, visitor.email, "signed_out", subject, at=visitor.now)
    response = RedirectResponse("/sign-in?done=out", 303)
    desk.door.take(response, COOKIE)
    return response


def may_try(request: Request, desk: Desk, email: str) -> bool:
    """Count a try with a password from this client and for this account.

    The narrow limits come first: tries that they refuse take none from whom the account is.
    """
    client, door = client_of(request), desk.door
    account = email.strip().lower()[:LONGEST_ADDRESS]
    if (
        door.by_client.take(client)
        and door.by_client_and_account.take(f"{client} {account}")
        and door.by_account.take(account)
    ):
        return True
    if door.refusals.take(account):  # or else whoever goes on trying fills the audit log
        with reading(desk.engine) as session:
            found = accounts.by_email(session, account)
        note_failure(desk, found, "too_many", desk.clock())
    return False


def note_failure(desk: Desk, account: Account | None, how: str, now: datetime) -> None:
    """Somebody has tried in vain.

    Only for accounts that there are: what was typed instead of one may be a password.
    """
    if account:
        note = partial(
            audit.write,
            actor=account.email,
            deed="sign_in_failed",
            subject=subject_of(account),
            detail=how,
            at=now,
        )
        desk.afterwards.add(note)


def enter(session: Session, account: Account, how: str, now: datetime) -> str:
    """Sign a browser in, in the transaction of *session*; the token for its cookie."""
    token = token_hex(32)
    accounts.open_session(session, account.id or 0, token_hash(token), now)
    audit.write(session, account.email, "signed_in", subject_of(account), how, at=now)
    return token


def welcome(desk: Desk, token: str, wanted: str) -> RedirectResponse:
    """To where they wanted to go, with the cookie that says who they are."""
    response = RedirectResponse(own_path(wanted), 303)
    desk.door.let_in(response, token)
    desk.door.take(response, FORM_COOKIE)
    return response


def _enter_with_password(desk: Desk, email: str, password: str) -> str | None:
    """A token for a browser; None: there is no such account with this password."""
    now = desk.clock()  # it may ask the database, and takes as long for accounts that are none
    with reading(desk.engine) as session:
        account = accounts.by_email(session, email)
    kept = account.password_hash if account and account.closed_at is None else None
    if not is_password(password, kept) or account is None or kept is None:
        note_failure(desk, account, "password", now)
        return None
    renewed = hash_password(password) if is_outdated(kept) else kept
    with transaction(desk.engine) as session:
        account = accounts.locked(session, account.id or 0)
        if account.password_hash != kept or account.closed_at is not None:
            return None  # changed or closed a moment ago
        account.password_hash = renewed
        return enter(session, account, "password", now)


def _form(
    request: Request,
    desk: Desk,
    wanted: str,
    *,
    email: str = "",
    said: str = "",
    wrong: str = "",
    status: int = 200,
) -> HTMLResponse:
    browser = _browser(request, desk) or token_hex(16)
    with reading(desk.engine) as session:
        is_new = not accounts.are_any(session)
    response = outside(
        desk,
        "access/sign_in.html",
        status=status,
        csrf=_form_key(desk, browser),
        wanted=own_path(wanted),
        email=email,
        said=said,
        wrong=wrong,
        provider=desk.door.provider.name if desk.door.provider else "",
        is_new=is_new,
    )
    desk.door.give(response, FORM_COOKIE, browser, FORM_LASTS_S)
    return response


def _browser(request: Request, desk: Desk) -> str:
    return request.cookies.get(desk.door.named(FORM_COOKIE), "")


def _form_key(desk: Desk, browser: str) -> str:
    return digest(desk.secret, "sign-in form", browser).hex()
