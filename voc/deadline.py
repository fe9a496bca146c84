"""HTTP requests that are over in time.

httpx's own time limits are per read: a server that sends a byte now and then, be it in the head
of its answer, holds a client for hours.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import httpcore
import httpx


class Deadline:
    """When the request that is under way has to be over.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, total_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._total_s = total_s
        self._clock = clock
        self._at = float("inf")

    def begin(self) -> None:
        """A request begins."""
        self._at = self._clock() + self._total_s

    def left(self, timeout: float | None) -> float:
        """Seconds that one operation may take, of those that are left.

        Raises:
            httpcore.ReadTimeout: None are.
        """
        left = self._at - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer took too long as a whole")
        return min(left, timeout) if timeout is not None else left


class TimedStream(httpcore.NetworkStream):
    """A connection whose every operation ends by the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout)
        return TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, left), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@cache
def trusted() -> ssl.SSLContext:
    """Loading the certificates takes longer than most answers: once a process is enough."""
    return httpx.create_ssl_context()
