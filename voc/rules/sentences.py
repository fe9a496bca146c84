"""The governor's reasons in words, for colleagues."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from voc.rules.contact import Why

SENTENCES: Mapping[Why, str] = MappingProxyType(
    {
        Why.KILL_SWITCH: "the kill switch is on: nothing leaves",
        Why.RESTORED: "the database is an older copy that nobody has looked into",
        Why.BY_HAND: "a person holds it",
        Why.HOLD_OUT: "the customer is one of those who are never asked",
        Why.OPTED_OUT: "they asked us to stop",
        Why.COMPLAINED: "they called us spam",
        Why.STOPPED: "they sent STOP from this number",
        Why.BOUNCED: "the address does not exist any more",
        Why.COUNTRY: "nobody in their country is written to",
        Why.NO_ADDRESS: "we have no address of this channel",
        Why.NO_CONSENT: "they did not agree, or took it back",
        Why.NO_HOUR: "in one of the time zones that may be theirs it is always quiet",
        Why.EXPIRED: "it is old news by now",
        Why.NOT_WANTED: "what it is about has changed",
        Why.NEEDS_APPROVAL: "a person has to read it first",
        Why.CAP_7_DAYS: "they heard from us in the last 7 days",
        Why.CAP_30_DAYS: "they heard from us in the last 30 days",
        Why.QUIET_HOURS: "it is quiet on their clock",
        Why.VARIANT_HOUR: "its variant of an experiment leaves later in the day",
    }
)
