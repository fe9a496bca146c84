"""Where a source may connect to: the public Internet, or this machine if it is told so.

A name is resolved once, every address of it is judged, and the connection goes to an address that
was judged: a name cannot answer "public" to the check and "internal" to the connection.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from voc.company.sources import LOOPBACK

Resolve = Callable[[str, int], list[str]]

# These carry an IPv4 address inside, which may be any: translated, tunnelled, or site-local.
_CARRIERS = tuple(
    ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "2001::/32", "fec0::/10")
)


class AddressRefusedError(httpx.TransportError):
    """The address is not on the public Internet."""


def is_public(address: str) -> bool:
    """Whether *address* is one that anybody may reach; False for what is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    inside = any(ip in net for net in _CARRIERS if net.version == ip.version)
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or inside)


def why_not_url(url: str, *, base_url: str) -> str | None:
    """Why *url* may not be asked for, or None. It must be on the same host as *base_url*."""
    parts, base = urlsplit(url), urlsplit(base_url)
    if parts.username or parts.password:
        return "the address holds a user name"
    if (parts.scheme, parts.hostname, parts.port) != (base.scheme, base.hostname, base.port):
        return f"it sends us to another host ({parts.hostname}); if that is right, set base_url"
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        return "the address does not begin with https://"
    return None


def is_loopback(url: str) -> bool:
    """Whether the URL is explicitly this machine: how tests and rehearsals say it."""
    return urlsplit(url).hostname in LOOPBACK


class GuardedTransport(httpx.HTTPTransport):
    """httpx's transport, with a total deadline a request and the check of every address.

    httpx's own time limits are per read: a server that sends a byte now and then holds a client
    for hours.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        total_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        resolve: Resolve | None = None,
    ) -> None:
        context = _trusted()
        super().__init__(verify=context)
        self._total_s = total_s
        self._clock = clock
        self._backend = _GuardedBackend(allow_loopback, clock, resolve or _resolve)
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=self._backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._backend.deadline = self._clock() + self._total_s
        return super().handle_request(request)


class _GuardedBackend(httpcore.NetworkBackend):
    def __init__(self, allow_loopback: bool, clock: Callable[[], float], resolve: Resolve) -> None:
        self.deadline = float("inf")
        self._allow_loopback = allow_loopback
        self._clock = clock
        self._resolve = resolve
        self._real = httpcore.SyncBackend()

    def left(self, timeout: float | None) -> float:
        """Seconds that this operation may still take."""
        left = self.deadline - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer took too long as a whole")
        return min(left, timeout) if timeout is not None else left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._resolve(host, port)
        except OSError as exc:
            raise httpcore.ConnectError("the host's name is not known") from exc
        if not addresses or not all(map(self._may_connect, addresses)):
            raise AddressRefusedError("the host is not on the public Internet")
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                stream = self._real.connect_tcp(
                    address, port, self.left(timeout), local_address, socket_options
                )
                return _TimedStream(stream, self.left)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
        raise failure or httpcore.ConnectError("the host has no address")

    def _may_connect(self, address: str) -> bool:
        if self._allow_loopback:  # then it is the only place: nothing else was asked for
            return ipaddress.ip_address(address).is_loopback
        return is_public(address)


class _TimedStream(httpcore.NetworkStream):
    def __init__(
        self, stream: httpcore.NetworkStream, left: Callable[[float | None], float]
    ) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _TimedStream(stream, self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@cache
def _trusted() -> ssl.SSLContext:
    """Loading the certificates takes longer than most answers: once a process is enough."""
    return httpx.create_ssl_context()


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
