"""Appending to the hash chain of ticket events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from voc.models import ChainHead, TicketEvent, TicketEventKind
from voc.rules import chain
from voc.store.upsert import insert_new


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
    waits for somebody who waits for them.
    """
    insert_new(session, ChainHead, [{"id": 1, "length": 0, "hash": chain.GENESIS}])
    query = select(ChainHead).where(col(ChainHead.id) == 1).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one()


def append(session: Session, happenings: Sequence[Happening], *, actor: str, now: datetime) -> None:
    """Chain *happenings* behind the newest event. The head is locked until the commit."""
    if not happenings:
        return
    head = lock_head(session)
    for event in happenings:
        link = chain.link(
            head.hash,
            ticket_id=event.ticket_id,
            loop_id=event.loop_id,
            message_id=event.message_id,
            kind=event.kind,
            actor=actor,
            detail=event.detail,
            at=now,
        )
        session.add(
            TicketEvent(
                ticket_id=event.ticket_id,
                loop_id=event.loop_id,
                message_id=event.message_id,
                kind=event.kind,
                actor=actor,
                detail=event.detail,
                at=now,
                previous_hash=head.hash,
                hash=link,
            )
        )
        session.flush()  # ids follow the order of the chain
        head.hash, head.length = link, head.length + 1
    session.add(head)
    session.flush()
