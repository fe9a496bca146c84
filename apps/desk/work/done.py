"""What a page says after a deed, and the way back from it while there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sqlmodel import Session

from apps.desk.access.gate import Visitor
from voc.actions.ticket_undo import undoable
from voc.company.fitting import TRIAGE
from voc.models import Ticket, TicketEvent, TicketEventKind
from voc.rules.lifecycle import TICKET_ARROWS
from voc.store.listings import HARMLESS, MOVES
from voc.store.ticket_before import CAN_BE_UNDONE
from voc.store.ticket_history import newest_of
from voc.store.tickets import find


class Deed(StrEnum):
    """What can be done with a ticket: the last part of the address that does it."""

    ACCEPT = "accept"
    RELEASE = "release"
    ASSIGN = "assign"
    HAND_OVER = "hand-over"
    UNDO = "undo"
    COMMENT = "comment"
    REMOVE_COMMENT = "remove-comment"
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
        Deed.COMMENT: TicketEventKind.COMMENTED,
        Deed.REMOVE_COMMENT: TicketEventKind.COMMENT_REMOVED,
        Deed.SNOOZE: TicketEventKind.SNOOZED,
        Deed.WAKE: TicketEventKind.WOKEN,
        Deed.RESOLVE: TicketEventKind.RESOLVED,
        Deed.TAKE_BACK: TicketEventKind.TAKEN_BACK,
        Deed.MERGE: TicketEventKind.MERGED,
    }
)
"""What the ledger calls it. Undoing leads along the arrows of other deeds."""
FOR_COLLEAGUES = frozenset({Deed.COMMENT, Deed.REMOVE_COMMENT})
"""Deeds that change nothing of the ticket, and so are in nobody's way."""

SAYS: Mapping[Deed, str] = MappingProxyType(
    {
        Deed.ACCEPT: "The ticket is yours now.",
        Deed.RELEASE: "The ticket is nobody's again. Its clocks run on.",
        Deed.ASSIGN: "The ticket has a new owner, who gets a mail.",
        Deed.HAND_OVER: "The ticket was handed over. The next one like this goes there sooner.",
        Deed.COMMENT: "Your comment is there for your colleagues.",
        Deed.REMOVE_COMMENT: "Your comment is gone.",
        Deed.SNOOZE: "The ticket is put off, and comes back by itself. Its clocks run on.",
        Deed.WAKE: "The ticket is back in the queue.",
        Deed.RESOLVE: "The ticket is resolved. The customer hears of it with the next run.",
        Deed.TAKE_BACK: "It is not resolved any more. The customer was not told.",
        Deed.MERGE: "The other ticket is part of this one now.",
    }
)
TO_TRIAGE = "The ticket was handed over. Triage will look; the router learns nothing."
NOBODY_TO_TELL = "The ticket is resolved, and closed at once: no customer of it can be told."
UNDONE_BY: Mapping[Deed, Deed] = MappingProxyType(
    {
        Deed.ACCEPT: Deed.UNDO,
        Deed.RELEASE: Deed.UNDO,
        Deed.ASSIGN: Deed.UNDO,
        Deed.HAND_OVER: Deed.UNDO,
        Deed.SNOOZE: Deed.WAKE,
        Deed.RESOLVE: Deed.TAKE_BACK,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A sentence, and where a form goes that undoes what it says; None: it cannot be undone."""

    text: str
    undo: str | None
    version: int
    """Of the ticket as the sentence is about it."""


def address_of(ticket_id: int, deed: Deed) -> str:
    """Where the form of a deed goes."""
    return f"/desk/tickets/{ticket_id}/{deed}"


def may(ticket: Ticket, deed: Deed) -> bool:
    """Whether the ticket's state lets it happen. Whether it can be undone its history says."""
    if ticket.merged_into_id and deed in FOR_COLLEAGUES:
        return False  # they go on at the ticket that it is part of
    return deed is Deed.UNDO or (ticket.state, EVENTS[deed]) in TICKET_ARROWS


def moves_of(session: Session, ticket_id: int, deed: Deed) -> list[TicketEvent]:
    """The newest events that whoever does *deed* has to have seen, the newest first."""
    kinds = MOVES if deed in FOR_COLLEAGUES else MOVES - HARMLESS
    return newest_of(session, ticket_id, kinds, limit=5)


def version_of(moves: Sequence[TicketEvent]) -> int:
    """Of a ticket: it grows with whatever happens, and never comes back."""
    return (moves[0].id or 0) if moves else 0


def is_repeated(
    moves: Sequence[TicketEvent], deed: Deed, seen: str, actor: str, *, detail: str | None
) -> bool:
    """Whether all that has happened since *seen* is that *actor* did this: a second click.

    Args:
        detail: What the ledger says of the deed, where there is more than one.
    """
    numbers = [str(move.id) for move in moves]
    since = moves[: numbers.index(seen)] if seen in numbers else ()
    theirs = [move for move in since if move.kind is not TicketEventKind.CLOSED]
    kinds = CAN_BE_UNDONE if deed is Deed.UNDO else {EVENTS[deed]}
    at_once = {(move.actor, move.at) for move in theirs} == {(actor, moves[0].at)}
    return at_once and theirs[-1].kind in kinds and detail in {None, theirs[-1].detail}


def done_of(session: Session, ticket: Ticket, code: str, at: str, visitor: Visitor) -> Done | None:
    """What to say after the deed *code*, which made the ticket's version *at*.

    Returns:
        None if that is no deed, or is not the newest that happened any more, or somebody else's.
    """
    if code not in list(Deed):
        return None
    deed, key = Deed(code), ticket.id or 0
    moves = moves_of(session, key, deed)
    by = next((move.actor for move in moves if move.kind is not TicketEventKind.CLOSED), None)
    if str(version_of(moves)) != at or by != visitor.email:
        return None
    undo = _way_back(session, ticket, deed, visitor)
    return Done(
        text=_said(ticket, deed, visitor),
        undo=address_of(key, undo) if undo else None,
        version=version_of(moves),
    )


def _said(ticket: Ticket, deed: Deed, visitor: Visitor) -> str:
    if deed is Deed.UNDO:
        whose = {None: "nobody's", visitor.email: "yours"}.get(ticket.owner, f"{ticket.owner}'s")
        return f"The ticket is back as it was: it is {whose}."
    if deed is Deed.RESOLVE and ticket.closed_at and ticket.closed_at == ticket.resolved_at:
        return NOBODY_TO_TELL
    if deed is Deed.HAND_OVER and ticket.department == TRIAGE:
        return TO_TRIAGE
    return SAYS[deed]


def _way_back(session: Session, ticket: Ticket, deed: Deed, visitor: Visitor) -> Deed | None:
    back = UNDONE_BY.get(deed)
    if back is not Deed.UNDO:
        return back if back and may(ticket, back) else None
    before = undoable(session, ticket.id or 0, visitor.email)
    return back if before and visitor.sees(before.department) else None


def done_from_queue(
    session: Session, code: str, ticket_id: int, at: str, visitor: Visitor
) -> Done | None:
    """What to say in the queue after a ticket has left it; None if nothing did."""
    ticket = find(session, ticket_id)
    if ticket is None or code not in {Deed.HAND_OVER, Deed.SNOOZE}:
        return None
    return done_of(session, ticket, code, at, visitor)
