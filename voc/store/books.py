"""The books of what came in and of what left: sums, and what may never be found in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from voc.journal import Journal, message_digest
from voc.models import (
    Feedback,
    FeedbackVersion,
    Message,
    MessageKind,
    Suppression,
    TicketEvent,
    TicketEventKind,
)
from voc.rules.books import Finding
from voc.rules.messages import GONE
from voc.rules.pseudonym import pseudonym
from voc.store.verify.consents import nothing_left_after_an_opt_out as opted_out
from voc.store.verify.messages import messages_follow_their_events


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything counted, and whatever does not balance."""

    ingested: int
    """Pieces of feedback that were ever stored."""
    feedback: dict[str, int]
    """By state."""
    messages: dict[str, int]
    """By state."""
    gone: int
    """Messages that left, or may have."""
    handed_over: int
    """Messages that the journal knows to have been handed over."""
    forgotten: int
    """Handed over before a restore, and not known here."""
    findings: tuple[Finding, ...]


def books(session: Session, journal: Journal, *, secret: bytes) -> Books:
    """Count, compare with the journal, and look for what may never be."""
    times = journal.times_handed_over()  # first: the database may only know more
    ingested = session.exec(select(func.count(col(FeedbackVersion.feedback_id).distinct()))).one()
    feedback = _by_state(session, Feedback.state)
    messages = _by_state(session, Message.state)
    findings = [
        *_not_in_a_state(ingested, feedback),
        *_handed_over(session, times),
        *_after_an_opt_out(session, secret),
        *filter(None, (messages_follow_their_events(session), opted_out(session))),
    ]
    return Books(
        ingested=ingested,
        feedback=feedback,
        messages=messages,
        gone=sum(messages.get(state.value, 0) for state in GONE),
        handed_over=len(times),
        forgotten=len(journal.lost()),
        findings=tuple(findings),
    )


def _by_state(session: Session, column: Any) -> dict[str, int]:
    rows = session.exec(select(column, func.count()).group_by(column).order_by(column))
    return {state.value: n for state, n in rows}


def _not_in_a_state(ingested: int, feedback: dict[str, int]) -> Iterator[Finding]:
    if (n := sum(feedback.values())) != ingested:
        yield Finding("feedback", "feedback", f"{ingested} came in, {n} are in a state")


def _handed_over(session: Session, times: Mapping[str, int]) -> Iterator[Finding]:
    """What the journal has is known here, and left once for each time that it was let go."""
    name = "handed over"
    tried = select(Message).where(col(Message.sending_at).is_not(None))
    let_go = select(TicketEvent.message_id, func.count()).where(
        TicketEvent.kind == TicketEventKind.MESSAGE_QUEUED
    )
    again = dict(session.exec(let_go.group_by(col(TicketEvent.message_id))).all())
    unknown = dict(times)
    for message in session.exec(tried):
        n = unknown.pop(message_digest(message.message_id or ""), 0)
        if n > 1 + again.get(message.id, 0):
            yield Finding(name, f"message {message.id}", f"{n} times, let go fewer times")
    if unknown:
        problem = f"the journal has {len(unknown)} that no message here was"
        yield Finding(name, f"journal {min(unknown)[:12]}", problem)


def _after_an_opt_out(session: Session, secret: bytes) -> Iterator[Finding]:
    """No message begins to leave after its address was suppressed."""
    query = select(Suppression.address_hash, Suppression.at)
    silent_since = dict(session.exec(query).all())
    for message in session.exec(_to_customers()) if silent_since else ():
        since = silent_since.get(pseudonym(secret, message.address or ""))
        if since is not None and message.sending_at is not None and message.sending_at > since:
            yield Finding("silence", f"message {message.id}", "left after its address said no")


def _to_customers() -> SelectOfScalar[Message]:
    return select(Message).where(
        Message.kind == MessageKind.FOLLOW_UP,
        col(Message.sending_at).is_not(None),
        col(Message.address).is_not(None),
    )
