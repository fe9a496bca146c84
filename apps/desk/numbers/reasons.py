"""The loop leaks: where loops get stuck or end without an answer, and what to do about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Leak:
    """One kind of leak."""

    name: str
    means: str
    """What has happened, and what mends it."""


STUCK_TICKETS: Mapping[str, Leak] = MappingProxyType(
    {
        "triage": Leak(
            "In triage",
            "No department was sure to own it. Hand it to one: that teaches the routing.",
        ),
        "not_taken": Leak(
            "Not taken in time", "The first promise is over and nobody has taken it."
        ),
        "overdue": Leak(
            "Not resolved in time", "Somebody has taken it, and the promise to resolve it is over."
        ),
        "resolved_not_told": Leak(
            "Resolved, not told",
            "The owner is done, and the customer does not know it: their reply waits, or another "
            "ticket of the loop does.",
        ),
    }
)

STUCK_MESSAGES: Mapping[str, tuple[Leak, str]] = MappingProxyType(
    {
        "unknown": (
            Leak("In doubt", "The provider's reply was lost. Find out, and say what became of it."),
            "/desk/messages?show=unknown",
        ),
        "unapproved": (
            Leak("Not approved yet", "A person has to read it before it leaves."),
            "/desk/approvals",
        ),
        "held": (
            Leak("Held", "A person, the kill switch or a restore keeps it from leaving."),
            "/desk/messages?show=held",
        ),
        "capped": (
            Leak("Capped", "The customer has heard from us often enough. It leaves later."),
            "/desk/messages?show=waiting",
        ),
        "alerts_lost": (
            Leak(
                "Alerts that did not arrive",
                "A colleague was not told of a ticket. Look at their address in the company file.",
            ),
            "/desk/messages?show=dead",
        ),
    }
)

STUCK_AT_THE_DOOR: Mapping[str, tuple[Leak, str]] = MappingProxyType(
    {
        "quarantined": (
            Leak("In quarantine", "Items that could not be accepted as they came."),
            "/desk/sources",
        ),
        "unread": (
            Leak("Not read yet", "Collected, and no model has read it: run the flow `understand`."),
            "/desk/sources",
        ),
        "unrouted": (
            Leak("Not routed yet", "Read, and no department has it: run the flow `route`."),
            "/desk/sources",
        ),
        "unjudged": (
            Leak("Answers not judged", "A customer's words that a person has to understand."),
            "/desk/approvals",
        ),
    }
)

UNTOLD: Mapping[str, Leak] = MappingProxyType(
    {
        "no_address": Leak(
            "No address", "We know no way to reach them. Ask for one where they speak to us."
        ),
        "no_consent": Leak(
            "No consent", "They did not agree to hear from us, or their country forbids it."
        ),
        "opted_out": Leak("Opted out", "They asked for silence, or called a message spam."),
        "bounced": Leak("Bounced", "The mailbox does not exist, or is full."),
        "expired": Leak("Too late", "The answer was old news before it could leave."),
        "in_doubt": Leak("Left in doubt", "Nobody could find out whether the message arrived."),
        "held_out": Leak("Held out", "They belong to a hold-out and are not written to."),
        "same_words": Leak("Said already", "They heard just these words from us before."),
        "failed": Leak("Refused or broken", "It could not be written, or was refused for good."),
    }
)
"""By group of `voc.rules.reasons`: loops that ended as `could_not_tell`."""

SILENT = Leak(
    "Told, then silent",
    "They were told and never answered. The loop is closed, and nobody knows whether it is solved.",
)
"""Loops that ended as closed."""
