"""Two tickets of one customer about the same issue become one."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from voc.actions.tickets import move
from voc.errors import VocError
from voc.models import Ticket, TicketEventKind
from voc.rules.lifecycle import UNFINISHED
from voc.rules.queue import RANKS
from voc.store import comments, events, messages, tickets
from voc.store.events import Happening

MERGED = "merged"


def merge(session: Session, ticket_id: int, into_id: int, *, actor: str, now: datetime) -> Ticket:
    """Let another ticket of the same customer stand for this one, too; that other ticket.

    It takes over statements, loops and comments, the earlier promise and the higher priority.
    This one is closed; no loop waits for it any more, so nobody is told about it by itself.

    Raises:
        VocError: They are the same ticket, of two customers, or the other one is finished.
        IllegalTransitionError: This one is finished.
    """
    if ticket_id == into_id:
        raise VocError(f"ticket {ticket_id} cannot be merged into itself")
    target = tickets.locked(session, into_id)
    if target.customer_id != tickets.found(session, ticket_id).customer_id:
        raise VocError(f"tickets {ticket_id} and {into_id} are of two customers")
    if target.state not in UNFINISHED:
        raise VocError(f"ticket {into_id} is {target.state.value}: nothing can join it")
    detail = f"into {into_id}"
    ticket = move(session, ticket_id, TicketEventKind.MERGED, actor=actor, now=now, detail=detail)
    ticket.closed_at, ticket.merged_into_id = now, into_id
    messages.cancel(session, ticket_id=ticket_id, reason=MERGED, now=now)
    comments.hand_on(session, ticket_id, into_id)
    joined: list[int | None] = [*tickets.hand_on_loops(session, ticket_id, into_id)]
    happened = [
        Happening(
            kind=TicketEventKind.JOINED, ticket_id=into_id, loop_id=loop, detail=target.department
        )
        for loop in joined or [None]  # that its priority and promises changed is known in any case
    ]
    events.append(session, happened, actor=actor, now=now)
    _take_over_promises(target, ticket)
    session.add(target)
    return target


def _take_over_promises(target: Ticket, ticket: Ticket) -> None:
    target.priority = min(target.priority, ticket.priority, key=lambda each: RANKS[each])
    target.first_response_due_at = min(target.first_response_due_at, ticket.first_response_due_at)
    target.resolution_due_at = min(target.resolution_due_at, ticket.resolution_due_at)
    target.snoozed_until = None
