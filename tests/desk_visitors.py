"""Somebody who is signed in to the desk, without the way through its sign-in page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from secrets import token_hex

from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import select

from apps.desk.access.door import COOKIE
from tests.factories import NOW, SECRET
from voc.models import Account, DeskSession, Role
from voc.rules.tokens import digest, token_hash
from voc.store.database import transaction


def sign_in(
    client: TestClient,
    engine: Engine,
    role: Role,
    departments: Iterable[str] = (),
    email: str | None = None,
    *,
    now: datetime = NOW,
) -> str:
    """Let *client* come as a colleague with this role; what their forms must bring back.

    The same address twice is the same account, with the role and departments of the last time.
    """
    token = let_in(engine, role, departments, email, now=now)
    client.cookies.clear()
    client.cookies.set(COOKIE, token)
    return digest(SECRET, "csrf", token_hash(token)).hex()


def let_in(
    engine: Engine,
    role: Role,
    departments: Iterable[str] = (),
    email: str | None = None,
    *,
    now: datetime = NOW,
    timezone: str | None = None,
) -> str:
    """What the cookie of a colleague's browser holds who has just signed in."""
    email, token = email or f"{role}@shop.example", token_hex(32)
    with transaction(engine) as session:
        account = session.exec(select(Account).where(Account.email == email)).one_or_none()
        account = account or Account(email=email, name=f"A {role}", role=role, created_at=now)
        account.role, account.departments = role, sorted(departments)
        account.timezone = timezone
        session.add(account)
        session.flush()
        session.add(
            DeskSession(
                token_hash=token_hash(token),
                account_id=account.id or 0,
                created_at=now,
                seen_at=now,
                expires_at=now + timedelta(hours=12),
            )
        )
    return token
