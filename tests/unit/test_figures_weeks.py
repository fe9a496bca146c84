"""What is counted of a week, and figures from sums: as from cases, and as libraries say."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voc import spreadsheet
from voc.models import FeedbackState, LoopKind, LoopState, RatingScale, TicketState
from voc.rules import estimates, reasons
from voc.rules.cases import week_of, weeks_between
from voc.rules.figures import ENOUGH
from voc.rules.sums import BOUNDS_H, average, bucket_of, median, share, student_t
from voc.rules.weeks import (
    ANY,
    Cell,
    LoopPart,
    Piece,
    TicketPart,
    cell_of,
    count_piece,
    count_ticket,
    last_weeks,
    part,
    rolled_up,
    span_of,
    total,
    weeks_of_day,
)

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland"])
MOMENTS = st.integers(0, 40_000 * 24 * 60).map(
    lambda minutes: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
VALUES = st.sampled_from(["", "a", "b"])
CELLS = st.tuples(VALUES, VALUES, VALUES, VALUES)
COUNTS = st.dictionaries(st.sampled_from(["x", "y"]), st.integers(1, 9)).map(Counter)


# Sums


@settings(max_examples=30)
@given(st.integers(1, 5_000), st.data())
def test_a_share_from_sums_is_that_of_statsmodels(n: int, data: st.DataObject) -> None:
    from statsmodels.stats.proportion import proportion_confint

    hits = data.draw(st.integers(0, n))
    low, high = proportion_confint(hits, n, method="wilson")
    value, *limits = share(hits, n)
    assert value == pytest.approx(100 * hits / n)
    assert limits == pytest.approx([100 * low, 100 * high], abs=1e-9)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 7), min_size=ENOUGH, max_size=200))
def test_a_mean_from_sums_is_that_of_statsmodels(values: list[int]) -> None:
    from statsmodels.stats.weightstats import DescrStatsW

    squares = sum(value * value for value in values)
    found = average(len(values), sum(values), squares, lowest=1, highest=7)
    low, high = DescrStatsW(values).tconfint_mean()
    assert found == pytest.approx((sum(values) / len(values), max(1, low), min(7, high)), abs=1e-3)


def test_students_quantile_is_that_of_scipy() -> None:
    from scipy.stats import t

    for freedom in (ENOUGH - 1, 50, 1_000):
        assert student_t(freedom) == pytest.approx(t.ppf(0.975, freedom), abs=1e-4)


@given(st.lists(st.floats(0, BOUNDS_H[-1] - 1), min_size=1, max_size=300))
def test_the_median_of_a_histogram_lies_in_the_bucket_of_the_true_one(hours: list[float]) -> None:
    value, low, high = median(Counter(bucket_of(each) for each in hours))
    middle = sorted(hours)[(len(hours) - 1) // 2]
    bucket = bucket_of(middle)
    assert (BOUNDS_H[bucket - 1] if bucket else 0) <= value <= BOUNDS_H[bucket]
    assert 0 <= low <= value <= high


def test_waiting_for_ever_falls_into_the_last_bucket() -> None:
    assert bucket_of(1e9) == len(BOUNDS_H)
    assert median({len(BOUNDS_H): 40})[0] == BOUNDS_H[-1]


# Cells


@given(st.dictionaries(CELLS, COUNTS, max_size=6))
def test_a_kept_cell_is_the_sum_of_the_finest_cells_in_it(cells: dict[Cell, Counter[str]]) -> None:
    for kept, counts in rolled_up(cells).items():
        inside = (
            counted
            for cell, counted in cells.items()
            if all(asked in (ANY, value) for asked, value in zip(kept, cell, strict=True))
        )
        assert counts == total(inside)


def test_a_value_that_reads_like_all_of_them_is_no_value() -> None:
    assert cell_of("survey", ANY, None, "vip") == ("survey", "", "", "vip")


# Weeks


@given(MOMENTS, ZONES)
def test_a_week_holds_what_is_said_in_it(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    week = week_of(moment, zone)
    begin, end = span_of(week, zone)
    assert begin <= moment < end
    assert week in weeks_of_day(moment.date(), zone)
    assert week_of(end, zone) != week == week_of(end - timedelta(microseconds=1), zone)


@settings(max_examples=30)
@given(MOMENTS, ZONES, st.integers(1, 106))
def test_the_last_weeks_are_that_many_and_end_with_this_one(
    now: datetime, name: str, n: int
) -> None:
    weeks = last_weeks(n, now, ZoneInfo(name))
    assert len(weeks) == n
    assert weeks[-1] == week_of(now, ZoneInfo(name))
    assert weeks == weeks_between(weeks[0], weeks[-1])


def test_a_day_of_utc_may_be_part_of_two_weeks() -> None:
    sunday = date(2026, 3, 1)
    assert weeks_of_day(sunday, ZoneInfo("Europe/Berlin")) == {"2026-W09", "2026-W10"}
    assert weeks_of_day(sunday, ZoneInfo("UTC")) == {"2026-W09"}


# What counts


def piece(loop: LoopPart | None = None, **changes: object) -> Piece:
    values: dict[str, object] = {"rating": None, "scale": None, "said_at": NOW}
    return Piece(state=FeedbackState.ROUTED, loop=loop, **(values | changes))  # type: ignore[arg-type]


def loop(state: LoopState, **changes: object) -> LoopPart:
    values: dict[str, object] = {"reason": None, "reopened": 0, "first_told_at": None}
    given = {"kind": LoopKind.ISSUE, "closed_at": None} | values | changes
    return LoopPart(state=state, **given)  # type: ignore[arg-type]


def counted(of: Piece) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, n in count_piece(of):
        found[name] += n
    return +found


def test_a_loop_that_was_told_and_reopened_counts_as_asked_told_and_reopened() -> None:
    told = loop(LoopState.OPEN, reopened=1, first_told_at=NOW + timedelta(hours=3))
    found = counted(piece(told))
    assert {name: found[name] for name in ("loops", "could", "told", "asked", "reopened")} == {
        "loops": 1, "could": 1, "told": 1, "asked": 1, "reopened": 1,
    }  # fmt: skip
    assert part(found, "first_answer") == {str(bucket_of(3)): 1}


def test_what_could_not_be_told_counts_by_its_reason_and_not_against_the_closure_rate() -> None:
    found = counted(piece(loop(LoopState.COULD_NOT_TELL, reason="complained")))
    assert found["untold:opted_out"] == 1
    assert found["could"] == 0


def test_every_group_of_reasons_leads_back_to_its_reasons() -> None:
    for reason, group in reasons.GROUPS.items():
        assert reason in (reasons.reasons_in(group) or ())
    assert reasons.group_of("550 5.1.1 no such user") == reasons.OTHER
    assert reasons.reasons_in(reasons.OTHER) is None


@pytest.mark.parametrize(
    ("scale", "rating", "expected"),
    [
        (RatingScale.NPS, 9, {"nps:n": 1, "nps:promoters": 1}),
        (RatingScale.NPS, 7.5, {}),
        (RatingScale.CSAT, 4, {"csat:n": 1, "csat:satisfied": 1}),
        (RatingScale.STARS, 3.5, {"stars:n": 1, "stars:sum": 7, "stars:squares": 49}),
    ],
)
def test_a_rating_counts_on_its_scale_if_the_scale_has_it(
    scale: RatingScale, rating: float, expected: dict[str, int]
) -> None:
    found = counted(piece(rating=rating, scale=scale))
    assert {k: n for k, n in found.items() if k.startswith(f"{scale}:")} == expected


def ticket(**changes: object) -> dict[str, int]:
    values: dict[str, object] = {
        "state": TicketState.OPEN, "hand": 1, "reopened_hand": None, "accepted_at": None,
        "resolved_at": None,
        "first_response_due_at": NOW + timedelta(hours=1),
        "resolution_due_at": NOW + timedelta(hours=9),
    }  # fmt: skip
    return dict(count_ticket(TicketPart(**(values | changes)), NOW))  # type: ignore[arg-type]


def test_a_promise_counts_once_it_is_kept_or_broken() -> None:
    assert "response:due" not in ticket()
    broken = ticket(first_response_due_at=NOW - timedelta(hours=1))
    assert (broken["response:due"], broken["response:kept"]) == (1, 0)
    assert "resolution:due" not in broken
    kept = ticket(state=TicketState.IN_PROGRESS, accepted_at=NOW)
    assert (kept["response:due"], kept["response:kept"]) == (1, 1)


def test_a_ticket_that_was_dropped_broke_no_promise() -> None:
    dropped = ticket(state=TicketState.CLOSED, first_response_due_at=NOW - timedelta(days=1))
    assert "response:due" not in dropped


# Estimates


def test_few_cases_give_no_value() -> None:
    few = {"nps:n": ENOUGH - 1, "nps:promoters": 20}
    assert estimates.nps(few).value is None
    assert estimates.CLOSURE({"could": 3, "loop:closed": 3}).value is None


def test_stars_are_counted_in_halves_and_told_in_stars() -> None:
    counts = {"stars:n": 40, "stars:sum": 40 * 7, "stars:squares": 40 * 49}
    figure = estimates.STARS(counts)
    assert (figure.value, figure.low, figure.high) == pytest.approx((3.5, 3.5, 3.5))


def test_where_most_weeks_are_thin_four_of_them_make_a_point() -> None:
    thin = [{"could": 10, "loop:closed": 5}] * 6
    reach, figures = estimates.trend(thin, estimates.CLOSURE)
    assert reach == 4
    assert [figure.n for figure in figures] == [10, 20, 30, 40, 40, 40]
    assert [figure.value for figure in figures[:3]] == [None, None, 50]


def test_the_first_points_reach_back_to_the_weeks_in_front() -> None:
    thin = [{"could": 10, "loop:closed": 5}] * 6
    reach, figures = estimates.trend(thin, estimates.CLOSURE, lead=3)
    assert (reach, [figure.n for figure in figures]) == (4, [40, 40, 40])


# Files for spreadsheets


@pytest.mark.parametrize("text", ["=1+1", " =1+1", "\uff1dcmd", "+49", "-5", "@x", "\tx"])
def test_a_name_that_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert spreadsheet.table(["name"], [[text]]).splitlines()[1].lstrip('"').startswith("'")


def test_numbers_and_nothing_stay_what_they_are() -> None:
    assert spreadsheet.table(["a", "b"], [[-5, None]]) == "a,b\r\n-5,\r\n"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_no_end_of_a_line_ends_a_cell(end: str) -> None:
    assert spreadsheet.table(["a"], [[f"x{end}=cmd()"]]) == f'a\r\n"x{end}=cmd()"\r\n'
