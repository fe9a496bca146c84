"""Asking a service for JSON, and believing nothing: not its length, not its end, not its pace.

Every connector over HTTP asks through `Service`. What comes out is decoded JSON, or a
`SourceError` that says whether to try again. Only for reading: it asks again on its own.
"""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from sources.addresses import AddressRefusedError, GuardedTransport, is_loopback, why_not_url
from sources.strictjson import JsonError, parse_json
from sources.waiting import asked_wait, back_off, wait_for_quota
from voc.errors import SourceFormatError, SourceRefusedError, SourceUnavailableError

USER_AGENT = "vocloop/0.1 (customer feedback; reads only)"
_READ_S = 15.0
_MAX_REDIRECTS = 3
_ASK_LATER = frozenset({408, 425, 429})
_HTML = ("text/html", "application/xhtml")

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one source may cost us."""

    attempts: int = 4
    total_s: float = 60.0
    """One request, from the first byte of the question to the last of the answer."""
    max_bytes: int = 20_000_000
    """One answer, unpacked."""
    patience_s: float = 300.0
    """All waits of one fetch together; a longer one is for the next run."""


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Reply:
    """Decoded JSON, with the headers it came with; no body for an expected absence."""

    status: int
    body: Any
    headers: httpx.Headers


class _TryAgain(Exception):  # noqa: N818 (a signal inside of this module, not an error)
    """This attempt failed in a way that another may not."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason, wait_s)
        self.reason = reason
        self.wait_s = wait_s


def open_client(base_url: str, limits: Limits) -> httpx.Client:
    """A client that goes to public addresses only, or to this machine if *base_url* is it."""
    transport = GuardedTransport(allow_loopback=is_loopback(base_url), total_s=limits.total_s)
    return httpx.Client(transport=transport, timeout=_READ_S)


def bearer(token: str) -> dict[str, str]:
    """The header of a service that takes access tokens."""
    return {"Authorization": f"Bearer {token}"}


OpenService = Callable[[], AbstractContextManager["Service"]]
"""How a connector gets its service for one fetch, and gives it back."""


class Service:
    """One service, for the time of one fetch: the patience is counted over all its requests."""

    def __init__(
        self,
        source: str,
        base_url: str,
        client: httpx.Client,
        *,
        rng: random.Random,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        limits: Limits = DEFAULT_LIMITS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._rng = rng
        self._auth = auth
        self._headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **(headers or {}),
        }
        self._limits = limits
        self._sleep = sleep
        self._clock = clock
        self._patience_s = limits.patience_s
        self._quota_wait_s = 0.0

    def get(self, path: str, params: Params | None = None, *, absent: Iterable[int] = ()) -> Reply:
        """The answer to a GET of *path*; one whose status is one of *absent* has no body.

        Raises:
            SourceUnavailableError: No whole answer after all attempts, or the service asks for a
                longer pause than this fetch has patience for.
            SourceRefusedError: Credentials or address are wrong, or it sends us elsewhere.
            SourceFormatError: A whole answer that is no JSON.
        """
        url = urljoin(self._base_url + "/", path.lstrip("/"))
        if why := why_not_url(url, base_url=self._base_url):
            raise SourceRefusedError(self._source, why)
        for attempt in range(1, self._limits.attempts + 1):
            self._wait(self._quota_wait_s, "its quota is used up")
            try:
                return self._ask(url, params or {}, frozenset(absent))
            except _TryAgain as exc:
                if attempt == self._limits.attempts:
                    raise SourceUnavailableError(
                        self._source, f"{exc.reason}, {attempt} times"
                    ) from None
                wait_s = back_off(attempt - 1, self._rng) if exc.wait_s is None else exc.wait_s
                self._wait(wait_s, exc.reason)
        raise AssertionError("at least one attempt")

    def _wait(self, wait_s: float, reason: str) -> None:
        self._quota_wait_s = 0.0
        if wait_s <= 0:
            return
        if wait_s > self._patience_s:
            raise SourceUnavailableError(
                self._source, f"{reason}; it can be asked again in {wait_s:.0f} seconds"
            )
        self._patience_s -= wait_s
        self._sleep(wait_s)

    def _ask(self, url: str, params: Params, absent: frozenset[int]) -> Reply:
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                with self._stream(url, params) as response:
                    self._quota_wait_s = wait_for_quota(response.headers)
                    if response.status_code in absent:
                        return Reply(response.status_code, None, response.headers)
                    if response.has_redirect_location:
                        url, params = self._same_host(response), {}
                        continue
                    self._refuse_status(response)
                    return Reply(response.status_code, self._json(response), response.headers)
            except AddressRefusedError as exc:
                raise SourceRefusedError(self._source, str(exc)) from None
            except httpx.TimeoutException:
                raise _TryAgain("it did not answer in time") from None
            except httpx.TransportError as exc:
                raise _TryAgain(f"the connection failed ({type(exc).__name__})") from None
        raise SourceRefusedError(self._source, "it redirects without end")

    def _stream(self, url: str, params: Params) -> Any:
        auth = httpx.USE_CLIENT_DEFAULT if self._auth is None else self._auth
        return self._client.stream(
            "GET",
            url,
            params=dict(params) or None,
            headers=self._headers,
            auth=auth,
            follow_redirects=False,
        )

    def _same_host(self, response: httpx.Response) -> str:
        target = urljoin(str(response.url), response.headers["location"])
        if why := why_not_url(target, base_url=self._base_url):
            raise SourceRefusedError(self._source, why)
        return target

    def _refuse_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in _ASK_LATER or response.is_server_error:
            raise _TryAgain(f"it answered HTTP {status}", asked_wait(response.headers))
        if status in (401, 403):
            raise SourceRefusedError(
                self._source, f"it answered HTTP {status}: check the credentials"
            )
        if status in (404, 410):
            raise SourceRefusedError(
                self._source, f"it answered HTTP {status}: check the address in the company file"
            )
        if status != httpx.codes.OK:
            raise SourceRefusedError(self._source, f"it answered HTTP {status} to our question")

    def _json(self, response: httpx.Response) -> Any:
        body = b"".join(self._unpacked(response))
        if not body.strip():
            raise SourceFormatError(self._source, "the answer is empty")
        media = response.headers.get("content-type", "").lower()
        if media.startswith(_HTML) or body.lstrip()[:1] == b"<":
            raise SourceFormatError(
                self._source, "the answer is a web page, not JSON; is there a login in front?"
            )
        try:
            return parse_json(body)
        except JsonError as exc:
            if not _says_its_length(response):
                # Without a length, a line that dropped looks like an answer that ended.
                raise _TryAgain("the answer was cut off") from None
            raise SourceFormatError(self._source, f"the answer is not understood: {exc}") from None

    def _unpacked(self, response: httpx.Response) -> Iterator[bytes]:
        """The body, unpacked here and not by httpx, which unpacks a bomb before we see it."""
        unpack = _unpacker(response)
        if unpack is None:
            raise SourceFormatError(
                self._source, "the answer is packed in a way that we do not read"
            )
        deadline, size = self._clock() + self._limits.total_s, 0
        for chunk in response.iter_raw():
            for part in unpack.feed(chunk):
                size += len(part)
                if size > self._limits.max_bytes:
                    raise SourceFormatError(
                        self._source, f"the answer is longer than {self._limits.max_bytes:,} bytes"
                    )
                yield part
            if self._clock() > deadline:
                raise _TryAgain("the answer took too long as a whole")
        if not unpack.is_whole():
            raise _TryAgain("the answer was cut off")


class _Plain:
    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def is_whole(self) -> bool:
        return True


class _Gzip:
    """At most a megabyte at a time, whatever the chunk holds."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=47)  # gzip or zlib, as the header says

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while chunk and not self._zlib.eof:
                yield self._zlib.decompress(chunk, 1_000_000)
                chunk = self._zlib.unconsumed_tail
        except zlib.error:
            raise _TryAgain("the answer is packed wrongly") from None

    def is_whole(self) -> bool:
        return self._zlib.eof


def _unpacker(response: httpx.Response) -> _Plain | _Gzip | None:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return _Plain()
    return _Gzip() if encoding in ("gzip", "x-gzip", "deflate") else None


def _says_its_length(response: httpx.Response) -> bool:
    return (
        "content-length" in response.headers
        or response.headers.get("transfer-encoding", "").lower() == "chunked"
    )
