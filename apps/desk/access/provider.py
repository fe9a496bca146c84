"""Signing in with the company's identity provider: OpenID Connect, by authlib.

The code flow with PKCE, state and nonce. The libraries are loaded at the first sign-in, so that
a desk without a provider never does.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from voc.settings import OidcSettings

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LEEWAY_S = 60
TIMEOUT_S = 10
KEPT = timedelta(minutes=5)
DISCOVERY_PATH = "/.well-known/openid-configuration"
RETURN_PATH = "/sign-in/return"


class ProviderError(Exception):
    """The provider did not say who it is in a way that we can trust. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What we must remember between sending somebody away and their return."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the provider says of somebody, its signature checked."""

    issuer: str
    subject: str
    email: str | None
    """None: it has none, or has not verified that it is theirs."""
    groups: frozenset[str]
    """What stands in the claim that roles come from."""


class Provider:
    """An identity provider, found by its issuer's address.

    Args:
        clock: Real time: tokens live by it, not by a rehearsal's clock.
    """

    def __init__(
        self, settings: OidcSettings, public_url: str, clock: Callable[[], datetime]
    ) -> None:
        self.settings = settings
        self._return_url = public_url.rstrip("/") + RETURN_PATH
        self._clock = clock
        self._kept: dict[str, tuple[datetime, Any]] = {}

    @property
    def name(self) -> str:
        return self.settings.name

    def begin(self) -> tuple[str, Begun]:
        """The address to send somebody to, and what to remember of it.

        Raises:
            ProviderError: The provider cannot be reached.
        """
        begun = Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
        )
        with self._client() as (client, about):
            url, _ = client.create_authorization_url(
                about["authorization_endpoint"],
                state=begun.state,
                nonce=begun.nonce,
                code_verifier=begun.verifier,
            )
        return str(url), begun

    def finish(self, begun: Begun, code: str) -> Told:
        """Who has come back with *code*.

        Raises:
            ProviderError: The provider does not vouch for them.
        """
        with self._client() as (client, about):
            told = client.fetch_token(
                about["token_endpoint"], code=code, code_verifier=begun.verifier
            )
            keys = self._fetched(client, about["jwks_uri"])
            try:
                return self._read(told, keys, about["issuer"], begun.nonce)
            except Exception:
                self._kept.clear()  # perhaps there are newer keys: the next try finds them
                raise

    def _read(self, told: dict[str, str], keys: Any, issuer: str, nonce: str) -> Told:
        """What the ID token says, if it was made by the issuer, for us, now, and for this visit."""
        from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
        from joserfc import jwt
        from joserfc.jwk import KeySet

        token = jwt.decode(told["id_token"], KeySet.import_key_set(keys), list(ALGORITHMS))
        ours = self.settings.client_id
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": ours},
            },
            params={"nonce": nonce, "client_id": ours, "access_token": told["access_token"]},
        )
        claims.validate(now=int(self._clock().timestamp()), leeway=LEEWAY_S)
        is_theirs = claims.get("email_verified") is True
        groups = claims.get(self.settings.role_claim, [])
        return Told(
            issuer=issuer,
            subject=claims["sub"],
            email=str(claims["email"]) if is_theirs and "email" in claims else None,
            groups=frozenset(map(str, groups if isinstance(groups, list) else [groups])),
        )

    def _fetched(self, client: Any, address: str) -> Any:
        """What the provider publishes there. Kept for a while: tries do not add up over there."""
        at, found = self._kept.get(address, (None, None))
        now = self._clock()
        if at is None or not now - KEPT < at <= now:
            answer = client.request("GET", address, withhold_token=True)
            found = answer.raise_for_status().json()
            self._kept[address] = now, found
        return found

    @contextmanager
    def _client(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """A client of the provider, and what the provider says of itself.

        Raises:
            ProviderError: It cannot be reached, or whatever goes wrong in the block.
        """
        import httpx2
        from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
        from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
        from joserfc.errors import JoseError

        issuer = self.settings.issuer.rstrip("/")
        try:
            with OAuth2Client(
                self.settings.client_id,
                self.settings.client_secret.get_secret_value(),
                scope="openid email profile",
                redirect_uri=self._return_url,
                code_challenge_method="S256",
                timeout=TIMEOUT_S,
            ) as client:
                about = self._fetched(client, issuer + DISCOVERY_PATH)
                if about["issuer"].rstrip("/") != issuer:
                    raise ProviderError("wrong_issuer")
                yield client, about
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise ProviderError("unreachable") from None
        except (OAuthError, JoseError, AttributeError, LookupError, TypeError, ValueError):
            raise ProviderError("not_vouched_for") from None
