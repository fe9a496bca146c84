"""What stands before every page: headers, the size of a request, the number of tries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv6Address, ip_address
from threading import Lock
from types import MappingProxyType

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 1024
MAX_PUSHED = 1024 * 1024
HOOKS = "/hooks/"
NUL, FORM = b"%00", "application/x-www-form-urlencoded"
OF_A_NETWORK = 64
"""Bits of an IPv6 address that say whose network it is: one household has all those below."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        # Nothing on our pages runs, and nothing is fetched from elsewhere.
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",  # the address is a secret
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
    }
)

DESK_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        **HEADERS,
        # One small script of ours: keys and confirmations. Pages work without it.
        "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace(
            "default-src 'none';", "default-src 'none'; script-src 'self'; connect-src 'self';"
        ),
    }
)


class SecurityHeaders:
    """Puts our headers on every answer that has not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class WithoutNul:
    """Takes the letter NUL out of addresses and forms: nobody types it, PostgreSQL has none.

    What is pushed is signed, and so left as it came; those who read it take it out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(HOOKS):
            await self.app(scope, receive, send)
            return

        async def receive_without() -> Message:
            message = await receive()
            if "body" in message and is_form:
                message = {**message, "body": message["body"].replace(NUL, b"")}
            return message

        is_form = Headers(scope=scope).get("content-type", "").startswith(FORM)
        asked = scope["query_string"].replace(NUL, b"")
        clean = {"path": scope["path"].replace("\0", ""), "query_string": asked}
        await self.app({**scope, **clean}, receive_without, send)


class BodyLimit:
    """Reads a request's body before anything else does, and refuses one that is too long."""

    def __init__(
        self, app: ASGIApp, refuse: Callable[[Scope, Receive, Send], Awaitable[None]]
    ) -> None:
        self.app = app
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        try:
            most = most_of(scope["path"])
            if announced.isdigit() and int(announced) > most:
                body = None
            else:  # a chunked body announces nothing
                body = await _read(receive, most)
        except ClientDisconnect:
            return  # half of a form is no form
        if body is None:
            await self.refuse(scope, receive, send)
            return
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        await self.app(scope, replay, send)


def most_of(path: str) -> int:
    """How many bytes may be sent to *path*. What is pushed brings a whole form along."""
    return MAX_PUSHED if path.startswith(HOOKS) else MAX_BODY


async def _read(receive: Receive, most: int) -> bytes | None:
    """The whole body; None as soon as it is too long.

    Raises:
        ClientDisconnect: The visitor left in the middle of it.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return bytes(body)


class RateLimit:
    """Lets *burst* tries through for each key, and then *per_second* more.

    Lives in memory: after a restart everyone starts anew. The longest unseen keys are forgotten.
    """

    def __init__(
        self, *, burst: int, per_second: float, ticks: Callable[[], float], keys: int = 10_000
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._ticks = ticks
        self._keys = keys
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str) -> bool:
        """Count a try; False if there is none left."""
        with self._lock:
            left = self._now_left(key)
            allowed = left >= 1
            self._left[key] = (left - 1 if allowed else left, self._ticks())
            self._left.move_to_end(key)
            while len(self._left) > self._keys:
                self._left.popitem(last=False)
            return allowed

    def wait_s(self, key: str) -> float:
        """Seconds until there is a try again."""
        with self._lock:
            return max(0.0, (1 - self._now_left(key)) / self._per_second)

    def _now_left(self, key: str) -> float:
        now = self._ticks()
        left, since = self._left.get(key, (float(self._burst), now))
        return min(self._burst, left + (now - since) * self._per_second)


def client_of(request: HTTPConnection) -> str:
    """Where a request comes from, as it is counted: an address, or an IPv6 network."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:  # a socket's name
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> OF_A_NETWORK << OF_A_NETWORK)}/{OF_A_NETWORK}"
