"""The ledger itself: every link, the tree over them, the head, and the heads kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlmodel import Session

from voc.journal import Head
from voc.models import ChainHead, TicketEvent
from voc.rules import chain, merkle
from voc.rules.books import Finding
from voc.store.upsert import table_of

NAME = "event chain"
AT_ONCE = 5_000


def nobody(_done: int) -> None:
    """Whom the progress of a check is told to when nobody asked."""


def event_chain(
    session: Session, heads: Iterable[Head] = (), advance: Callable[[int], None] = nobody
) -> Finding | None:
    """Each event's hash covers its content and the one before; the head knows the newest.

    Reads the events once, a few thousand at a time.

    Args:
        heads: As anchored outside of the database: each must be in the chain.
        advance: Told how many more events were read.
    """
    walk = _Walk(heads)
    for rows in _events(session):
        for row in rows:
            if (finding := walk.step(row)) is not None:
                return finding
        advance(len(rows))
    return walk.cut() or _head(session, walk)


class _Walk:
    """How far the chain has been read, and what is remembered of the way."""

    def __init__(self, heads: Iterable[Head]) -> None:
        self.length = 0
        self.hash = chain.GENESIS
        self.frontier: list[str] = []
        self._heads = sorted({*heads}, key=lambda head: head.length)
        self._next = 0
        """The first head that the chain has not come to yet."""
        self._since: int | None = None
        """The first event that no head has vouched for."""
        self._last: int | None = None

    def step(self, row: sa.Row[Any]) -> Finding | None:
        """One event on; the finding if it is not the next one."""
        name = f"ticketevent {row.id}"
        if row.previous_hash != self.hash:
            return Finding(NAME, name, "does not follow the event before it: one is missing")
        if row.at is None or row.hash != _link(row):
            return Finding(NAME, name, "was changed after it was written")
        self.frontier = merkle.append(self.frontier, self.length, row.hash)
        self.length, self.hash, self._last = self.length + 1, row.hash, row.id
        self._since = row.id if self._since is None else self._since
        return self._compare()

    def _compare(self) -> Finding | None:
        """The heads that were anchored here vouch for all before; or they do not."""
        while (head := self._due()) is not None and head.length <= self.length:
            root = head.root and merkle.root(self.frontier)
            if (head.length, head.hash, head.root) != (self.length, self.hash, root):
                what = "it, or an event after it, is not the one that was anchored"
                row = f"ticketevent {self._since or self._last}"
                return Finding(NAME, row, f"{what} as number {head.length}")
            self._next, self._since = self._next + 1, None
        return None

    def cut(self) -> Finding | None:
        """What the journal knows beyond the end."""
        if self._due() is None:
            return None
        row = "chainhead 1" if self._last is None else f"ticketevent {self._last}"
        known = self._heads[-1].length
        problem = f"is the end, number {self.length}; the journal knows {known}: they were cut off"
        return Finding(NAME, row, problem)

    def _due(self) -> Head | None:
        return self._heads[self._next] if self._next < len(self._heads) else None


def _head(session: Session, walk: _Walk) -> Finding | None:
    name = "chainhead 1"
    try:
        head = session.get(ChainHead, 1)
    except ValueError:
        return Finding(NAME, name, "holds a frontier that cannot be read")
    if head is None:
        return Finding(NAME, name, "is missing") if walk.length else None
    if head.length != walk.length:
        return Finding(NAME, name, f"expects {head.length} events, there are {walk.length}")
    if head.hash != walk.hash:
        return Finding(NAME, name, "does not hold the hash of the newest event")
    if head.frontier and head.frontier != walk.frontier:  # of a chain from before: none yet
        return Finding(NAME, name, "does not hold the tree over the events")
    return None


class _Moment(sa.TypeDecorator[datetime]):
    """A moment as it stands there; None if it was overwritten with something else."""

    impl = sa.String
    cache_ok = True

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:
        try:
            at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            return None
        return at if at.tzinfo else at.replace(tzinfo=UTC)


def _events(session: Session) -> Iterator[Sequence[sa.Row[Any]]]:
    """All events as they stand there, whatever was written into them."""
    table = table_of(TicketEvent)
    raw: dict[str, sa.types.TypeEngine[Any]] = {"kind": sa.String(), "at": _Moment()}
    columns = [
        sa.type_coerce(c, raw[c.name]).label(c.name) if c.name in raw else c for c in table.columns
    ]
    query = sa.select(*columns).order_by(table.c.id).execution_options(yield_per=AT_ONCE)
    return session.execute(query).partitions()


def _link(row: sa.Row[Any]) -> str:
    return chain.link(
        row.previous_hash,
        ticket_id=row.ticket_id,
        loop_id=row.loop_id,
        message_id=row.message_id,
        kind=row.kind,
        actor=row.actor,
        detail=row.detail,
        at=row.at,
    )
