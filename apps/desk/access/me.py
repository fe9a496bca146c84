"""One's own account: name, time zone, password."""

from __future__ import annotations

from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import EVERYBODY
from apps.desk.access.sign_in import TOO_MANY, may_try, note_failure
from apps.desk.desk import Desk, TheDesk
from voc.actions.accounts import AccountError, change_self, kept_password, set_password
from voc.passwords import is_password
from voc.store import accounts
from voc.store.database import reading, transaction

router = APIRouter()

DONE = {
    "settings": "Your settings are saved.",
    "password": "Your password is changed. Other browsers are signed out.",
}
NOT_OLD = "That is not your old password."


@router.get("/desk/me")
def show(desk: TheDesk, visitor: Visitor = see(EVERYBODY), done: str = "") -> HTMLResponse:
    return _page(desk, visitor, said=DONE.get(done, ""))


@router.post("/desk/me")
def save(
    desk: TheDesk,
    visitor: Visitor = do(EVERYBODY),
    name: Annotated[str, Form()] = "",
    timezone: Annotated[str, Form()] = "",
) -> Response:
    zone = timezone if timezone in zones() else None
    try:
        with transaction(desk.engine) as session:
            account = accounts.found(session, visitor.account_id)
            change_self(session, account, name=name, timezone=zone, now=visitor.now)
    except AccountError as exc:
        return _page(desk, visitor, wrong_name=str(exc), name=name)
    return RedirectResponse("/desk/me?done=settings", 303)


@router.post("/desk/me/password")
def change_password(
    *,
    request: Request,
    desk: TheDesk,
    visitor: Visitor = do(EVERYBODY),
    old: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    if not may_try(request, desk, visitor.email):
        return _page(desk, visitor, wrong_password=TOO_MANY, status=429)
    with reading(desk.engine) as session:
        account = accounts.found(session, visitor.account_id)
    before = account.password_hash
    if not is_password(old, before):
        note_failure(desk, account, "old_password", visitor.now)
        return _page(desk, visitor, wrong_password=NOT_OLD)
    if password != again:
        return _page(desk, visitor, wrong_password="The two new passwords differ.")  # noqa: S106
    try:
        kept = kept_password(password, visitor.email)
    except AccountError as exc:
        return _page(desk, visitor, wrong_password=str(exc))
    with transaction(desk.engine) as session:
        account = accounts.locked(session, visitor.account_id)
        if account.password_hash != before:  # somebody has just set another one
            return _page(desk, visitor, wrong_password=NOT_OLD)
        set_password(
            session,
            account,
            kept,
            actor=visitor.email,
            now=visitor.now,
            staying=visitor.token_hash,
        )
    return RedirectResponse("/desk/me?done=password", 303)


@cache
def zones() -> tuple[str, ...]:
    """The names of time zones that people know: Europe/London, not Etc/GMT+3."""
    areas = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/")
    more = ("Indian/", "Pacific/")
    return ("UTC", *sorted(z for z in available_timezones() if z.startswith(areas + more)))


def _page(
    desk: Desk,
    visitor: Visitor,
    *,
    said: str = "",
    name: str | None = None,
    wrong_name: str = "",
    wrong_password: str = "",
    status: int = 422,
) -> HTMLResponse:
    with reading(desk.engine) as session:
        account = accounts.found(session, visitor.account_id)
    return desk.view(
        "access/me.html",
        visitor,
        status=status if wrong_name or wrong_password else 200,
        here="/desk/me",
        said=said,
        name=visitor.name if name is None else name,
        timezone=visitor.timezone,
        zones=zones(),
        has_password=account.password_hash is not None,
        departments=_names(desk, account.departments),
        wrong_name=wrong_name,
        wrong_password=wrong_password,
    )


def _names(desk: Desk, ids: list[str]) -> list[str]:
    return [each.name for each in desk.company.departments if each.id in ids]
