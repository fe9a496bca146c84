"""Signing in with the company's identity provider. Nobody gets an account by it."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from sqlmodel import Session
from starlette.exceptions import HTTPException

from apps.desk.access.provider import Begun, Provider, ProviderError, Told
from apps.desk.access.sign_in import enter, note_failure, welcome
from apps.desk.desk import Desk, Refusal, TheDesk
from apps.desk.guards import client_of
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
    _count(request, desk)
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
    _count(request, desk)
    begun = Begun(state=state, nonce=kept["nonce"], verifier=kept["verifier"])
    try:
        told = provider.finish(begun, code)
    except ProviderError as exc:
        raise _refusal(desk, None, "provider", exc.code, now) from None
    with transaction(desk.engine) as session:
        account = _account_of(session, desk, told, now)
        if provider.settings.role_claim:
            role = _role(provider, told)
            if role is None:
                raise _refusal(desk, account, "no_role", "no_role", now)
            take_role(session, account, role, now=now)
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


def _count(request: Request, desk: Desk) -> None:
    """Count a try of this client: each asks the provider something, too.

    Raises:
        Refusal: There were too many.
    """
    if not desk.door.by_client.take(client_of(request)):
        raise Refusal(429, "too_many")


def _refusal(desk: Desk, account: Account | None, notice: str, why: str, now: datetime) -> Refusal:
    """Who comes from the provider and is not let in; it is noted as a try."""
    if account:
        note_failure(desk, account, why, now)
    else:
        note = partial(audit.write, actor="provider", deed="sign_in_failed", subject="provider")
        desk.afterwards.add(partial(note, detail=why, at=now))
    return Refusal(403, notice)


def _account_of(session: Session, desk: Desk, told: Told, now: datetime) -> Account:
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
        raise _refusal(desk, account, "not_known", "not_known", now)
    return account


def _role(provider: Provider, told: Told) -> Role | None:
    """The first of the settings' that they have."""
    roles = (role for group, role in provider.settings.roles.items() if group in told.groups)
    return next(roles, None)


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
