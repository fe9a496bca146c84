"""The governor: who may be written to, and when."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.company.follow_up import FollowUpPolicy
from voc.models import MessageKind
from voc.models import MessageState as Is
from voc.rules.contact import (
    ContactFacts,
    Silence,
    Why,
    choose_address,
    is_held_out,
    why_not_contact,
)
from voc.rules.pseudonym import pseudonym

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLICY = FollowUpPolicy()
FINE = ContactFacts(address="kim@customer.test", consent=True)
NIGHT = POLICY.model_copy(update={"quiet_from": time(20), "quiet_until": time(8)})
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


def test_a_customer_who_agreed_may_be_written_to() -> None:
    assert why_not_contact(FINE, POLICY, NOW) is None


BAD_NEWS: list[tuple[dict[str, object], Why, Is]] = [
    ({"kill_switch": True}, Why.KILL_SWITCH, Is.HELD),
    ({"held_out": True}, Why.HOLD_OUT, Is.HELD),
    ({"suppressed": "opted_out"}, Why.OPTED_OUT, Is.SUPPRESSED),
    ({"suppressed": "bounced"}, Why.BOUNCED, Is.SUPPRESSED),
    ({"suppressed": "complained"}, Why.COMPLAINED, Is.SUPPRESSED),
    ({"suppressed": "a reason of tomorrow"}, Why.OPTED_OUT, Is.SUPPRESSED),
    ({"address": None}, Why.NO_ADDRESS, Is.SUPPRESSED),
    ({"consent": False}, Why.NO_CONSENT, Is.SUPPRESSED),
    ({"consent": None}, Why.NO_CONSENT, Is.SUPPRESSED),
    ({"expires_at": NOW}, Why.EXPIRED, Is.EXPIRED),
    ({"still_wanted": False}, Why.NOT_WANTED, Is.CANCELLED),
    ({"contacted_at": (NOW,)}, Why.CAP_7_DAYS, Is.QUEUED),
]


@pytest.mark.parametrize(("change", "why", "state"), BAD_NEWS)
def test_every_reason_has_its_state(change: dict[str, object], why: Why, state: Is) -> None:
    silence = why_not_contact(replace(FINE, **change), POLICY, NOW)  # type: ignore[arg-type]
    assert silence is not None
    assert (silence.reason, silence.state) == (why, state)
    assert (silence.until is not None) == (state is Is.QUEUED)


@pytest.mark.parametrize(("stronger", "weaker"), list(pairwise(BAD_NEWS)))
def test_the_stronger_reason_is_named(
    stronger: tuple[dict[str, object], Why, Is], weaker: tuple[dict[str, object], Why, Is]
) -> None:
    both = replace(FINE, **weaker[0] | stronger[0])  # type: ignore[arg-type]
    silence = why_not_contact(both, POLICY, NOW)
    assert silence is not None
    assert silence.reason is stronger[1]


def test_silence_about_consent_is_consent_only_where_the_policy_says_so() -> None:
    lenient = POLICY.model_copy(update={"consent_required": False})
    assert why_not_contact(replace(FINE, consent=None), lenient, NOW) is None
    refused = why_not_contact(replace(FINE, consent=False), lenient, NOW)
    assert refused == Silence(Why.NO_CONSENT, Is.SUPPRESSED)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kill_switch": True}, Why.KILL_SWITCH),
        ({"expires_at": NOW}, Why.EXPIRED),
        ({"still_wanted": False}, Why.NOT_WANTED),
        ({"held_out": True}, None),
        ({"suppressed": "opted_out"}, None),
        ({"consent": None}, None),
        ({"contacted_at": (NOW,) * 9}, None),
        ({"timezone": "Asia/Tokyo"}, None),
    ],
)
def test_alerts_know_no_consent_and_no_quiet(change: dict[str, object], why: Why | None) -> None:
    alert = replace(FINE, kind=MessageKind.ALERT, **change)  # type: ignore[arg-type]
    silence = why_not_contact(alert, NIGHT, NOW)
    assert (silence and silence.reason) == why


def test_a_cap_gives_way_when_the_oldest_message_that_fills_it_is_old_enough() -> None:
    policy = POLICY.model_copy(update={"cap_7_days": 2, "cap_30_days": 3})
    days_ago = [NOW - timedelta(days=d) for d in (1, 3, 20)]
    silence = why_not_contact(replace(FINE, contacted_at=tuple(days_ago)), policy, NOW)
    assert silence == Silence(Why.CAP_30_DAYS, Is.QUEUED, NOW + timedelta(days=10))
    two = replace(FINE, contacted_at=tuple(days_ago[:2]))
    silence = why_not_contact(two, policy, NOW)
    assert silence == Silence(Why.CAP_7_DAYS, Is.QUEUED, NOW + timedelta(days=4))


def test_a_resolution_is_not_capped() -> None:
    facts = replace(FINE, contacted_at=(NOW,) * 9, exempt=True)
    assert why_not_contact(facts, POLICY, NOW) is None


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        ("UTC", "2026-03-02T07:59", "2026-03-02T08:00"),
        ("UTC", "2026-03-02T08:00", None),
        ("UTC", "2026-03-02T19:59", None),
        ("UTC", "2026-03-02T20:00", "2026-03-03T08:00"),
        ("Europe/Berlin", "2026-03-02T19:00", "2026-03-03T07:00"),
        ("Europe/Berlin", "2026-03-28T22:00", "2026-03-29T06:00"),  # the clock goes forward
        ("Europe/Berlin", "2026-10-24T22:00", "2026-10-25T07:00"),  # and back
        ("Nowhere/At_All", "2026-03-02T20:00", "2026-03-03T08:00"),
        ("America/New_York", "2028-02-29T03:00", "2028-02-29T13:00"),  # leap day
    ],
)
def test_quiet_hours_follow_the_clock_on_the_customers_wall(
    zone: str, now: str, until: str | None
) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    silence = why_not_contact(replace(FINE, timezone=zone), NIGHT, moment)
    expected = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    assert (silence and silence.until) == expected
    assert (silence and silence.reason) == (Why.QUIET_HOURS if until else None)


times = st.times().map(lambda t: t.replace(microsecond=0))
moments = st.datetimes(
    min_value=datetime(2025, 1, 1),  # noqa: DTZ001  (Hypothesis wants it naive)
    max_value=datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(begin=times, end=times, now=moments, zone=st.sampled_from(ZONES))
def test_quiet_hours_always_end_and_soon(begin: time, end: time, now: datetime, zone: str) -> None:
    policy = POLICY.model_copy(update={"quiet_from": begin, "quiet_until": end})
    silence = why_not_contact(replace(FINE, timezone=zone), policy, now)
    if silence is None:
        return
    assert silence.until is not None
    assert now < silence.until <= now + timedelta(hours=26)
    assert why_not_contact(replace(FINE, timezone=zone), policy, silence.until) is None


@given(now=moments, zone=st.sampled_from(ZONES))
def test_nothing_leaves_while_the_wall_says_that_it_is_quiet(now: datetime, zone: str) -> None:
    silence = why_not_contact(replace(FINE, timezone=zone), NIGHT, now)
    wall = now.astimezone(ZoneInfo(zone)).time()
    assert (silence is not None) == (wall >= time(20) or wall < time(8))


@given(
    st.lists(st.timedeltas(timedelta(0), timedelta(days=30)), max_size=8),
    st.integers(1, 3),
    st.integers(1, 5),
)
def test_caps_are_kept_and_never_longer_than_needed(
    ago: list[timedelta], cap_7: int, cap_30: int
) -> None:
    policy = POLICY.model_copy(update={"cap_7_days": cap_7, "cap_30_days": cap_30})
    contacted = tuple(NOW - delta for delta in ago)
    silence = why_not_contact(replace(FINE, contacted_at=contacted), policy, NOW)

    def full(at: datetime) -> bool:
        in_7 = sum(c > at - timedelta(days=7) for c in contacted)
        in_30 = sum(c > at - timedelta(days=30) for c in contacted)
        return in_7 >= cap_7 or in_30 >= cap_30

    assert (silence is not None) == full(NOW)
    if silence is not None and silence.until is not None:
        assert not full(silence.until)
        assert full(silence.until - timedelta(microseconds=1))


@given(
    st.builds(
        ContactFacts,
        address=st.none() | st.just("kim@customer.test"),
        consent=st.none() | st.booleans(),
        suppressed=st.none() | st.sampled_from(["opted_out", "bounced", "complained"]),
        held_out=st.booleans(),
        kill_switch=st.booleans(),
        still_wanted=st.booleans(),
    )
)
def test_nobody_is_written_to_who_should_not_be(facts: ContactFacts) -> None:
    if why_not_contact(facts, POLICY, NOW) is None:
        assert facts.address
        assert facts.consent
        assert facts.suppressed is None
        assert facts.still_wanted
        assert not facts.held_out
        assert not facts.kill_switch


def test_the_hold_out_is_the_same_people_every_time_and_about_its_share() -> None:
    held = [n for n in range(5000) if is_held_out(b"secret", n, 0.1)]
    assert held == [n for n in range(5000) if is_held_out(b"secret", n, 0.1)]
    assert 400 < len(held) < 600
    assert set(held) < {n for n in range(5000) if is_held_out(b"secret", n, 0.2)}
    assert held != [n for n in range(5000) if is_held_out(b"another", n, 0.1)]
    assert not any(is_held_out(b"secret", n, 0) for n in range(5000))


@pytest.mark.parametrize(
    ("addresses", "suppressed", "frozen", "expected"),
    [
        ([], {}, None, (None, None)),
        (["a", "b"], {}, None, ("a", None)),
        (["a", "b"], {"a": "bounced"}, None, ("b", None)),
        (["a", "b"], {"a": "bounced", "b": "bounced"}, None, ("a", Why.BOUNCED)),
        (["a", "b"], {"b": "opted_out"}, None, ("b", "opted_out")),
        (["a", "b"], {"b": "complained"}, "a", ("b", "complained")),
        (["a", "b"], {}, "b", ("b", None)),
        (["a", "b"], {"b": "bounced"}, "b", ("b", Why.BOUNCED)),
        (["a"], {}, "b", (None, None)),
    ],
)
def test_which_address_is_written_to(
    addresses: list[str],
    suppressed: dict[str, str],
    frozen: str | None,
    expected: tuple[str | None, str | None],
) -> None:
    assert choose_address(addresses, suppressed, frozen) == expected


@given(st.emails())
def test_an_address_is_recognised_in_every_spelling(address: str) -> None:
    assert pseudonym(b"k", f" {address.upper()} ") == pseudonym(b"k", address.lower())
    assert pseudonym(b"k", address) != pseudonym(b"other", address)
    assert len(pseudonym(b"k", address)) == 64


def test_wide_letters_and_sharp_s_are_the_same_person() -> None:
    wide = "\uff4b\uff49\uff4d@customer.test"
    assert pseudonym(b"k", wide) == pseudonym(b"k", "kim@customer.test")
    assert pseudonym(b"k", "STRASSE@x.test") == pseudonym(b"k", "straße@x.test")
