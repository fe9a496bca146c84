"""Business hours as the company file states them. The arithmetic: `voc.rules.business_time`."""

from __future__ import annotations

from datetime import date, time
from difflib import get_close_matches
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: "Europe" is a folder
        near = get_close_matches(name, available_timezones(), n=1)
        such = near[0] if near else "Europe/Berlin"
        raise ValueError(f"{name!r} is no time zone; use a name such as {such}") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Frozen(BaseModel):
    """Of the company file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BusinessHours(Frozen):
    """When a department works. Clocks of promises stand still outside of it."""

    timezone: TimeZone = Field(default="UTC", description="The zone of these times.")
    days: tuple[Weekday, ...] = Field(
        default=("mon", "tue", "wed", "thu", "fri"), description="Working days."
    )
    start: time = Field(default=time(9), description='When work begins: "09:00".')
    end: time = Field(default=time(17), description='When it ends: "17:00".')
    holidays: frozenset[date] = Field(
        default=frozenset(), description="Days without work: [2026-12-25, 2026-12-26]."
    )

    @model_validator(mode="after")
    def _open_at_all(self) -> Self:
        if not self.days or self.start >= self.end:
            raise ValueError("business hours need at least one day, and start before end")
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("start and end are in timezone; write them without a zone")
        return self


class Sla(Frozen):
    """What a department promises, in business hours since the ticket was opened."""

    first_response_hours: float = Field(
        default=8, gt=0, description="Until somebody has taken the ticket."
    )
    resolution_hours: float = Field(default=24, gt=0, description="Until it is resolved.")
    escalate_after_hours: float = Field(
        default=8, gt=0, description="Business hours between one escalation level and the next."
    )
