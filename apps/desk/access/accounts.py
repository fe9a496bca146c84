"""Accounts: who may use the desk, as what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.password_link import make_link
from apps.desk.access.roles import KEEPERS
from apps.desk.desk import Desk, Number, Refusal, TheDesk
from voc.actions import accounts as actions
from voc.actions.accounts import AccountError
from voc.errors import NotFoundError
from voc.models import Account, Role
from voc.store import accounts
from voc.store.database import reading, transaction

router = APIRouter()

DONE = {
    "changed": "The account is changed. It holds from the next page that they open.",
    "closed": "The account is closed, and its browsers are signed out.",
    "reopened": "The account is open again.",
}
ROLES = {
    Role.OWNER: "works the tickets of their departments, and sees no others",
    Role.OPERATIONS: "CX operations: sees every department and watches the loop",
    Role.ADMINISTRATOR: "keeps accounts and tokens, and sees no customer's words",
    Role.AUDITOR: "sees everything, the audit log too, and changes nothing",
}


@router.get("/desk/accounts")
def show_accounts(desk: TheDesk, visitor: Visitor = see(KEEPERS), done: str = "") -> HTMLResponse:
    with reading(desk.engine) as session:
        rows = accounts.listing(session)
    return desk.view(
        "access/accounts.html",
        visitor,
        here="/desk/accounts",
        accounts=rows,
        said=DONE.get(done, ""),
        names={each.id: each.name for each in desk.company.departments},
    )


@router.get("/desk/accounts/new")
def show_new(desk: TheDesk, visitor: Visitor = see(KEEPERS)) -> HTMLResponse:
    return _form(desk, visitor, None, _typed("", "", Role.OWNER, ()))


@router.post("/desk/accounts/new")
def create(
    *,
    desk: TheDesk,
    visitor: Visitor = do(KEEPERS),
    email: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    role: Annotated[Role, Form()] = Role.OWNER,
    departments: Annotated[Sequence[str], Form()] = (),
) -> HTMLResponse:
    try:
        with transaction(desk.engine) as session:
            account = actions.create(
                session,
                desk.company,
                email=email,
                name=name,
                role=role,
                departments=departments,
                password_hash=None,
                actor=visitor.email,
                now=visitor.now,
            )
    except AccountError as exc:
        typed = _typed(email, name, role, departments)
        with reading(desk.engine) as session:
            taken = accounts.by_email(session, email)
        return _form(desk, visitor, None, typed, wrong=str(exc), taken=taken)
    return _show_link(desk, visitor, account)


@router.get("/desk/accounts/{account_id}")
def show_account(
    account_id: Number, desk: TheDesk, visitor: Visitor = see(KEEPERS)
) -> HTMLResponse:
    with reading(desk.engine) as session:
        account = _found(session, account_id)
    typed = _typed(account.email, account.name, account.role, account.departments)
    return _form(desk, visitor, account, typed)


@router.post("/desk/accounts/{account_id}")
def change(
    *,
    account_id: Number,
    desk: TheDesk,
    visitor: Visitor = do(KEEPERS),
    name: Annotated[str, Form()] = "",
    role: Annotated[Role, Form()] = Role.OWNER,
    departments: Annotated[Sequence[str], Form()] = (),
) -> Response:
    with reading(desk.engine) as session:
        account = _found(session, account_id)
    try:
        with transaction(desk.engine) as session:
            actions.change(
                session,
                desk.company,
                _found(session, account_id),
                name=name,
                role=role,
                departments=departments,
                actor=visitor.email,
                now=visitor.now,
            )
    except AccountError as exc:
        typed = _typed(account.email, name, role, departments)
        return _form(desk, visitor, account, typed, wrong=str(exc))
    return RedirectResponse("/desk/accounts?done=changed", 303)


@router.post("/desk/accounts/{account_id}/close")
def close(account_id: Number, desk: TheDesk, visitor: Visitor = do(KEEPERS)) -> Response:
    try:
        with transaction(desk.engine) as session:
            account = _found(session, account_id)
            actions.close(session, account, actor=visitor.email, now=visitor.now)
    except AccountError as exc:
        with reading(desk.engine) as session:
            account = _found(session, account_id)
        typed = _typed(account.email, account.name, account.role, account.departments)
        return _form(desk, visitor, account, typed, wrong=str(exc))
    return RedirectResponse("/desk/accounts?done=closed", 303)


@router.post("/desk/accounts/{account_id}/reopen")
def reopen(account_id: Number, desk: TheDesk, visitor: Visitor = do(KEEPERS)) -> RedirectResponse:
    with transaction(desk.engine) as session:
        account = _found(session, account_id)
        actions.reopen(session, account, actor=visitor.email, now=visitor.now)
    return RedirectResponse("/desk/accounts?done=reopened", 303)


@router.post("/desk/accounts/{account_id}/link")
def show_link(account_id: Number, desk: TheDesk, visitor: Visitor = do(KEEPERS)) -> HTMLResponse:
    with transaction(desk.engine) as session:
        account = _found(session, account_id)
        actions.make_link(session, account, actor=visitor.email, now=visitor.now)
    return _show_link(desk, visitor, account)


def _found(session: Session, account_id: int) -> Account:
    try:
        return accounts.found(session, account_id)
    except NotFoundError:
        raise Refusal(404, "not_here") from None


def _show_link(desk: Desk, visitor: Visitor, account: Account) -> HTMLResponse:
    """Only this answer holds the link: its address does not, and it is kept nowhere."""
    link = make_link(desk, account, visitor.now)
    return desk.view("access/link.html", visitor, here="/desk/accounts", account=account, link=link)


def _typed(email: str, name: str, role: Role, departments: Sequence[str]) -> dict[str, Any]:
    return {"email": email, "name": name, "role": role, "departments": departments}


def _form(
    desk: Desk,
    visitor: Visitor,
    account: Account | None,
    typed: dict[str, Any],
    *,
    wrong: str = "",
    taken: Account | None = None,
) -> HTMLResponse:
    return desk.view(
        "access/account.html",
        visitor,
        status=422 if wrong else 200,
        here="/desk/accounts",
        account=account,
        typed=typed,
        wrong=wrong,
        taken=taken,
        roles=ROLES,
        departments=desk.company.departments,
    )
