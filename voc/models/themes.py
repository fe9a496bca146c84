"""Themes: what many customers say alike, where each statement stands, and how themes came about."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime, text_enum


class ThemeState(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"  # nobody says it any more, or it is part of another; takes in nothing new


class Theme(SQLModel, table=True):
    """A group of statements that were found to say the same. Its id is never used again."""

    id: int | None = Field(default=None, primary_key=True)
    state: ThemeState = Field(
        default=ThemeState.ACTIVE,
        sa_column=sa.Column(text_enum(ThemeState), nullable=False, index=True),
    )
    name: str | None = Field(default=None, max_length=80, description="Given by a person.")
    words: list[str] = Field(
        default_factory=list,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="What its statements have in common, the most telling first.",
    )
    topic: str | None = Field(
        default=None, max_length=64, description="The curated topic that it belongs to."
    )
    model: str = Field(max_length=128, description="The encoder whose vectors it was found in.")
    centroid: bytes = Field(description="Little-endian float32, unit length.")
    cut: float = Field(description="How similar to the centroid a statement must be: a cosine.")
    size: int = Field(description="How many statements it was found in; not how many it has now.")
    central_statement_id: int | None = Field(
        default=None, foreign_key="statement.id", ondelete="SET NULL"
    )
    born_at: datetime = Field(sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AssignmentState(StrEnum):
    """Where a statement stands. One that has no row yet is new."""

    ASSIGNED = "assigned"
    WAITING = "waiting"  # fits no theme; the next discovery looks at it
    UNASSIGNED = "unassigned"  # fitted no theme while it waited
    NOT_COMPARABLE = "not_comparable"  # has no vector: no words, or another encoder's


class ThemeAssignment(SQLModel, table=True):
    """Which theme a statement belongs to, or that it waits for one. Kept, not computed again."""

    __table_args__ = (
        sa.CheckConstraint(
            "(state = 'assigned') = (theme_id IS NOT NULL)", name="assigned_has_theme"
        ),
        sa.Index("ix_themeassignment_state_statement_id", "state", "statement_id"),
        sa.Index("ix_themeassignment_theme_id_similarity", "theme_id", "similarity"),
    )

    statement_id: int = Field(primary_key=True, foreign_key="statement.id", ondelete="CASCADE")
    state: AssignmentState = Field(sa_column=sa.Column(text_enum(AssignmentState), nullable=False))
    theme_id: int | None = Field(default=None, foreign_key="theme.id")
    similarity: float | None = Field(
        default=None, description="To the theme's centroid when it was assigned: a cosine."
    )


class ThemeEventKind(StrEnum):
    BORN = "born"
    CONTINUED = "continued"  # a rebuild found it again
    SPLIT = "split"  # `other_id` is the part that is a theme of its own now
    MERGED = "merged"  # `other_id` is the theme that took it in
    RETIRED = "retired"  # a rebuild did not find it again
    RENAMED = "renamed"
    PROMOTED = "promoted"  # to a curated topic


class ThemeEvent(SQLModel, table=True):
    """That something happened to a theme: its lineage. Only ever added to."""

    id: int | None = Field(default=None, primary_key=True)
    theme_id: int = Field(foreign_key="theme.id", index=True)
    kind: ThemeEventKind = Field(sa_column=sa.Column(text_enum(ThemeEventKind), nullable=False))
    other_id: int | None = Field(default=None, foreign_key="theme.id")
    detail: str = Field(default="", max_length=80, description="The new name, or the topic's id.")
    actor: str = Field(max_length=255)
    run: str | None = Field(default=None, max_length=36, description="Prefect's id of the run.")
    at: datetime = Field(sa_type=UtcDateTime)


class ThemeRegistry(SQLModel, table=True):
    """One row, locked by whoever places statements or changes themes: one at a time does."""

    id: int = Field(default=1, primary_key=True)
    revision: int = Field(description="Grows whenever themes are found or rebuilt.")
    discovered_to: int = Field(
        description="The newest statement that the last discovery looked at."
    )
