"""The tree over the events: built step by step or at once it is the same, and paths prove."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.rules import merkle

HASHES = st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=70)
SOME = HASHES.filter(bool)


def by_definition(event_hashes: list[str]) -> bytes:
    """RFC 6962, 2.1, word for word: split at the largest power of two below the size."""
    if not event_hashes:
        return sha256(b"").digest()
    if len(event_hashes) == 1:
        return sha256(b"\x00" + bytes.fromhex(event_hashes[0])).digest()
    split = 1 << (len(event_hashes) - 1).bit_length() - 1
    left, right = by_definition(event_hashes[:split]), by_definition(event_hashes[split:])
    return sha256(b"\x01" + left + right).digest()


@given(HASHES)
def test_grown_or_built_at_once_the_root_is_what_the_rfc_defines(event_hashes: list[str]) -> None:
    expected = by_definition(event_hashes).hex()
    frontier = merkle.frontier_of(event_hashes)
    assert merkle.root(frontier) == merkle.Tree(event_hashes).root == expected
    assert len(frontier) == len(event_hashes).bit_count()


@given(SOME)
def test_every_event_has_a_path_to_the_root(event_hashes: list[str]) -> None:
    tree, size = merkle.Tree(event_hashes), len(event_hashes)
    for index, event_hash in enumerate(event_hashes):
        path = tree.audit_path(index)
        assert len(path) <= size.bit_length()
        assert merkle.check_path(event_hash, index, size, path, tree.root)


@given(SOME, st.data())
def test_a_path_proves_nothing_but_its_own_event(
    event_hashes: list[str], data: st.DataObject
) -> None:
    tree, size = merkle.Tree(event_hashes), len(event_hashes)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.binary(min_size=32, max_size=32)).hex()
    event_hash, path = event_hashes[index], tree.audit_path(index)
    if other != event_hash:
        assert not merkle.check_path(other, index, size, path, tree.root)
    assert not merkle.check_path(event_hash, index, size, [*path, other], tree.root)
    assert not merkle.check_path(event_hash, index, size, path[:-1] or [other], tree.root)
    for place, step in enumerate(path):
        changed = [*path[:place], merkle.leaf_hash(step), *path[place + 1 :]]
        assert not merkle.check_path(event_hash, index, size, changed, tree.root)
    for place in {*range(size)} - {index}:
        if event_hashes[place] != event_hash:
            assert not merkle.check_path(event_hash, place, size, path, tree.root)
    for outside in (-1, size):
        assert not merkle.check_path(event_hash, outside, size, path, tree.root)


def test_there_is_no_path_for_an_event_that_is_not_there() -> None:
    with pytest.raises(IndexError):
        merkle.Tree(["0" * 64]).audit_path(1)
