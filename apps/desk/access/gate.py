"""What stands before each page of those who sign in: who they are, and whether they may.

Every route of the desk asks for a `Visitor` by `see` (it shows) or `do` (it changes something);
a test finds routes that ask for neither.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, Form, Request

from apps.desk.access.audit import Afterwards
from apps.desk.desk import Desk, Refusal, TheDesk
from voc.models import Account, DeskSession, Role
from voc.rules.tokens import digest, token_hash
from voc.store import accounts, audit
from voc.store.accounts import SEEN_EVERY
from voc.store.database import reading


class SignInFirst(Exception):  # noqa: N818 (not an error of ours: a page)
    """Nobody is signed in who may have this page, or whose form this is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who is signed in, at one moment."""

    account_id: int
    email: str
    name: str
    role: Role
    departments: frozenset[str] | None
    """Those that they see; None: all."""
    timezone: str | None
    token_hash: str
    now: datetime
    afterwards: Afterwards = field(repr=False, compare=False)
    noted: set[str] = field(default_factory=set, repr=False, compare=False)
    """What they saw on this page, so that it is noted once."""

    def sees(self, department: str) -> bool:
        """Whether the tickets of *department* are theirs to see."""
        return self.departments is None or department in self.departments

    def require(self, department: str) -> None:
        """Refuse what is another department's, as if it were not there.

        Raises:
            Refusal: It is.
        """
        if not self.sees(department):
            raise Refusal(404, "not_here")

    def saw(self, subject: str, detail: str = "") -> None:
        """Note in the audit log that they saw *subject*, where a page gets what it shows.

        It is written after the page was sent, and so costs the page nothing. What changes
        something is written by `voc.store.audit.write` in its own transaction instead.

        Args:
            detail: A code. Never a customer's words, names or addresses.
        """
        if subject in self.noted:
            return
        self.noted.add(subject)
        self.afterwards.add(
            partial(
                audit.write,
                actor=self.email,
                deed="saw",
                subject=subject,
                detail=detail,
                at=self.now,
            )
        )

    def csrf(self, secret: bytes) -> str:
        """What a form of theirs must bring back: no other page can know it."""
        return digest(secret, "csrf", self.token_hash).hex()


class Gate:
    """A dependency that lets accounts with one of *roles* through."""

    changes = False

    def __init__(self, roles: frozenset[Role]) -> None:
        self.roles = roles

    def __call__(self, request: Request, desk: TheDesk, background: BackgroundTasks) -> Visitor:
        """Who comes.

        Raises:
            SignInFirst: We do not know.
            Refusal: Somebody else may do this.
        """
        visitor = visitor_of(request, desk)
        background.add_task(desk.afterwards.do)
        if visitor.role not in self.roles:
            raise Refusal(403, "not_yours")
        return visitor


class ChangingGate(Gate):
    """The same, for what changes something: only from a form of ours."""

    changes = True

    def __call__(
        self,
        request: Request,
        desk: TheDesk,
        background: BackgroundTasks,
        csrf: Annotated[str, Form()] = "",
    ) -> Visitor:
        """Who comes.

        Raises:
            SignInFirst: We do not know.
            Refusal: Somebody else may do this, or it is no form of ours.
        """
        visitor = super().__call__(request, desk, background)
        if not hmac.compare_digest(csrf.encode(), visitor.csrf(desk.secret).encode()):
            raise Refusal(403, "stale_form")
        return visitor


def see(roles: frozenset[Role]) -> Any:
    """Who may see a page: the default of a parameter."""
    return Depends(Gate(roles))


def do(roles: frozenset[Role]) -> Any:
    """Who may do what a form asks for: the default of a parameter."""
    return Depends(ChangingGate(roles))


def visitor_of(request: Request, desk: Desk) -> Visitor:
    """Who is signed in with this browser.

    Raises:
        SignInFirst: Nobody.
    """
    now, key = desk.clock(), token_hash(request.cookies.get(desk.door.cookie, ""))
    with reading(desk.engine) as session:
        found = accounts.signed_in(session, key, now)
    if found is None:
        raise SignInFirst
    browser, account = found
    _note_visit(desk, browser, now)
    return _visitor(desk, browser, account, now)


def _note_visit(desk: Desk, browser: DeskSession, now: datetime) -> None:
    if now - browser.seen_at >= SEEN_EVERY:
        note = partial(accounts.note_seen, token_hash=browser.token_hash, now=now)
        desk.afterwards.add(note)


def _visitor(desk: Desk, browser: DeskSession, account: Account, now: datetime) -> Visitor:
    is_owner = account.role is Role.OWNER
    return Visitor(
        account_id=browser.account_id,
        email=account.email,
        name=account.name,
        role=account.role,
        departments=frozenset(account.departments) if is_owner else None,
        timezone=account.timezone,
        token_hash=browser.token_hash,
        now=now,
        afterwards=desk.afterwards,
    )


HOMES: Mapping[Role, str] = MappingProxyType(
    {
        Role.OWNER: "/desk/queue",
        Role.OPERATIONS: "/desk/overview",
        Role.ADMINISTRATOR: "/desk/accounts",
        Role.AUDITOR: "/desk/overview",
    }
)
"""Where the day begins."""
