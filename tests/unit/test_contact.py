"""The governor: who may be written to, by which channel, and when."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.company.follow_up import FollowUpPolicy
from voc.models import DeliveryChannel, MessageKind
from voc.models import MessageState as Is
from voc.rules.addresses import choose_address, masked
from voc.rules.contact import (
    ContactFacts,
    Silence,
    Why,
    choose_way,
    ground_of,
    is_held_out,
    silences,
    why_not_contact,
)
from voc.rules.merging import share_out
from voc.rules.pseudonym import pseudonym

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLICY = FollowUpPolicy()
FINE = ContactFacts(address="kim@customer.test", consent=True)
TEXT = replace(FINE, channel=DeliveryChannel.SMS, address="+441632960123")
NIGHT = POLICY.model_copy(update={"quiet_from": time(20), "quiet_until": time(8)})


def test_a_customer_who_agreed_may_be_written_to() -> None:
    assert why_not_contact(FINE, POLICY, NOW) is None


BAD_NEWS: list[tuple[dict[str, object], Why, Is]] = [
    ({"kill_switch": True}, Why.KILL_SWITCH, Is.HELD),
    ({"restored": True}, Why.RESTORED, Is.HELD),
    ({"by_hand": True}, Why.BY_HAND, Is.HELD),
    ({"held_out": True}, Why.HOLD_OUT, Is.HELD),
    ({"suppressed": "opted_out"}, Why.OPTED_OUT, Is.SUPPRESSED),
    ({"suppressed": "bounced"}, Why.BOUNCED, Is.SUPPRESSED),
    ({"suppressed": "stopped"}, Why.STOPPED, Is.SUPPRESSED),
    ({"suppressed": "complained"}, Why.COMPLAINED, Is.SUPPRESSED),
    ({"suppressed": "a reason of tomorrow"}, Why.OPTED_OUT, Is.SUPPRESSED),
    ({"address": None}, Why.NO_ADDRESS, Is.SUPPRESSED),
    ({"consent": False}, Why.NO_CONSENT, Is.SUPPRESSED),
    ({"consent": None}, Why.NO_CONSENT, Is.SUPPRESSED),
    ({"expires_at": NOW}, Why.EXPIRED, Is.EXPIRED),
    ({"still_wanted": False}, Why.NOT_WANTED, Is.CANCELLED),
    ({"needs_approval": True}, Why.NEEDS_APPROVAL, Is.HELD),
    ({"contacted_at": (NOW,)}, Why.CAP_7_DAYS, Is.QUEUED),
    ({"not_before_hour": 15}, Why.VARIANT_HOUR, Is.QUEUED),
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
        ({"restored": True}, Why.RESTORED),
        ({"by_hand": True}, Why.BY_HAND),
        ({"expires_at": NOW}, Why.EXPIRED),
        ({"still_wanted": False}, Why.NOT_WANTED),
        ({"needs_approval": True, "approved": False}, Why.NEEDS_APPROVAL),
        ({"held_out": True}, None),
        ({"suppressed": "opted_out"}, None),
        ({"consent": None}, None),
        ({"country": "DE"}, None),
        ({"contacted_at": (NOW,) * 9}, None),
        ({"zones": ("Asia/Tokyo",)}, None),
        ({"not_before_hour": 23}, None),
    ],
)
def test_alerts_and_public_replies_know_no_consent_and_no_quiet(
    change: dict[str, object], why: Why | None
) -> None:
    alert = replace(FINE, kind=MessageKind.ALERT, **change)  # type: ignore[arg-type]
    reply = replace(FINE, channel=DeliveryChannel.REVIEW, **{"approved": True} | change)  # type: ignore[arg-type]
    for facts in (alert, reply):
        silence = why_not_contact(facts, NIGHT, NOW)
        assert (silence and silence.reason) == why


def test_a_public_reply_always_waits_until_somebody_has_read_just_these_words() -> None:
    reply = replace(FINE, channel=DeliveryChannel.REVIEW)
    assert why_not_contact(reply, POLICY, NOW) == Silence(Why.NEEDS_APPROVAL, Is.HELD)
    assert why_not_contact(replace(reply, approved=True), POLICY, NOW) is None
    assert why_not_contact(replace(reply, written=False), POLICY, NOW) is None


@pytest.mark.parametrize(
    ("country", "consent", "why"),
    [
        ("DE", None, Why.NO_CONSENT),
        ("DE", True, None),
        ("de", None, Why.NO_CONSENT),
        ("US", None, None),
        ("US", False, Why.NO_CONSENT),
        ("CH", True, Why.COUNTRY),
        (None, None, None),
        ("FR", None, None),
    ],
)
def test_the_ground_is_that_of_the_customers_country(
    country: str | None, consent: bool | None, why: Why | None
) -> None:
    policy = POLICY.model_copy(
        update={
            "consent_required": False,
            "countries": {"DE": "consent", "US": "opt_out", "CH": "never"},
        }
    )
    silence = why_not_contact(replace(FINE, country=country, consent=consent), policy, NOW)
    assert (silence and silence.reason) == why
    assert ground_of("FR", POLICY) == "consent"


def test_every_reason_that_holds_is_told_the_strongest_first() -> None:
    facts = replace(
        FINE,
        kill_switch=True,
        suppressed="opted_out",
        consent=False,
        contacted_at=(NOW - timedelta(days=1),) * 3,
        zones=("Asia/Tokyo",),
    )
    found = list(silences(facts, NIGHT.model_copy(update={"quiet_from": time(17)}), NOW))
    assert [silence.reason for silence in found] == [
        Why.KILL_SWITCH,
        Why.OPTED_OUT,
        Why.NO_CONSENT,
        Why.CAP_30_DAYS,
        Why.CAP_7_DAYS,
        Why.QUIET_HOURS,
    ]


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
    ("channel", "hour", "until"),
    [
        (DeliveryChannel.SMS, 8, 9),  # texts have hours of their own
        (DeliveryChannel.SMS, 9, None),
        (DeliveryChannel.SMS, 19, None),
        (DeliveryChannel.SMS, 20, 33),
        (DeliveryChannel.EMAIL, 8, None),
        (DeliveryChannel.EMAIL, 20, 32),
        (DeliveryChannel.EMAIL, 7, 8),
    ],
)
def test_each_channel_has_its_quiet_hours(
    channel: DeliveryChannel, hour: int, until: int | None
) -> None:
    silence = why_not_contact(replace(FINE, channel=channel), NIGHT, NOW.replace(hour=hour))
    assert (silence and silence.until) == (
        NOW.replace(hour=0) + timedelta(hours=until) if until else None
    )


def test_a_variants_hour_is_on_the_customers_clock_and_yields_to_quiet_hours() -> None:
    tokyo = replace(FINE, zones=("Asia/Tokyo",), not_before_hour=19)  # 18:00 there
    silence = why_not_contact(tokyo, POLICY, NOW)
    assert silence == Silence(Why.VARIANT_HOUR, Is.QUEUED, NOW + timedelta(hours=1))
    too_late = replace(tokyo, not_before_hour=21)  # when it is quiet already
    assert why_not_contact(too_late, NIGHT, NOW) is None


def test_where_it_is_always_quiet_somewhere_there_is_no_hour_and_it_says_so() -> None:
    anywhere = replace(TEXT, zones=("Europe/London", "Asia/Tokyo", "America/Los_Angeles"))
    assert why_not_contact(anywhere, POLICY, NOW) == Silence(Why.NO_HOUR, Is.SUPPRESSED)


@pytest.mark.parametrize(
    ("mail", "text", "chosen"),
    [
        ({}, {}, "mail"),
        ({"address": None}, {}, "text"),
        ({"suppressed": "bounced"}, {}, "text"),
        ({"consent": False}, {}, "text"),
        ({"contacted_at": (NOW,)}, {"contacted_at": (NOW,)}, "mail"),
        ({"address": None}, {"consent": None}, "text"),  # the telling reason
        ({"consent": None}, {"address": None}, "mail"),
        ({"address": None}, {"address": None}, "mail"),
    ],
)
def test_the_first_channel_that_is_not_shut_is_taken(
    mail: dict[str, object], text: dict[str, object], chosen: str
) -> None:
    ways = {"mail": replace(FINE, **mail), "text": replace(TEXT, **text)}  # type: ignore[arg-type]
    assert choose_way(list(ways.values()), POLICY, NOW) == ways[chosen]


def test_of_several_messages_to_a_customer_the_oldest_carries_the_others() -> None:
    assert share_out([(3, 1), (5, 2), (4, 1), (2, 1)]) == {2: [3, 4]}
    assert share_out([]) == {}


moments = st.datetimes(
    min_value=datetime(2025, 1, 1),  # noqa: DTZ001  (Hypothesis wants it naive)
    max_value=datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


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
        channel=st.sampled_from(list(DeliveryChannel)[:2]),
        consent=st.none() | st.booleans(),
        country=st.sampled_from([None, "DE", "US", "CH"]),
        suppressed=st.none() | st.sampled_from(["opted_out", "bounced", "complained", "stopped"]),
        held_out=st.booleans(),
        kill_switch=st.booleans(),
        restored=st.booleans(),
        by_hand=st.booleans(),
        needs_approval=st.booleans(),
        approved=st.booleans(),
        still_wanted=st.booleans(),
        exempt=st.booleans(),
        contacted_at=st.lists(st.just(NOW), max_size=2).map(tuple),
    ),
    moments,
)
def test_nobody_is_written_to_who_should_not_be(facts: ContactFacts, now: datetime) -> None:
    policy = NIGHT.model_copy(update={"countries": {"US": "opt_out", "CH": "never"}})
    if why_not_contact(facts, policy, now) is None:
        assert facts.address
        assert facts.country != "CH"
        assert facts.consent or (facts.consent is None and facts.country == "US")
        assert facts.suppressed is None
        assert facts.still_wanted
        assert facts.approved or not facts.needs_approval
        assert not any((facts.held_out, facts.kill_switch, facts.restored, facts.by_hand))
        quiet_from = 20
        quiet_until = 9 if facts.channel is DeliveryChannel.SMS else 8
        assert quiet_until <= now.hour < quiet_from


@given(st.sampled_from(BAD_NEWS), st.sampled_from(BAD_NEWS))
def test_the_strongest_reason_is_the_first_of_all_and_another_takes_none_away(
    one: tuple[dict[str, object], Why, Is], other: tuple[dict[str, object], Why, Is]
) -> None:
    both = replace(FINE, **one[0] | other[0])  # type: ignore[arg-type]
    found = list(silences(both, POLICY, NOW))
    assert found[0] == why_not_contact(both, POLICY, NOW)
    assert other[1] in {silence.reason for silence in found}


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
        (["a", "b"], {"a": "stopped"}, None, ("b", None)),
        (["a", "b"], {"a": "bounced", "b": "bounced"}, None, ("a", Why.BOUNCED)),
        (["a"], {"a": "stopped"}, None, ("a", Why.STOPPED)),
        (["a", "b"], {"b": "opted_out"}, None, ("a", "opted_out")),
        (["a"], {"of another channel": "opted_out"}, None, ("a", "opted_out")),
        (["a"], {"of another channel": "stopped"}, None, ("a", None)),
        (
            ["a"],
            {"of another channel": "a reason of tomorrow"},
            None,
            ("a", "a reason of tomorrow"),
        ),
        ([], {"of another channel": "opted_out"}, None, (None, "opted_out")),
        (["a", "b"], {"b": "complained"}, "a", ("a", "complained")),
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


def test_an_address_is_shown_so_that_only_its_owner_knows_it() -> None:
    assert masked("kim@customer.test") == "k***@customer.test"
    assert masked("+441632960123") == "***23"


@given(st.emails())
def test_an_address_is_recognised_in_every_spelling(address: str) -> None:
    assert pseudonym(b"k", f" {address.upper()} ") == pseudonym(b"k", address.lower())
    assert pseudonym(b"k", address) != pseudonym(b"other", address)
    assert len(pseudonym(b"k", address)) == 64


def test_wide_letters_and_sharp_s_are_the_same_person() -> None:
    wide = "\uff4b\uff49\uff4d@customer.test"
    assert pseudonym(b"k", wide) == pseudonym(b"k", "kim@customer.test")
    assert pseudonym(b"k", "STRASSE@x.test") == pseudonym(b"k", "straße@x.test")
