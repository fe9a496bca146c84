"""The sources of a company, as its company file states them. How often each is asked: schedules."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from voc.company.hours import Frozen
from voc.company.mapped import Mapped, Product, SourceId
from voc.models import Channel
from voc.targets import LOOPBACK


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

RESERVED_HOOKS = ("slack", "twilio")
LONGEST_HOOK = 27
"""Its id stands after `hook:` in 32 letters of the database."""

Console = Literal["app_store", "google", "play"]
"""Where a company answers reviews in public."""


class FileSource(Mapped):
    """Files that somebody drops into a folder."""

    kind: Literal["file"] = Field(description="Reads CSV, Excel, JSON lines and Parquet files.")
    path: str = Field(
        description='Which files, relative to the company file: "inbox/*/nps.csv". `**` is allowed.'
    )
    format: Literal["auto", "csv", "excel", "jsonl", "parquet"] = Field(
        default="auto", description="auto: by the end of the file's name."
    )
    encoding: str = Field(default="auto", description="Of text files: auto, utf-8, cp1252, ...")
    delimiter: str = Field(default="auto", description="Of CSV files: auto, or one character.")
    sheet: str | None = Field(default=None, description="Of Excel files; the first if not given.")
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
    product: Product = Field(default=None, description="What of yours its reviews are about.")
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
    product: Product = Field(default=None, description="What of yours its posts are about.")
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


class WebhookSource(Mapped):
    """Feedback that a service sends by itself, to /hooks/ID on our web app.

    What it signs with is a secret of the machine: VOC_WEBHOOK_SECRETS holds it under the same id.
    """

    kind: Literal["webhook"] = Field(description="Takes what is sent to /hooks/ID.")
    provider: Literal["typeform", "standard"] = Field(
        description="typeform: columns are `ref`s of questions and names of hidden fields. "
        "standard: any Standard Webhook; columns are paths in its JSON, such as data.answers.why."
    )

    @field_validator("id")
    @classmethod
    def _is_free_and_short(cls, source_id: str) -> str:
        if source_id in RESERVED_HOOKS or len(source_id) > LONGEST_HOOK:
            raise ValueError(
                f"a webhook's id has {LONGEST_HOOK} letters at most, and is none of: "
                f"{', '.join(RESERVED_HOOKS)}"
            )
        return source_id


SourceConfig = Annotated[
    FileSource | ITunesSource | MastodonSource | WebhookSource, Field(discriminator="kind")
]
