"""Configuration of this machine: read once from the environment, then passed around.

`VOC_DATABASE_URL=...`, `VOC_SMTP__HOST=...` (two underscores open a group). What belongs to the
company, not to the machine, stands in its `voc.yaml` (`voc.company`).
"""

from __future__ import annotations

import os
import secrets
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from voc.errors import ConfigurationError
from voc.models import Role
from voc.targets import LOOPBACK, HookKeys, WebhookName, WebhookTarget

LONGEST_REPLY_LOCAL = 37  # of 64 letters; "+b-" and a token of 24 come after it
HookName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,27}$")]
"""Stands in an address, and after `hook:` in 32 letters of the database."""


class SmtpSettings(BaseModel, frozen=True):
    """The mail server that takes our mails."""

    host: str = "localhost"
    port: int = Field(default=25, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "none"
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = Field(
        default=None,
        description="Certificates of the authorities to trust instead of the system's, as PEM.",
    )
    connect_timeout_s: float = Field(default=30, gt=0)
    reply_timeout_s: float = Field(
        default=600, gt=0, description="After the last byte. RFC 5321 asks for ten minutes."
    )


class ImapSettings(BaseModel, frozen=True):
    """The mailbox that replies and bounces arrive in. Without a host nothing is read."""

    host: str = ""
    port: int = Field(default=993, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "tls"
    username: str = ""
    password: SecretStr = SecretStr("")
    folder: str = "INBOX"
    timeout_s: float = Field(default=60, gt=0)


class TwilioSettings(BaseModel, frozen=True):
    """The account that sends text messages. Without a number none are sent."""

    account_sid: str = ""
    auth_token: SecretStr = SecretStr("")
    sender: str = Field(default="", description="+49..., or a messaging service: MG...")
    base_url: str = "https://api.twilio.com"
    timeout_s: float = Field(default=30, gt=0)


class ReviewSettings(BaseModel, frozen=True):
    """Consoles that public replies go to. Tokens of the store's own API."""

    app_store_token: SecretStr = SecretStr("")
    app_store_url: str = "https://api.appstoreconnect.apple.com"
    google_token: SecretStr = SecretStr("")
    google_url: str = "https://mybusiness.googleapis.com"
    play_token: SecretStr = SecretStr("")
    play_url: str = "https://androidpublisher.googleapis.com"
    timeout_s: float = Field(default=30, gt=0)


class OidcSettings(BaseModel, frozen=True):
    """The identity provider that colleagues may sign in with. Without an issuer there is none."""

    issuer: str = Field(default="", description="Its address; it must be https.")
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    name: str = Field(
        default="your company account", description="What the button calls it: Sign in with ..."
    )
    role_claim: str = Field(
        default="", description="The claim that roles come from. Empty: accounts say their role."
    )
    roles: dict[str, Role] = Field(
        default_factory=dict, description="The role for each value of the claim; first match wins."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        url = urlsplit(self.issuer)
        if self.issuer and not (
            url.hostname and (url.scheme == "https" or url.hostname in LOOPBACK)
        ):
            raise ValueError("VOC_OIDC__ISSUER must be an https address")
        if self.issuer and not self.client_id:
            raise ValueError("VOC_OIDC__ISSUER needs VOC_OIDC__CLIENT_ID")
        if self.role_claim and not self.roles:
            raise ValueError("VOC_OIDC__ROLE_CLAIM needs VOC_OIDC__ROLES")
        return self


class Settings(BaseSettings):
    """Everything that may differ between two machines that serve the same company."""

    model_config = SettingsConfigDict(
        env_prefix="VOC_", env_nested_delimiter="__", frozen=True, env_ignore_empty=True
    )

    home: Path = Field(default=Path("var"), description="Where all state lives.")
    company: Path | None = Field(
        default=None, description="The company file. Default: voc.yaml in the home or here."
    )
    database_url: str = ""
    delivery: Literal["off", "allowlist", "live"] = Field(
        default="off", description="Who may be written to. A fresh checkout writes to nobody."
    )
    delivery_allowlist: frozenset[str] = frozenset()
    smtp: SmtpSettings = SmtpSettings()
    imap: ImapSettings = ImapSettings()
    twilio: TwilioSettings = TwilioSettings()
    reviews: ReviewSettings = ReviewSettings()
    oidc: OidcSettings = OidcSettings()
    reply_address: str = Field(
        default="",
        description="Where replies and bounces go: care@example.com becomes care+TOKEN@example.com "
        "for each message. Empty: replies go to the sender, bounces cannot be told apart.",
    )
    alert_urls: dict[str, SecretStr] = Field(
        default_factory=dict, description="Addresses of the alert routes, by their names."
    )
    webhook_secrets: dict[HookName, HookKeys] = Field(
        default_factory=dict,
        description="By name what providers sign with: a secret, or a list while it is changed.",
    )
    webhooks: dict[WebhookName, WebhookTarget] = Field(
        default_factory=dict, description="Of programs that are told of events, by name."
    )
    public_url: str = Field(
        default="http://127.0.0.1:8321", description="Where customers and owners reach our pages."
    )
    secret_key: SecretStr | None = Field(
        default=None, description="Signs links and pseudonyms. Default: a file in the home folder."
    )
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8321, ge=0, le=65535)
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses or networks, with commas between, of proxies that may say who asks.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _names_addresses(cls, text: str) -> str:
        """Anything else, a host's name say, would be taken without a word and never fit."""
        for each in text.split(","):
            try:
                ip_network(each.strip())
            except ValueError:
                raise ValueError("must be addresses or networks such as 10.0.0.0/8") from None
        return text

    @field_validator("reply_address")
    @classmethod
    def _has_room_for_a_token(cls, address: str) -> str:
        local, at, domain = address.strip().rpartition("@")
        if address and not (at and domain and 0 < len(local) <= LONGEST_REPLY_LOCAL):
            raise ValueError(
                "must be an address such as care@example.com, "
                f"with {LONGEST_REPLY_LOCAL} letters or fewer before the @"
            )
        return address.strip()

    @model_validator(mode="after")
    def _live_needs_a_public_url(self) -> Self:
        if self.delivery == "live" and urlsplit(self.public_url).hostname in LOOPBACK:
            raise ValueError("VOC_DELIVERY=live needs VOC_PUBLIC_URL, the address of your web app")
        return self

    @property
    def database(self) -> str:
        """The URL of the product's database: SQLite in the home folder unless said otherwise."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'voc.db'}"

    @property
    def mailbox(self) -> Path:
        """Where mails go that are not sent."""
        return self.home / "mailbox"

    @property
    def locks(self) -> Path:
        return self.home / "locks"

    @property
    def kill_switch(self) -> Path:
        """While this file exists, nothing leaves."""
        return self.home / "KILL_SWITCH"

    @property
    def journal(self) -> Path:
        """What was handed over, and the ledger's head: outside of the database, on purpose."""
        return self.home / "journal"

    @property
    def reports(self) -> Path:
        """Where the measures are written."""
        return self.home / "reports"

    @property
    def rehearsal(self) -> Path:
        """The home of the rehearsal company."""
        return self.home / "rehearsal"

    def company_file(self) -> Path | None:
        """The company file: the one named, the home's, the working folder's, or None."""
        if self.company:
            return self.company
        places = (self.home / "voc.yaml", Path("voc.yaml"))
        return next((path for path in places if path.exists()), None)

    def at_work(self) -> Settings:
        """These settings; without a company file those of the rehearsal.

        The rehearsal has a home of its own inside this one, on SQLite, writes to nobody and reads
        nobody's mail: it never mixes with a real company's books.
        """
        if self.company_file():
            return self
        return self.model_copy(
            update={
                "home": self.rehearsal,
                "company": self.rehearsal / "voc.yaml",
                "database_url": "",
                "delivery": "off",
                "imap": ImapSettings(),
            }
        )

    def secret(self) -> bytes:
        """The key of links and pseudonyms; made on first use, readable by its owner only."""
        if self.secret_key:
            return self.secret_key.get_secret_value().encode()
        path = self.home / "secret.key"
        try:
            if not path.exists():
                self.home.mkdir(parents=True, exist_ok=True)
                _create_once(path, secrets.token_hex(32))
            return path.read_text().strip().encode()
        except OSError as exc:
            raise ConfigurationError(
                f"VOC_HOME: cannot write to {self.home}: {exc.strerror}; name another folder"
            ) from None


def _create_once(path: Path, content: str) -> None:
    """Write *path* unless another process just did: a half-written key is never seen."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings. Call it in flows, tasks and apps; nowhere deeper.

    Raises:
        ConfigurationError: A variable is wrong; the text names it.
    """
    try:
        return Settings()
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        name = "VOC_" + "__".join(str(part) for part in first["loc"]).upper()
        text = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{name if first['loc'] else 'environment'}: {text}") from None
