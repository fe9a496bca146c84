"""Items that could not be accepted: which wait, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine
from sqlmodel import col, select

from voc.models import Quarantine, QuarantineState
from voc.store.database import transaction


def waiting(engine: Engine, ids: Sequence[int] = ()) -> list[Quarantine]:
    """Quarantined items that wait, oldest first; all of them, or those with these ids."""
    query = select(Quarantine).where(Quarantine.state == QuarantineState.WAITING)
    if ids:
        query = query.where(col(Quarantine.id).in_(ids))
    with transaction(engine) as session:
        return list(session.exec(query.order_by(col(Quarantine.id))))


def mark_replayed(engine: Engine, item_id: int) -> None:
    """The item is feedback now."""
    with transaction(engine) as session:
        item = session.get_one(Quarantine, item_id)
        item.state = QuarantineState.REPLAYED
        item.raw_encrypted = b""
        session.add(item)
