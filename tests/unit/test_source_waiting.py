"""How long a service may make us wait, and where a connector may connect to."""

from __future__ import annotations

import random

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.addresses import is_public, why_not_url
from sources.paginate import from_link_header, next_min_id
from sources.waiting import asked_wait, back_off, wait_for_quota

NOW = "Wed, 07 Jan 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ("7", 7),
        ("0", 0),
        ("1.5", 1.5),
        ("Wed, 07 Jan 2026 12:01:00 GMT", 60),
        ("Wed, 07 Jan 2026 11:00:00 GMT", 0),
        ("Fri, 21 Oct 2099 07:28:00 GMT", 86_400),
        ("99999999999", 86_400),
        ("-1", None),
        ("1e9", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_a_wait_is_what_was_asked_for_at_most_a_day(said: str, wait_s: float | None) -> None:
    assert asked_wait(httpx.Headers({"retry-after": said, "date": NOW})) == wait_s


def test_a_date_cannot_be_measured_without_the_servers_own_clock() -> None:
    assert asked_wait(httpx.Headers({"retry-after": "Wed, 07 Jan 2026 12:01:00 GMT"})) is None


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), st.booleans())
def test_any_header_gives_a_wait_that_is_bearable(said: str, has_date: bool) -> None:
    headers = httpx.Headers({"retry-after": said, "x-ratelimit-reset": said})
    headers["x-ratelimit-remaining"] = "0"
    if has_date:
        headers["date"] = NOW
    assert 0 <= (asked_wait(headers) or 0) <= 86_400
    assert 0 <= wait_for_quota(headers) <= 86_400


@pytest.mark.parametrize(
    ("remaining", "reset", "wait_s"),
    [
        ("0", "2026-01-07T12:05:00.000Z", 300),
        ("0", "1767787260", 60),
        ("0", "30", 30),
        ("1", "30", 0),
        ("0", "never", 0),
        ("0", "2026-01-07T11:00:00Z", 0),
    ],
)
def test_a_used_up_quota_is_waited_for(remaining: str, reset: str, wait_s: float) -> None:
    headers = {"x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset, "date": NOW}
    assert wait_for_quota(httpx.Headers(headers)) == wait_s


def test_back_off_doubles_within_bounds_and_is_the_same_for_the_same_seed() -> None:
    waits = [back_off(attempt, random.Random(1)) for attempt in range(20)]
    assert waits == [back_off(attempt, random.Random(1)) for attempt in range(20)]
    assert all(0.5 <= wait <= 60 for wait in waits)
    assert waits[0] <= 1 < waits[3]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fec0::1",
        "fd00::1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "2001:0:4136:e378::1", "not an address", "",
    ],
)  # fmt: skip
def test_inner_addresses_are_not_public_however_they_are_spelt(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example/a", "https://y.example/a", "https://x.example:8443/a", "file:///etc/passwd",
        "https://kim:pw@x.example/a", "https://x.example@127.0.0.1/", "gopher://x.example/",
        "https://127.0.0.1%2f@x.example/", "//y.example/a",
    ],
)  # fmt: skip
def test_only_the_configured_host_is_asked(url: str) -> None:
    assert why_not_url(url, base_url="https://x.example")


def test_the_link_header_gives_a_parameter_and_never_an_address() -> None:
    link = '<https://evil.example/?min_id=9>; rel="prev", <https://x/?max_id=1>; rel="next"'
    headers = httpx.Headers({"link": link})
    assert from_link_header(headers, "prev", "min_id") == "9"
    assert from_link_header(headers, "next", "min_id") is None
    assert from_link_header(httpx.Headers(), "prev", "min_id") is None


@pytest.mark.parametrize(
    ("asked", "ids", "link", "following"),
    [
        ("0", ["9", "10"], None, "10"),
        ("10", [], None, None),
        ("10", [], "12", "12"),
        ("10", ["9", "10"], None, None),
        ("10", ["11"], "99", "11"),
    ],
)
def test_min_id_walks_upwards_and_stops(
    asked: str, ids: list[str], link: str | None, following: str | None
) -> None:
    headers = {"link": f'<https://x/?min_id={link}>; rel="prev"'} if link else {}
    assert next_min_id(asked, ids, httpx.Headers(headers)) == following
