from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.company.hours import BusinessHours
from voc.rules.business_time import add_business_hours

BERLIN = BusinessHours(timezone="Europe/Berlin")
FRIDAY_16 = datetime(2026, 3, 6, 15, tzinfo=UTC)  # 16:00 in Berlin


def test_hours_that_do_not_fit_today_go_on_the_next_working_day() -> None:
    assert add_business_hours(FRIDAY_16, 3, BERLIN) == datetime(2026, 3, 9, 10, tzinfo=UTC)


def test_hours_before_opening_count_from_the_opening() -> None:
    saturday = datetime(2026, 3, 7, 2, tzinfo=UTC)
    assert add_business_hours(saturday, 1, BERLIN) == datetime(2026, 3, 9, 9, tzinfo=UTC)


def test_holidays_are_skipped() -> None:
    calendar = BERLIN.model_copy(update={"holidays": frozenset({date(2026, 3, 9)})})
    assert add_business_hours(FRIDAY_16, 3, calendar) == datetime(2026, 3, 10, 10, tzinfo=UTC)


def test_the_local_clock_decides_after_summer_time_began() -> None:
    friday = datetime(2026, 3, 27, 15, tzinfo=UTC)  # 16:00, winter time
    assert add_business_hours(friday, 2, BERLIN) == datetime(2026, 3, 30, 8, tzinfo=UTC)


def test_a_calendar_that_never_opens_says_so() -> None:
    start = date(2026, 1, 1)
    never = BERLIN.model_copy(
        update={"holidays": frozenset(start + timedelta(days=n) for n in range(4000))}
    )
    with pytest.raises(ValueError, match="never open"):
        add_business_hours(FRIDAY_16, 1, never)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.floats(0, 60),
    st.floats(0, 60),
)
def test_more_hours_never_end_earlier_and_ends_lie_in_business_hours(
    start: datetime, less: float, more: float
) -> None:
    first = add_business_hours(start, less, BERLIN)
    second = add_business_hours(start, less + more, BERLIN)
    assert start <= first <= second
    from zoneinfo import ZoneInfo

    local = first.astimezone(ZoneInfo("Europe/Berlin"))
    assert local.weekday() < 5
    assert BERLIN.start <= local.time() <= BERLIN.end
