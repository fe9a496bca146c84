"""A service that misbehaves in every known way, over real sockets."""

from __future__ import annotations

import gzip
import random
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rehearsal.fakes.server import LOGIN_PAGE, Answer, FakeService, Fault, How
from sources.addresses import GuardedTransport
from sources.http import Limits, Service, bearer, open_client
from voc.errors import SourceFormatError, SourceRefusedError, SourceUnavailableError

BODY = {"items": ["a good answer"] * 100}


class Echo(FakeService):
    def answer(self, path: str, query: dict[str, str]) -> Answer:
        return Answer(200, BODY)


@pytest.fixture
def fake() -> Iterator[Echo]:
    with Echo() as running:
        yield running


class Asking:
    """One service, with its waits written down instead of slept."""

    def __init__(self, fake: FakeService, **limits: Any) -> None:
        self.waits: list[float] = []
        chosen = Limits(**{"total_s": 0.6, "attempts": 3, **limits})
        self.client = open_client(fake.url, chosen)
        self.service = Service(
            "s",
            fake.url,
            self.client,
            rng=random.Random(1),
            headers=bearer("t0ken"),
            limits=chosen,
            sleep=self.waits.append,
        )

    def get(self, **how: Any) -> Any:
        with self.client:
            return self.service.get("/list", **how)


def status(code: int, **headers: str) -> Fault:
    return Fault(How.STATUS, code, {k.replace("_", "-"): v for k, v in headers.items()})


def body(content: bytes, media: str = "application/json", **headers: str) -> Fault:
    return Fault(How.BODY, body=content, media=media, headers=headers)


@pytest.mark.parametrize(
    "fault",
    [
        status(429, Retry_After="7"),
        status(429, Retry_After="soon"),
        status(429),
        status(500),
        status(503),
        Fault(How.RESET),
        Fault(How.SHORT),
        Fault(How.CUT),
        Fault(How.CUT_GZIP),
        body(gzip.compress(b'["a"]')[:-9], **{"Content-Encoding": "gzip"}),
        body(b"no gzip", **{"Content-Encoding": "gzip"}),
        Fault(How.DRIP),
        Fault(How.DRIP_HEADERS),
        Fault(How.HANG),
    ],
    ids=lambda fault: f"{fault.how}{fault.status}",
)
def test_what_may_pass_is_asked_again(fake: Echo, fault: Fault) -> None:
    fake.misbehave(fault)
    asking = Asking(fake)
    assert asking.get().body == BODY
    assert len(fake.requests) == 2
    assert len(asking.waits) == 1


@pytest.mark.parametrize("how", [How.DRIP, How.DRIP_HEADERS, How.HANG])
def test_a_slow_answer_ends_at_the_total_deadline(fake: Echo, how: How) -> None:
    fake.misbehave(Fault(how))
    began = time.monotonic()
    with pytest.raises(SourceUnavailableError, match=r"in time|too long"):
        Asking(fake, attempts=1).get()
    assert time.monotonic() - began < 20  # it would drip for ever


@pytest.mark.parametrize(
    ("retry_after", "wait_s"), [("7", 7.0), ("Wed, 07 Jan 2026 12:01:00 GMT", 60.0), ("0", None)]
)
def test_the_pause_is_as_long_as_was_asked(
    fake: Echo, retry_after: str, wait_s: float | None
) -> None:
    fake.misbehave(status(429, Retry_After=retry_after))
    asking = Asking(fake)
    asking.get()
    assert asking.waits == ([wait_s] if wait_s else [])


@pytest.mark.parametrize("retry_after", ["-1", "1e9", "rubbish"])
def test_a_pause_that_makes_no_sense_is_our_own_back_off(fake: Echo, retry_after: str) -> None:
    fake.misbehave(status(429, Retry_After=retry_after))
    asking = Asking(fake)
    asking.get()
    assert 0.5 <= asking.waits[0] <= 1


@pytest.mark.parametrize("retry_after", ["99999999", "301", "Fri, 21 Oct 2099 07:28:00 GMT"])
def test_a_pause_beyond_our_patience_is_said_at_once(fake: Echo, retry_after: str) -> None:
    fake.misbehave(status(429, Retry_After=retry_after))
    asking = Asking(fake)
    with pytest.raises(SourceUnavailableError, match="asked again in"):
        asking.get()
    assert asking.waits == []
    assert len(fake.requests) == 1


def test_patience_is_for_the_whole_fetch(fake: Echo) -> None:
    fake.misbehave(*[status(429, Retry_After="100")] * 4)
    asking = Asking(fake, attempts=9)
    with pytest.raises(SourceUnavailableError, match="100 seconds"):
        asking.get()
    assert asking.waits == [100, 100, 100]


def test_a_used_up_quota_is_waited_for_before_the_next_question(fake: Echo) -> None:
    asking = Asking(fake)
    quota = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"}
    fake.misbehave(body(b"[]", **quota))
    with asking.client:
        asking.service.get("/list")
        assert asking.waits == []
        asking.service.get("/list")
    assert asking.waits == [30]


def test_after_all_attempts_it_is_unavailable_and_says_why(fake: Echo) -> None:
    fake.always = status(503)
    with pytest.raises(SourceUnavailableError, match="HTTP 503, 3 times"):
        Asking(fake).get()
    assert len(fake.requests) == 3


@pytest.mark.parametrize("code", [401, 403, 404, 410, 400, 422])
def test_a_refusal_is_for_a_person_and_not_asked_again(fake: Echo, code: int) -> None:
    fake.misbehave(status(code))
    with pytest.raises(SourceRefusedError, match=str(code)) as error:
        Asking(fake).get()
    assert len(fake.requests) == 1
    assert "t0ken" not in str(error.value)


def test_an_expected_absence_is_an_answer(fake: Echo) -> None:
    fake.misbehave(status(404))
    reply = Asking(fake).get(absent=(404,))
    assert (reply.status, reply.body) == (404, None)


@pytest.mark.parametrize(
    ("content", "media", "reason"),
    [
        (LOGIN_PAGE, "text/html; charset=utf-8", "web page"),
        (LOGIN_PAGE, "application/json", "web page"),
        (b"", "application/json", "empty"),
        (b'[{"r": NaN}]', "application/json", "NaN"),
        (b"[" * 100_000 + b"]" * 100_000, "application/json", "nested"),
        (b'["\xff"]', "application/json", "UTF-8"),
        (b'{"a": 1', "application/json", "no valid JSON"),
        (b"9" * 5000, "application/json", "too long"),
    ],
)
def test_rubbish_with_a_length_is_not_understood(
    fake: Echo, content: bytes, media: str, reason: str
) -> None:
    fake.misbehave(body(content, media))
    with pytest.raises(SourceFormatError, match=reason):
        Asking(fake).get()
    assert len(fake.requests) == 1


def test_a_bomb_is_not_unpacked(fake: Echo) -> None:
    fake.misbehave(Fault(How.BOMB))
    with pytest.raises(SourceFormatError, match="longer than 20,000,000 bytes"):
        Asking(fake, total_s=30).get()


def test_an_unknown_packing_is_said(fake: Echo) -> None:
    fake.misbehave(body(b"xx", **{"Content-Encoding": "br"}))
    with pytest.raises(SourceFormatError, match="packed"):
        Asking(fake).get()


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:1/",
        "//evil.example/",
        "file:///",
    ],
)
def test_no_redirect_leads_to_another_host(fake: Echo, location: str) -> None:
    fake.misbehave(status(302, Location=location))
    with pytest.raises(SourceRefusedError, match="another host"):
        Asking(fake).get()


def test_a_redirect_on_the_same_host_is_followed_but_not_for_ever(fake: Echo) -> None:
    fake.misbehave(status(301, Location="/elsewhere"))
    assert Asking(fake).get().body == BODY
    fake.always = status(301, Location="/elsewhere")
    with pytest.raises(SourceRefusedError, match="without end"):
        Asking(fake).get()


def test_the_token_is_sent_and_stands_in_no_address(fake: Echo) -> None:
    Asking(fake).get(params={"limit": 40})
    assert fake.requests == ["/list?limit=40"]
    assert fake.seen_headers[0]["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["169.254.169.254"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], []],
)
def test_a_name_that_leads_inside_is_not_connected_to(found: list[str]) -> None:
    transport = GuardedTransport(resolve=lambda _host, _port: found)
    with httpx.Client(transport=transport) as client:
        service = Service("s", "https://rebind.example", client, rng=random.Random(1))
        with pytest.raises(SourceRefusedError, match="not on the public Internet"):
            service.get("/")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "0x7f000001", "2130706433", "127.1", "0", "[::1]", "[::ffff:169.254.169.254]",
     "localhost", "localhost.", "169.254.169.254", "[64:ff9b::7f00:1]", "10.0.0.1"],
)  # fmt: skip
def test_odd_spellings_of_inner_addresses_are_refused_too(host: str) -> None:
    with httpx.Client(transport=GuardedTransport()) as client:
        service = Service(
            "s", f"https://{host}", client, rng=random.Random(1), limits=Limits(attempts=1),
            sleep=lambda _: None,
        )  # fmt: skip
        with pytest.raises((SourceRefusedError, SourceUnavailableError)):
            service.get("/")


def test_a_loopback_client_goes_nowhere_else() -> None:
    transport = GuardedTransport(allow_loopback=True, resolve=lambda _host, _port: ["8.8.8.8"])
    with httpx.Client(transport=transport) as client, pytest.raises(httpx.TransportError):
        client.get("http://localhost:1/")


def test_the_connection_goes_to_an_address_that_was_judged() -> None:
    """Asking the name twice would let it answer differently the second time."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        threading.Thread(target=_answer_once, args=(listening,), daemon=True).start()
        transport = GuardedTransport(allow_loopback=True, resolve=resolve)
        with httpx.Client(transport=transport) as client:
            assert client.get(f"http://localhost:{port}/").text == "ok"
    assert asked == ["localhost"]


def _answer_once(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
