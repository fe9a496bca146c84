"""The life of a message, as a table of arrows, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from types import MappingProxyType

from voc.errors import IllegalTransitionError
from voc.models import LoopState, TicketState
from voc.models import MessageState as Is
from voc.rules.lifecycle import UNFINISHED

ARROWS: Mapping[Is, frozenset[Is]] = MappingProxyType(
    {
        Is.PLANNED: frozenset(
            {Is.QUEUED, Is.CANCELLED, Is.SUPPRESSED, Is.EXPIRED, Is.HELD, Is.DEAD}
        ),
        Is.QUEUED: frozenset({Is.CLAIMED, Is.CANCELLED, Is.PLANNED}),
        # Nothing has been handed over yet: every way out is harmless.
        Is.CLAIMED: frozenset(
            {
                Is.SENDING,
                Is.QUEUED,
                Is.SUPPRESSED,
                Is.EXPIRED,
                Is.HELD,
                Is.CANCELLED,
                Is.FAILED,
                Is.DEAD,
            }
        ),
        Is.SENDING: frozenset({Is.SENT, Is.UNKNOWN, Is.QUEUED, Is.FAILED, Is.DEAD}),
        Is.SENT: frozenset({Is.DELIVERED, Is.BOUNCED, Is.COMPLAINED}),
        Is.DELIVERED: frozenset({Is.BOUNCED, Is.COMPLAINED}),
        # Only evidence or a person moves it on; never a clock.
        Is.UNKNOWN: frozenset({Is.SENT, Is.QUEUED, Is.ABANDONED}),
        Is.HELD: frozenset({Is.QUEUED, Is.CANCELLED}),
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

BACKOFF = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 300, 600, 840, 1440))


def check_arrow(message_id: int, state: Is, wanted: Is) -> None:
    """Let *wanted* pass if it follows *state*.

    Raises:
        IllegalTransitionError: There is no such arrow.
    """
    if wanted not in ARROWS.get(state, frozenset()):
        raise IllegalTransitionError("message", message_id, state, wanted)


def retry_at(attempts: int, now: datetime, rng: Random) -> datetime | None:
    """When to try again after this many failed attempts; None if it is time to stop.

    Half of the wait is left to chance, so that a crowd does not come back as a crowd.
    """
    if attempts > len(BACKOFF):
        return None
    return now + BACKOFF[attempts - 1] * rng.uniform(0.5, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopFacts:
    """What a message about a loop may wait for."""

    state: LoopState
    round: int
    all_resolved: bool
    answered: bool
    """An answer of this round exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """What a message about a ticket may wait for."""

    state: TicketState
    hand: int
    round: int


def still_wanted(step: str, loop: LoopFacts | None, ticket: TicketFacts | None) -> bool:
    """Whether what a message is about still stands. Steps that nobody here knows always do."""
    name, *numbers = step.split(".")
    number = int(numbers[-1]) if numbers and numbers[-1].isdigit() else None
    if loop is not None:
        return _loop_wants(name, number, loop)
    if ticket is not None:
        return _ticket_wants(name, number, ticket)
    return True


def _loop_wants(name: str, number: int | None, loop: LoopFacts) -> bool:
    is_open = loop.state is LoopState.OPEN
    if name == "resolution":
        return is_open and loop.round == number and loop.all_resolved
    if name == "reminder":
        return loop.state is LoopState.TOLD and loop.round == number and not loop.answered
    return is_open if name in {"receipt", "thanks"} else True


def _ticket_wants(name: str, number: int | None, ticket: TicketFacts) -> bool:
    unfinished = ticket.state in UNFINISHED
    if name == "opened":
        return unfinished and ticket.hand == number
    if name in {"reopened", "escalation"}:
        return unfinished and ticket.round == number
    return True
