"""Accounts of the desk, and the browsers that are signed in to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from voc.models import Account, DeskSession

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
            col(Account.closed_at).is_(None),
        )
    )
    return session.exec(query).one_or_none()
