"""Appending to the ledger: the hash chain of events, and the tree over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from voc.models import ChainHead, TicketEvent, TicketEventKind
from voc.rules import chain, merkle
from voc.store.upsert import insert_new, table_of

HELD = "ledger head"  # in `Session.info`: the transaction that has the lock, and the head


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened, not yet a link of the chain. Codes and ids, never words."""

    kind: TicketEventKind
    ticket_id: int | None = None
    loop_id: int | None = None
    message_id: int | None = None
    detail: str = ""


def lock_head(session: Session) -> ChainHead:
    """The newest link, held until the commit. Made if there is none yet.

    Everybody who will append takes it before any ticket or loop: with one order of locks nobody
    waits for somebody who waits for them. Who has it does not ask again.
    """
    now_in = session.get_nested_transaction() or session.get_transaction()
    held_in, head = session.info.get(HELD, (None, None))
    if isinstance(head, ChainHead) and held_in is now_in and now_in is not None:
        return head
    head = _locked_head(session)
    now_in = session.get_nested_transaction() or session.get_transaction()  # it may begin here
    session.info[HELD] = now_in, head
    return head


def _locked_head(session: Session) -> ChainHead:
    """A chain from before there was a tree gets its frontier here, once."""
    query = select(ChainHead).where(col(ChainHead.id) == 1).with_for_update()
    query = query.execution_options(populate_existing=True)
    if (head := session.exec(query).one_or_none()) is None:
        row = {"id": 1, "length": 0, "hash": chain.GENESIS, "frontier": []}
        insert_new(session, ChainHead, [row])  # another process may have made it just now
        head = session.exec(query).one()
    if head.length and not head.frontier:
        head.frontier = merkle.frontier_of(session.exec(hashes()).all())
        session.add(head)
    return head


def append(session: Session, happenings: Sequence[Happening], *, actor: str, now: datetime) -> None:
    """Chain *happenings* behind the newest event. The head is locked until the commit."""
    if not happenings:
        return
    head = lock_head(session)
    session.flush()  # what the events point to
    previous, frontier = head.hash, head.frontier
    rows = []
    for size, event in enumerate(happenings, head.length):
        content: chain.Content = {
            "ticket_id": event.ticket_id,
            "loop_id": event.loop_id,
            "message_id": event.message_id,
            "kind": event.kind,
            "actor": actor,
            "detail": event.detail,
            "at": now,
        }
        link = chain.link(previous, **content)
        rows.append({**content, "previous_hash": previous, "hash": link})
        previous, frontier = link, merkle.append(frontier, size, link)
    session.connection().execute(table_of(TicketEvent).insert(), rows)  # in this order
    head.hash, head.length, head.frontier = previous, head.length + len(rows), frontier
    session.add(head)
    session.flush()


def length(session: Session) -> int:
    """How many events there are, as the head knows it."""
    return session.exec(select(ChainHead.length)).first() or 0


def newest(session: Session) -> int:
    """The number of the newest event; 0 if nothing has happened yet.

    Whoever appends holds the ledger's head: no event with a smaller number comes later.
    """
    return session.exec(select(func.max(TicketEvent.id))).one() or 0


def hashes() -> SelectOfScalar[str]:
    """The hashes of all events, in the order of the chain."""
    return select(TicketEvent.hash).order_by(col(TicketEvent.id))
