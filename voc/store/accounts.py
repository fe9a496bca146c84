"""Accounts of the desk, and the browsers that are signed in to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from voc.errors import NotFoundError
from voc.models import Account, DeskSession, Role
from voc.rules.access import IDLE_FOR, SESSION_LASTS

SEEN_EVERY = timedelta(minutes=1)
"""How exactly we know when a browser was last here: not each visit is a write."""


def signed_in(
    session: Session, token_hash: str, now: datetime
) -> tuple[DeskSession, Account] | None:
    """The browser with this token and its account, while both are open."""
    query = (
        select(DeskSession, Account)
        .join(Account, col(Account.id) == DeskSession.account_id)
        .where(
            DeskSession.token_hash == token_hash,
            col(DeskSession.expires_at) > now,
            col(DeskSession.seen_at) > now - IDLE_FOR,
            col(Account.closed_at).is_(None),
        )
    )
    return session.exec(query).one_or_none()


def open_session(session: Session, account_id: int, token_hash: str, now: datetime) -> None:
    """Sign a browser in. Those whose time is over are forgotten on this occasion."""
    session.execute(sa.delete(DeskSession).where(col(DeskSession.expires_at) <= now))
    session.add(
        DeskSession(
            token_hash=token_hash,
            account_id=account_id,
            created_at=now,
            seen_at=now,
            expires_at=now + SESSION_LASTS,
        )
    )


def note_seen(session: Session, token_hash: str, now: datetime) -> None:
    """This browser was here."""
    session.execute(
        sa.update(DeskSession)
        .where(col(DeskSession.token_hash) == token_hash, col(DeskSession.seen_at) < now)
        .values(seen_at=now)
    )


def end_session(session: Session, token_hash: str) -> None:
    session.execute(sa.delete(DeskSession).where(col(DeskSession.token_hash) == token_hash))


def end_sessions(session: Session, account_id: int, *, but: str = "") -> None:
    """Sign all browsers of an account out, except the one whose token's hash is *but*."""
    session.execute(
        sa.delete(DeskSession).where(
            col(DeskSession.account_id) == account_id, col(DeskSession.token_hash) != but
        )
    )


def found(session: Session, account_id: int) -> Account:
    """The account with this number.

    Raises:
        NotFoundError: There is none.
    """
    account = session.get(Account, account_id)
    if account is None:
        raise NotFoundError(f"there is no account {account_id}")
    return account


def locked(session: Session, account_id: int) -> Account:
    """The account as it is now, held until the transaction ends.

    Raises:
        NotFoundError: There is none with this number.
    """
    query = select(Account).where(Account.id == account_id).with_for_update()
    account = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if account is None:
        raise NotFoundError(f"there is no account {account_id}")
    return account


def by_email(session: Session, email: str) -> Account | None:
    """The account of this address, closed or not. Capital letters do not matter."""
    asked = email.strip().lower()
    return session.exec(select(Account).where(Account.email == asked)).one_or_none()


def by_subject(session: Session, subject: str) -> Account | None:
    """The account that is bound to somebody at the identity provider."""
    return session.exec(select(Account).where(Account.oidc_subject == subject)).one_or_none()


def listing(session: Session) -> Sequence[Account]:
    """All accounts: open ones first, by name."""
    order = (col(Account.closed_at).is_not(None), sa.func.lower(Account.name), col(Account.id))
    return session.exec(select(Account).order_by(*order)).all()


def are_any(session: Session) -> bool:
    """Whether anybody has an account yet."""
    return session.exec(select(Account.id).limit(1)).first() is not None


def is_last_administrator(session: Session, account_id: int) -> bool:
    """Whether nobody else could open an account. Administrators are locked until the commit."""
    ids = session.exec(
        select(Account.id)
        .where(Account.role == Role.ADMINISTRATOR, col(Account.closed_at).is_(None))
        .order_by(col(Account.id))
        .with_for_update()
    ).all()
    return list(ids) == [account_id]
