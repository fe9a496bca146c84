"""From when on the ledger holds every step. Before, it held tickets and loops only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from voc.models import TicketEvent, TicketEventKind

FIRST_STEPS = (
    TicketEventKind.DECIDED,
    TicketEventKind.ANSWERED,
    TicketEventKind.MESSAGE_SENDING,
    TicketEventKind.MESSAGE_SENT,
    TicketEventKind.MESSAGE_ENDED,
)


def since(session: Session) -> datetime | None:
    """When the first event was written that earlier versions did not write; None if none was.

    What happened before is taken as it stands. Nobody can move that moment without breaking
    the chain.
    """
    names_its_words = and_(
        col(TicketEvent.kind) == TicketEventKind.LOOP_OPENED,
        col(TicketEvent.detail).contains("feedback="),
    )
    return session.exec(
        select(TicketEvent.at)
        .where(or_(col(TicketEvent.kind).in_(FIRST_STEPS), names_its_words))
        .order_by(col(TicketEvent.id))
        .limit(1)
    ).first()
