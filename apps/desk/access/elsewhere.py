"""Signing in with the company's identity provider. Nobody gets an account by it."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from sqlmodel import Session
from starlette.exceptions import HTTPException

from apps.desk.access.provider import Begun, Provider, ProviderError, Told
from apps.desk.access.sign_in import enter, welcome
from apps.desk.desk import Desk, Refusal, TheDesk
from voc.actions.accounts import subject_of, take_role
from voc.models import Account, Role
from voc.rules.access import own_path, subject_key
from voc.rules.tokens import digest
from voc.store import accounts, audit
from voc.store.database import transaction

router = APIRouter()

AWAY_COOKIE = "voc_away"
AWAY = timedelta(minutes=10)


@router.get("/sign-in/provider")
def send_away(
    request: Request, desk: TheDesk, wanted: Annotated[str, Query(alias="next")] = ""
) -> RedirectResponse:
    provider = _provider(desk)
    client = request.client.host if request.client else ""
    if not desk.door.by_client.take(client):
        raise Refusal(429, "too_many")
    try:
        url, begun = provider.begin()
    except ProviderError:
        raise Refusal(502, "provider") from None
    response = RedirectResponse(url, 303)
    until = desk.clock() + AWAY
    kept = {**asdict(begun), "next": own_path(wanted), "until": until.isoformat()}
    desk.door.give(response, AWAY_COOKIE, _sealed(desk, kept), int(AWAY.total_seconds()))
    return response


@router.get("/sign-in/return")
def come_back(request: Request, desk: TheDesk, state: str = "", code: str = "") -> RedirectResponse:
    provider, now = _provider(desk), desk.clock()
    kept = _opened(desk, request.cookies.get(desk.door.named(AWAY_COOKIE), ""), now)
    if not code or not hmac.compare_digest(kept["state"].encode(), state.encode()):
        raise Refusal(403, "provider")
    begun = Begun(state=state, nonce=kept["nonce"], verifier=kept["verifier"])
    try:
        told = provider.finish(begun, code)
    except ProviderError:
        raise Refusal(403, "provider") from None
    with transaction(desk.engine) as session:
        account = _account_of(session, told, now)
        if provider.settings.role_claim:
            take_role(session, account, _role(provider, told), now=now)
        token = enter(session, account, "provider", now)
    response = welcome(desk, token, kept["next"])
    desk.door.take(response, AWAY_COOKIE)
    return response


def _provider(desk: Desk) -> Provider:
    """The one that the settings name.

    Raises:
        HTTPException: They name none.
    """
    if desk.door.provider is None:
        raise HTTPException(404)
    return desk.door.provider


def _account_of(session: Session, told: Told, now: datetime) -> Account:
    """The account that is bound to them; once, the one with their address.

    Raises:
        Refusal: There is none.
    """
    subject = subject_key(told.issuer, told.subject)
    account = accounts.by_subject(session, subject)
    if account is None and told.email:
        account = accounts.by_email(session, told.email)
        if account and account.oidc_subject is None and account.closed_at is None:
            account.oidc_subject = subject
            audit.write(session, account.email, "bound", subject_of(account), at=now)
    if account is None or account.closed_at or account.oidc_subject != subject:
        raise Refusal(403, "not_known")
    return account


def _role(provider: Provider, told: Told) -> Role:
    """The first of the settings' that they have.

    Raises:
        Refusal: They have none.
    """
    roles = (role for group, role in provider.settings.roles.items() if group in told.groups)
    role = next(roles, None)
    if role is None:
        raise Refusal(403, "no_role")
    return role


def _sealed(desk: Desk, kept: dict[str, str]) -> str:
    text = json.dumps(kept).encode().hex()
    return f"{text}.{digest(desk.secret, 'away', text).hex()}"


def _opened(desk: Desk, cookie: str, now: datetime) -> dict[str, str]:
    """What we sealed into the cookie.

    Raises:
        Refusal: It was not us, or too long ago.
    """
    text, _, seal = cookie.partition(".")
    if not hmac.compare_digest(seal.encode(), digest(desk.secret, "away", text).hex().encode()):
        raise Refusal(403, "provider")
    kept: dict[str, str] = json.loads(bytes.fromhex(text))
    if datetime.fromisoformat(kept["until"]) <= now:
        raise Refusal(403, "provider")
    return kept
