"""A link to set a password with: for who has none yet, or has forgotten it.

It is kept nowhere: its seal covers the password that it replaces, and so it works once.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from apps.desk.access.notices import outside
from apps.desk.desk import Desk, Refusal, TheDesk
from voc.actions.accounts import AccountError, kept_password, set_password
from voc.models import Account
from voc.rules.access import PASSWORD_LINK_LASTS
from voc.rules.tokens import digest
from voc.store.database import reading, transaction

router = APIRouter()


def make_link(desk: Desk, account: Account, now: datetime) -> str:
    """The address where the password of *account* can be set once."""
    until = int((now + PASSWORD_LINK_LASTS).timestamp())
    token = f"{account.id}.{until}.{_seal(desk, account, until)}"
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
        session.add(account)
        session.refresh(account, with_for_update=True)
        _require(desk, account, token, now)  # another browser may have used it just now
        set_password(session, account, kept, actor=account.email, now=now)
    return RedirectResponse("/sign-in?done=password", 303)


def _account_of(token: str, request: Request, desk: Desk) -> Account:
    """Whose link this is.

    Raises:
        Refusal: It is no link of ours, it is used or too old, or they tried too often.
    """
    client = request.client.host if request.client else ""
    if not desk.misses.is_open(client):
        raise Refusal(429, "too_many")
    now, number = desk.clock(), token.partition(".")[0]
    with reading(desk.engine) as session:
        known = number.isascii() and number.isdigit() and len(number) < 10  # noqa: PLR2004 (int32)
        account = session.get(Account, int(number)) if known else None
    if account is None:
        desk.misses.take(client)
        raise Refusal(404, "password_link")
    try:
        _require(desk, account, token, now)
    except Refusal:
        desk.misses.take(client)
        raise
    return account


def _require(desk: Desk, account: Account, token: str, now: datetime) -> None:
    """Refuse a link that is not, or no longer, this account's.

    Raises:
        Refusal: It is not.
    """
    until = token.split(".")[1] if token.count(".") == 2 else ""  # noqa: PLR2004 (three parts)
    is_number = until.isascii() and until.isdigit() and len(until) <= len("9999999999")
    moment = int(until) if is_number else 0
    wanted = f"{account.id}.{moment}.{_seal(desk, account, moment)}"
    is_ours = hmac.compare_digest(token.encode(), wanted.encode())
    if not is_ours or account.closed_at or datetime.fromtimestamp(moment, UTC) <= now:
        raise Refusal(404, "password_link")


def _seal(desk: Desk, account: Account, until: int) -> str:
    replaced = account.password_hash or ""
    return digest(desk.secret, "password link", f"{account.id}|{until}|{replaced}").hex()


def _page(desk: Desk, account: Account, *, wrong: str = "") -> HTMLResponse:
    status = 422 if wrong else 200
    return outside(desk, "access/password.html", status=status, email=account.email, wrong=wrong)
