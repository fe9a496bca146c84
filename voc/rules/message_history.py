"""What a message can be after what the ledger says of it: the arrows, walked backwards.

The ledger holds only the moves that say what may have left; the others happen in between,
unseen. So several states are possible at once, and an event must follow from one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from voc.models import MessageState as Is
from voc.models import TicketEventKind as Kind
from voc.rules.messages import ARROWS, event_of

SYSTEM = "vocloop"
STATES: Mapping[Kind, Is | None] = MappingProxyType(
    {
        Kind.MESSAGE_SENDING: Is.SENDING,
        Kind.MESSAGE_SENT: Is.SENT,
        Kind.MESSAGE_QUEUED: Is.QUEUED,
        Kind.MESSAGE_ENDED: None,
    }
)
"""What a message is after an event of this kind. None: the detail begins with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event about a message."""

    event_id: int
    kind: Kind
    detail: str
    actor: str


class ImpossibleHistoryError(Exception):
    """An event that cannot follow those before it."""

    def __init__(self, entry: Entry, problem: str) -> None:
        super().__init__(entry, problem)
        self.entry = entry
        self.problem = problem


def replay(history: Iterable[Entry], *, is_whole: bool) -> frozenset[Is]:
    """The states that a message with this history can be in.

    Args:
        is_whole: Its life began after the ledger held messages. If not, it began anywhere.

    Raises:
        ImpossibleHistoryError: It was handed over twice, or came from where it cannot.
    """
    possible = _unseen(Is.PLANNED) if is_whole else frozenset(Is)
    for entry in history:
        state = _state_after(entry)
        if state is None or not any(_leads(before, state, entry) for before in possible):
            raise ImpossibleHistoryError(entry, _problem(entry, possible))
        possible = _unseen(state)
    return possible


def _state_after(entry: Entry) -> Is | None:
    if (state := STATES[entry.kind]) is not None:
        return state
    said = entry.detail.partition(":")[0]
    return Is(said) if said in {state.value for state in Is} else None


def _leads(before: Is, state: Is, entry: Entry) -> bool:
    if before is Is.UNKNOWN and state is Is.QUEUED and entry.actor == SYSTEM:
        return False  # in doubt: only a person may send it again
    return state in ARROWS.get(before, frozenset()) and event_of(before, state) is entry.kind


def _problem(entry: Entry, possible: frozenset[Is]) -> str:
    if entry.kind is Kind.MESSAGE_SENDING:
        return "hands it over a second time, and nobody found out that it had not left"
    if entry.kind is Kind.MESSAGE_QUEUED and Is.UNKNOWN in possible:
        return "sends it again though it may have arrived, and no person said so"
    return f"cannot follow while it is {' or '.join(sorted(possible))}"


@cache
def _unseen(state: Is) -> frozenset[Is]:
    """Where a message in *state* can get to without an event."""
    reached, new = {state}, {state}
    while new:
        new = {t for s in new for t in ARROWS.get(s, ()) if event_of(s, t) is None} - reached
        reached |= new
    return frozenset(reached)
