"""What leaves and what comes back: messages, the links in them, and customers' answers."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime, text_enum


class MessageState(StrEnum):
    PLANNED = "planned"  # what causes it has happened; not rendered yet
    QUEUED = "queued"  # bytes and Message-ID are frozen
    CLAIMED = "claimed"  # a sender has it; nothing has been handed over
    SENDING = "sending"  # the handing-over may have begun
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNKNOWN = "unknown"  # the reply was lost: it may have arrived; never sent again by itself
    SUPPRESSED = "suppressed"  # we chose silence; `reason` says why
    EXPIRED = "expired"
    HELD = "held"  # kill switch or hold-out
    CANCELLED = "cancelled"  # what it was about has changed
    FAILED = "failed"  # refused for good
    DEAD = "dead"  # cannot be rendered or addressed, or tried too often
    ABANDONED = "abandoned"  # UNKNOWN, and a person left it so


class MessageKind(StrEnum):
    FOLLOW_UP = "follow_up"  # to a customer
    ALERT = "alert"  # to a colleague


class DeliveryChannel(StrEnum):
    EMAIL = "email"


class Message(SQLModel, table=True):
    """Anything that leaves: a row before it is sent, at most once for each key."""

    __table_args__ = (
        sa.UniqueConstraint("subject", "step", "channel", "recipient"),
        sa.Index("ix_message_state_id", "state", "id"),
        sa.Index("ix_message_state_not_before_id", "state", "not_before", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(max_length=64, description="loop:ID, ticket:ID or digest:DATE.")
    step: str = Field(max_length=64, description="What of, with its round: resolution.2")
    channel: DeliveryChannel = Field(
        default=DeliveryChannel.EMAIL,
        sa_column=sa.Column(text_enum(DeliveryChannel), nullable=False),
    )
    recipient: str = Field(max_length=320, description="customer:ID, or a colleague's address.")
    kind: MessageKind = Field(sa_column=sa.Column(text_enum(MessageKind), nullable=False))
    template: str = Field(max_length=64)
    customer_id: int | None = Field(default=None, foreign_key="customer.id", index=True)
    loop_id: int | None = Field(default=None, foreign_key="loop.id", index=True)
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id", index=True)
    state: MessageState = Field(
        default=MessageState.PLANNED, sa_column=sa.Column(text_enum(MessageState), nullable=False)
    )
    reason: str | None = Field(default=None, max_length=255)
    planned_at: datetime = Field(sa_type=UtcDateTime)
    not_before: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    address: str | None = Field(default=None, max_length=320, description="Set when rendered.")
    message_id: str | None = Field(default=None, max_length=255, unique=True)
    content: bytes | None = Field(default=None, description="The frozen bytes of the mail.")
    sender_id: str | None = Field(default=None, max_length=64, description="Who has claimed it.")
    attempts: int = 0
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LinkPurpose(StrEnum):
    """What the holder of a link may do: one thing."""

    ANSWER = "answer"
    UNSUBSCRIBE = "unsubscribe"
    ACCEPT = "accept"
    REASSIGN = "reassign"
    RESOLVE = "resolve"


class Link(SQLModel, table=True):
    """An opaque, expiring token for one purpose. Only its hash is kept."""

    token_hash: str = Field(primary_key=True, max_length=64)
    purpose: LinkPurpose = Field(sa_column=sa.Column(text_enum(LinkPurpose), nullable=False))
    message_id: int = Field(foreign_key="message.id", index=True)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class Verdict(StrEnum):
    SOLVED = "solved"
    NOT_SOLVED = "not_solved"


class Answer(SQLModel, table=True):
    """What the customer said to a follow-up. The newest holds; older ones are only kept."""

    __table_args__ = (sa.Index("ix_answer_applied_at_id", "applied_at", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    loop_id: int = Field(foreign_key="loop.id", index=True)
    round: int = Field(description="Of the loop, when the question was asked.")
    verdict: Verdict = Field(sa_column=sa.Column(text_enum(Verdict), nullable=False))
    rating: int | None = Field(default=None, ge=1, le=5)
    words: str | None = Field(default=None, description="Personal data masked.")
    at: datetime = Field(sa_type=UtcDateTime)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
