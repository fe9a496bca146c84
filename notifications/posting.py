"""One HTTP request that does something, and how sure we are afterwards that it was done.

The rule is the phase's, as for mail: no connection means that nothing was handed over; anything
unclear after the first byte went out is unconfirmed. Nothing is asked twice here, and redirects
are not followed: behind one, the work may have been done.

The transport is used directly. A client would write each address to its log, and ours hold
secrets (a webhook's address) or customers' numbers.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from notifications.channel import ChannelDownError
from voc.deadline import Deadline, TimedStream, trusted
from voc.errors import RefusedError, UnconfirmedError
from voc.rules.retry_after import retry_after_s
from voc.targets import LOOPBACK

CONNECT_S = 10.0
KEPT_S = 5.0
"""How long a connection is used again: one that the other side has just ended loses a message."""
MOST_BYTES = 1_000_000
HEADERS = {"User-Agent": "vocloop/0.1", "Accept-Encoding": "identity"}

PROVIDER_ID = re.compile(r"[\w.:-]{1,255}", re.ASCII)
OUR_LOGIN, NOT_THERE = {401, 403}, {404, 410}


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, whatever it says."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  (as HTTP has it)


class Poster:
    """Connections that are reused from message to message, until `close`.

    Args:
        timeout_s: For a request as a whole, from the first byte of ours to the last of theirs.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._transport: _TimedTransport | None = None

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request and read its answer. No error's text holds any part of *url*.

        Raises:
            ChannelDownError: There was no connection, or *url* is none to send to.
            UnconfirmedError: The request may have arrived.
        """
        request = self._request(
            method, url, headers=headers, params=params, content=content, data=form
        )
        if self._transport is None:
            self._transport = _TimedTransport(self._timeout_s)
        try:
            with closing(self._transport.handle_request(request)) as response:
                return _read(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise ChannelDownError(f"{type(exc).__name__} when connecting") from None
        except httpx.HTTPError as exc:
            raise UnconfirmedError(f"{type(exc).__name__} after connecting") from None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._transport = None

    def _request(self, method: str, url: str, **parts: Any) -> httpx.Request:
        if not _may_be_sent_to(url):
            raise ChannelDownError("its address must begin with https://")
        timeout = httpx.Timeout(self._timeout_s, connect=min(CONNECT_S, self._timeout_s))
        parts["headers"] = {**HEADERS, **(parts["headers"] or {})}
        try:
            extensions = {"timeout": timeout.as_dict()}
            return httpx.Request(method, url, **parts, extensions=extensions)
        except httpx.InvalidURL:
            raise ChannelDownError("its address is none") from None


class _TimedTransport(httpx.HTTPTransport):
    """httpx's transport with a deadline: a message must not stay half handed over for ever."""

    def __init__(self, total_s: float) -> None:
        super().__init__(verify=trusted())
        self._deadline = Deadline(total_s)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted(),
            keepalive_expiry=KEPT_S,
            network_backend=_TimedBackend(self._deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._deadline.begin()
        return super().handle_request(request)


class _TimedBackend(httpcore.SyncBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return TimedStream(super().connect_tcp(*args, **kwargs), self._deadline)


def _read(response: httpx.Response) -> Reply:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise UnconfirmedError("the answer is too long to be one")
    return Reply(response.status_code, response.headers, bytes(body))


def require_taken(reply: Reply) -> None:
    """Pass if the service has taken it; else say how sure we are that it has not.

    Raises:
        ChannelDownError: It asks us to come later, which it counts for us and not for the
            recipient; it does not know us, or there is nobody at its address.
        RefusedError: It will not take this.
        UnconfirmedError: It broke, or sends us elsewhere: it may have taken it before.
    """
    status = reply.status
    said = f"HTTP {status}"
    if reply.is_success:
        return
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise ChannelDownError(said, asked_wait_s(reply))
    if status in OUR_LOGIN | NOT_THERE:
        raise ChannelDownError(said)
    if httpx.codes.is_client_error(status) and status != httpx.codes.REQUEST_TIMEOUT:
        raise RefusedError(said)
    raise UnconfirmedError(said)


def provider_id(found: object) -> str:
    """What a service calls a message, if it looks like a name; else empty."""
    return found if isinstance(found, str) and PROVIDER_ID.fullmatch(found) else ""


@contextmanager
def only_looking() -> Generator[None]:
    """For what is asked before anything is handed over: whatever goes wrong, nothing was sent.

    Raises:
        ChannelDownError: In the place of `UnconfirmedError`.
    """
    try:
        yield
    except UnconfirmedError as exc:
        raise ChannelDownError(str(exc)) from None


def asked_wait_s(reply: Reply) -> float | None:
    """How long the answer asks us to wait, in seconds."""
    return retry_after_s(reply.headers.get("retry-after", ""), reply.headers.get("date", ""))


def _may_be_sent_to(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
