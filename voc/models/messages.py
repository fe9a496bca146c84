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
    HELD = "held"  # kill switch, hold-out, a person, or waiting for approval
    CANCELLED = "cancelled"  # what it was about has changed
    FAILED = "failed"  # refused for good
    DEAD = "dead"  # cannot be rendered or addressed, or tried too often
    ABANDONED = "abandoned"  # UNKNOWN, and a person left it so


class MessageKind(StrEnum):
    FOLLOW_UP = "follow_up"  # to a customer
    ALERT = "alert"  # to a colleague
    EVENT = "event"  # to another program


class DeliveryChannel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    REVIEW = "review"  # a public reply under the customer's review
    SLACK = "slack"
    TEAMS = "teams"
    APPRISE = "apprise"  # any other service that colleagues are alerted by
    WEBHOOK = "webhook"  # another program


class Message(SQLModel, table=True):
    """Anything that leaves: a row before it is sent, at most once for each key."""

    __table_args__ = (
        sa.UniqueConstraint("subject", "step", "channel", "recipient"),
        # Stricter: a step that went by one way never goes by another as well.
        sa.Index("ix_message_subject_step_recipient", "subject", "step", "recipient", unique=True),
        # Stricter still: a step goes to its one customer, whoever that turns out to be.
        sa.Index(
            "ix_message_follow_up",
            "subject",
            "step",
            unique=True,
            sqlite_where=sa.text("kind = 'follow_up'"),
            postgresql_where=sa.text("kind = 'follow_up'"),
        ),
        sa.Index("ix_message_state_id", "state", "id"),
        sa.Index("ix_message_state_not_before_id", "state", "not_before", "id"),
        sa.Index("ix_message_state_reason_settled_at_id", "state", "reason", "settled_at", "id"),
        sa.Index("ix_message_state_settled_at_id", "state", "settled_at", "id"),
        sa.Index("ix_message_words_hash", "words_hash"),
    )

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(
        max_length=64,
        description="loop:ID, ticket:ID, message:ID, answer:ID, event:ID or digest:DATE.",
    )
    step: str = Field(max_length=64, description="What of, with its round: resolution.2")
    channel: DeliveryChannel = Field(
        default=DeliveryChannel.EMAIL,
        sa_column=sa.Column(text_enum(DeliveryChannel), nullable=False),
    )
    recipient: str = Field(
        max_length=320,
        description="customer:ID, a colleague's address, or the name of a room or webhook. Part of "
        "the key, and so never changed: a customer may have been merged since.",
    )
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
    envelope_sender: str | None = Field(
        default=None, max_length=320, description="Where what comes back goes: VERP for mail."
    )
    message_id: str | None = Field(default=None, max_length=255, unique=True)
    content: bytes | None = Field(default=None, description="The frozen bytes of the mail.")
    sender_id: str | None = Field(default=None, max_length=64, description="Who has claimed it.")
    attempts: int = 0
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    frozen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sending_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When the handing-over may have begun."
    )
    route: str | None = Field(default=None, max_length=64, description="The way it took: smtp.")
    provider_id: str | None = Field(
        default=None, max_length=255, description="What the provider calls it, as it said."
    )
    words_hash: str | None = Field(
        default=None, max_length=64, description="Of whom it goes to and what it says, less links."
    )
    merged_into_id: int | None = Field(
        default=None, foreign_key="message.id", index=True, description="Which one says it, too."
    )
    variant: str | None = Field(default=None, max_length=128, description="EXPERIMENT:VARIANT.")
    needs_approval: bool = False
    approved_by: str | None = Field(default=None, max_length=255)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    approved_hash: str | None = Field(
        default=None, max_length=64, description="SHA-256 of the bytes that were approved."
    )
    refusal: str | None = Field(
        default=None, max_length=500, description="Why a person did not let it leave."
    )


class LinkPurpose(StrEnum):
    """What the holder of a link may do: one thing."""

    ANSWER = "answer"
    UNSUBSCRIBE = "unsubscribe"
    ACCEPT = "accept"
    REASSIGN = "reassign"
    RESOLVE = "resolve"
    APPROVE = "approve"  # let a message leave, or refuse it
    JUDGE = "judge"  # say what an unclear reply means


class Link(SQLModel, table=True):
    """An opaque, expiring token for one purpose. Only its hash is kept."""

    token_hash: str = Field(primary_key=True, max_length=64)
    purpose: LinkPurpose = Field(sa_column=sa.Column(text_enum(LinkPurpose), nullable=False))
    message_id: int = Field(foreign_key="message.id", index=True)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class Verdict(StrEnum):
    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    UNCLEAR = "unclear"  # words that a person has to judge


class AnswerWay(StrEnum):
    """How an answer came to us."""

    PAGE = "page"
    MAIL = "mail"
    SMS = "sms"


class Answer(SQLModel, table=True):
    """What the customer said to a follow-up. The newest holds; older ones are only kept."""

    __table_args__ = (
        sa.Index("ix_answer_applied_at_id", "applied_at", "id"),
        sa.Index("ix_answer_at", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    loop_id: int = Field(foreign_key="loop.id", index=True)
    round: int = Field(description="Of the loop, when the question was asked.")
    verdict: Verdict = Field(sa_column=sa.Column(text_enum(Verdict), nullable=False))
    rating: int | None = Field(default=None, ge=1, le=5)
    words: str | None = Field(default=None, description="Personal data masked.")
    at: datetime = Field(sa_type=UtcDateTime)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    way: AnswerWay = Field(
        default=AnswerWay.PAGE,
        sa_column=sa.Column(text_enum(AnswerWay), nullable=False, server_default="page"),
    )
    judged_by: str | None = Field(
        default=None, max_length=255, description="Who said what unclear words mean."
    )


class InboundKind(StrEnum):
    """What a mailbox or a provider told us."""

    REPLIED = "replied"  # words of the customer
    AUTO_REPLIED = "auto_replied"  # a machine's: never an answer
    DELIVERED = "delivered"
    SOFT_BOUNCED = "soft_bounced"  # full, busy: it may work another time
    HARD_BOUNCED = "hard_bounced"  # there is no such address
    COMPLAINED = "complained"  # called it spam
    OPTED_OUT = "opted_out"  # STOP
    OPTED_IN = "opted_in"  # START
    ASKED_FOR_HELP = "asked_for_help"  # HELP
    FEEDBACK = "feedback"  # a piece of it, pushed by its source
    FAILED = "failed"  # the provider gave up, and not because of the address
    UNREADABLE = "unreadable"  # kept in quarantine


class InboundEvent(SQLModel, table=True):
    """One thing that a mailbox or a provider told us, once for ever, whatever is repeated.

    Holds ids and codes: words go into an `Answer`, masked; raw mail only into quarantine.
    """

    __table_args__ = (
        sa.UniqueConstraint("provider", "event_id"),
        sa.Index("ix_inboundevent_applied_at_id", "applied_at", "id"),
        sa.Index("ix_inboundevent_address_hash_kind", "address_hash", "kind"),
    )

    id: int | None = Field(default=None, primary_key=True)
    provider: str = Field(max_length=32, description="mail, twilio, or a webhook's name.")
    event_id: str = Field(max_length=255, description="The provider's, or a digest of the mail.")
    kind: InboundKind = Field(sa_column=sa.Column(text_enum(InboundKind), nullable=False))
    message_id: int | None = Field(default=None, foreign_key="message.id", index=True)
    provider_id: str | None = Field(
        default=None, max_length=255, description="Of the message, while we do not know which."
    )
    customer_id: int | None = Field(
        default=None, foreign_key="customer.id", ondelete="SET NULL", index=True
    )
    address_hash: str | None = Field(default=None, max_length=64)
    code: str = Field(default="", max_length=64, description="5.1.1, STOP, 30003.")
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = Field(default=None, max_length=64, description="What came of it.")


class Breaker(SQLModel, table=True):
    """A provider that works for nobody just now: all its messages wait together."""

    provider: str = Field(primary_key=True, max_length=64)
    failures: int = Field(default=0, description="In a row.")
    open_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = Field(default="", max_length=255)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class Exposure(SQLModel, table=True):
    """Which variant of an experiment a customer got, written down before anything is sent."""

    __table_args__ = (sa.Index("ix_exposure_experiment_variant", "experiment", "variant"),)

    experiment: str = Field(primary_key=True, max_length=64)
    customer_id: int = Field(
        foreign_key="customer.id", primary_key=True, ondelete="CASCADE", index=True
    )
    variant: str = Field(max_length=64)
    loop_id: int = Field(foreign_key="loop.id", index=True, description="The first that counted.")
    at: datetime = Field(sa_type=UtcDateTime)
