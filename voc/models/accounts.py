"""Who may use the desk, and what they did there."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime, text_enum


class Role(StrEnum):
    OWNER = "owner"  # works the tickets of their departments, and sees no others
    OPERATIONS = "operations"  # CX operations: sees every department, watches the loop
    ADMINISTRATOR = "administrator"  # accounts and tokens; sees no customer's words
    AUDITOR = "auditor"  # reads everything, the audit log too, and changes nothing


class Account(SQLModel, table=True):
    """A colleague who signs in to the desk."""

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(max_length=320, unique=True, description="In small letters.")
    name: str = Field(max_length=255)
    role: Role = Field(sa_column=sa.Column(text_enum(Role), nullable=False))
    departments: list[str] = Field(
        default_factory=list,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="Ids. An owner's; others see all.",
    )
    password_hash: str | None = Field(
        default=None, max_length=255, description="Argon2id. None: signs in elsewhere only."
    )
    password_link: int = Field(
        default=0, description="Number of the one link that may set the password."
    )
    oidc_subject: str | None = Field(
        default=None, max_length=255, unique=True, description="What the identity provider says."
    )
    timezone: str | None = Field(default=None, max_length=64, description="None: the company's.")
    created_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeskSession(SQLModel, table=True):
    """A signed-in browser. Only the hash of its cookie is kept."""

    token_hash: str = Field(primary_key=True, max_length=64)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime, description="To the minute.")
    expires_at: datetime = Field(sa_type=UtcDateTime)


class ApiToken(SQLModel, table=True):
    """What another program uses the API with. Only its hash is kept."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64, unique=True)
    token_hash: str = Field(max_length=64, unique=True)
    scopes: list[str] = Field(
        default_factory=list, sa_column=sa.Column(sa.JSON, nullable=False), description="See docs."
    )
    created_by: str = Field(max_length=255)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AuditEntry(SQLModel, table=True):
    """Who saw or did what in the desk or over the API. Codes and ids, never words."""

    __table_args__ = (
        sa.Index("ix_auditentry_subject_id", "subject", "id"),
        sa.Index("ix_auditentry_actor_id", "actor", "id"),
        sa.Index("ix_auditentry_deed_id", "deed", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=255, description="An account's address, or 'token:NAME'.")
    deed: str = Field(max_length=64, description="What they did: signed_in, saw, unsealed ...")
    subject: str = Field(max_length=64, description="'ticket:12', 'customer:3', 'account:1'.")
    detail: str = Field(default="", max_length=255, description="A code; of an unsealing, why.")
