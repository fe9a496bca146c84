"""Showing a customer's addresses in full: for a purpose, which is written down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from voc.models import Customer, Identity
from voc.rules.unsealing import read_purpose
from voc.store import audit
from voc.store import profile as store


def unseal(
    session: Session, customer: Customer, *, purpose: str, words: str, actor: str, now: datetime
) -> Sequence[Identity]:
    """The customer's handles as they are. The audit log keeps who, when and what for.

    Args:
        purpose: A `voc.rules.unsealing.Purpose`.
        words: What for, in the colleague's own words.

    Raises:
        NoPurposeError: The purpose does not say why.
    """
    why = read_purpose(purpose, words)
    audit.write(session, actor, "unsealed", f"customer:{customer.id}", why, at=now)
    return store.identities(session, customer.id or 0)
