"""What customers said: feedback, its versions, the statements in them, and what was refused."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime, text_enum

# No `from __future__ import annotations` in table modules: SQLModel reads the annotations at
# class creation and fails on strings.


class Channel(StrEnum):
    """The kind of place that feedback comes from."""

    SURVEY = "survey"
    REVIEW = "review"
    SOCIAL = "social"
    SUPPORT = "support"
    MAIL = "mail"
    SIGNAL = "signal"


class RatingScale(StrEnum):
    """What a rating's number means. Best and worst end: `voc.rules.ratings`."""

    NPS = "nps"  # 0 to 10
    CSAT = "csat"  # 1 to 5
    CES = "ces"  # 1 to 7, 1 is least effort
    STARS = "stars"  # 1 to 5
    TEN = "ten"  # 1 to 10


class FeedbackState(StrEnum):
    COLLECTED = "collected"
    UNDERSTOOD = "understood"
    ROUTED = "routed"  # a loop was opened for it
    FILED = "filed"  # nothing to do; `reason` says why


class Feedback(SQLModel, table=True):
    """One thing one customer sent us, at one moment, through one source. Its text: the versions."""

    __table_args__ = (
        sa.UniqueConstraint("source", "external_id"),  # collecting twice is harmless
        sa.Index("ix_feedback_state_id", "state", "id"),
        sa.Index("ix_feedback_source_state_said_at", "source", "state", "said_at"),
        sa.Index("ix_feedback_customer_id_said_at_id", "customer_id", "said_at", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=64)
    external_id: str = Field(max_length=255, description="The source's own id for it.")
    channel: Channel = Field(sa_column=sa.Column(text_enum(Channel), nullable=False))
    customer_id: int = Field(foreign_key="customer.id")
    said_at: datetime = Field(sa_type=UtcDateTime, index=True)
    collected_at: datetime = Field(sa_type=UtcDateTime)
    rating: float | None = None
    rating_scale: RatingScale | None = Field(
        default=None, sa_column=sa.Column(text_enum(RatingScale), nullable=True)
    )
    language: str | None = Field(default=None, max_length=16, description="As the source says.")
    touchpoint: str | None = Field(default=None, max_length=64)
    product: str | None = Field(default=None, max_length=64, description="What it is about.")
    url: str | None = Field(default=None, max_length=1024)
    item_hash: str = Field(
        default="", max_length=64, description="Of all that the source said, keyed."
    )
    version: int = Field(default=1, description="The number of the current version.")
    state: FeedbackState = Field(
        default=FeedbackState.COLLECTED,
        sa_column=sa.Column(text_enum(FeedbackState), nullable=False),
    )
    reason: str | None = Field(default=None, max_length=64, description="Why it was filed.")


class FeedbackVersion(SQLModel, table=True):
    """The words of a piece of feedback, personal data masked. An edit adds a version."""

    __table_args__ = (
        sa.UniqueConstraint("feedback_id", "number"),
        sa.Index("ix_feedbackversion_understood_by_id", "understood_by", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    feedback_id: int = Field(foreign_key="feedback.id", ondelete="CASCADE", index=True)
    number: int
    verbatim: str
    content_hash: str = Field(max_length=64, description="Of the words as the source gave them.")
    masked: dict[str, int] = Field(
        default_factory=dict,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="How much of each kind of personal data was masked.",
    )
    collected_at: datetime = Field(sa_type=UtcDateTime)
    said_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="None: when the feedback was said."
    )
    language: str | None = Field(default=None, max_length=16, description="As we detected it.")
    understood_by: str | None = Field(
        default=None, max_length=255, description="Versions of the models that read it."
    )


class Tombstone(SQLModel, table=True):
    """An item that its source took back before we had it: it is not let in when it comes."""

    source: str = Field(primary_key=True, max_length=64)
    external_id: str = Field(primary_key=True, max_length=255)
    at: datetime = Field(sa_type=UtcDateTime)


class Statement(SQLModel, table=True):
    """A span of a verbatim that says one thing: the unit that gets sentiment and topic."""

    __table_args__ = (sa.UniqueConstraint("version_id", "start"),)

    id: int | None = Field(default=None, primary_key=True)
    version_id: int = Field(foreign_key="feedbackversion.id", ondelete="CASCADE", index=True)
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    text_hash: str = Field(max_length=64, index=True, description="Of what was embedded.")
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id", index=True)


class Embedding(SQLModel, table=True):
    """A distinct statement's vector: little-endian float32, unit length."""

    text_hash: str = Field(primary_key=True, max_length=64)
    model: str = Field(primary_key=True, max_length=128)
    vector: bytes


class SuggestionKind(StrEnum):
    SENTIMENT = "sentiment"
    TOPIC = "topic"
    DEPARTMENT = "department"


class Suggestion(SQLModel, table=True):
    """What a model says of a statement, with its version and probability."""

    __table_args__ = (sa.UniqueConstraint("statement_id", "kind", "model"),)

    id: int | None = Field(default=None, primary_key=True)
    statement_id: int = Field(foreign_key="statement.id", ondelete="CASCADE", index=True)
    kind: SuggestionKind = Field(sa_column=sa.Column(text_enum(SuggestionKind), nullable=False))
    model: str = Field(max_length=128)
    value: str | None = Field(default=None, max_length=64, description="None: not sure enough.")
    probability: float
    offers: list[list[str | float]] = Field(
        default_factory=list,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="The best values with their probabilities, best first.",
    )


class SuggestionCount(SQLModel, table=True):
    """How much a model was asked in a week, and how often it was not sure enough to say anything.

    Kept as suggestions are, so that nobody has to count them again.
    """

    week: str = Field(
        primary_key=True, max_length=8, description="2026-W01, UTC, of when we got the words."
    )
    kind: SuggestionKind = Field(sa_column=sa.Column(text_enum(SuggestionKind), primary_key=True))
    model: str = Field(primary_key=True, max_length=128)
    asked: int = Field(description="Statements.")
    unsure: int = Field(description="Those of them that got no value.")


class Label(SQLModel, table=True):
    """What a person says of a statement. It wins over suggestions, and it teaches."""

    id: int | None = Field(default=None, primary_key=True)
    statement_id: int = Field(foreign_key="statement.id", ondelete="CASCADE", index=True)
    kind: SuggestionKind = Field(sa_column=sa.Column(text_enum(SuggestionKind), nullable=False))
    value: str = Field(max_length=64)
    actor: str = Field(max_length=255)
    at: datetime = Field(sa_type=UtcDateTime)


class SourceCursor(SQLModel, table=True):
    """How far a source has been read. Written in the transaction of the page that it follows."""

    source: str = Field(primary_key=True, max_length=64)
    cursor: str
    read_at: datetime = Field(sa_type=UtcDateTime)


class QuarantineState(StrEnum):
    WAITING = "waiting"
    REPLAYED = "replayed"


class Quarantine(SQLModel, table=True):
    """An item that we could not accept, as it came (encrypted), with place and reason."""

    __table_args__ = (
        sa.UniqueConstraint("source", "raw_hash"),
        sa.Index("ix_quarantine_state_source_reason_id", "state", "source", "reason", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=64)
    place: str = Field(max_length=255, description="Where it stands: file and line, or item.")
    reason: str = Field(max_length=255)
    raw_hash: str = Field(max_length=64)
    raw_encrypted: bytes
    at: datetime = Field(sa_type=UtcDateTime)
    state: QuarantineState = Field(
        default=QuarantineState.WAITING,
        sa_column=sa.Column(text_enum(QuarantineState), nullable=False),
    )
    again: bool = Field(default=False, description="Read again with the next collecting.")
