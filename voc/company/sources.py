"""The sources of a company, as its company file states them. How often each is asked: schedules."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from voc.company.hours import Frozen, TimeZone
from voc.models import Channel, RatingScale

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

SourceId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=64,
        description="Small letters, digits, - and _. Never change it: it stands beside every "
        "piece of feedback from here.",
    ),
]


def _safe_base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise ValueError("base_url holds a user name or password: use token_env instead")
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return url.rstrip("/")
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("base_url must begin with https:// (http:// only on this machine)")
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_safe_base_url)]

Console = Literal["app_store", "google", "play"]
"""Where a company answers reviews in public."""


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


class FileSource(Frozen):
    """Files that somebody drops into a folder."""

    kind: Literal["file"] = Field(description="Reads CSV, Excel, JSON lines and Parquet files.")
    id: SourceId
    channel: Channel = Field(description="The kind of place this feedback comes from.")
    path: str = Field(
        description='Which files, relative to the company file: "inbox/*/nps.csv". `**` is allowed.'
    )
    format: Literal["auto", "csv", "excel", "jsonl", "parquet"] = Field(
        default="auto", description="auto: by the end of the file's name."
    )
    encoding: str = Field(default="auto", description="Of text files: auto, utf-8, cp1252, ...")
    delimiter: str = Field(default="auto", description="Of CSV files: auto, or one character.")
    decimal: Literal[".", ","] = Field(default=".", description="How numbers in texts are written.")
    timezone: TimeZone = Field(default="UTC", description="Of times that do not say their zone.")
    date_format: str | None = Field(
        default=None,
        description="How times are written, as in strptime, where they are neither ISO 8601 "
        'nor day.month.year: "%m/%d/%Y %H:%M".',
    )
    sheet: str | None = Field(default=None, description="Of Excel files; the first if not given.")
    rating_scale: RatingScale | None = Field(
        default=None, description="What the rating's number means."
    )
    channels: dict[str, Channel] = Field(
        default={},
        description="What the words in `columns.channel` mean: {tweet: social}. Others: `channel`.",
    )
    touchpoint: str | None = Field(default=None, description="Where no column says it.")
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
    console: Console | None = Field(
        default=None,
        description="Where public replies to these reviews go. `columns.id` must then be the "
        "console's own id of the review.",
    )
    console_app: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_.]+$",
        max_length=100,
        description="For `console: play`, the name of the app's package.",
    )

    @field_validator("path")
    @classmethod
    def _inside_the_folder(cls, path: str) -> str:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or not path:
            raise ValueError("path must be relative to the company file, without ..")
        return path

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        if encoding != "auto":
            try:
                " ".encode(encoding)
            except LookupError:
                raise ValueError(
                    f"{encoding!r} is no encoding: use auto, utf-8 or cp1252"
                ) from None
        return encoding

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        if delimiter != "auto" and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise ValueError("delimiter must be auto or one character, such as ;")
        return delimiter

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

    @model_validator(mode="after")
    def _replies_have_a_place(self) -> Self:
        if self.console and self.channel is not Channel.REVIEW:
            raise ValueError("console is for reviews: set channel to review, or leave it out")
        if self.console and not self.columns.id:
            raise ValueError("console needs columns.id, the console's own id of each review")
        if (self.console == "play") != (self.console_app is not None):
            raise ValueError("console: play and console_app need each other")
        return self


class ITunesSource(Frozen):
    """Reviews of one app in one country's App Store. Needs no key; the newest 500 at most."""

    kind: Literal["itunes"] = Field(description="Reads the App Store's public feed of reviews.")
    id: SourceId
    app_id: str = Field(pattern=r"^\d{1,20}$", description="The number in the app's store address.")
    country: str = Field(pattern=r"^[a-z]{2}$", description="The store's country: us, de, ...")
    base_url: BaseUrl = Field(
        default="https://itunes.apple.com", description="Where the feed is; a fake's in rehearsals."
    )
    console: Literal["app_store"] | None = Field(
        default=None,
        description="app_store, if the app is yours: then public replies go through App Store "
        "Connect. Its ids are not the feed's; a review is found there by its moment and stars.",
    )


class MastodonSource(Frozen):
    """Public posts with one of some hashtags, as one server of the Fediverse knows them."""

    kind: Literal["mastodon"] = Field(description="Reads hashtags on a Mastodon server.")
    id: SourceId
    server: str = Field(
        pattern=r"^[a-z0-9.-]+\.[a-z]{2,}$", description="The server's name: mastodon.social"
    )
    tags: tuple[str, ...] = Field(min_length=1, description="Hashtags, without the #.")
    base_url: BaseUrl = Field(default="", description="https://<server> if not given.")
    token_env: str | None = Field(
        default=None,
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="The environment variable that holds an access token, if the server asks "
        "for one. Never the token itself.",
    )
    look_back_hours: int = Field(
        default=48,
        ge=1,
        le=24 * 14,
        description="How far back each run looks again for late, edited and deleted posts.",
    )

    @field_validator("tags")
    @classmethod
    def _bare_tags(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        bare = tuple(dict.fromkeys(tag.removeprefix("#") for tag in tags))
        for tag in bare:
            if not re.fullmatch(r"\w+", tag):
                raise ValueError(f"{tag!r} is no hashtag: letters, digits and _ only")
        return bare

    @model_validator(mode="before")
    @classmethod
    def _address_of_the_server(cls, given: object) -> object:
        if isinstance(given, dict) and not given.get("base_url"):
            return {**given, "base_url": f"https://{given.get('server')}"}
        return given


SourceConfig = Annotated[FileSource | ITunesSource | MastodonSource, Field(discriminator="kind")]
