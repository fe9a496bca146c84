"""When it is tried again: a message, and a provider that works for nobody."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.rules.retries import (
    BACKOFF,
    FAIR_CHANCE,
    LONGEST,
    PAUSES,
    RETRIED_FOR,
    asked_wait_s,
    pause_after,
    retry_at,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def again(
    attempts: int, seed: int = 1, *, age: timedelta = timedelta(0), asked: timedelta | None = None
) -> datetime | None:
    return retry_at(attempts, NOW, Random(seed), queued_at=NOW - age, asked=asked)


@given(st.integers(1, 20), st.integers())
def test_waits_grow_and_end(attempts: int, seed: int) -> None:
    when = again(attempts, seed)
    if attempts > len(BACKOFF):
        assert when is None
    else:
        assert when is not None
        assert BACKOFF[attempts - 1] / 2 <= when - NOW <= BACKOFF[attempts - 1]


@given(st.integers(1, len(BACKOFF)), st.integers(0, 3 * 24 * 60))
def test_nobody_comes_back_earlier_than_asked(attempts: int, minutes: int) -> None:
    asked = minutes * MINUTE
    when = again(attempts, asked=asked)
    assert when is None or when - NOW >= asked


@given(st.integers(FAIR_CHANCE, len(BACKOFF)), st.integers(0, 200))
def test_after_three_days_it_ends(attempts: int, hours: int) -> None:
    when = again(attempts, age=timedelta(hours=hours))
    assert when is None or when <= NOW - timedelta(hours=hours) + RETRIED_FOR


def test_what_was_kept_for_days_has_a_fair_chance_all_the_same() -> None:
    old = timedelta(days=7)
    tries = [again(attempts, age=old) is not None for attempts in range(1, FAIR_CHANCE + 1)]
    assert tries == [True] * (FAIR_CHANCE - 1) + [False]


def test_a_provider_is_left_alone_for_longer_and_longer_and_never_for_ever() -> None:
    assert [pause_after(n) for n in range(1, 8)] == [*PAUSES, PAUSES[-1], PAUSES[-1]]
    assert list(PAUSES) == sorted(PAUSES)


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        ("4.2.0 greylisted, please try again in 5 minutes", 300),
        ("Greylisted for 300 seconds", 300),
        ("4.7.1 try again after 2 h", 7200),
        ("wait 1 minute", 60),
        ("in 999999 hours", LONGEST.total_seconds()),
        ("try again later", None),
        ("4.3.2 please contact us in 2026", None),
        ("", None),
    ],
)
def test_what_a_mail_server_asks_for(reply: str, seconds: float | None) -> None:
    assert asked_wait_s(reply) == seconds
