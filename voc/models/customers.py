"""Whom we serve: the customer, the handles they are known by, and what they allowed."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime, text_enum


class IdentityKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    HANDLE = "handle"  # of one platform: "mastodon:@kim"
    ACCOUNT = "account"  # the company's own customer or order account


class Customer(SQLModel, table=True):
    """A person we serve."""

    id: int | None = Field(default=None, primary_key=True)
    name: str | None = Field(default=None, max_length=255)
    language: str | None = Field(default=None, max_length=16)
    timezone: str | None = Field(default=None, max_length=64)
    country: str | None = Field(default=None, max_length=2)
    segment: str | None = Field(default=None, max_length=64)
    value: float | None = Field(default=None, description="What they are worth a year, in money.")
    created_at: datetime = Field(sa_type=UtcDateTime)
    merged_into_id: int | None = Field(
        default=None, foreign_key="customer.id", description="The same person as that."
    )


class CustomerMerge(SQLModel, table=True):
    """That two customers turned out to be one, and what moved: enough to undo it."""

    id: int | None = Field(default=None, primary_key=True)
    kept_id: int = Field(foreign_key="customer.id", ondelete="CASCADE", index=True)
    merged_id: int = Field(foreign_key="customer.id", ondelete="CASCADE", index=True)
    moved: dict[str, list[int | str]] = Field(
        default_factory=dict,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="By table the ids of the rows that changed hands; of exposures the experiment.",
    )
    made: list[int] = Field(
        default_factory=list,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="Ids of the consents that were added so that a no of either holds for both.",
    )
    consents_to: int = Field(default=0, description="The newest consent that there was by then.")
    actor: str = Field(max_length=255)
    at: datetime = Field(sa_type=UtcDateTime)
    undone_by: str | None = Field(default=None, max_length=255)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Identity(SQLModel, table=True):
    """One handle that a customer is known by. Several make one customer."""

    __table_args__ = (sa.UniqueConstraint("kind", "value"),)

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE", index=True)
    kind: IdentityKind = Field(sa_column=sa.Column(text_enum(IdentityKind), nullable=False))
    value: str = Field(max_length=320, description="Normalised: see voc.rules.identities.")
    at: datetime = Field(sa_type=UtcDateTime)


class Purpose(StrEnum):
    """What a customer can agree to. Every message to a customer names one."""

    FOLLOW_UP = "follow_up"  # by mail
    FOLLOW_UP_SMS = "follow_up_sms"


class Consent(SQLModel, table=True):
    """That, when, how and for what a customer agreed, or withdrew. The newest row holds."""

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE", index=True)
    purpose: Purpose = Field(sa_column=sa.Column(text_enum(Purpose), nullable=False))
    granted: bool
    how: str = Field(max_length=255, description="The source, or 'unsubscribe page'.")
    at: datetime = Field(sa_type=UtcDateTime)


class Suppression(SQLModel, table=True):
    """An address that we no longer write to. Survives erasure: it holds no address."""

    address_hash: str = Field(primary_key=True, max_length=64, description="HMAC of the address.")
    reason: str = Field(max_length=32, description="opted_out, bounced, complained or stopped.")
    how: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
