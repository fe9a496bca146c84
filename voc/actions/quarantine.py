"""Items that could not be accepted: which wait, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, update
from sqlmodel import col, select

from voc.models import Quarantine, QuarantineState
from voc.store.database import transaction

_MARKED = (col(Quarantine.state) == QuarantineState.WAITING, col(Quarantine.again))


def waiting(engine: Engine, ids: Sequence[int] = ()) -> list[Quarantine]:
    """Quarantined items that wait, oldest first; all of them, or those with these ids."""
    query = select(Quarantine).where(Quarantine.state == QuarantineState.WAITING)
    if ids:
        query = query.where(col(Quarantine.id).in_(ids))
    with transaction(engine) as session:
        return list(session.exec(query.order_by(col(Quarantine.id))))


def are_marked(engine: Engine) -> bool:
    """Whether somebody asked for another try of something that waits."""
    query = select(Quarantine.id).where(*_MARKED).limit(1)
    with transaction(engine) as session:
        return session.exec(query).first() is not None


def take_marked(engine: Engine) -> list[int]:
    """The numbers of what is to be tried again; they are tried once: the marks are gone."""
    change = update(Quarantine).where(*_MARKED).values(again=False).returning(col(Quarantine.id))
    with transaction(engine) as session:
        return sorted(session.scalars(change))


def mark_replayed(engine: Engine, item_id: int) -> None:
    """The item is feedback now."""
    with transaction(engine) as session:
        item = session.get_one(Quarantine, item_id)
        item.state = QuarantineState.REPLAYED
        item.raw_encrypted = b""
        session.add(item)
