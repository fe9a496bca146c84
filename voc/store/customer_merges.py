"""What belongs to a customer, and how it changes hands when two turn out to be one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, func, select

from voc.models import (
    Consent,
    Customer,
    CustomerMerge,
    Exposure,
    Feedback,
    Identity,
    InboundEvent,
    Loop,
    Message,
    MessageKind,
    MessageState,
    Purpose,
    Ticket,
)
from voc.rules.contact import Why
from voc.rules.customer_merges import ON_THE_WAY, Side
from voc.rules.messages import WAITING
from voc.store.contact import PURPOSES
from voc.store.messages import NOT_IN_MEMORY, write_other_words
from voc.store.upsert import table_of

Moved = dict[str, list[int | str]]

BELONGINGS: tuple[type[SQLModel], ...] = (
    Identity,  # first: whoever stores feedback holds these, and is waited for here
    Feedback,
    Loop,
    Ticket,
    Message,
    Consent,
    InboundEvent,
)
"""Everything that is one customer's and has an id."""
EVERYTHING: tuple[type[SQLModel], ...] = (*BELONGINGS, Exposure)
"""And exposures, which have none."""

MAY_STILL_LEAVE = (Why.KILL_SWITCH.value, Why.RESTORED.value, Why.NEEDS_APPROVAL.value)
NOT_TOLD = frozenset(
    {
        *WAITING,
        MessageState.HELD,
        MessageState.CANCELLED,
        MessageState.UNKNOWN,
        MessageState.ABANDONED,
    }
)
"""States of what has not left, or has perhaps not: it goes where its loop goes."""
SEVERAL = 500


def side(session: Session, customer_id: int, *, lock: bool) -> Side | None:
    """One of the two who may be merged; None if there is no such customer.

    Args:
        lock: Hold the customer, and what waits to be sent to them, until the transaction ends.
    """
    one = select(Customer).where(col(Customer.id) == customer_id)
    unsent = select(Message.state).where(
        Message.customer_id == customer_id, col(Message.state).in_(WAITING | ON_THE_WAY)
    )
    if lock:
        one = one.with_for_update().execution_options(populate_existing=True)
        unsent = unsent.with_for_update()
    if (customer := session.exec(one).one_or_none()) is None:
        return None
    return Side(
        id=customer_id,
        merged_into=customer.merged_into_id,
        on_the_way=bool(ON_THE_WAY & set(session.exec(unsent).all())),
    )


def counts(session: Session, customer_id: int) -> dict[str, int]:
    """How much would change hands, by table."""
    found = {}
    for model in EVERYTHING:
        table = table_of(model)
        query = sa.select(func.count()).where(table.c.customer_id == customer_id)
        found[table.name] = session.execute(query).scalar_one()
    return found


def move_all(session: Session, from_id: int, to_id: int) -> Moved:
    """Give everything of one customer to another; return what that was.

    An exposure stays where it is if the other has one to the same experiment: each counts once.
    """
    session.flush()
    moved: Moved = {}
    for model in BELONGINGS:
        table = table_of(model)
        change = sa.update(table).where(table.c.customer_id == from_id).values(customer_id=to_id)
        moved[table.name] = sorted(session.execute(change.returning(table.c.id)).scalars())
    table, other = table_of(Exposure), table_of(Exposure).alias()
    taken = sa.exists().where(
        other.c.customer_id == to_id, other.c.experiment == table.c.experiment
    )
    change = sa.update(table).where(table.c.customer_id == from_id, ~taken)
    change = change.values(customer_id=to_id)
    moved[table.name] = sorted(session.execute(change.returning(table.c.experiment)).scalars())
    session.expire_all()
    return {name: keys for name, keys in moved.items() if keys}


def move_back(session: Session, merge: CustomerMerge) -> None:
    """Give back what the merge moved, as far as it is there and was not given away since."""
    session.flush()
    for model in EVERYTHING:
        table = table_of(model)
        key = table.c.experiment if model is Exposure else table.c.id
        for some in _several(merge.moved.get(table.name, [])):
            still_theirs = table.c.customer_id == merge.kept_id
            change = sa.update(table).where(key.in_(some), still_theirs)
            session.execute(change.values(customer_id=merge.merged_id))
    session.expire_all()


def follow_their_loops(session: Session, merge: CustomerMerge) -> list[int]:
    """Give what was not told yet of the loops that went back to their customer; return the ids.

    It was planned since, so the merge did not move it; and it speaks of their words.
    """
    table = table_of(Message)
    theirs = sa.select(table_of(Loop).c.id).where(table_of(Loop).c.customer_id == merge.merged_id)
    change = sa.update(table).where(
        table.c.customer_id == merge.kept_id,
        table.c.loop_id.in_(theirs),
        table.c.state.in_(NOT_TOLD),
    )
    change = change.values(customer_id=merge.merged_id).returning(table.c.id)
    followed = sorted(session.execute(change).scalars())
    session.expire_all()
    return followed


def write_waiting_anew(session: Session, merge: CustomerMerge, *, now: datetime) -> None:
    """Nothing leaves that was written while the two were taken for one person.

    Its address and its greeting may be the other's, and it may say what the other told us. What
    is held by hand, or in doubt, waits for a person first: `was_written_as_one` tells then.
    """
    both = (merge.kept_id, merge.merged_id)
    rider, carrier = aliased(Message), aliased(Message)
    query = (
        select(rider)
        .join(carrier, col(carrier.id) == rider.merged_into_id)
        .where(
            col(rider.customer_id).in_(both),
            col(carrier.customer_id).in_(both),
            rider.customer_id != carrier.customer_id,
            col(carrier.state).in_({*WAITING, MessageState.HELD, MessageState.UNKNOWN}),
        )
    )
    for carried in session.exec(query.order_by(col(rider.id))).all():
        write_other_words(session, carried, now=now)
    held = (col(Message.state) == MessageState.HELD) & col(Message.reason).in_(MAY_STILL_LEAVE)
    written = select(Message).where(
        col(Message.customer_id).in_(both),
        Message.kind == MessageKind.FOLLOW_UP,
        col(Message.channel).in_(PURPOSES),
        (col(Message.state) == MessageState.QUEUED) | held,
        col(Message.frozen_at) >= merge.at,
    )
    for message in session.exec(written.order_by(col(Message.id))).all():
        write_other_words(session, message, now=now)


def was_written_as_one(session: Session, message: Message) -> bool:
    """Whether its bytes are of a time when its customer was taken for one with somebody else."""
    if message.frozen_at is None or message.channel not in PURPOSES:
        return False  # in public, or to a colleague: to no address of the customer's
    query = select(CustomerMerge.id).where(
        (col(CustomerMerge.kept_id) == message.customer_id)
        | (col(CustomerMerge.merged_id) == message.customer_id),
        col(CustomerMerge.at) <= message.frozen_at,
        col(CustomerMerge.undone_at) >= message.frozen_at,
    )
    return session.exec(query.limit(1)).first() is not None


def newest_consent(session: Session, customer_id: int, purpose: Purpose) -> Consent | None:
    """What they said last for this purpose."""
    query = select(Consent).where(Consent.customer_id == customer_id, Consent.purpose == purpose)
    return session.exec(query.order_by(col(Consent.at).desc(), col(Consent.id).desc())).first()


def last_consent(session: Session) -> int:
    """The id of the newest consent of anybody."""
    return session.exec(select(func.max(Consent.id))).one() or 0


def forget_consents(session: Session, ids: Sequence[int]) -> None:
    """Take back what a merge added."""
    session.execute(
        sa.delete(Consent).where(col(Consent.id).in_(ids)), execution_options=NOT_IN_MEMORY
    )


def merges_of(session: Session, customer_id: int) -> Sequence[CustomerMerge]:
    """Those that this customer was kept in, the newest first; undone ones, too."""
    query = select(CustomerMerge).where(CustomerMerge.kept_id == customer_id)
    return session.exec(query.order_by(col(CustomerMerge.id).desc())).all()


def goes_back(session: Session, merge: CustomerMerge) -> dict[str, int]:
    """How much of the kept customer's the undoing would give back, by table."""
    found = {}
    for model in EVERYTHING:
        table = table_of(model)
        key = table.c.experiment if model is Exposure else table.c.id
        found[table.name] = sum(
            session.execute(
                sa.select(func.count()).where(key.in_(some), table.c.customer_id == merge.kept_id)
            ).scalar_one()
            for some in _several(merge.moved.get(table.name, []))
        )
    found[table_of(Message).name] += len(_would_follow(session, merge))
    return found


def _would_follow(session: Session, merge: CustomerMerge) -> set[int | str | None]:
    """The messages that came since, and would go back with their loops."""
    found: set[int | str | None] = set()
    for some in _several(merge.moved.get(table_of(Loop).name, [])):
        query = select(Message.id).join(Loop, col(Loop.id) == Message.loop_id)
        theirs = (Message.customer_id == merge.kept_id, Loop.customer_id == merge.kept_id)
        not_told = col(Message.state).in_(NOT_TOLD)
        found |= {*session.exec(query.where(col(Loop.id).in_(some), *theirs, not_told))}
    return found - {*merge.moved.get(table_of(Message).name, [])}


def _several(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), SEVERAL):
        yield keys[start : start + SEVERAL]
