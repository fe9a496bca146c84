"""Messages on their way: planned by the domain, moved along their life by the outbox.

Every move is guarded by the state it starts from, and by the sender where there is one: of two
who try, one moves the row and the other learns that it did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, false, func, or_, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from voc.models import (
    DeliveryChannel,
    Link,
    LinkPurpose,
    Message,
    MessageKind,
    MessageState,
)
from voc.rules.contact import Why
from voc.rules.messages import WAITING, check_arrow
from voc.store.upsert import insert_new

Is = MessageState
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

    One that was cancelled, and so never left, is planned anew under its key.
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
    cancelled = session.exec(
        select(Message).where(
            Message.subject == row["subject"],
            Message.step == row["step"],
            Message.channel == row["channel"],
            Message.recipient == row["recipient"],
            Message.state == Is.CANCELLED,
        )
    ).one_or_none()
    return cancelled is not None and write_anew(
        session, cancelled, now=row["planned_at"], not_before=row["not_before"]
    )


def is_written(session: Session, loop_id: int, step: str) -> bool:
    """Whether this step's message has got further than PLANNED, whatever became of it."""
    query = select(Message.id).where(
        Message.loop_id == loop_id, Message.step == step, Message.state != Is.PLANNED
    )
    return session.exec(query.limit(1)).first() is not None


def write_anew(session: Session, message: Message, *, now: datetime, not_before: datetime) -> bool:
    """Back to PLANNED: nothing of it has left, and its words are no longer right."""
    session.exec(delete(Link).where(col(Link.message_id) == message.id))
    return move(
        session,
        message,
        Is.PLANNED,
        now=now,
        planned_at=now,
        not_before=not_before,
        address=None,
        message_id=None,
        content=None,
        frozen_at=None,
        sender_id=None,
    )


def cancel(
    session: Session,
    *,
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
        steps: Only these, by name: "reminder" takes back every round's. All if None.
    """
    query = update(Message).where(col(Message.state).in_(WAITING))
    if loop_id is not None:
        query = query.where(col(Message.loop_id) == loop_id)
    if ticket_id is not None:
        query = query.where(col(Message.ticket_id) == ticket_id)
    if steps is not None:
        step = col(Message.step)
        named = [(step == s) | step.startswith(f"{s}.") for s in steps]
        query = query.where(or_(false(), *named))
    if loop_id is None and ticket_id is None:
        raise ValueError("cancel needs a loop or a ticket")
    return _rows(session, query.values(state=Is.CANCELLED, reason=reason, settled_at=now))


def move(
    session: Session,
    message: Message,
    to: MessageState,
    *,
    now: datetime,
    reason: str | None = None,
    **changes: Any,
) -> bool:
    """Move *message* from the state (and sender) that it was read in; False if it is elsewhere.

    Raises:
        IllegalTransitionError: There is no such arrow.
    """
    assert message.id is not None  # noqa: S101  (it was read)
    check_arrow(message.id, message.state, to)
    query = update(Message).where(
        col(Message.id) == message.id, col(Message.state) == message.state
    )
    if message.sender_id is not None:
        query = query.where(col(Message.sender_id) == message.sender_id)
    settled_at = None if to in UNSETTLED else now
    if to is Is.QUEUED:
        changes.setdefault("sender_id", None)
    changes |= {"state": to, "reason": reason, "settled_at": settled_at}
    moved = _rows(session, query.values(**changes)) == 1
    if moved:
        for name, value in changes.items():
            set_committed_value(message, name, value)  # it is in the database already
    return moved


def freeze(
    session: Session,
    message: Message,
    *,
    address: str,
    message_id: str,
    content: bytes,
    envelope_sender: str,
    links: Sequence[tuple[str, LinkPurpose]],
    links_expire_at: datetime,
    now: datetime,
) -> bool:
    """PLANNED to QUEUED: from here on the bytes do not change, whoever edits a template.

    Args:
        links: Hash and purpose of each token in the mail.
    """
    if not move(
        session,
        message,
        Is.QUEUED,
        now=now,
        address=address,
        message_id=message_id,
        content=content,
        envelope_sender=envelope_sender,
        frozen_at=now,
    ):
        return False
    rows = [
        {
            "token_hash": token_hash,
            "purpose": purpose,
            "message_id": message.id,
            "expires_at": links_expire_at,
        }
        for token_hash, purpose in links
    ]
    insert_new(session, Link, rows)
    return True


def claim(session: Session, sender_id: str, now: datetime) -> Message | None:
    """Take the next message that is due, for this sender only; None if there is none."""
    due = (
        select(Message.id)
        .where(Message.state == Is.QUEUED, col(Message.not_before) <= now)
        .order_by(col(Message.id))
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    query = (
        update(Message)
        .where(col(Message.id) == due, col(Message.state) == Is.QUEUED)
        .values(state=Is.CLAIMED, sender_id=sender_id)
        .returning(Message)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(query).one_or_none()


def release_held(session: Session) -> int:
    """Queue what the kill switch held. What a hold-out holds stays held."""
    query = update(Message).where(
        col(Message.state) == Is.HELD, col(Message.reason) == Why.KILL_SWITCH.value
    )
    return _rows(
        session, query.values(state=Is.QUEUED, reason=None, settled_at=None, sender_id=None)
    )


def in_flight(session: Session) -> list[Message]:
    """What senders have claimed or are handing over, dead ones' included."""
    states = (Is.CLAIMED, Is.SENDING)
    query = select(Message).where(col(Message.state).in_(states)).order_by(col(Message.id))
    return list(session.exec(query))


def planned_span(session: Session, now: datetime) -> tuple[int, int, int]:
    """Lowest and highest id, and number, of what is planned and due; zeros if nothing is."""
    ids = col(Message.id)
    low, high, n = session.exec(
        select(func.min(ids), func.max(ids), func.count()).where(
            Message.state == Is.PLANNED, col(Message.not_before) <= now
        )
    ).one()
    return low or 0, high or 0, n


def resolve_unknown(
    session: Session, message_id: int, to: MessageState, *, reason: str, now: datetime
) -> bool:
    """Evidence on a message whose reply was lost; False if it is not in doubt any more.

    Args:
        to: SENT (it arrived), QUEUED (send it again) or ABANDONED (leave it).

    Raises:
        IllegalTransitionError: Another state was asked for.
    """
    message = session.get_one(Message, message_id)
    if message.state is not Is.UNKNOWN:
        return False
    return move(session, message, to, now=now, reason=reason, not_before=now)


def _rows(session: Session, query: Any) -> int:
    result = session.execute(query.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)  # noqa: S101  (of an UPDATE)
    return result.rowcount
