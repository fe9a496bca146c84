"""Why customers could not be told, in a handful of groups that somebody can do something about."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from voc.rules.contact import Why
from voc.rules.messages import SAME_WORDS

OTHER = "failed"

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        Why.NO_ADDRESS: "no_address",
        Why.NO_CONSENT: "no_consent",
        Why.COUNTRY: "no_consent",
        Why.OPTED_OUT: "opted_out",
        Why.STOPPED: "opted_out",
        Why.COMPLAINED: "opted_out",
        Why.BOUNCED: "bounced",
        Why.HOLD_OUT: "held_out",
        Why.EXPIRED: "expired",
        Why.NO_HOUR: "expired",
        "abandoned": "in_doubt",
        "a person decided": "in_doubt",  # that it stays in doubt
        "in doubt for three days": "in_doubt",
        SAME_WORDS: "same_words",
    }
)
"""Of a reason its group. All others, a server's refusals say, are `OTHER`."""


def group_of(reason: str | None) -> str:
    """The group of the reason that a loop ended with."""
    return GROUPS.get(reason or "", OTHER)


def reasons_in(group: str) -> list[str] | None:
    """The reasons of a group; None for `OTHER`: whatever is in no group."""
    found = sorted(str(reason) for reason, name in GROUPS.items() if name == group)
    return found or None
