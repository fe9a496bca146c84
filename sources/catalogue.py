"""Every kind of source, and how to make one from the company file."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx

from sources.base import Source
from sources.files import Files
from sources.http import DEFAULT_LIMITS, Limits, Service, bearer, open_client
from sources.itunes import ITunes
from sources.mastodon import Mastodon
from sources.webhook import Webhooks
from voc.company.sources import (
    FileSource,
    ITunesSource,
    MastodonSource,
    SourceConfig,
    WebhookSource,
)
from voc.errors import ConfigurationError

OVER_HTTP: dict[type[SourceConfig], Callable[..., Source]] = {
    ITunesSource: ITunes,
    MastodonSource: Mastodon,
}
"""By its settings' class, what reads a service; files and webhooks need none."""


def build(
    config: SourceConfig,
    *,
    folder: Path,
    client: httpx.Client | None = None,
    secret: Callable[[str], str | None],
    sleep: Callable[[float], None] = time.sleep,
    seed: int,
    limits: Limits = DEFAULT_LIMITS,
) -> Source:
    """The source that *config* describes. Asks nothing yet.

    Args:
        folder: Where the company file is: paths in it are relative to that.
        client: For sources over HTTP. Without one, a client that only goes to public addresses
            (or to this machine, if the source's base_url is it) is opened for each fetch.
        secret: Looks up an environment variable or secret by name.

    Raises:
        ConfigurationError: The source names a secret that is not set.
    """
    if isinstance(config, FileSource):
        return Files(config, folder=folder)
    if isinstance(config, WebhookSource):
        return Webhooks(config)
    headers = _headers(config, secret)

    @contextmanager
    def service() -> Iterator[Service]:
        with nullcontext(client) if client else open_client(config.base_url, limits) as opened:
            yield Service(
                config.id,
                config.base_url,
                opened,
                rng=random.Random(seed),  # noqa: S311 (spreads waits, guards nothing)
                headers=headers,
                limits=limits,
                sleep=sleep,
            )

    return OVER_HTTP[type(config)](config, service=service)


def _headers(
    config: ITunesSource | MastodonSource, secret: Callable[[str], str | None]
) -> dict[str, str]:
    variable = config.token_env if isinstance(config, MastodonSource) else None
    if variable is None:
        return {}
    token = secret(variable)
    if not token:
        raise ConfigurationError(
            f"source {config.id}: set the environment variable {variable} to its access token"
        )
    return bearer(token)
