"""Addresses that this machine sends to: what is safe, and what is only its own."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
)

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
WebhookName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
SHORTEST_KEY = 24  # bytes, as Standard Webhooks asks for
SHORTEST_SECRET = 16  # letters: what is chosen by hand, or was an unset variable, is shorter


def is_standard_key(secret: str) -> bool:
    """Whether it is a secret as Standard Webhooks has it: `whsec_` and enough bytes in base64."""
    try:
        return len(b64decode(secret.removeprefix("whsec_"), validate=True)) >= SHORTEST_KEY
    except ValueError:
        return False


def _one_or_more(given: object) -> object:
    return [given] if isinstance(given, str | SecretStr) else given


def _is_long(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"must have {SHORTEST_SECRET} letters or more")
    return secret


HookSecret = Annotated[SecretStr, AfterValidator(_is_long)]
HookKeys = Annotated[tuple[HookSecret, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
"""What a provider may sign with: one secret, or a list while it is changed."""


class WebhookTarget(BaseModel, frozen=True):
    """Another program that is told of events: where it listens, and what we sign with."""

    url: SecretStr = Field(description="https://... (http:// only on this machine).")
    secret: SecretStr = Field(description="whsec_ and base64, as Standard Webhooks has it.")

    @field_validator("url")
    @classmethod
    def _is_safe(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
        if not is_local and not (parts.scheme == "https" and parts.hostname):
            raise ValueError("must begin with https:// (http:// only on this machine)")
        return url

    @field_validator("secret")
    @classmethod
    def _is_long_enough(cls, secret: SecretStr) -> SecretStr:
        if not is_standard_key(secret.get_secret_value()):
            raise ValueError(f"must be whsec_ and {SHORTEST_KEY} bytes or more in base64")
        return secret
