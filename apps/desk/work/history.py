"""What happened to a ticket, in words: the ledger's events and colleagues' comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from voc.company.model import Company
from voc.models import TicketComment, TicketEvent
from voc.models import TicketEventKind as Kind

SAID = {
    Kind.OPENED: "Opened for {department}",
    Kind.JOINED: "The customer's same issue came once more and joined this ticket",
    Kind.ACCEPTED: "Taken",
    Kind.ASSIGNED: "Given to {detail}",
    Kind.RELEASED: "Given back to the queue",
    Kind.REASSIGNED: "Handed over to {department}",
    Kind.RESOLVED: "Resolved",
    Kind.TAKEN_BACK: "Not resolved after all: the resolution was taken back",
    Kind.SNOOZED: "Put off",
    Kind.WOKEN: "Back in the queue",
    Kind.MERGED: "Merged {detail}",
    Kind.ESCALATED: "Late: raised to {detail}",
    Kind.CLOSED: "Closed",
    Kind.MESSAGE_SENT: "A message to colleagues about it left",
    Kind.LOOP_TOLD: "The customer was told",
    Kind.LOOP_CLOSED: "The loop closed: {detail}",
    Kind.LOOP_ENDED: "The loop ended without telling the customer: {detail}",
}
REOPENED = {
    "not_solved": "Back: the customer says that it is not solved",
    "refused": "Back: the reply was not approved",
}
NOT_SHOWN = frozenset(
    {Kind.COMMENTED, Kind.COMMENT_REMOVED, Kind.DECIDED, Kind.ANSWERED}
    | {Kind.MESSAGE_SENDING, Kind.MESSAGE_ENDED, Kind.MESSAGE_QUEUED}
)
"""What is said better elsewhere on the page: by the comment, the reason, the answer itself. What
becomes of a message before it has left concerns operations."""
REASONED = frozenset({Kind.LOOP_CLOSED, Kind.LOOP_ENDED})
"""Events whose detail is a reason; others' names somebody or something."""
NOBODY = frozenset({"vocloop", "customer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the history."""

    at: datetime
    what: str
    actor: str | None
    """None: nobody in particular."""
    words: str | None = field(default=None, repr=False)
    """Of a comment."""
    comment: int | None = None


def history(
    events: Sequence[TicketEvent], comments: Sequence[TicketComment], company: Company
) -> list[Entry]:
    """Everything in one line of time, the newest first."""
    names = {department.id: department.name for department in company.departments}
    said = [
        Entry(
            at=event.at,
            what=in_words(event, names),
            actor=None if event.actor in NOBODY else event.actor,
        )
        for event in events
        if event.kind not in NOT_SHOWN
    ]
    written = [
        Entry(at=each.at, what="Comment", actor=each.author, words=each.words, comment=each.id)
        for each in comments
    ]
    return sorted([*said, *written], key=lambda entry: entry.at)[::-1]


def in_words(event: TicketEvent, departments: Mapping[str, str]) -> str:
    """One event in words."""
    if event.kind is Kind.REOPENED:
        return REOPENED.get(event.detail, "Back to work")
    pattern = SAID.get(event.kind, event.kind.replace("_", " ").capitalize())
    return pattern.format(
        department=departments.get(event.detail, event.detail),
        detail=event.detail.replace("_", " ") if event.kind in REASONED else event.detail,
    )
