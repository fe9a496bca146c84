"""What every source says of its rows: which column holds what, and what it means."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from voc.company.hours import Frozen, TimeZone
from voc.models import Channel, RatingScale

SourceId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=64,
        description="Small letters, digits, - and _. Never change it: it stands beside every "
        "piece of feedback from here.",
    ),
]

Product = Annotated[str | None, Field(max_length=64)]


class Columns(Frozen):
    """Which column of a file holds what. Only `text` is needed; the rest is as good as it gets."""

    text: str | tuple[str, ...] = Field(
        description="What the customer said: one column, or several that a blank line joins."
    )
    id: str | None = Field(
        default=None,
        description="The source's own id of the row. Without one, the row's content is its id.",
    )
    said_at: str | None = Field(
        default=None,
        description="When the customer said it. Without one, the file's time of change is taken.",
    )
    rating: str | None = Field(default=None, description="The number; needs `rating_scale`.")
    email: str | None = Field(default=None, description="The customer's e-mail address.")
    phone: str | None = Field(default=None, description="The customer's telephone number.")
    handle: str | None = Field(default=None, description="Their @name; needs `handle_platform`.")
    account: str | None = Field(default=None, description="Their customer or order account.")
    name: str | None = Field(default=None, description="What the customer is called.")
    language: str | None = Field(default=None, description="A language code, such as en or de-AT.")
    country: str | None = Field(default=None, description="A country code of two letters.")
    segment: str | None = Field(default=None, description="The company's own group of customers.")
    value: str | None = Field(default=None, description="What they are worth a year, in money.")
    consent: str | None = Field(
        default=None, description="Whether we may answer; see `consent_yes`. Empty: not known."
    )
    channel: str | None = Field(
        default=None, description="The kind of place, where one file holds several; see `channels`."
    )
    touchpoint: str | None = Field(default=None, description="Where we met the customer.")
    product: str | None = Field(default=None, description="What of yours it is about.")
    url: str | None = Field(default=None, description="Where the feedback can be looked at.")
    deleted: str | None = Field(
        default=None, description="A yes here says the customer took it back: it is erased."
    )

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,) if isinstance(self.text, str) else self.text

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that is mapped, in order."""
        others = (getattr(self, field) for field in type(self).model_fields if field != "text")
        return tuple(dict.fromkeys([*self.texts, *(name for name in others if name)]))

    @property
    def needed(self) -> tuple[str, ...]:
        """Those that must be there even where every object names its own, as in JSON lines."""
        text = self.texts if len(self.texts) == 1 else ()
        return (*text, *(name for name in (self.id, self.said_at) if name))

    @field_validator("text")
    @classmethod
    def _some_text(cls, text: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not text or not all(text):
            raise ValueError("text must name the column that holds what the customer said")
        return text


class Mapped(Frozen):
    """A source whose items are rows: the company file names their columns."""

    kind: str
    id: SourceId
    channel: Channel = Field(description="The kind of place this feedback comes from.")
    decimal: Literal[".", ","] = Field(default=".", description="How numbers in texts are written.")
    timezone: TimeZone = Field(default="UTC", description="Of times that do not say their zone.")
    date_format: str | None = Field(
        default=None,
        description="How times are written, as in strptime, where they are neither ISO 8601 "
        'nor day.month.year: "%m/%d/%Y %H:%M".',
    )
    rating_scale: RatingScale | None = Field(
        default=None, description="What the rating's number means."
    )
    channels: dict[str, Channel] = Field(
        default={},
        description="What the words in `columns.channel` mean: {tweet: social}. Others: `channel`.",
    )
    touchpoint: str | None = Field(default=None, description="Where no column says it.")
    product: Product = Field(default=None, description="What it is about, where no column says it.")
    handle_platform: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9_.-]+$",
        description="The platform of `columns.handle`: @kim is somebody else on each of them.",
    )
    consent_yes: tuple[str, ...] = Field(
        default=("yes", "ja", "si", "oui", "true", "1", "y"),
        description="The words that mean yes, in `columns.consent` and `columns.deleted`.",
    )
    columns: Columns = Field(description="Which column holds what.")

    @model_validator(mode="after")
    def _consent_can_be_given(self) -> Self:
        if self.columns.consent and not any(word.strip() for word in self.consent_yes):
            raise ValueError("columns.consent needs consent_yes, the words that mean yes in it")
        return self

    @model_validator(mode="after")
    def _numbers_and_handles_have_a_meaning(self) -> Self:
        if self.columns.rating and self.rating_scale is None:
            raise ValueError("columns.rating needs rating_scale: a number alone means nothing")
        if self.columns.handle and self.handle_platform is None:
            raise ValueError("columns.handle needs handle_platform, such as mastodon")
        return self
