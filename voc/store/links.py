"""Links in mails: whose token it is, and what its holder may see. Tokens are never logged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from voc.models import (
    Answer,
    Customer,
    Feedback,
    FeedbackVersion,
    Link,
    LinkPurpose,
    Loop,
    LoopTicket,
    Message,
    MessageState,
    Statement,
    Ticket,
    Verdict,
)
from voc.rules.tokens import token_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLink:
    """A link that we made, and what it is about."""

    purpose: LinkPurpose
    expired: bool
    message: Message
    customer: Customer | None
    loop: Loop | None
    ticket: Ticket | None

    @property
    def round(self) -> int | None:
        """The round in which the message asked: 2 for ``resolution.2``."""
        number = self.message.step.rpartition(".")[2]
        return int(number) if number.isdigit() else None


@dataclass(frozen=True, slots=True)
class Said:
    """Words of a customer, personal data masked, and the language that they are in."""

    text: str
    language: str | None


def find(session: Session, token: str, now: datetime) -> FoundLink | None:
    """The link with this token; None if we made none. An expired one is found and says so."""
    row = session.execute(
        sa.select(Link, Message, Customer, Loop, Ticket)
        .join(Message, col(Message.id) == Link.message_id)
        .outerjoin(Customer, col(Customer.id) == Message.customer_id)
        .outerjoin(Loop, col(Loop.id) == Message.loop_id)
        .outerjoin(Ticket, col(Ticket.id) == Message.ticket_id)
        .where(col(Link.token_hash) == token_hash(token))
    ).one_or_none()
    if row is None:
        return None
    link, message, customer, loop, ticket = row
    return FoundLink(
        purpose=link.purpose,
        expired=link.expires_at <= now,
        message=message,
        customer=customer,
        loop=loop,
        ticket=ticket,
    )


def said_in_loop(session: Session, loop: Loop) -> Said:
    """What the customer said, in its current version."""
    version, language = session.exec(
        select(FeedbackVersion, Feedback.language)
        .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
        .where(
            FeedbackVersion.feedback_id == loop.feedback_id,
            FeedbackVersion.number == Feedback.version,
        )
    ).one()
    return Said(version.verbatim, version.language or language)


def said_in_ticket(session: Session, ticket: Ticket) -> list[Said]:
    """The statements that the ticket is about, as they stand in the current words.

    All that its customers said if it has no statements any more: an edit leaves them behind.
    """
    rows = session.exec(
        select(Statement, FeedbackVersion, Feedback.language)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .join(Feedback, col(Feedback.id) == FeedbackVersion.feedback_id)
        .where(Statement.ticket_id == ticket.id, FeedbackVersion.number == Feedback.version)
        .order_by(col(Statement.version_id), col(Statement.start))
    ).all()
    if rows:
        return [Said(v.verbatim[s.start : s.end], v.language or told) for s, v, told in rows]
    loops = session.exec(
        select(Loop)
        .join(LoopTicket, col(LoopTicket.loop_id) == Loop.id)
        .where(LoopTicket.ticket_id == ticket.id)
        .order_by(col(Loop.id))
    )
    return [said_in_loop(session, loop) for loop in loops]


def objection(session: Session, ticket: Ticket) -> str | None:
    """What a customer wrote with the newest "not solved" of any of the ticket's loops."""
    return session.exec(
        select(Answer.words)
        .join(LoopTicket, col(LoopTicket.loop_id) == Answer.loop_id)
        .where(LoopTicket.ticket_id == ticket.id, Answer.verdict == Verdict.NOT_SOLVED)
        .order_by(col(Answer.at).desc(), col(Answer.id).desc())
        .limit(1)
    ).first()


def newest_answer(session: Session, loop_id: int, round_asked: int) -> Answer | None:
    """What the customer said last to the question of this round."""
    return session.exec(
        select(Answer)
        .where(Answer.loop_id == loop_id, Answer.round == round_asked)
        .order_by(col(Answer.at).desc(), col(Answer.id).desc())
        .limit(1)
    ).first()


def is_on_its_way(session: Session, customer_id: int) -> bool:
    """Whether a message to this customer is being handed over at this moment."""
    sending = select(Message.id).where(
        col(Message.customer_id) == customer_id, Message.state == MessageState.SENDING
    )
    return session.exec(sending.limit(1)).first() is not None
