"""Where a source may connect to: the public Internet, or this machine if it is told so.

A name is resolved once, every address of it is judged, and the connection goes to an address that
was judged: a name cannot answer "public" to the check and "internal" to the connection.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import httpcore
import httpx

from voc.deadline import Deadline, TimedStream, trusted
from voc.targets import LOOPBACK

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
    """httpx's transport, with a total deadline a request and the check of every address."""

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        total_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        resolve: Resolve | None = None,
    ) -> None:
        super().__init__(verify=trusted())
        self._deadline = Deadline(total_s, clock=clock)
        backend = _GuardedBackend(allow_loopback, self._deadline, resolve or _resolve)
        self._pool = httpcore.ConnectionPool(ssl_context=trusted(), network_backend=backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._deadline.begin()
        return super().handle_request(request)


class _GuardedBackend(httpcore.NetworkBackend):
    def __init__(self, allow_loopback: bool, deadline: Deadline, resolve: Resolve) -> None:
        self._allow_loopback = allow_loopback
        self._deadline = deadline
        self._resolve = resolve
        self._real = httpcore.SyncBackend()

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
                    address, port, self._deadline.left(timeout), local_address, socket_options
                )
                return TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
        raise failure or httpcore.ConnectError("the host has no address")

    def _may_connect(self, address: str) -> bool:
        if self._allow_loopback:  # then it is the only place: nothing else was asked for
            return ipaddress.ip_address(address).is_loopback
        return is_public(address)


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
