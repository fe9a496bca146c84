"""The cookie that signed-in browsers carry, and how often somebody may try to get in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Response

from apps.desk.guards import RateLimit
from voc.rules.access import SESSION_LASTS

if TYPE_CHECKING:
    from apps.desk.access.provider import Provider

COOKIE = "voc_desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How this desk lets people in; one for each app."""

    public_url: str
    by_client: RateLimit
    """A try for each password that comes from one place."""
    by_client_and_account: RateLimit
    """A try for each password that comes from one place for one account."""
    by_account: RateLimit
    """A try for each password for one account, wherever it comes from. A wide one: it takes many
    places to shut out whom the account is."""
    refusals: RateLimit
    """A note in the audit log for each try that these refuse, by account."""
    provider: Provider | None
    """Where people may sign in instead."""

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach us by https only."""
        return self.public_url.startswith("https:")

    @property
    def cookie(self) -> str:
        return self.named(COOKIE)

    def named(self, cookie: str) -> str:
        """With the prefix, browsers take the cookie from nobody but this very host."""
        return f"__Host-{cookie}" if self.is_secure else cookie

    def give(self, response: Response, cookie: str, value: str, seconds: int) -> None:
        """Set a cookie that no script can read and no other site's form sends."""
        response.set_cookie(
            self.named(cookie),
            value,
            max_age=seconds,
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def take(self, response: Response, cookie: str) -> None:
        """Have the browser forget a cookie."""
        response.delete_cookie(
            self.named(cookie), path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )

    def let_in(self, response: Response, token: str) -> None:
        self.give(response, COOKIE, token, int(SESSION_LASTS.total_seconds()))
