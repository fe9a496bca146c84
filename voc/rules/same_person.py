"""Which customers were one person at a point of the ledger: merges, in their order."""

from __future__ import annotations


class SamePerson:
    """Customers that were merged so far, and not parted again."""

    def __init__(self) -> None:
        self._into: dict[int, int] = {}
        self._together: dict[int, frozenset[int]] = {}

    def merge(self, merged: int, kept: int) -> None:
        self._into[merged] = kept
        self._gather()

    def part(self, merged: int) -> None:
        self._into.pop(merged, None)
        self._gather()

    def of(self, customer_id: int) -> frozenset[int]:
        """All the numbers of the person who is known as this customer."""
        return self._together.get(customer_id, frozenset({customer_id}))

    def _gather(self) -> None:
        """Merges are few and questions many, so the answers are kept."""
        by_root: dict[int, set[int]] = {}
        for customer_id in {*self._into, *self._into.values()}:
            by_root.setdefault(self._root(customer_id), set()).add(customer_id)
        self._together = {each: frozenset(theirs) for theirs in by_root.values() for each in theirs}

    def _root(self, customer_id: int) -> int:
        while customer_id in self._into:
            customer_id = self._into[customer_id]
        return customer_id
