"""What is seen of the shop: its tables, and how things stood when a reply left it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from typing import Any

from sqlalchemy import Engine
from sqlmodel import col, select

from tests.machine.provider import Delivered
from voc.models import Answer, Feedback, InboundEvent, Loop, Message, Ticket, TicketState
from voc.store.database import transaction
from voc.store.tickets import tickets_of

UNFINISHED = frozenset({TicketState.OPEN, TicketState.IN_PROGRESS})
TABLES: tuple[type[Any], ...] = (Feedback, Loop, Ticket, Message, Answer, InboundEvent)


@dataclass(frozen=True)
class Snapshot:
    """The tables at one moment."""

    feedback: list[Feedback]
    loops: list[Loop]
    tickets: list[Ticket]
    messages: list[Message]
    answers: list[Answer]
    reports: list[InboundEvent]

    def values(self) -> list[dict[str, Any]]:
        """Every value of every row, to be compared."""
        return [row.model_dump() for rows in vars(self).values() for row in rows]


@dataclass(frozen=True)
class Reply:
    """How things stood when the provider took our answer to a customer."""

    message_id: str
    step: str
    round: int
    unfinished: int
    """Tickets of its loop that were still worked on."""
    text: str
    actions: list[str]
    """What the departments have done, as they last said."""


def snapshot(engine: Engine) -> Snapshot:
    with transaction(engine) as session:
        tables: list[list[Any]] = [list(session.exec(select(table))) for table in TABLES]
    return Snapshot(*tables)


def reply_of(engine: Engine, mail: Delivered, done: Mapping[int, str]) -> Reply | None:
    """What is known of a mail that is just being taken; None if it tells no outcome.

    Args:
        done: By ticket what its owner last said to have done.
    """
    with transaction(engine) as session:
        query = select(Message, Loop).join(Loop, col(Loop.id) == Message.loop_id)
        query = query.where(Message.message_id == mail.message_id)
        found = session.exec(query.where(Message.template == "resolution")).one_or_none()
        if found is None:
            return None
        message, loop = found
        theirs = tickets_of(session, loop.id or 0)
        return Reply(
            message_id=mail.message_id,
            step=message.step,
            round=loop.round,
            unfinished=sum(ticket.state in UNFINISHED for ticket in theirs),
            text=_text(mail.content),
            actions=[done[ticket.id or 0] for ticket in theirs if ticket.id in done],
        )


def is_misplaced(engine: Engine, mail: Delivered) -> bool:
    """Whether a mail that is just being taken gives a ticket to somebody who does not have it."""
    with transaction(engine) as session:
        query = select(Ticket.owner).join(Message, col(Message.ticket_id) == Ticket.id)
        query = query.where(Message.message_id == mail.message_id)
        found = session.exec(query.where(Message.template == "ticket_assigned")).all()
    return any(owner != mail.to for owner in found)


def _text(content: bytes) -> str:
    body = message_from_bytes(content, policy=default).get_body(preferencelist=("plain",))
    return " ".join(body.get_content().split()) if body else ""
