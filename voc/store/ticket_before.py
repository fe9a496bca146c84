"""What the newest deed with a ticket overwrote, so that it can be put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, delete

from voc.models import Ticket, TicketBefore, TicketEventKind
from voc.store.ticket_history import newest_move

CAN_BE_UNDONE = frozenset(
    {
        TicketEventKind.ACCEPTED,
        TicketEventKind.ASSIGNED,
        TicketEventKind.RELEASED,
        TicketEventKind.REASSIGNED,
    }
)
KEPT = frozenset(TicketBefore.model_fields) - {"ticket_id", "event_id"}


def values_of(row: Ticket | TicketBefore) -> dict[str, Any]:
    """What is kept of a ticket, by name."""
    return {name: getattr(row, name) for name in KEPT}


def keep(session: Session, ticket_id: int, values: Mapping[str, Any]) -> None:
    """Remember what the newest deed with the ticket overwrote, in place of what one before did."""
    deed = newest_move(session, ticket_id)
    assert deed is not None  # noqa: S101  (it is in the ledger)
    session.merge(TicketBefore(ticket_id=ticket_id, event_id=deed.id or 0, **values))


def find(session: Session, ticket_id: int) -> TicketBefore | None:
    """What some deed overwrote; None if nothing is kept. Only of the newest it may be put back."""
    return session.get(TicketBefore, ticket_id)


def put_back(session: Session, ticket: Ticket, values: Mapping[str, Any]) -> None:
    """Let a ticket be as it was. What is put back is not kept any longer."""
    for name, value in values.items():
        setattr(ticket, name, value)
    session.add(ticket)
    session.execute(delete(TicketBefore).where(col(TicketBefore.ticket_id) == ticket.id))
