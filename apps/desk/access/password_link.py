"""A link to set a password with: for who has none yet, or has forgotten it.

It is kept nowhere: its seal covers a number that changes when it was used, when another one is
made and when the account is closed. So it works once, and only the newest.
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from apps.desk.access.notices import outside
from apps.desk.desk import Desk, Refusal, TheDesk, refuse_miss
from voc.actions.accounts import AccountError, kept_password, set_password
from voc.models import Account
from voc.rules.access import PASSWORD_LINK_LASTS
from voc.rules.tokens import digest
from voc.store import accounts
from voc.store.database import reading, transaction

router = APIRouter()

TOKEN = re.compile(r"(?P<account>[0-9]{1,9})\.(?P<until>[0-9]{1,10})\.[0-9a-f]{64}")
ACTOR = "password link"
"""Whoever holds it: we do not know that it is who the account is for."""


def make_link(desk: Desk, account: Account, now: datetime) -> str:
    """The address where the password of *account* can be set once."""
    token = _token(desk, account, int((now + PASSWORD_LINK_LASTS).timestamp()))
    return f"{desk.door.public_url.rstrip('/')}/sign-in/password/{token}"


@router.get("/sign-in/password/{token}")
def show(token: str, request: Request, desk: TheDesk) -> HTMLResponse:
    return _page(desk, _account_of(token, request, desk))


@router.post("/sign-in/password/{token}")
def set_it(
    token: str,
    request: Request,
    desk: TheDesk,
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    account = _account_of(token, request, desk)
    if password != again:
        return _page(desk, account, wrong="The two passwords differ.")
    try:
        kept = kept_password(password, account.email)
    except AccountError as exc:
        return _page(desk, account, wrong=str(exc))
    now = desk.clock()
    with transaction(desk.engine) as session:
        account = accounts.locked(session, account.id or 0)
        if not _is_valid(desk, account, token, now):  # another browser may have used it just now
            raise Refusal(404, "password_link")
        set_password(session, account, kept, actor=ACTOR, now=now)
    return RedirectResponse("/sign-in?done=password", 303)


def _account_of(token: str, request: Request, desk: Desk) -> Account:
    """Whose link this is.

    Raises:
        Refusal: It is no link of ours, or it is used or too old.
    """
    now, found = desk.clock(), TOKEN.fullmatch(token)
    with reading(desk.engine) as session:
        account = session.get(Account, int(found["account"])) if found else None
    if account is None or not _is_valid(desk, account, token, now):
        refuse_miss(request, desk, "password_link")
    return account


def _is_valid(desk: Desk, account: Account, token: str, now: datetime) -> bool:
    """Whether *token* is this account's, and may still be used."""
    found = TOKEN.fullmatch(token)
    if found is None or account.closed_at is not None:
        return False
    until = int(found["until"])
    is_ours = hmac.compare_digest(token, _token(desk, account, until))
    return is_ours and now < datetime.fromtimestamp(until, UTC)


def _token(desk: Desk, account: Account, until: int) -> str:
    """Of an account's newest link, until a moment in seconds."""
    what = f"{account.id}|{until}|{account.password_link}"
    return f"{account.id}.{until}.{digest(desk.secret, 'password link', what).hex()}"


def _page(desk: Desk, account: Account, *, wrong: str = "") -> HTMLResponse:
    status = 422 if wrong else 200
    return outside(desk, "access/password.html", status=status, email=account.email, wrong=wrong)
