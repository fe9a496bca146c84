"""The audit log: who saw or did what in the desk or over the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from voc.models import AuditEntry


def write(
    session: Session, actor: str, deed: str, subject: str, detail: str = "", *, at: datetime
) -> None:
    """Write down a deed in the transaction that does it: both are kept, or neither.

    What somebody only looked at is noted by `Visitor.saw` instead, after the page was shown.

    Args:
        actor: An account's address (`Visitor.email`), or ``token:NAME``.
        deed: One word in the past: ``merged``, ``unsealed``, ``account_closed``.
        subject: What it was done to, by number: ``ticket:12``, ``customer:3``.
        detail: A code or numbers. Never a customer's words, names or addresses.
    """
    session.add(
        AuditEntry(
            at=at,
            actor=actor[:255],
            deed=deed[:64],
            subject=subject[:64],
            detail=detail[:255],
        )
    )


def entries(
    session: Session,
    *,
    actor: str = "",
    subject: str = "",
    deed: str = "",
    before: int | None = None,
    limit: int,
) -> Sequence[AuditEntry]:
    """The newest entries that are of *actor*, about *subject* and a *deed*, if these are given.

    Args:
        before: Only those that are older than the entry with this number.
    """
    query = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(limit)
    asked = ((AuditEntry.actor, actor), (AuditEntry.subject, subject), (AuditEntry.deed, deed))
    for column, wanted in asked:
        query = query.where(col(column) == wanted) if wanted else query
    query = query.where(col(AuditEntry.id) < before) if before else query
    return session.exec(query).all()
