"""What becomes of loops: where they get stuck or end, why, and what to do about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from apps.desk.numbers.terms import TERMS
from voc.models import LoopState
from voc.store.loop_lists import Which


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
                "A colleague was not told of a ticket that is not finished. Look at their address "
                "in the company file.",
            ),
            "/desk/messages?show=alerts",
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


@dataclass(frozen=True, slots=True)
class End:
    """What became of a loop: the name of its count among the figures, and which loops these are."""

    code: str
    name: str
    counted_as: str
    term: str
    which: Which


ENDS = (
    End("open", "We owe an answer", "loop:open", "open", Which(LoopState.OPEN)),
    End("told", "Told, their answer awaited", "loop:told", "told", Which(LoopState.TOLD)),
    End("solved", "Closed: solved", "closed:solved", "solved", Which(LoopState.CLOSED, "solved")),
    End(
        "silent",
        "Closed: told, then silent",
        "closed:silent",
        "silent",
        Which(LoopState.CLOSED, "silent"),
    ),
    End(
        "thanked",
        "Closed: thanked",
        "closed:thanked",
        "thanked",
        Which(LoopState.CLOSED, "thanked"),
    ),
    End(
        "untold",
        "Could not be told",
        "loop:could_not_tell",
        "could not tell",
        Which(LoopState.COULD_NOT_TELL),
    ),
    End(
        "dropped",
        "Not actionable",
        "loop:not_actionable",
        "not actionable",
        Which(LoopState.NOT_ACTIONABLE),
    ),
)
"""In the order of a loop's life."""

WAITING: Mapping[str, tuple[Leak, LoopState]] = MappingProxyType(
    {
        "open-now": (Leak("Open loops", TERMS["open"]), LoopState.OPEN),
        "told-now": (Leak("Told, answer awaited", TERMS["told"]), LoopState.TOLD),
    }
)
"""Loops that wait now, whenever it was said."""


def loops_behind(code: str) -> tuple[Leak, Which] | None:
    """Which loops of a period are behind a number; None if there is no such number."""
    kind, _, group = code.partition("-")
    if kind == "untold" and group in UNTOLD:
        return UNTOLD[group], Which(LoopState.COULD_NOT_TELL, group)
    end = next((each for each in ENDS if each.code == code), None)
    if end is None:
        return None
    return (SILENT if code == "silent" else Leak(end.name, TERMS[end.term])), end.which
