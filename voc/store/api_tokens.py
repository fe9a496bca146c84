"""Tokens of the API: what other programs come with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from voc.models import ApiToken


def open_token(session: Session, token_hash: str, now: datetime) -> ApiToken | None:
    """The token with this hash, while it is neither revoked nor expired."""
    query = select(ApiToken).where(
        ApiToken.token_hash == token_hash,
        col(ApiToken.revoked_at).is_(None),
        sa.or_(col(ApiToken.expires_at).is_(None), col(ApiToken.expires_at) > now),
    )
    return session.exec(query).one_or_none()


def add(session: Session, token: ApiToken) -> bool:
    """Keep a new token; False if there is or was one of its name: none is used again."""
    try:
        with session.begin_nested():
            session.add(token)
    except IntegrityError:
        return False
    return True


def listing(session: Session) -> Sequence[ApiToken]:
    """All tokens: those in use first, by name."""
    order = (col(ApiToken.revoked_at).is_not(None), col(ApiToken.name))
    return session.exec(select(ApiToken).order_by(*order)).all()
