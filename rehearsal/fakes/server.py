"""A small HTTP server on a free local port that can misbehave in every way that services do."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

DATE = "Wed, 07 Jan 2026 12:00:00 GMT"
"""What the fakes say the time is. They have no clock, so that every run is the same."""

LOGIN_PAGE = b"<!DOCTYPE html><html><body><form>Please sign in</form></body></html>"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as the fake got it."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a fake answers when it behaves. A body of bytes is sent as plain text, else JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class How(StrEnum):
    """The ways to fail."""

    STATUS = "status"  # an error status, with `headers`
    RESET = "reset"  # the connection breaks in the middle of the body
    SHORT = "short"  # fewer bytes than Content-Length says
    CUT = "cut"  # no length, and the connection ends half way: looks like a whole answer
    CUT_GZIP = "cut_gzip"  # the same, packed
    DRIP = "drip"  # a byte now and then, for ever
    DRIP_HEADERS = "drip_headers"  # the same, before the body
    BOMB = "bomb"  # 200 MB of spaces, packed into 200 kB
    BODY = "body"  # 200 with `body` instead of the answer
    HANG = "hang"  # nothing at all


NOT_FOUND = Answer(404, {"message": "not found"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens instead of one answer."""

    how: How
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    media: str = "application/json"
    unseen: bool = False
    """The service never gets to see the request: it has no effect."""


class FakeService:
    """The runner: `url` while entered, `requests` as they came, `misbehave` for the next ones."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.seen_headers: list[dict[str, str]] = []
        self.always: Fault | None = None
        self.drip_s = 0.05
        self.ending = threading.Event()
        self._faults: deque[Fault | None] = deque()
        self._server: ThreadingHTTPServer | None = None

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """What the service says to a GET; each fake that is read has its own."""
        return NOT_FOUND

    def respond(self, asked: Asked) -> Answer:
        """What the service says and does; each fake that is written to has its own."""
        return self.answer(asked.path, asked.query) if asked.method == "GET" else NOT_FOUND

    def misbehave(self, *faults: Fault | None) -> None:
        """Do this instead of the next answers, one each; None: behave once."""
        self._faults.extend(faults)

    def next_fault(self) -> Fault | None:
        return self._faults.popleft() if self._faults else self.always

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the fake is not running: use it in a with statement")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.ending.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away: to make them go is what faults are for."""
        if not isinstance(sys.exception(), OSError | ValueError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # otherwise every answer waits 40 ms for the client's kernel
    fake: FakeService

    def do_GET(self) -> None:
        fake, parts = self.fake, urlsplit(self.path)
        fake.requests.append(self.path)
        headers = {k.lower(): v for k, v in self.headers.items()}
        fake.seen_headers.append(headers)
        announced = int(headers.get("content-length", 0))
        if len(sent := self.rfile.read(announced)) < announced:
            self.close_connection = True  # they went away in mid request: that is no request
            return
        fault = fake.next_fault()
        unseen = fault is not None and fault.unseen
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, sent)
        answer = NOT_FOUND if unseen else fake.respond(asked)
        plain = isinstance(answer.body, bytes)
        body = answer.body if plain else json.dumps(answer.body).encode()
        try:
            if fault is None:
                media = {"Content-Type": "text/plain"} if plain else {}
                self._send(answer.status, body, {**media, **answer.headers})
            else:
                self._fail(fault, body)
        except OSError:  # the client went away: that is often what is being tried
            self.close_connection = True

    do_POST = do_PUT = do_GET  # noqa: N815  (as http.server calls them)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self._head(
            status,
            {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers},
        )
        self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in {"Date": DATE, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _fail(self, fault: Fault, body: bytes) -> None:
        how = fault.how
        if how is How.STATUS:
            self._send(fault.status, fault.body, fault.headers)
        elif how is How.BODY:
            self._send(200, fault.body, {"Content-Type": fault.media, **fault.headers})
        else:
            self.close_connection = True
            self._break(how, body)

    def _break(self, how: How, body: bytes) -> None:
        if how in (How.SHORT, How.RESET):
            self._head(200, {"Content-Length": str(len(body))})
            self.wfile.write(body[: len(body) // 2])
            if how is How.RESET:
                self._reset()
        elif how is How.CUT:
            self._head(200, {"Connection": "close"})
            self.wfile.write(body[: len(body) // 2])
        elif how is How.CUT_GZIP:
            packed = _gzip(body)
            self._head(200, {"Connection": "close", "Content-Encoding": "gzip"})
            self.wfile.write(packed[: len(packed) // 2])
        elif how is How.BOMB:
            packed = _gzip(b" " * 200_000_000)
            self._head(200, {"Content-Length": str(len(packed)), "Content-Encoding": "gzip"})
            self.wfile.write(packed)
        else:
            self._drag(how)

    def _drag(self, how: How) -> None:
        if how is How.DRIP:
            self._head(200, {"Content-Length": "1000000"})
        while not self.fake.ending.wait(self.fake.drip_s):
            if how is not How.HANG:
                self.wfile.write(b"H" if how is How.DRIP_HEADERS else b" ")
                self.wfile.flush()

    def _reset(self) -> None:
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: what is asked for stands in `FakeService.requests`."""


def _gzip(body: bytes) -> bytes:
    import gzip

    return gzip.compress(body, mtime=0)
