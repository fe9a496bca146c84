"""The Merkle tree over the ledger, without the whole ledger in memory."""

from __future__ import annotations

from bisect import bisect_left
from threading import Lock

from sqlmodel import Session, select

from voc.models import TicketEvent
from voc.rules.merkle import Tree
from voc.store.upsert import table_of

CHUNK = 1024
"""Events; a power of two, so that a chunk is a subtree."""

Row = tuple[int, str]
"""An event's id and its hash."""


class Ledger:
    """What is known of the ledger's beginning: the root of each full chunk, and where it ends.

    The ledger only grows, so that is kept from one receipt to the next, and what has come since
    is all that is read.
    """

    def __init__(self, chunk: int = CHUNK) -> None:
        self.turn = Lock()
        """To be held by whoever uses one that others use, too."""
        self.chunk = chunk
        self.roots: list[str] = []
        self.ends: list[int] = []
        """The id of the last event of each chunk."""
        self._newest = ""

    def read_on(self, session: Session) -> None:
        """Take in the chunks that have become full."""
        table = table_of(TicketEvent)
        if self.ends:
            newest = select(table.c.hash).where(table.c.id == self.ends[-1])
            if session.execute(newest).scalar() != self._newest:  # an older copy was put back
                self.roots, self.ends = [], []
        after = self.ends[-1] if self.ends else 0
        query = select(table.c.id, table.c.hash).where(table.c.id > after).order_by(table.c.id)
        found = session.execute(query.execution_options(yield_per=self.chunk))
        for rows in found.partitions():
            if len(rows) == self.chunk:
                self.roots.append(Tree([event_hash for _, event_hash in rows]).root)
                self.ends.append(rows[-1][0])
                self._newest = rows[-1][1]


class LedgerTree:
    """The ledger as one session sees it: where each event stands in it, and what proves that."""

    def __init__(self, session: Session, ledger: Ledger) -> None:
        ledger.read_on(session)
        self._session, self._ledger = session, ledger
        self._chunks: dict[int, list[Row]] = {}
        full = len(ledger.ends)
        self.length = full * ledger.chunk + len(self._rows(full))
        self._upper = Tree([])
        self._under = 0

    def number_of(self, event_id: int) -> int:
        """Which event it is, from 1."""
        chunk = bisect_left(self._ledger.ends, event_id)
        ids = [number for number, _ in self._rows(chunk)]
        return chunk * self._ledger.chunk + bisect_left(ids, event_id) + 1

    def hash_of(self, number: int) -> str:
        """The hash of the event with this number."""
        chunk, place = divmod(number - 1, self._ledger.chunk)
        return self._rows(chunk)[place][1]

    def root(self, length: int) -> str:
        """The root over the first *length* events; from here on paths lead to it."""
        full, rest = divmod(length, self._ledger.chunk)
        self._under = length
        last = [self._lower(full).root] if rest else []
        self._upper = Tree.over([*self._ledger.roots[:full], *last])
        return self._upper.root

    def audit_path(self, number: int) -> list[str]:
        """The hashes that lead from an event to the root."""
        chunk, place = divmod(number - 1, self._ledger.chunk)
        return [*self._lower(chunk).audit_path(place), *self._upper.audit_path(chunk)]

    def _lower(self, chunk: int) -> Tree:
        under = self._under - chunk * self._ledger.chunk
        return Tree([event_hash for _, event_hash in self._rows(chunk)[:under]])

    def _rows(self, chunk: int) -> list[Row]:
        if chunk not in self._chunks:
            table, ends = table_of(TicketEvent), self._ledger.ends
            query = select(table.c.id, table.c.hash).order_by(table.c.id).limit(self._ledger.chunk)
            query = query.where(table.c.id > (ends[chunk - 1] if chunk else 0))
            self._chunks[chunk] = [(row[0], row[1]) for row in self._session.execute(query)]
        return self._chunks[chunk]
