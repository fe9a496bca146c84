"""Who asks: a program with a token, and what its token lets it do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from apps.desk.api.problems import ProblemError
from apps.desk.desk import Desk, TheDesk
from apps.desk.guards import RateLimit
from voc.rules.scopes import Scope
from voc.rules.tokens import token_hash
from voc.store import audit
from voc.store.api_tokens import open_token
from voc.store.database import reading
from voc.store.ledger import Ledger

BURST, PER_SECOND = 120, 10.0
"""Requests that a token has at once, and how many come back each second."""

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    bearerFormat="voc_...",
    description="An administrator makes tokens in the desk, under Tokens, each with its scopes.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A program, at one moment."""

    desk: Desk
    actor: str
    """What the ledger and the audit log call it: ``token:NAME``."""
    now: datetime
    ledger: Ledger
    """What receipts before have found out about it."""

    def saw(self, subject: str) -> None:
        """Note in the audit log that it read *subject*; written after the answer was sent."""
        self.desk.afterwards.add(
            partial(audit.write, actor=self.actor, deed="saw", subject=subject, at=self.now)
        )


class Scoped:
    """A dependency that lets tokens with *scope* through. Every operation has exactly one."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(
        self,
        request: Request,
        desk: TheDesk,
        background: BackgroundTasks,
        sent: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    ) -> Caller:
        """Who asks.

        Raises:
            ProblemError: 401: we do not know them; 403: they may not do this; 429: they asked
                too often.
        """
        now = desk.clock()
        key = token_hash(sent.credentials) if sent else ""
        with reading(desk.engine) as session:
            found = open_token(session, key, now) if key else None
        if found is None:
            challenge = 'Bearer realm="vocloop"' + (', error="invalid_token"' if key else "")
            raise ProblemError(401, headers={"WWW-Authenticate": challenge})
        calls: RateLimit = request.app.state.calls
        if not calls.take(key):
            wait = max(1, ceil(calls.wait_s(key)))
            raise ProblemError(429, headers={"Retry-After": str(wait)})
        if self.scope not in found.scopes:
            raise ProblemError(403, f"the token lacks the scope {self.scope}")
        background.add_task(desk.afterwards.do)
        ledger: Ledger = request.app.state.ledger
        return Caller(desk=desk, actor=f"token:{found.name}", now=now, ledger=ledger)


def needs(scope: Scope) -> Any:
    """What a token needs for an operation: beside the `Caller` in an annotation."""
    return Depends(Scoped(scope))
