"""Messages: planned by the domain, written once, moved along their life.

Every move is guarded by the state it starts from, and by the sender where there is one: of two
who try, one moves the row and the other learns that it did not. What may have left, and every
end, is written into the ledger by the move itself: nobody can forget it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, false, func, not_, or_, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from voc.models import (
    DeliveryChannel,
    Link,
    Message,
    MessageKind,
    MessageState,
)
from voc.rules.contact import Why
from voc.rules.messages import WAITING, check_arrow, detail_of, event_of
from voc.rules.provenance import handed_over
from voc.store import events
from voc.store.events import Happening
from voc.store.upsert import insert_new

Is = MessageState
SYSTEM = "vocloop"
NOT_IN_MEMORY = {"synchronize_session": False}
UNSETTLED = frozenset({Is.PLANNED, Is.QUEUED, Is.CLAIMED, Is.SENDING})


def plan(
    session: Session,
    *,
    subject: str,
    step: str,
    recipient: str,
    kind: MessageKind,
    template: str,
    now: datetime,
    customer_id: int | None = None,
    loop_id: int | None = None,
    ticket_id: int | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    channel: DeliveryChannel = DeliveryChannel.EMAIL,
) -> bool:
    """Plan a message in the transaction of what causes it; False if it was planned before.

    One that was cancelled, and so never left, is planned anew under its key. A step of a loop was
    planned before also if its customer was somebody else's number then: who is merged with
    another customer is not told twice.
    """
    row = {
        "subject": subject,
        "step": step,
        "channel": channel,
        "recipient": recipient,
        "kind": kind,
        "template": template,
        "customer_id": customer_id,
        "loop_id": loop_id,
        "ticket_id": ticket_id,
        "state": Is.PLANNED,
        "planned_at": now,
        "not_before": not_before or now,
        "expires_at": expires_at,
        "attempts": 0,
        "needs_approval": False,
    }
    return insert_new(session, Message, [row]) == 1 or _plan_again(session, row)


def _plan_again(session: Session, row: Mapping[str, Any]) -> bool:
    to_customer = col(Message.kind) == MessageKind.FOLLOW_UP
    cancelled = session.exec(
        select(Message).where(
            Message.subject == row["subject"],
            Message.step == row["step"],
            Message.state == Is.CANCELLED,
            or_(to_customer, col(Message.recipient) == row["recipient"]),
        )
    ).one_or_none()
    if cancelled is None:
        return False
    cancelled.customer_id = row["customer_id"]
    return write_anew(session, cancelled, now=row["planned_at"], not_before=row["not_before"])


def is_written(session: Session, loop_id: int, step: str) -> bool:
    """Whether this step's message has got further than PLANNED, whatever became of it."""
    query = select(Message.id).where(
        Message.loop_id == loop_id, Message.step == step, Message.state != Is.PLANNED
    )
    return session.exec(query.limit(1)).first() is not None


def times_told(session: Session, ticket_id: int, name: str, recipient: str) -> int:
    """How many messages about a ticket with steps of this name have left to somebody, or ended.

    What still waits and what was taken back does not count: it can yet be told.
    """
    told = col(Message.state).not_in(UNSETTLED | {Is.HELD, Is.CANCELLED})
    step = col(Message.step).startswith(f"{name}.")
    query = select(func.count()).where(Message.ticket_id == ticket_id, step, told)
    return session.exec(query.where(Message.recipient == recipient)).one()


def write_anew(
    session: Session,
    message: Message,
    *,
    now: datetime,
    not_before: datetime,
    planned_at: datetime | None = None,
    reason: str | None = None,
    actor: str = SYSTEM,
) -> bool:
    """Back to PLANNED: nothing of it has left, or has arrived, and its words are no longer right.

    Args:
        planned_at: Since when it is news; from now on if None.
    """
    session.exec(delete(Link).where(col(Link.message_id) == message.id))
    return move(
        session,
        message,
        Is.PLANNED,
        now=now,
        reason=reason,
        actor=actor,
        planned_at=planned_at or now,
        not_before=not_before,
        address=None,
        message_id=None,
        content=None,
        frozen_at=None,
        sender_id=None,
        merged_into_id=None,
        needs_approval=False,
        approved_by=None,
        approved_at=None,
        approved_hash=None,
        refusal=None,
    )


def write_other_words(session: Session, message: Message, *, now: datetime) -> None:
    """Anew, but no newer: it expires when it would have."""
    planned_at, not_before = message.planned_at, message.not_before
    write_anew(session, message, now=now, not_before=not_before, planned_at=planned_at)


def cancel(
    session: Session,
    *also: ColumnElement[bool],
    loop_id: int | None = None,
    ticket_id: int | None = None,
    steps: Iterable[str] | None = None,
    reason: str,
    now: datetime,
) -> int:
    """Take back what has not left yet of a loop or ticket; return how many that were.

    What a sender has claimed is not touched: it asks whether it is still wanted at its last
    look.

    Args:
        also: What must hold of them, too.
        steps: Only these, by name: "reminder" takes back every round's. All if None.
    """
    if loop_id is None and ticket_id is None:
        raise ValueError("cancel needs a loop or a ticket")
    about = [*also]
    if loop_id is not None:
        about.append(col(Message.loop_id) == loop_id)
    if ticket_id is not None:
        about.append(col(Message.ticket_id) == ticket_id)
    if steps is not None:
        step = col(Message.step)
        named = [(step == s) | step.startswith(f"{s}.") for s in steps]
        about.append(or_(false(), *named))
    about.append((col(Message.state) != Is.HELD) | (Message.reason == Why.NEEDS_APPROVAL.value))
    return move_all(session, WAITING | {Is.HELD}, Is.CANCELLED, *about, reason=reason, now=now)


def withdraw(session: Session, *, loop_id: int, step: str, reason: str, now: datetime) -> None:
    """Take back the words of a step, whatever they wait for: these never leave.

    A message that a person holds stays held, and is written with other words when it is released.
    """
    its = (col(Message.loop_id) == loop_id, col(Message.step) == step)
    by_hand = (col(Message.state) == Is.HELD) & (col(Message.reason) == Why.BY_HAND.value)
    for message in session.exec(select(Message).where(*its, by_hand)).all():
        write_anew(session, message, now=now, not_before=message.not_before, reason=reason)
        move(session, message, Is.HELD, now=now, reason=Why.BY_HAND.value)
    waits = (*its, not_(by_hand))
    move_all(session, WAITING | {Is.HELD}, Is.CANCELLED, *waits, reason=reason, now=now)


def move(
    session: Session,
    message: Message,
    to: MessageState,
    *,
    now: datetime,
    reason: str | None = None,
    actor: str = SYSTEM,
    **changes: Any,
) -> bool:
    """Move *message* from the state (and sender) that it was read in; False if it is elsewhere.

    Takes the ledger's head if the move is written there: whoever locks rows in the same
    transaction does so afterwards.

    Args:
        reason: A code or a sentence of ours, without anybody's words or address.

    Raises:
        IllegalTransitionError: There is no such arrow.
    """
    assert message.id is not None  # noqa: S101  (it was read)
    check_arrow(message.id, message.state, to)
    if kind := event_of(message.state, to):
        events.lock_head(session)
    query = update(Message).where(
        col(Message.id) == message.id, col(Message.state) == message.state
    )
    if message.sender_id is not None:
        query = query.where(col(Message.sender_id) == message.sender_id)
    if to is Is.QUEUED:
        changes.setdefault("sender_id", None)
    changes |= {"state": to, "reason": reason, "settled_at": None if to in UNSETTLED else now}
    moved = session.execute(query.values(**changes), execution_options=NOT_IN_MEMORY)
    if cast(CursorResult[Any], moved).rowcount != 1:
        return False
    for name, value in changes.items():
        set_committed_value(message, name, value)  # it is in the database already
    if kind:
        way = message.provider_id
        if to is Is.SENDING:
            way = handed_over(message.route or "", message.content or b"")
        happened = Happening(
            kind=kind,
            message_id=message.id,
            loop_id=message.loop_id,
            ticket_id=message.ticket_id,
            detail=detail_of(to, reason, way),
        )
        events.append(session, [happened], actor=actor, now=now)
    return True


def move_all(
    session: Session,
    states: Collection[MessageState],
    to: MessageState,
    *which: ColumnElement[bool],
    now: datetime,
    reason: str | None = None,
    actor: str = SYSTEM,
) -> int:
    """Move all messages in *states* of which *which* holds; return how many. See `move`.

    Raises:
        IllegalTransitionError: There is no such arrow from one of them.
    """
    for state in states:
        check_arrow("of several", state, to)
    kind = event_of(next(iter(states)), to)
    events.lock_head(session)
    query = update(Message).where(col(Message.state).in_(states), *which)
    settled_at = None if to in UNSETTLED else now
    query = query.values(state=to, reason=reason, settled_at=settled_at, sender_id=None)
    moved = query.returning(*map(col, (Message.id, Message.loop_id, Message.ticket_id)))
    rows = session.execute(moved, execution_options=NOT_IN_MEMORY).all()
    if kind:
        detail = detail_of(to, reason, None)
        happened = [
            Happening(kind=kind, message_id=m, loop_id=loop_id, ticket_id=t, detail=detail)
            for m, loop_id, t in sorted(rows, key=lambda row: row[0])
        ]
        events.append(session, happened, actor=actor, now=now)
    return len(rows)
