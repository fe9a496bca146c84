"""Approving: what waits, and what a person decided. Numbers and fingerprints only, no words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.discreet import discreet
from tasks.workplace import workplace
from voc.actions import approval as actions
from voc.actions.approval import ChangedError, NotWaitingError
from voc.errors import NotFoundError, VocError
from voc.store import approval as store
from voc.store.database import transaction

AT_ONCE = 100  # messages in one form: nobody reads more in one sitting


class Waiting(TypedDict):
    """A message that waits, as a form may show it."""

    message: int
    what: str
    loop: int | None
    fingerprint: str


@task(cache_policy=NO_CACHE)
@discreet
def list_waiting() -> list[Waiting]:
    """The messages that wait for approval, the longest waiting first."""
    with transaction(workplace().engine) as session:
        rows = store.listing(session, limit=AT_ONCE)
    return [
        Waiting(
            message=row.id or 0,
            what=row.template,
            loop=row.loop_id,
            fingerprint=actions.fingerprint(row),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What one person decided, of what they were shown."""

    approver: str
    approve: Sequence[int]
    refuse: Sequence[int]
    why: str
    seen: Mapping[int, str]
    """By message the fingerprint that was shown; what was not shown is not decided."""


@task(cache_policy=NO_CACHE)
@discreet
def apply_decisions(decisions: Decisions, now: datetime) -> dict[str, int]:
    """Approve and refuse, each message in a transaction of its own; what came of it.

    Raises:
        VocError: The decisions contradict each other; then none was applied.
    """
    if both := set(decisions.approve) & set(decisions.refuse):
        raise VocError(f"message {min(both)} is both approved and refused; nothing was decided")
    if decisions.refuse and not decisions.why.strip():
        raise VocError("to refuse a message say why; nothing was decided")
    numbers = dict.fromkeys((*decisions.approve, *decisions.refuse))
    return dict(Counter(_decide(number, decisions, now) for number in numbers))


def _decide(number: int, decisions: Decisions, now: datetime) -> str:
    place, actor, seen = workplace(), decisions.approver, decisions.seen.get(number)
    if seen is None:
        return "not_shown"
    try:
        with transaction(place.engine) as session:
            if number in decisions.approve:
                actions.approve(session, number, seen=seen, actor=actor, now=now)
                return "approved"
            why, company = decisions.why, place.company
            actions.refuse(session, number, company, why=why, seen=seen, actor=actor, now=now)
            return "refused"
    except ChangedError:
        return "written_anew"
    except (NotWaitingError, NotFoundError):
        return "no_longer_waiting"
