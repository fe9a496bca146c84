"""The life of a message, as a table of arrows, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from voc.errors import IllegalTransitionError
from voc.models import LoopKind, LoopState, TicketEventKind, TicketState
from voc.models import MessageState as Is
from voc.rules.lifecycle import UNFINISHED

ARROWS: Mapping[Is, frozenset[Is]] = MappingProxyType(
    {
        # To UNKNOWN: an older copy of the database was put back, and this may have left since.
        Is.PLANNED: frozenset(
            {
                Is.QUEUED,
                Is.CANCELLED,
                Is.SUPPRESSED,
                Is.EXPIRED,
                Is.HELD,
                Is.DEAD,
                Is.UNKNOWN,
            }
        ),
        Is.QUEUED: frozenset({Is.CLAIMED, Is.CANCELLED, Is.PLANNED, Is.HELD, Is.UNKNOWN}),
        # Nothing has been handed over yet: every way out is harmless.
        Is.CLAIMED: frozenset(
            {
                Is.SENDING,
                Is.QUEUED,
                Is.PLANNED,
                Is.SUPPRESSED,
                Is.EXPIRED,
                Is.HELD,
                Is.CANCELLED,
                Is.FAILED,
                Is.DEAD,
                Is.UNKNOWN,
            }
        ),
        Is.SENDING: frozenset({Is.SENT, Is.UNKNOWN, Is.QUEUED, Is.FAILED, Is.DEAD}),
        Is.SENT: frozenset({Is.DELIVERED, Is.BOUNCED, Is.COMPLAINED}),
        Is.DELIVERED: frozenset({Is.BOUNCED, Is.COMPLAINED}),
        Is.BOUNCED: frozenset({Is.COMPLAINED}),
        # Only evidence or a person sends it again or calls it sent; a clock may give it up.
        Is.UNKNOWN: frozenset({Is.SENT, Is.QUEUED, Is.PLANNED, Is.ABANDONED}),
        Is.ABANDONED: frozenset({Is.SENT}),
        Is.HELD: frozenset({Is.QUEUED, Is.PLANNED, Is.CANCELLED, Is.UNKNOWN}),
        # It never left, and what it is about has come up again.
        Is.CANCELLED: frozenset({Is.PLANNED}),
    }
)

GONE = frozenset(
    {
        Is.SENDING,
        Is.SENT,
        Is.DELIVERED,
        Is.BOUNCED,
        Is.COMPLAINED,
        Is.UNKNOWN,
        Is.ABANDONED,
    }
)
"""States in which it left us, or may have: they count against the caps."""

WAITING = frozenset({Is.PLANNED, Is.QUEUED})
"""States from which the domain may still take a message back."""

ENDED = frozenset(
    {
        Is.DELIVERED,
        Is.BOUNCED,
        Is.COMPLAINED,
        Is.UNKNOWN,
        Is.SUPPRESSED,
        Is.EXPIRED,
        Is.HELD,
        Is.CANCELLED,
        Is.FAILED,
        Is.DEAD,
        Is.ABANDONED,
    }
)
"""States that a message reaches without being sent just now: each is written into the ledger."""

IN_DOUBT_AT_MOST = timedelta(hours=72)
"""After so long nobody will say any more what became of a message: it is given up."""
IN_DOUBT_ALARM = timedelta(minutes=15)

SAME_WORDS = "same_words"
SAME_WORDS_WITHIN = timedelta(days=30)


def check_arrow(message_id: int | str, state: Is, wanted: Is) -> None:
    """Let *wanted* pass if it follows *state*.

    Raises:
        IllegalTransitionError: There is no such arrow.
    """
    if wanted not in ARROWS.get(state, frozenset()):
        raise IllegalTransitionError("message", message_id, state, wanted)


def event_of(state: Is, to: Is) -> TicketEventKind | None:
    """What the ledger says of a move; None of one that says nothing about what may have left."""
    if to is Is.SENDING:
        return TicketEventKind.MESSAGE_SENDING
    if to is Is.SENT:
        return TicketEventKind.MESSAGE_SENT
    if to in ENDED:
        return TicketEventKind.MESSAGE_ENDED
    came_back = to in WAITING and state in {Is.SENDING, Is.UNKNOWN, Is.HELD}
    return TicketEventKind.MESSAGE_QUEUED if came_back else None


def detail_of(to: Is, reason: str | None, way: str | None) -> str:
    """What the ledger says beside the kind of the event: codes, no words, no address.

    Args:
        way: The route or the provider's id, of a message that leaves.
    """
    if to in {Is.SENDING, Is.SENT}:
        return way or reason or ""
    if to in WAITING:
        return reason or ""
    return (f"{to}:{reason}" if reason else to.value)[:255]


def is_told_once(template: str) -> bool:
    """Whether the same words to the same customer are one too many, whatever they are about.

    Not for what a loop waits for: the customer is told about each of their issues, and asked,
    even if the department did the same about two of them. There the key of the message sees to
    it that a round of a loop is told once.
    """
    return template not in {"resolution", "reminder"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopFacts:
    """What a message about a loop may wait for."""

    state: LoopState
    round: int
    all_resolved: bool
    answered: bool
    """An answer of this round exists."""
    kind: LoopKind = LoopKind.ISSUE


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """What a message about a ticket may wait for."""

    state: TicketState
    hand: int
    round: int
    owner: str | None = None


def asked_in(step: str) -> int | None:
    """The round in whose question a step asks: 2 for ``resolution.2``; None if it asks nothing."""
    name, _, number = step.partition(".")
    return int(number) if name in {"resolution", "reminder"} and number.isdigit() else None


def still_wanted(
    step: str,
    loop: LoopFacts | None,
    ticket: TicketFacts | None,
    *,
    recipient: str = "",
    to_judge: bool = True,
) -> bool:
    """Whether what a message is about still stands. Steps that nobody here knows always do.

    Args:
        recipient: Whom it goes to: a ticket that was given to somebody may be another's by now.
        to_judge: Whether the unclear answer that the message is about still waits for a person.
    """
    name, *rest = step.split(".")
    if name == "judge":
        return to_judge
    numbers = [int(each) for each in rest if each.isdigit()]
    if loop is not None:
        return _loop_wants(name, numbers, loop)
    if ticket is not None:
        return _ticket_wants(name, numbers, ticket, recipient)
    return True


def _loop_wants(name: str, numbers: list[int], loop: LoopFacts) -> bool:
    is_open = loop.state is LoopState.OPEN
    if name == "resolution":
        return is_open and numbers == [loop.round] and loop.all_resolved
    if name == "reminder":
        return loop.state is LoopState.TOLD and numbers == [loop.round] and not loop.answered
    if name == "thanks":  # an edit may have made a complaint of the praise
        return is_open and loop.kind is LoopKind.THANKS
    return is_open if name == "receipt" else True


def _ticket_wants(name: str, numbers: list[int], ticket: TicketFacts, recipient: str) -> bool:
    """The last numbers of a step are the hand and the round in which it was owed."""
    unfinished = ticket.state in UNFINISHED
    if name == "opened":
        return unfinished and numbers == [ticket.hand]
    if name in {"assigned", "reopened", "escalation"}:
        is_now = numbers[-2:] == [ticket.hand, ticket.round]
        theirs = name != "assigned" or ticket.owner == recipient
        return unfinished and is_now and theirs
    return True
