import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voc.models import Channel, LoopKind, LoopState, MessageState, RatingScale, TicketState
from voc.rules.cases import Case, trend, week_of, weeks_between
from voc.rules.counts import as_code, by_code, count_waits, is_late
from voc.rules.facts import Facts, LoopFact, MessageCount, Rated, TicketFact
from voc.rules.figures import ENOUGH, TOO_FEW, Figure, mean, nps, proportion, quantile
from voc.rules.measures import Measures, measure

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
H = timedelta(hours=1)


def contains_its_value(figure: Figure) -> bool:
    assert figure.value is not None
    slack = 1e-9
    low = -math.inf if figure.low is None else figure.low
    high = math.inf if figure.high is None else figure.high
    return low <= figure.value + slack and figure.value <= high + slack


def many(elements: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    return st.lists(elements, min_size=ENOUGH, max_size=90)


OUTCOMES = st.lists(st.sampled_from([-1, 0, 1]), min_size=ENOUGH, max_size=200)


@given(OUTCOMES)
def test_nps_stays_between_its_ends_and_in_its_interval(outcomes: list[int]) -> None:
    figure = nps(outcomes)
    assert figure.value is not None
    assert figure.low is not None
    assert figure.high is not None
    assert -100 <= figure.low < figure.high <= 100
    assert contains_its_value(figure)


@given(OUTCOMES)
def test_nps_of_the_opposite_answers_is_the_opposite(outcomes: list[int]) -> None:
    figure, mirrored = nps(outcomes), nps([-o for o in outcomes])
    assert figure.value == -(mirrored.value or 0)
    assert figure.low == pytest.approx(-(mirrored.high or 0))
    assert figure.high == pytest.approx(-(mirrored.low or 0))


def test_nps_by_hand() -> None:
    # 50 promoters, 30 passives, 20 detractors: p = 50.75/103, d = 20.75/103
    figure = nps([1] * 50 + [0] * 30 + [-1] * 20)
    difference = 30 / 103
    reach = 1.959964 * math.sqrt((71.5 / 103 - difference**2) / 103)
    assert figure.value == 30
    assert figure.low == pytest.approx(100 * (difference - reach), abs=1e-3)
    assert figure.high == pytest.approx(100 * (difference + reach), abs=1e-3)
    assert figure.note == "50 promoters, 30 passives, 20 detractors"


def test_thirty_who_agree_are_not_certainty() -> None:
    figure = nps([1] * 30)
    assert figure.value == 100
    assert figure.low is not None
    assert figure.low < 80


@settings(deadline=None)  # the first example imports statsmodels
@given(st.lists(st.booleans(), min_size=ENOUGH, max_size=200))
def test_a_share_stays_between_its_ends_and_in_its_interval(hits: list[bool]) -> None:
    figure = proportion(hits)
    assert figure.low is not None
    assert figure.high is not None
    assert 0 <= figure.low <= figure.high <= 100
    assert contains_its_value(figure)


def test_wilsons_interval_of_40_in_50() -> None:
    figure = proportion([True] * 40 + [False] * 10)
    assert (figure.value, figure.n, figure.note) == (80, 50, "40 of 50")
    assert figure.low == pytest.approx(66.963, abs=0.001)
    assert figure.high == pytest.approx(88.756, abs=0.001)


@settings(deadline=None)
@given(many(st.integers(1, 7)))
def test_mean_effort_stays_on_its_scale(ratings: list[float]) -> None:
    figure = mean(ratings, lowest=1, highest=7, unit="of 7")
    assert figure.low is not None
    assert figure.high is not None
    assert 1 <= figure.low <= figure.high <= 7
    assert contains_its_value(figure)


def test_students_interval_by_hand() -> None:
    # 18 times 2 and 18 times 4: mean 3, s = sqrt(36/35), t(35, 0.975) = 2.030108
    figure = mean([2, 4] * 18, lowest=1, highest=7, unit="of 7")
    reach = 2.030108 * math.sqrt(36 / 35) / 6
    assert figure.value == 3
    assert figure.low == pytest.approx(3 - reach, abs=1e-6)
    assert figure.high == pytest.approx(3 + reach, abs=1e-6)


@settings(deadline=None)
@given(many(st.floats(0, 1e4)), st.sampled_from([0.5, 0.9]))
def test_a_quantile_lies_between_its_order_statistics(hours: list[float], q: float) -> None:
    assert contains_its_value(quantile(hours, q, unit="h"))


def test_the_median_of_30_lies_between_the_10th_and_the_21st() -> None:
    # Binomial(30, 1/2): P(X < 10) = 0.0214, as every table of the sign test has it.
    figure = quantile(range(30, 0, -1), 0.5, unit="h")
    assert (figure.value, figure.low, figure.high) == (15.5, 10, 21)


def test_nothing_limits_the_p90_of_30_from_above() -> None:
    figure = quantile(range(30), 0.9, unit="h")
    assert figure.low is not None
    assert figure.high is None


ESTIMATES: list[Callable[[int], Figure]] = [
    lambda n: nps([1] * n),
    lambda n: proportion([True] * n),
    lambda n: mean([3.0, 4.0] * (n // 2) + [3.0] * (n % 2), lowest=1, highest=7, unit="of 7"),
    lambda n: quantile(range(n), 0.5, unit="h"),
]


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_below_thirty_nothing_is_said(estimate: Callable[[int], Figure]) -> None:
    for n in (0, 1, ENOUGH - 1):
        few = estimate(n)
        assert (few.value, few.low, few.high, few.note, few.n) == (None, None, None, TOO_FEW, n)
    assert estimate(ENOUGH).value is not None


def loop(number: int, **changes: object) -> LoopFact:
    values: dict[str, object] = {
        "id": number,
        "kind": LoopKind.ISSUE,
        "state": LoopState.CLOSED,
        "reason": "solved",
        "reopened": 0,
        "channel": Channel.SURVEY,
        "said_at": NOW - 100 * H,
        "first_told_at": NOW - 90 * H,
        "closed_at": NOW - 50 * H,
        "answered": False,
    }
    return LoopFact(**(values | changes))  # type: ignore[arg-type]


def ticket(number: int, **changes: object) -> TicketFact:
    values: dict[str, object] = {
        "id": number,
        "department": "delivery",
        "topic": "late",
        "state": TicketState.OPEN,
        "hand": 1,
        "first_response_due_at": NOW + H,
        "resolution_due_at": NOW + 2 * H,
        "accepted_at": None,
        "resolved_at": None,
        "closed_at": None,
    }
    return TicketFact(**(values | changes))  # type: ignore[arg-type]


def measured(
    loops: Sequence[LoopFact] = (),
    tickets: Sequence[TicketFact] = (),
    links: Sequence[tuple[int, int]] = (),
    rated: Sequence[Rated] = (),
    zone: str = "UTC",
) -> Measures:
    facts = Facts(
        now=NOW,
        since=None,
        rated=tuple(rated),
        loops=tuple(loops),
        tickets=tuple(tickets),
        links=tuple(links),
        messages=(),
        feedback=(),
        quarantined=(),
    )
    return measure(facts, ZoneInfo(zone))


def test_loops_that_could_not_be_told_are_not_in_the_closure_rate() -> None:
    closed = [loop(i) for i in range(30)]
    waiting = [loop(30 + i, state=LoopState.OPEN, first_told_at=None) for i in range(10)]
    silent = [loop(40 + i, state=LoopState.COULD_NOT_TELL, reason="no_consent") for i in range(7)]
    numbers = measured([*closed, *waiting, *silent])
    assert numbers.closure.figure.note == "30 of 40"
    assert [c.n for c in numbers.loops if c.state is LoopState.COULD_NOT_TELL] == [7]


def test_a_thanks_is_not_asked_and_so_not_in_the_answer_rate() -> None:
    asked = [loop(i, answered=i < 12, reopened=int(i < 3)) for i in range(30)]
    thanked = [loop(30 + i, kind=LoopKind.THANKS) for i in range(30)]
    numbers = measured([*asked, *thanked])
    assert numbers.answered.figure.note == "12 of 30"
    assert numbers.reopened.figure.note == "3 of 30"
    assert numbers.closure.figure.n == 60


def test_times_run_from_the_feedback() -> None:
    numbers = measured([loop(i) for i in range(30)])
    assert numbers.first_answer.figure.value == 10
    assert numbers.closing.figure.value == 50


def test_an_answer_in_the_same_moment_counts_and_a_clock_ahead_is_no_negative_wait() -> None:
    numbers = measured([loop(i, first_told_at=NOW - (100 + i % 2) * H) for i in range(30)])
    assert numbers.first_answer.figure.n == 30
    assert numbers.first_answer.figure.value == 0


def test_a_loop_of_two_departments_counts_in_both() -> None:
    loops = [loop(i) for i in range(30)]
    tickets = [ticket(1), ticket(2, department="billing", topic=None)]
    links = [(i, t) for i in range(30) for t in (1, 2)]
    numbers = measured([*loops, loop(99)], tickets, links)
    rows = {row.name: row.n for row in numbers.closure.split("department").rows}
    assert rows == {"billing": 30, "delivery": 30, "(no ticket)": 1}
    assert {r.name for r in numbers.closure.split("topic").rows} == {
        "late",
        "(no topic)",
        "(no ticket)",
    }
    assert numbers.closure.figure.n == 31


def test_a_breakdown_withholds_what_has_too_few() -> None:
    loops = [loop(i) for i in range(30)] + [loop(30, channel=Channel.REVIEW)]
    rows = {row.name: row for row in measured(loops).closure.split("channel").rows}
    assert rows["survey"].value == 100
    assert (rows["review"].value, rows["review"].n, rows["review"].note) == (None, 1, TOO_FEW)


def test_a_week_is_the_companys() -> None:
    sunday = datetime(2026, 1, 4, 23, 30, tzinfo=UTC)
    assert week_of(sunday, UTC) == "2026-W01"
    assert week_of(sunday, ZoneInfo("Europe/Berlin")) == "2026-W02"
    assert week_of(datetime(2027, 1, 1, tzinfo=UTC), UTC) == "2026-W53"


def test_no_week_is_jumped_over() -> None:
    assert weeks_between("2026-W52", "2027-W01") == ["2026-W52", "2026-W53", "2027-W01"]


def in_week(week: int, n: int) -> list[Case[int]]:
    return [Case(1, {"week": frozenset({f"2026-W{week:02d}"})})] * n


def test_the_trend_is_weekly_where_weeks_have_enough() -> None:
    shown = trend([*in_week(1, 30), *in_week(3, 30)], nps)
    assert shown.by == "week"
    assert [(row.name, row.n) for row in shown.rows] == [
        ("2026-W01", 30),
        ("2026-W02", 0),
        ("2026-W03", 30),
    ]


def test_the_trend_takes_four_weeks_together_where_one_has_too_few() -> None:
    shown = trend([case for week in range(1, 7) for case in in_week(week, 10)], nps)
    assert shown.by == "4 weeks up to"
    assert [row.n for row in shown.rows] == [10, 20, 30, 40, 40, 40]
    assert [row.value for row in shown.rows] == [None, None, 100, 100, 100, 100]


def test_nothing_at_all_is_still_a_report() -> None:
    numbers = measured()
    assert all(m.figure.note == TOO_FEW and m.figure.n == 0 for m in numbers.headlines)
    assert numbers.nps_trend.rows == ()


def test_a_rating_that_the_scale_does_not_have_is_left_out() -> None:
    def rated(rating: float) -> Rated:
        return Rated(
            rating=rating, scale=RatingScale.NPS, channel=Channel.SURVEY, said_at=NOW, loop_id=None
        )

    assert measured(rated=[rated(11), rated(9), rated(0)]).nps.figure.n == 2


def resolved(at: datetime | None) -> dict[str, object]:
    return {"state": TicketState.RESOLVED, "resolved_at": at}


TAKEN_LATE = {"first_response_due_at": NOW - 2 * H, "accepted_at": NOW - H}


@pytest.mark.parametrize(
    ("changes", "late"),
    [
        ({}, False),
        ({"first_response_due_at": NOW - H}, True),
        ({"first_response_due_at": NOW - H, "accepted_at": NOW - 2 * H}, False),
        ({"resolution_due_at": NOW - H, "accepted_at": NOW - 2 * H}, True),
        ({"resolution_due_at": NOW - H, **resolved(NOW - 2 * H)}, False),
        ({"first_response_due_at": NOW - H, **resolved(NOW - 2 * H)}, False),
        ({**resolved(None), "resolution_due_at": NOW - 3 * H, "closed_at": NOW - 2 * H}, True),
        ({**TAKEN_LATE, "state": TicketState.IN_PROGRESS}, False),  # the next promise holds
        ({**TAKEN_LATE, **resolved(NOW)}, True),
    ],
)
def test_a_ticket_is_late(changes: dict[str, object], late: bool) -> None:
    assert is_late(ticket(1, **changes), NOW) is late


def test_every_loop_that_we_owe_an_answer_is_in_one_bucket() -> None:
    told = [loop(i, first_told_at=NOW + (i * 10 - 100) * H) for i in range(12)]
    waits = dict(count_waits([*told, loop(99, state=LoopState.OPEN, first_told_at=None)]))
    assert waits["under 1 h"] == 1
    assert waits["8 to 24 h"] == 2
    assert waits["over 4 days"] == 2
    assert waits["no answer yet"] == 1
    assert sum(waits.values()) == 13


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (None, ""),
        ("no_consent", "no_consent"),
        ("550 5.1.1 <kim@example.org>: user unknown", "the server said 550 5.1.1"),
        ("refused: 554 kim@example.org", "the server said 554"),
        ("452 kim.doe has no room", "the server said 452"),
        ("no route to kim@example.org", "no route to [address]"),
        ("called +49 170 1234567 in vain", "called [number] in vain"),
    ],
)
def test_a_reason_in_the_report_names_nobody(reason: str | None, code: str) -> None:
    assert as_code(reason) == code


def test_reasons_that_differ_in_the_address_only_are_counted_together() -> None:
    counts = [
        MessageCount(state=MessageState.BOUNCED, reason=f"550 5.1.1 <{who}@example.org>", n=2)
        for who in ("kim", "sam")
    ]
    (count,) = by_code(counts)
    assert (count.reason, count.n) == ("the server said 550 5.1.1", 4)
