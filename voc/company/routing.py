"""Routing rules as the company file states them. What they decide: `voc.rules.routing`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from voc.company.hours import Frozen
from voc.models import Channel


class When(Frozen):
    """Conditions of a rule: all that are given must hold."""

    topic: str | None = Field(default=None, description="The id of a topic.")
    source: str | None = Field(default=None, description="The id of a source.")
    channel: Channel | None = Field(default=None, description="The kind of place it was said.")
    touchpoint: str | None = Field(default=None, description="The id of a touchpoint.")
    sentiment: Literal["negative", "neutral", "positive"] | None = Field(
        default=None, description="What the statement feels like."
    )
    rating_at_most: float | None = Field(
        default=None, ge=0, le=1, description="0 is the worst end of any scale, 1 the best."
    )
    words: tuple[str, ...] = Field(default=(), description="Any of these, whole words.")
    min_customer_value: float | None = Field(
        default=None, description="Only customers worth at least this a year."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a rule needs at least one condition")
        return self


class RoutingRule(Frozen):
    """Statements that match go to *department*; the first rule that matches wins."""

    name: str = Field(description="Why, in words: it is shown at the ticket.")
    when: When = Field(description="What must hold.")
    department: str = Field(description="The id of the department that gets it.")
    priority: Literal["low", "normal", "high", "urgent"] | None = Field(
        default=None, description="Set by the rule; else by the topic's severity."
    )


class Routing(Frozen):
    """How an issue finds its department: rules first, then the suggestion, then triage."""

    rules: tuple[RoutingRule, ...] = Field(default=(), description="The first that fits wins.")
    act_on: tuple[Literal["negative", "neutral", "positive"], ...] = Field(
        default=("negative",), description="Sentiments that open a ticket without a bad rating."
    )
    bad_rating_at_most: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="A rating this low (0 worst, 1 best) needs an answer whatever the words.",
    )
    high_customer_value: float | None = Field(
        default=None, description="From this yearly value on, tickets are one priority higher."
    )
