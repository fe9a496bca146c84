"""What teaches the routing beside statements, and what was learned."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime, text_enum
from voc.models.feedback import SuggestionKind


class LabelledText(SQLModel, table=True):
    """A text that came with its label from elsewhere: it belongs to no feedback, but it teaches."""

    __table_args__ = (sa.UniqueConstraint("text_hash", "kind"),)  # importing twice is harmless

    id: int | None = Field(default=None, primary_key=True)
    text: str = Field(description="As it is embedded, personal data masked.")
    text_hash: str = Field(max_length=64)
    kind: SuggestionKind = Field(sa_column=sa.Column(text_enum(SuggestionKind), nullable=False))
    value: str = Field(max_length=64)
    actor: str = Field(max_length=255, description="Who imported it.")
    at: datetime = Field(sa_type=UtcDateTime)


class TrainedRouter(SQLModel, table=True):
    """What was learned from the labels there were. The newest row says what is in use."""

    id: int | None = Field(default=None, primary_key=True)
    version: str = Field(
        max_length=64, description="As suggestions name it; empty: the descriptions decide alone."
    )
    encoder: str = Field(max_length=128, description="The version of what made its vectors.")
    weights: bytes = Field(description="Safetensors; empty in all rows but the newest.")
    learned_from: str = Field(
        max_length=64, description="Hash of labels and subjects: the same are not learned again."
    )
    labels: int = Field(description="How many it was trained on.")
    figures: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="By kind, what the refit found on labels that were held back.",
    )
    trained_at: datetime = Field(sa_type=UtcDateTime)
