"""Tokens that other programs use the API with: made, shown once, revoked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from secrets import token_hex
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import KEEPERS
from apps.desk.desk import Desk, Number, Refusal, TheDesk
from voc.models import ApiToken
from voc.rules.scopes import Scope
from voc.rules.tokens import token_hash
from voc.store import api_tokens, audit
from voc.store.database import reading, transaction

router = APIRouter()

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
LIVES = {"30": "30 days", "90": "90 days", "365": "one year", "": "until it is revoked"}
DONE = {"revoked": "The token is revoked. Whoever comes with it is refused from now on."}
MEANINGS = {
    Scope.TICKETS_READ: "read tickets, loops and receipts",
    Scope.TICKETS_WRITE: "do with tickets what owners do; each answer shows the ticket",
    Scope.FEEDBACK_READ: "read feedback, personal data masked, and what was understood of it",
    Scope.CUSTOMERS_READ: "read what a customer is to the company; no name, no address",
    Scope.NUMBERS_READ: "read the numbers by week",
    Scope.WEBHOOKS_READ: "read which programs are told of events, and how far",
}
"""What each scope lets a token do; docs/api.md says the same."""


@router.get("/desk/tokens")
def show_tokens(desk: TheDesk, visitor: Visitor = see(KEEPERS), done: str = "") -> HTMLResponse:
    return _page(desk, visitor, said=DONE.get(done, ""))


@router.post("/desk/tokens")
def create(
    desk: TheDesk,
    visitor: Visitor = do(KEEPERS),
    name: Annotated[str, Form()] = "",
    scopes: Annotated[Sequence[Scope], Form()] = (),
    days: Annotated[str, Form()] = "90",
) -> HTMLResponse:
    if days not in LIVES:
        raise Refusal(422, "unreadable")
    secret = f"voc_{token_hex(32)}"
    row = ApiToken(
        name=name.strip(),
        token_hash=token_hash(secret),
        scopes=sorted(set(scopes)),
        created_by=visitor.email,
        created_at=visitor.now,
        expires_at=visitor.now + timedelta(days=int(days)) if days else None,
    )
    if wrong := _problem(row):
        return _page(desk, visitor, typed=row, days=days, wrong=wrong)
    with transaction(desk.engine) as session:
        if not api_tokens.add(session, row):
            wrong = (
                f"There is or was a token called {row.name}: the audit log would mix them up. If "
                "you have just made it and not copied it, revoke it and make one of another name."
            )
            return _page(desk, visitor, typed=row, days=days, wrong=wrong)
        audit.write(
            session,
            visitor.email,
            "token_created",
            _subject(row),
            ",".join(row.scopes),
            at=visitor.now,
        )
    # Only this answer holds the token: what is kept of it is its hash.
    return _page(desk, visitor, made=row.name, secret=secret)


@router.post("/desk/tokens/{token_id}/revoke")
def revoke(token_id: Number, desk: TheDesk, visitor: Visitor = do(KEEPERS)) -> RedirectResponse:
    with transaction(desk.engine) as session:
        row = session.get(ApiToken, token_id)
        if row is None:
            raise Refusal(404, "not_here")
        row.revoked_at = row.revoked_at or visitor.now
        session.add(row)
        audit.write(session, visitor.email, "token_revoked", _subject(row), at=visitor.now)
    return RedirectResponse("/desk/tokens?done=revoked", 303)


def _problem(row: ApiToken) -> str:
    """Why there can be no such token, in a sentence; empty if there can."""
    if not NAME.fullmatch(row.name):
        return "A name has up to 40 small letters, digits, - and _: it stands in the audit log."
    return "" if row.scopes else "Choose at least one thing that it may do."


def _subject(row: ApiToken) -> str:
    return f"token:{row.id}"


def _page(
    desk: Desk,
    visitor: Visitor,
    *,
    typed: ApiToken | None = None,
    days: str = "90",
    wrong: str = "",
    said: str = "",
    made: str = "",
    secret: str = "",
) -> HTMLResponse:
    with reading(desk.engine) as session:
        rows = api_tokens.listing(session)
    return desk.view(
        "access/tokens.html",
        visitor,
        status=422 if wrong else 200,
        here="/desk/tokens",
        tokens=rows,
        name=typed.name if typed else "",
        chosen=typed.scopes if typed else [],
        days=days,
        lives=LIVES,
        scopes=MEANINGS,
        wrong=wrong,
        said=said,
        made=made,
        secret=secret,
    )
