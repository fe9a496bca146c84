"""Quiet hours: on whose clock, across changes of the clock, and where no hour is left."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_company
from voc.company.advice import warnings
from voc.company.follow_up import FollowUpPolicy
from voc.rules.quiet_hours import first_allowed, zone, zones_of

NIGHT = (time(20), time(8))
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
US = zones_of(None, "US", (), "UTC")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zones", "now", "allowed"),
    [
        (["UTC"], "2026-03-02T07:59", "2026-03-02T08:00"),
        (["UTC"], "2026-03-02T08:00", "2026-03-02T08:00"),
        (["UTC"], "2026-03-02T19:59", "2026-03-02T19:59"),
        (["UTC"], "2026-03-02T20:00", "2026-03-03T08:00"),
        (["UTC"], "2026-12-31T23:59", "2027-01-01T08:00"),
        (["UTC"], "2026-03-02T00:00", "2026-03-02T08:00"),
        (["Europe/Berlin"], "2026-03-02T19:00", "2026-03-03T07:00"),
        (["Europe/Berlin"], "2026-03-28T22:00", "2026-03-29T06:00"),  # the clock goes forward
        (["Europe/Berlin"], "2026-10-24T22:00", "2026-10-25T07:00"),  # and back
        (["Nowhere/At_All"], "2026-03-02T20:00", "2026-03-03T08:00"),
        (["America/New_York"], "2028-02-29T03:00", "2028-02-29T13:00"),  # leap day
        (["America/New_York"], "2028-02-29T04:59", "2028-02-29T13:00"),  # 23:59 on the 28th
        (["Europe/London", "America/New_York"], "2026-03-02T08:00", "2026-03-02T13:00"),
        (["Europe/London", "America/New_York"], "2026-03-02T20:00", "2026-03-03T13:00"),
        (["Europe/London", "America/New_York"], "2026-03-02T13:00", "2026-03-02T13:00"),
    ],
)
def test_it_is_allowed_once_it_is_quiet_on_no_clock(
    zones: list[str], now: str, allowed: str
) -> None:
    assert first_allowed(tuple(zones), (NIGHT,), moment(now)) == moment(allowed)


@pytest.mark.parametrize(
    ("span", "now", "allowed"),
    [
        # The clock in Berlin jumps from 02:00 to 03:00 at 01:00 UTC: 02:30 does not come.
        ((time(1), time(2, 30)), "2026-03-29T00:30", "2026-03-29T01:00"),
        ((time(2, 10), time(2, 50)), "2026-03-29T00:30", "2026-03-29T00:30"),
        # It goes back from 03:00 to 02:00 at 01:00 UTC: 02:30 comes twice.
        ((time(1), time(2, 30)), "2026-10-25T00:00", "2026-10-25T00:30"),
        ((time(1), time(2, 30)), "2026-10-25T01:10", "2026-10-25T01:30"),
        ((time(2, 30), time(8)), "2026-10-25T00:45", "2026-10-25T01:00"),
    ],
)
def test_hours_that_a_clock_leaves_out_or_shows_twice(
    span: tuple[time, time], now: str, allowed: str
) -> None:
    assert first_allowed(("Europe/Berlin",), (span,), moment(now)) == moment(allowed)


def test_where_clocks_are_too_far_apart_no_hour_is_left() -> None:
    far = ("Europe/London", "Asia/Tokyo", "America/Los_Angeles")
    assert first_allowed(far, (NIGHT,), moment("2026-03-02T12:00")) is None
    assert first_allowed(far, (), moment("2026-03-02T12:00")) == moment("2026-03-02T12:00")


@pytest.mark.parametrize(
    ("timezone", "country", "countries", "expected"),
    [
        ("Asia/Tokyo", "DE", ("GB",), {"Asia/Tokyo"}),
        (None, "GB", ("DE",), {"Europe/London"}),
        ("Nowhere/At_All", "gb", (), {"Europe/London"}),
        (None, None, ("GB", "AT"), {"Europe/London", "Europe/Vienna"}),
        (None, "ZZ", ("GB",), {"Europe/London"}),
        (None, None, (), {"Europe/Berlin"}),
        (None, None, ("ZZ",), {"Europe/Berlin"}),
    ],
)
def test_every_clock_that_may_be_the_customers(
    timezone: str | None, country: str | None, countries: tuple[str, ...], expected: set[str]
) -> None:
    assert set(zones_of(timezone, country, countries, "Europe/Berlin")) == expected


def test_a_country_with_many_zones_has_the_hours_of_all() -> None:
    assert {"America/New_York", "Pacific/Honolulu"} < set(US)
    evening = moment("2026-01-15T22:00")  # 17:00 in New York, 12:00 in Honolulu
    assert first_allowed(US, (NIGHT,), evening) == evening
    assert first_allowed(US, (NIGHT,), moment("2026-01-15T13:00")) == moment("2026-01-15T18:00")


times = st.times().map(lambda t: t.replace(second=0, microsecond=0))
moments = st.datetimes(
    min_value=datetime(2025, 1, 1),  # noqa: DTZ001  (Hypothesis wants it naive)
    max_value=datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda at: at.replace(second=0, microsecond=0))
around_changes = st.sampled_from(
    ["2026-03-29T01:00", "2026-10-25T01:00", "2026-03-08T07:00", "2026-04-04T15:00"]
).flatmap(lambda text: st.integers(-180, 180).map(lambda m: moment(text) + timedelta(minutes=m)))


@given(
    begin=times,
    end=times,
    now=moments | around_changes,
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
)
def test_the_first_allowed_minute_is_what_looking_at_every_minute_finds(
    begin: time, end: time, now: datetime, zones: list[str]
) -> None:
    clocks = [ZoneInfo(name) for name in zones]

    def quiet(at: datetime) -> bool:
        walls = [at.astimezone(clock).time() for clock in clocks]
        return any(
            begin <= wall < end if begin <= end else wall >= begin or wall < end for wall in walls
        )

    looked_at = [now + timedelta(minutes=m) for m in range(0, 27 * 60, 5)]
    found = first_allowed(tuple(zones), ((begin, end),), now)
    if found is None:
        assert all(map(quiet, looked_at))
        return
    assert not quiet(found)
    assert all(quiet(at) for at in looked_at if at < found)
    if found > now:
        assert quiet(found - timedelta(minutes=1))


def test_customers_whom_no_hour_is_left_for_are_warned_of() -> None:
    def warned(countries: list[str], **policy: object) -> list[str]:
        about = make_company().company.model_copy(update={"customer_countries": tuple(countries)})
        follow_up = FollowUpPolicy.model_validate({"channels": ["email", "sms"], **policy})
        company = make_company().model_copy(update={"company": about, "follow_up": follow_up})
        found = warnings(company, {})
        return [str(f.message) for f in found if f.path == ("company", "customer_countries")]

    assert warned(["GB", "DE"]) == []
    (message,) = warned(["GB", "JP", "US"])
    assert message.endswith("get nothing by sms")
    assert len(warned(["GB", "JP", "US"], quiet_from="20:00", quiet_until="08:00")) == 2


def test_a_zone_that_does_not_exist_is_utc() -> None:
    assert zone("Nowhere/At_All") == ZoneInfo("UTC")
