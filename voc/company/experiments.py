"""Experiments with follow-ups, as the company file states them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from voc.company.hours import Frozen
from voc.company.subjects import why_no_subject

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=32)]


class Variant(Frozen):
    """One way of writing a follow-up. The first one listed is what the others are held against."""

    id: Slug = Field(description="Small letters, digits and _. Never change it.")
    share: float = Field(default=1, gt=0, description="How large a part, beside the others.")
    subject: str | None = Field(
        default=None,
        max_length=150,
        description='Another subject line; "{{ company }}" is the company\'s name.',
    )
    tone: Literal["plain", "warm"] = Field(default="plain", description="How it is worded.")
    hour: int | None = Field(
        default=None, ge=0, le=23, description="Not before this hour, on the customer's clock."
    )

    @field_validator("subject")
    @classmethod
    def _words_and_names(cls, subject: str | None) -> str | None:
        if subject is not None and (why := why_no_subject(subject)):
            raise ValueError(f"the subject {why}")
        return subject


class Experiment(Frozen):
    """A comparison of variants. Each customer gets one, the same at every message."""

    id: Slug = Field(description="Small letters, digits and _. Never used again for another.")
    message: Literal["resolution", "reminder", "receipt", "thanks"] = Field(
        default="resolution", description="Which follow-up is varied."
    )
    variants: tuple[Variant, ...] = Field(min_length=1, description="What is compared.")
    hold_out: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="Share of customers who are not written to any more, from the first such "
        "message on, while it runs.",
    )
    outcome: Literal["answered", "solved", "came_back"] = Field(
        default="solved",
        description="What is counted within the days: an answer, a solved, or another issue "
        "(fewer are better).",
    )
    within_days: int = Field(default=14, ge=1, description="How long we wait for the outcome.")
    begins: date = Field(description="The first day.")
    ends: date | None = Field(default=None, description="The last day, if there is one.")

    @model_validator(mode="after")
    def _compares_something(self) -> Self:
        ids = [variant.id for variant in self.variants]
        if len(set(ids)) < len(ids):
            raise ValueError("two variants have the same id")
        if "hold_out" in ids:
            raise ValueError("'hold_out' is the name of those who are not written to")
        if len(ids) == 1 and not self.hold_out:
            raise ValueError("there is nothing to compare: add a variant or a hold_out")
        if len(ids) == 1 and self.outcome != "came_back":
            raise ValueError("a hold_out is not asked: to compare with it count came_back")
        if self.ends is not None and self.ends < self.begins:
            raise ValueError("it ends before it begins")
        return self
