"""What a page says after a deed, and the way back from it while there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sqlmodel import Session

from apps.desk.access.gate import Visitor
from voc.actions.ticket_undo import came_from, may_hand_back
from voc.models import Ticket, TicketEventKind
from voc.rules.lifecycle import TICKET_ARROWS
from voc.store.ticket_history import history_of
from voc.store.tickets import find


class Deed(StrEnum):
    """What can be done with a ticket: the last part of the address that does it."""

    ACCEPT = "accept"
    RELEASE = "release"
    ASSIGN = "assign"
    HAND_OVER = "hand-over"
    HAND_BACK = "hand-back"
    COMMENT = "comment"
    SNOOZE = "snooze"
    WAKE = "wake"
    RESOLVE = "resolve"
    TAKE_BACK = "take-back"
    MERGE = "merge"


EVENTS: Mapping[Deed, TicketEventKind] = MappingProxyType(
    {
        Deed.ACCEPT: TicketEventKind.ACCEPTED,
        Deed.RELEASE: TicketEventKind.RELEASED,
        Deed.ASSIGN: TicketEventKind.ASSIGNED,
        Deed.HAND_OVER: TicketEventKind.REASSIGNED,
        Deed.HAND_BACK: TicketEventKind.REASSIGNED,
        Deed.COMMENT: TicketEventKind.COMMENTED,
        Deed.SNOOZE: TicketEventKind.SNOOZED,
        Deed.WAKE: TicketEventKind.WOKEN,
        Deed.RESOLVE: TicketEventKind.RESOLVED,
        Deed.TAKE_BACK: TicketEventKind.TAKEN_BACK,
        Deed.MERGE: TicketEventKind.MERGED,
    }
)
"""What the ledger calls it."""

SAYS: Mapping[Deed, str] = MappingProxyType(
    {
        Deed.ACCEPT: "The ticket is yours now.",
        Deed.RELEASE: "The ticket is nobody's again. Its clocks run on.",
        Deed.ASSIGN: "The ticket has a new owner, who gets a mail.",
        Deed.HAND_OVER: "The ticket was handed over. The next one like this goes there sooner.",
        Deed.HAND_BACK: "The ticket is back, its clocks as they were. The router learned nothing.",
        Deed.COMMENT: "Your comment is there for your colleagues.",
        Deed.SNOOZE: "The ticket is put off, and comes back by itself. Its clocks run on.",
        Deed.WAKE: "The ticket is back in the queue.",
        Deed.RESOLVE: "The ticket is resolved. The customer hears of it with the next run.",
        Deed.TAKE_BACK: "It is not resolved any more. The customer was not told.",
        Deed.MERGE: "The other ticket is part of this one now.",
    }
)
NOBODY_TO_TELL = "The ticket is resolved, and closed at once: no customer of it can be told."
UNDONE_BY: Mapping[Deed, Deed] = MappingProxyType(
    {
        Deed.ACCEPT: Deed.RELEASE,
        Deed.RELEASE: Deed.ACCEPT,
        Deed.ASSIGN: Deed.RELEASE,
        Deed.HAND_OVER: Deed.HAND_BACK,
        Deed.SNOOZE: Deed.WAKE,
        Deed.RESOLVE: Deed.TAKE_BACK,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A sentence, and where a form goes that undoes what it says; None: it cannot be undone."""

    text: str
    undo: str | None


def address_of(ticket_id: int, deed: Deed) -> str:
    """Where the form of a deed goes."""
    return f"/desk/tickets/{ticket_id}/{deed}"


def may(ticket: Ticket, deed: Deed) -> bool:
    """Whether the ticket's state lets it happen."""
    return (ticket.state, EVENTS[deed]) in TICKET_ARROWS


def done_of(ticket: Ticket, code: str) -> Done | None:
    """What to say on a ticket's page after the deed *code*; None if that is no deed."""
    if code not in list(Deed):
        return None
    deed = Deed(code)
    back = UNDONE_BY.get(deed)
    can = back is not None and back is not Deed.HAND_BACK and may(ticket, back)
    ended = deed is Deed.RESOLVE and ticket.closed_at and ticket.closed_at == ticket.resolved_at
    text = NOBODY_TO_TELL if ended else SAYS[deed]
    return Done(text=text, undo=address_of(ticket.id or 0, back) if back and can else None)


def undo_from_queue(session: Session, code: str, ticket_id: int, visitor: Visitor) -> Done | None:
    """What to say in the queue after a ticket has left it; None if nothing did."""
    ticket = find(session, ticket_id)
    if ticket is None or code not in {Deed.HAND_OVER, Deed.SNOOZE}:
        return None
    if code == Deed.SNOOZE:
        return done_of(ticket, code) if visitor.sees(ticket.department) else None
    history = history_of(session, ticket_id)
    can = may_hand_back(history, visitor.email) and visitor.sees(came_from(history) or "")
    if not can and not visitor.sees(ticket.department):
        return None
    return Done(
        text=SAYS[Deed.HAND_OVER],
        undo=address_of(ticket_id, Deed.HAND_BACK) if can else None,
    )
