"""How we talk to customers, as the company file states it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from voc.company.addresses import EmailAddress
from voc.company.hours import Frozen

Language = Annotated[
    str, Field(pattern=r"^[a-z]{2}$", description="A language code of two small letters: en.")
]

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Ground = Literal["consent", "opt_out", "never"]
"""Who may be written to: those who agreed, those who did not refuse, nobody."""


class Approval(Frozen):
    """Which messages wait for a person, and for whom."""

    messages: frozenset[Literal["receipt", "thanks", "resolution", "reminder", "review_reply"]] = (
        Field(
            default=frozenset({"review_reply"}),
            description="Kinds that wait until somebody has read them. Public replies always do.",
        )
    )
    approvers: tuple[EmailAddress, ...] = Field(
        default=(), description="Who is asked by mail. Without any: `voc outbox list` shows them."
    )


class FollowUpPolicy(Frozen):
    """When a customer hears from us, and when not."""

    receipt: bool = Field(default=True, description="Say at once that we got it.")
    thanks: bool = Field(default=True, description="Thank promoters.")
    consent_required: bool = Field(
        default=True, description="Write only to customers who agreed. Some countries demand it."
    )
    countries: Mapping[Country, Ground] = Field(
        default={"AT": "consent", "DE": "consent"},
        description="Where another ground than the above holds: consent, opt_out or never.",
    )
    channels: tuple[Literal["email", "sms"], ...] = Field(
        default=("email",), min_length=1, description="Ways to a customer, the first that works."
    )
    review_replies: bool = Field(
        default=False, description="Draft public replies to reviews; each waits for approval."
    )
    approval: Approval = Field(default=Approval(), description="What waits for a person.")
    reminder_after_days: float = Field(
        default=5, gt=0, description="When we ask once more whether that solved it."
    )
    close_silent_after_days: float = Field(
        default=14, gt=0, description="When a loop closes whose customer never answered."
    )
    cap_7_days: int = Field(default=1, ge=1, description="Messages to one customer in 7 days.")
    cap_30_days: int = Field(default=3, ge=1, description="Messages to one customer in 30 days.")
    quiet_from: time | None = Field(
        default=None,
        description='From when on nothing is sent, in the customer\'s time zone: "21:00".',
    )
    quiet_until: time | None = Field(
        default=None, description='Until when nothing is sent: "08:00".'
    )
    sms_quiet_from: time = Field(
        default=time(20), description="From when on no SMS is sent, on the customer's clock."
    )
    sms_quiet_until: time = Field(default=time(9), description="Until when none is sent.")
    hold_out_share: float = Field(
        default=0, ge=0, lt=1, description="Share of customers never asked, to measure the effect."
    )
    expire_after_days: float = Field(default=30, gt=0, description="Older news is not sent.")
    link_days: int = Field(default=60, ge=1, description="How long the links in a mail work.")
    languages: tuple[Language, ...] = Field(
        default=("en",),
        min_length=1,
        description="In which we write. The first is for customers whose language we do not know.",
    )

    def quiet_hours(self, channel: str) -> tuple[time, time] | None:
        """From when until when nothing is sent by this channel, on the customer's clock."""
        if channel == "sms":
            return self.sms_quiet_from, self.sms_quiet_until
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return self.quiet_from, self.quiet_until

    @model_validator(mode="after")
    def _quiet_hours_are_whole(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet hours need both quiet_from and quiet_until")
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise ValueError("quiet_from and quiet_until are the same; leave both out or differ")
        if any(each and each.tzinfo for each in (self.quiet_from, self.quiet_until)):
            raise ValueError("quiet hours are in the customer's zone; write them without one")
        return self

    @model_validator(mode="after")
    def _numbers_fit_together(self) -> Self:
        if self.cap_30_days < self.cap_7_days:
            raise ValueError("cap_30_days must be cap_7_days or more: 30 days hold those 7")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("languages names one twice")
        if self.reminder_after_days >= self.close_silent_after_days:
            raise ValueError("reminder_after_days must be less than close_silent_after_days")
        return self
