"""A Merkle tree over the hashes of the events, as RFC 6962 (2.1) builds it.

Its root covers all events at once; a short audit path shows that one event is under it without
showing any other. Hashes come and go in hex.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").hexdigest()


def leaf_hash(event_hash: str) -> str:
    """The leaf of one event. Its prefix differs from a node's: no node passes for a leaf."""
    return sha256(b"\x00" + bytes.fromhex(event_hash)).hexdigest()


def node_hash(left: str, right: str) -> str:
    """The node over two subtrees."""
    return sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def append(frontier: Sequence[str], size: int, event_hash: str) -> list[str]:
    """The frontier with one more event, behind *size* of them.

    A frontier is what a growing tree must remember: the roots of its full subtrees, the largest
    first. Their sizes are the powers of two that make up *size*, so there are at most log2 of it.
    """
    grown, node = list(frontier), leaf_hash(event_hash)
    while size & 1:  # as in counting: each trailing one is a full subtree of the same size
        node = node_hash(grown.pop(), node)
        size >>= 1
    return [*grown, node]


def frontier_of(event_hashes: Sequence[str]) -> list[str]:
    """The frontier over all of *event_hashes*."""
    frontier: list[str] = []
    for size, event_hash in enumerate(event_hashes):
        frontier = append(frontier, size, event_hash)
    return frontier


def root(frontier: Sequence[str]) -> str:
    """The hash over the whole tree."""
    if not frontier:
        return EMPTY
    *others, node = frontier
    for left in reversed(others):
        node = node_hash(left, node)
    return node


class Tree:
    """A whole tree in memory, for the paths of several events: two hashes for each event."""

    def __init__(self, event_hashes: Sequence[str]) -> None:
        self._levels = _levels_over([leaf_hash(event_hash) for event_hash in event_hashes])

    @classmethod
    def over(cls, roots: Sequence[str]) -> Tree:
        """The upper part of a tree, over the roots of subtrees.

        They are full and of one size; the last may be smaller.
        """
        tree = cls([])
        tree._levels = _levels_over(list(roots))
        return tree

    @property
    def root(self) -> str:
        """The hash over the whole tree."""
        return self._levels[-1][0] if self._levels[-1] else EMPTY

    def audit_path(self, index: int) -> list[str]:
        """The hashes that lead from event *index* (from 0) to the root, the lowest first.

        Raises:
            IndexError: there is no such event.
        """
        if not 0 <= index < len(self._levels[0]):
            raise IndexError(index)
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            path += level[sibling : sibling + 1]
            index >>= 1
        return path


def _levels_over(level: list[str]) -> list[list[str]]:
    levels = [level]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        lone = level[-1:] if len(level) % 2 else []  # goes up as it is
        level = [*(node_hash(left, right) for left, right in pairs), *lone]
        levels.append(level)
    return levels


def check_path(event_hash: str, index: int, size: int, path: Sequence[str], root: str) -> bool:
    """Whether event *index* of *size* has *event_hash*, by its *path* to *root* (RFC 9162)."""
    if not 0 <= index < size:
        return False
    node, last, steps = leaf_hash(event_hash), size - 1, iter(path)
    while last:
        if index & 1:
            sibling = next(steps, None)
            node = node if sibling is None else node_hash(sibling, node)
        elif index < last:
            sibling = next(steps, None)
            node = node if sibling is None else node_hash(node, sibling)
        else:  # alone on its level
            sibling = ""
        if sibling is None:
            return False
        index, last = index >> 1, last >> 1
    return next(steps, None) is None and node == root
