"""When two customers may be called one, when that may be undone, and whose no holds then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from voc.models import MessageState

ON_THE_WAY = frozenset({MessageState.CLAIMED, MessageState.SENDING})
"""A sender has it in hand: whose it is must not change now."""


class Refused(StrEnum):
    """Why two customers are not merged, or a merge is not undone."""

    UNKNOWN = "unknown"
    SAME = "same"
    MERGED = "merged"
    ON_THE_WAY = "on_the_way"
    UNDONE = "undone"
    LATER_MERGE = "later_merge"


SENTENCES: Mapping[Refused, str] = MappingProxyType(
    {
        Refused.UNKNOWN: "We know no such customer.",
        Refused.SAME: "That is the same customer already.",
        Refused.MERGED: "One of the two was merged into another customer already.",
        Refused.ON_THE_WAY: "A message to one of the two is on its way at this moment. "
        "Try again in a minute.",
        Refused.UNDONE: "This merge was undone already.",
        Refused.LATER_MERGE: "The customer who was kept has been merged into another one since. "
        "Undo that merge first.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two."""

    id: int
    merged_into: int | None
    on_the_way: bool
    """Whether a sender has a message to them in hand."""


def why_not_merge(kept: Side, merged: Side) -> Refused | None:
    """What speaks against calling *merged* and *kept* the same person."""
    if kept.id == merged.id:
        return Refused.SAME
    if kept.merged_into is not None or merged.merged_into is not None:
        return Refused.MERGED
    return Refused.ON_THE_WAY if kept.on_the_way or merged.on_the_way else None


def why_not_undo(kept: Side, *, is_undone: bool) -> Refused | None:
    """What speaks against taking a merge back."""
    if is_undone:
        return Refused.UNDONE
    if kept.merged_into is not None:
        return Refused.LATER_MERGE
    return Refused.ON_THE_WAY if kept.on_the_way else None


def stricter(one: bool | None, other: bool | None) -> bool | None:
    """What a person allows of whom we know two consents: a no of either, else a yes of either.

    None: they never said.
    """
    if one is False or other is False:
        return False
    return True if one or other else None
