"""Messages that are due together become one mail, and nothing that it should say gets lost.

A message that another one says is CANCELLED and names the one that carries it; no other names
one. Each query begins at what is open or waits: what was merged long ago is not looked at again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from voc.company.model import Company
from voc.models import Feedback, FeedbackVersion, Loop, LoopState, Message, MessageState
from voc.rules.contact import Why, why_not_contact
from voc.rules.merging import MERGED, MERGES_WITHIN, NEVER_LEFT, RECEIPT, RESOLUTION, share_out
from voc.rules.messages import WAITING
from voc.store.contact import facts_for
from voc.store.events import lock_head
from voc.store.messages import move, write_other_words

BATCH = 500  # messages that are asked about together


@dataclass(frozen=True, slots=True, kw_only=True)
class Rider:
    """A message that another one carries, and what it is about."""

    message_id: int
    said_at: datetime
    verbatim: str = field(repr=False)


def merge_receipts(session: Session, *, company: Company, secret: bytes, now: datetime) -> int:
    """Cancel each receipt that another message says, too; return how many.

    A receipt whose loop's resolution was planned within a day: that says it, and more. Of
    several receipts to one customer the oldest quotes the others. Those whose carrier has ended
    without leaving are planned again.
    """
    lock_head(session)
    merged = _into_resolutions(session, now=now)
    _plan_again(session, now=now)
    _leave_out_the_settled(session, now=now)
    for waiting in _batches(_several_to_one(session)):
        merged += _into_the_oldest(session, waiting, company=company, secret=secret, now=now)
    return merged


def riders_of(session: Session, carrier_ids: Collection[int]) -> dict[int, list[Rider]]:
    """By carrier what it says beside its own words, in the order in which it was said."""
    query = (
        select(Message, Feedback, FeedbackVersion)
        .join(Loop, col(Loop.id) == Message.loop_id)
        .join(Feedback, col(Feedback.id) == Loop.feedback_id)
        .join(
            FeedbackVersion,
            (col(FeedbackVersion.feedback_id) == Feedback.id)
            & (col(FeedbackVersion.number) == Feedback.version),
        )
        .where(col(Message.merged_into_id).in_(sorted(carrier_ids)))
        .order_by(col(Feedback.said_at), col(Message.id))
    )
    found: dict[int, list[Rider]] = {}
    for message, feedback, version in session.exec(query):
        rider = Rider(
            message_id=message.id or 0, said_at=feedback.said_at, verbatim=version.verbatim
        )
        found.setdefault(message.merged_into_id or 0, []).append(rider)
    return found


def _into_resolutions(session: Session, *, now: datetime) -> int:
    resolution = aliased(Message)
    pairs = session.exec(
        select(Message, func.min(resolution.planned_at), func.min(resolution.id))
        .join(resolution, col(resolution.loop_id) == Message.loop_id)
        .where(Message.template == RECEIPT, col(Message.state).in_(WAITING))
        .where(resolution.template == RESOLUTION, col(resolution.state).in_(WAITING))
        .group_by(col(Message.id))
    ).all()
    return sum(
        _merge(session, receipt, carrier_id, now=now)
        for receipt, planned_at, carrier_id in pairs
        if planned_at - receipt.planned_at < MERGES_WITHIN
    )


def _plan_again(session: Session, *, now: datetime) -> None:
    """What is left unsaid because its carrier never left, while its loop still waits for it."""
    carrier = aliased(Message)
    query = (
        select(Message)
        .join(carrier, col(carrier.id) == Message.merged_into_id)
        .join(Loop, col(Loop.id) == Message.loop_id)
        .where(col(carrier.state).in_(NEVER_LEFT))
        .where(Loop.state == LoopState.OPEN)
    )
    for message in session.exec(query.order_by(col(Message.id))).all():
        write_other_words(session, message, now=now)


def _leave_out_the_settled(session: Session, *, now: datetime) -> None:
    """A carrier that still waits no longer says what is about a loop that has gone on since."""
    carrier = aliased(Message)
    query = (
        select(Message, carrier)
        .join(carrier, col(carrier.id) == Message.merged_into_id)
        .join(Loop, col(Loop.id) == Message.loop_id)
        .where(col(carrier.state).in_(WAITING))
        .where(carrier.template == RECEIPT, Loop.state != LoopState.OPEN)
    )
    for message, carried_by in session.exec(query.order_by(col(Message.id))).all():
        message.merged_into_id, message.reason = None, Why.NOT_WANTED
        if carried_by.state is MessageState.QUEUED:
            write_other_words(session, carried_by, now=now)


def _several_to_one(session: Session) -> Sequence[Message]:
    """The waiting receipts of customers with more than one, held until the transaction ends."""
    waiting = (col(Message.template) == RECEIPT, col(Message.state).in_(WAITING))
    several = select(Message.customer_id).where(*waiting).group_by(col(Message.customer_id))
    query = select(Message).where(
        *waiting, col(Message.customer_id).in_(several.having(func.count() > 1))
    )
    by_customer = col(Message.customer_id), col(Message.id)
    locked = query.order_by(*by_customer).with_for_update()
    return session.exec(locked.execution_options(populate_existing=True)).all()


def _batches(waiting: Sequence[Message]) -> Iterable[list[Message]]:
    """Cut between customers, never within one."""
    batch: list[Message] = []
    for message in waiting:
        if len(batch) >= BATCH and message.customer_id != batch[-1].customer_id:
            yield batch
            batch = []
        batch.append(message)
    if batch:
        yield batch


def _into_the_oldest(
    session: Session, waiting: Sequence[Message], *, company: Company, secret: bytes, now: datetime
) -> int:
    """Merge those that may leave, now or later; the others end for reasons of their own."""
    by_id = {message.id or 0: message for message in waiting}
    facts = facts_for(
        session, list(by_id), company=company, secret=secret, kill_switch=False, now=now
    )
    may_leave = [
        (message_id, message.customer_id or 0)
        for message_id, message in by_id.items()
        if (silence := why_not_contact(facts[message_id], company.follow_up, now)) is None
        or silence.until is not None
    ]
    merged = 0
    for carrier_id, others in share_out(may_leave).items():
        if by_id[carrier_id].state is MessageState.QUEUED:
            write_other_words(session, by_id[carrier_id], now=now)
        for other in others:
            _hand_on(session, other, carrier_id)
            merged += _merge(session, by_id[other], carrier_id, now=now)
    return merged


def _merge(session: Session, message: Message, carrier_id: int | None, *, now: datetime) -> bool:
    return move(
        session, message, MessageState.CANCELLED, reason=MERGED, merged_into_id=carrier_id, now=now
    )


def _hand_on(session: Session, carrier_id: int, to_id: int) -> None:
    """What was merged into one carrier is now said by another."""
    query = update(Message).where(col(Message.merged_into_id) == carrier_id)
    session.execute(query.values(merged_into_id=to_id))
