"""Messages that wait for a person to read them, and the alerts that ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, func
from sqlmodel import Session, col, select

from voc.errors import NotFoundError
from voc.models import DeliveryChannel, LoopTicket, Message, MessageKind, MessageState
from voc.rules.contact import Why
from voc.rules.messages import WAITING
from voc.store import messages
from voc.store.events import lock_head

TEMPLATE = "approval_wanted"


def subject_of(message_id: int | None) -> str:
    """What the alerts about a message are about."""
    return f"message:{message_id}"


def message_of(alert: Message) -> int | None:
    """The id of the message that an alert is about; None if it is about something else."""
    noun, _, number = alert.subject.partition(":")
    return int(number) if noun == "message" and number.isdigit() else None


def is_waiting(message: Message) -> bool:
    """Whether it waits for a person to approve it."""
    return message.state is MessageState.HELD and message.reason == Why.NEEDS_APPROVAL


def waiting_for_approval() -> ColumnElement[bool]:
    """The same as a condition of a query."""
    return and_(
        col(Message.state) == MessageState.HELD, col(Message.reason) == Why.NEEDS_APPROVAL.value
    )


def listing(session: Session, *, limit: int) -> list[Message]:
    """What waits for approval, the longest waiting first."""
    since = col(Message.frozen_at), col(Message.id)
    query = select(Message).where(waiting_for_approval()).order_by(*since)
    return list(session.exec(query.limit(limit)))


def found(session: Session, message_id: int) -> Message:
    """The message, only to be read.

    Raises:
        NotFoundError: There is none with this id.
    """
    if (message := session.get(Message, message_id)) is None:
        raise NotFoundError(
            f"there is no message {message_id}; `voc approval list` shows those that wait"
        )
    return message


def locked(session: Session, message_id: int) -> Message:
    """The message, held until the transaction ends; the ledger's head first.

    Raises:
        NotFoundError: There is none with this id.
    """
    lock_head(session)
    message = found(session, message_id)
    session.refresh(message, with_for_update=True)
    return message


def ask(session: Session, message: Message, approvers: Sequence[str], *, now: datetime) -> None:
    """Owe each approver an alert; a new one each time that the message was written anew."""
    subject = subject_of(message.id)
    stop_asking(session, message.id or 0, now=now)
    asked = session.exec(
        select(func.count(col(Message.step).distinct())).where(Message.subject == subject)
    ).one()
    for address in approvers:
        messages.plan(
            session,
            subject=subject,
            step=f"approve.{asked + 1}",
            recipient=address,
            kind=MessageKind.ALERT,
            template=TEMPLATE,
            loop_id=message.loop_id,
            now=now,
        )


def stop_asking(session: Session, message_id: int, *, now: datetime) -> None:
    """Take back the alerts that have not left yet: somebody has decided."""
    about = (
        col(Message.subject) == subject_of(message_id),
        col(Message.template) == TEMPLATE,
    )
    messages.move_all(session, WAITING, MessageState.CANCELLED, *about, reason="decided", now=now)


def unless_public(loop_id: int | None) -> tuple[ColumnElement[bool], ...]:
    """Conditions: neither the public reply of a loop, nor an alert that asks to read it."""
    asked = select("message:" + cast(Message.id, String)).where(
        Message.loop_id == loop_id, Message.channel == DeliveryChannel.REVIEW
    )
    private = col(Message.channel) != DeliveryChannel.REVIEW
    return private, col(Message.subject).not_in(asked)


def refusals_of(session: Session, ticket_ids: Sequence[int | None]) -> dict[int, str]:
    """By ticket why the reply to one of its loops was refused, until it is written anew."""
    rows = session.exec(
        select(LoopTicket.ticket_id, Message.refusal)
        .join(Message, col(Message.loop_id) == LoopTicket.loop_id)
        .where(
            col(LoopTicket.ticket_id).in_(ticket_ids),
            Message.template == "resolution",
            col(Message.refusal).is_not(None),
        )
        .order_by(col(Message.id))
    )
    return {ticket_id: refusal for ticket_id, refusal in rows if refusal}
