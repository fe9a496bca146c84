"""Who gets which variant, what counts, and how seldom an honest look is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.company.experiments import Experiment
from voc.models import Verdict
from voc.rules.comparing import (
    ALPHA,
    MISMATCH_BELOW,
    Judgement,
    are_enough,
    compare,
    half_width,
    sample_ratio,
)
from voc.rules.experiments import (
    HOLD_OUT,
    Exposed,
    Tally,
    draw,
    expected_shares,
    is_running,
    tally,
    variant_of,
    varies,
)

SECRET = b"a secret for tests"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAYS = timedelta(days=14)


def experiment(**changes: Any) -> Experiment:
    values = {
        "id": "tone",
        "variants": [{"id": "plain"}, {"id": "warm", "tone": "warm"}],
        "begins": date(2026, 1, 1),
    }
    return Experiment.model_validate(values | changes)


def variants(**shares: float) -> list[dict[str, object]]:
    return [{"id": name, "share": share} for name, share in shares.items()]


def arms(one: Experiment, n: int = 3000, secret: bytes = SECRET) -> list[str]:
    return [draw(secret, one, customer) for customer in range(n)]


# The draw


def test_a_customer_keeps_their_variant_for_ever() -> None:
    # Pinned: another formula would give running experiments' customers another variant.
    drawn = " ".join(arms(experiment(hold_out=0.2), 12))
    assert drawn == ("plain hold_out plain warm warm warm warm warm plain hold_out plain plain")


@given(
    st.lists(st.floats(0.1, 10), min_size=2, max_size=4),
    st.floats(0, 0.9),
    st.binary(min_size=8, max_size=16),
)
def test_the_order_of_the_variants_plays_no_part(
    shares: list[float], hold_out: float, secret: bytes
) -> None:
    listed = [{"id": f"v{n}", "share": share} for n, share in enumerate(shares)]
    there = experiment(variants=listed, hold_out=hold_out)
    back = experiment(variants=listed[::-1], hold_out=hold_out)
    assert arms(there, 40, secret) == arms(back, 40, secret)


@given(st.floats(0, 0.9), st.floats(0, 0.9))
def test_a_larger_hold_out_only_adds_to_it(one: float, other: float) -> None:
    small, large = (arms(experiment(hold_out=share), 60) for share in sorted((one, other)))
    for before, after in zip(small, large, strict=True):
        assert after in {before, HOLD_OUT}


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_larger_share_only_draws_customers_to_its_variant(one: float, other: float) -> None:
    small, large = (
        arms(experiment(variants=variants(a=1, b=share, c=2)), 60) for share in sorted((one, other))
    )
    for before, after in zip(small, large, strict=True):
        assert after in {before, "b"}


def assert_drawn(counts: Counter[Any], shares: Mapping[Any, float]) -> None:
    """Each count lies within three standard errors of what its share promises."""
    n = counts.total()
    for arm, share in shares.items():
        assert abs(counts[arm] - n * share) < 3 * (n * share * (1 - share)) ** 0.5


def test_customers_are_drawn_in_proportion_to_the_shares() -> None:
    one = experiment(variants=variants(a=1, b=3, c=2), hold_out=0.1)
    assert expected_shares(one) == pytest.approx({"a": 0.15, "b": 0.45, "c": 0.3, HOLD_OUT: 0.1})
    assert_drawn(Counter(arms(one)), expected_shares(one))


def test_two_experiments_are_drawn_independently() -> None:
    both = Counter(zip(arms(experiment()), arms(experiment(id="other")), strict=True))
    assert_drawn(both, {(a, b): 0.25 for a in ("plain", "warm") for b in ("plain", "warm")})


def test_an_experiment_runs_on_its_first_and_last_day() -> None:
    one = experiment(begins=date(2026, 3, 2), ends=date(2026, 3, 4))
    running = [is_running(one, date(2026, 3, day)) for day in (1, 2, 4, 5)]
    assert running == [False, True, True, False]
    assert is_running(experiment(), date(2030, 1, 1))


def test_of_two_experiments_with_one_message_the_first_that_runs_counts() -> None:
    over = experiment(id="over", ends=date(2026, 2, 1))
    first, second = experiment(id="first"), experiment(id="second")
    today = date(2026, 3, 2)
    assert varies([over, first, second], "resolution", today) is first
    assert varies([over], "resolution", today) is None
    assert varies([first], "reminder", today) is None


def test_a_variant_that_left_the_company_file_is_written_in_no_special_way() -> None:
    one = experiment()
    assert variant_of([one], "tone:warm") is one.variants[1]
    for name in (None, "", "tone:gone", f"tone:{HOLD_OUT}", "gone:warm"):
        assert variant_of([one], name) is None


# What counts


def exposed(arm: str = "plain", days_ago: float = 20, **said: Any) -> Exposed:
    return Exposed(arm=arm, at=NOW - timedelta(days=days_ago), **said)


def count(outcome: str, *everybody: Exposed) -> dict[str, tuple[int, int, int]]:
    one = experiment(outcome=outcome, hold_out=0.1)
    return {t.arm: (t.n, t.events, t.waiting) for t in tally(one, everybody, NOW)}


def said(days_ago: float, verdict: Verdict) -> tuple[datetime, Verdict]:
    return NOW - timedelta(days=days_ago), verdict


def test_every_exposed_customer_counts_for_the_arm_that_was_drawn() -> None:
    everybody = [exposed(), exposed("warm"), exposed(HOLD_OUT), exposed("warm", 3), exposed("old")]
    assert count("answered", *everybody) == {
        "plain": (1, 0, 0),
        "warm": (1, 0, 1),
        HOLD_OUT: (1, 0, 0),
        "old": (1, 0, 0),
    }


def test_the_newest_word_within_the_days_decides_whether_it_is_solved() -> None:
    solved, not_solved, unclear = Verdict.SOLVED, Verdict.NOT_SOLVED, Verdict.UNCLEAR
    everybody = [
        exposed(verdicts=(said(19, not_solved), said(18, solved))),  # solved
        exposed(verdicts=(said(19, solved), said(18, not_solved))),  # not
        exposed(verdicts=(said(19, unclear),)),  # answered only
        exposed(verdicts=(said(19, solved), said(2, not_solved))),  # too late to count
        exposed(verdicts=(said(21, solved),)),  # before it was exposed
    ]
    assert count("solved", *everybody)["plain"] == (5, 2, 0)
    assert count("answered", *everybody)["plain"] == (5, 4, 0)


def test_coming_back_counts_within_the_days_only() -> None:
    back = [NOW - timedelta(days=days) for days in (19, 6, 5.9)]
    everybody = [exposed(came_back_at=at) for at in back] + [exposed()]
    assert count("came_back", *everybody)["plain"] == (4, 2, 0)


# The comparison


def judged(*counts: tuple[int, int], lower_is_better: bool = False) -> Sequence[Judgement | None]:
    tallies = [Tally(arm=f"v{n}", events=e, n=total) for n, (e, total) in enumerate(counts)]
    return [each.judgement for each in compare(tallies, lower_is_better=lower_is_better)]


def test_the_verdict_is_in_words() -> None:
    assert judged((120, 400), (190, 400)) == [None, Judgement.BETTER]
    assert judged((190, 400), (120, 400)) == [None, Judgement.WORSE]
    assert judged((190, 400), (120, 400), lower_is_better=True) == [None, Judgement.BETTER]
    assert judged((120, 400), (130, 400)) == [None, Judgement.NO_DIFFERENCE]
    assert judged((0, 20), (20, 20), (0, 0)) == [None, Judgement.TOO_FEW, Judgement.TOO_FEW]
    assert judged((0, 400), (1, 400)) == [None, Judgement.TOO_FEW]  # too few events


def test_more_comparisons_make_each_more_careful() -> None:
    def width(*others: Tally) -> float:
        first = Tally(arm="a", events=120, n=400)
        found = compare([first, *others], lower_is_better=False)[1].difference
        assert found is not None
        return found.high - found.low

    other = Tally(arm="b", events=130, n=400)
    assert width(other) < width(other, other) < width(other, other, other)


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_an_interval_holds_its_value_and_stays_among_shares(
    n: int, m: int, data: st.DataObject
) -> None:
    events = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    tallies = [Tally(arm="a", events=events[0], n=n), Tally(arm="b", events=events[1], n=m)]
    first, other = compare(tallies, lower_is_better=False)
    for interval, least in ((first.rate, 0), (other.rate, 0), (other.difference, -1)):
        assert interval is not None
        assert least <= interval.low <= interval.value <= interval.high <= 1


def test_more_customers_tell_more() -> None:
    widths = [float(half_width((n // 4, n), (n // 4, n), ALPHA)) for n in (50, 500, 5000, 50_000)]
    assert all(after < before / 2 for before, after in pairwise(widths))


def false_or_found(
    first: float, other: float, *, share: float = 0.5, trials: int = 1000, n: int = 2000
) -> float:
    """In which part of the trials a look after every customer ever finds a difference."""
    rng = np.random.default_rng(20260302)
    is_other = rng.random((trials, n), dtype=np.float32) < share
    event = rng.random((trials, n), dtype=np.float32) < np.where(is_other, other, first)
    m = np.cumsum(is_other, axis=1)
    k = np.arange(1, n + 1) - m
    y, x = np.cumsum(event & is_other, axis=1), np.cumsum(event & ~is_other, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(y / m - x / k) > half_width((x, k), (y, m), ALPHA)
        return float(np.mean((apart & are_enough((x, k), (y, m))).any(axis=1)))


CHANCE = 2 * (ALPHA * (1 - ALPHA) / 1000) ** 0.5
"""Two standard errors: what the simulation itself may be off by."""


@pytest.mark.parametrize(("rate", "share"), [(0.3, 0.5), (0.1, 0.2)])
def test_whoever_looks_after_every_customer_is_seldom_wrong(rate: float, share: float) -> None:
    assert false_or_found(rate, rate, share=share) <= ALPHA + CHANCE


def test_a_real_difference_is_found() -> None:
    assert false_or_found(0.30, 0.40, trials=300) >= 0.95


def test_a_draw_that_lost_customers_raises_an_alarm() -> None:
    shares = expected_shares(experiment())
    fine, lost = ({"plain": 1000, "warm": n} for n in (1010, 800))
    assert (sample_ratio(fine, shares) or 0) > MISMATCH_BELOW
    assert (sample_ratio(lost, shares) or 1) < MISMATCH_BELOW
    assert sample_ratio({"plain": 5}, shares) is None


def test_whoever_waits_for_the_alarm_of_a_fair_draw_seldom_hears_it() -> None:
    shares, rng = {"a": 0.3, "b": 0.7}, np.random.default_rng(20260302)
    looks = range(40, 1001, 20)
    drawn = np.cumsum(rng.random((200, 1000)) < shares["a"], axis=1)[:, [n - 1 for n in looks]]

    def hears(row: Sequence[int]) -> bool:
        seen = zip(looks, row, strict=True)
        return any((sample_ratio({"a": a, "b": n - a}, shares) or 1) < ALPHA for n, a in seen)

    assert sum(map(hears, drawn.tolist())) <= 200 * ALPHA  # a chi-square test: 50 of them


def test_who_is_not_asked_is_counted_and_held_against_nothing() -> None:
    tallies = [Tally(arm=arm, events=e, n=400) for arm, e in (("a", 120), ("b", 190), ("c", 0))]
    first, other, apart = compare(tallies, lower_is_better=False, apart={"c"})
    assert apart.rate is not None
    assert (apart.difference, apart.judgement) == (None, None)
    assert [first, other] == compare(tallies[:2], lower_is_better=False)  # nor does it cost them


def test_a_hold_out_alone_can_only_be_compared_by_who_came_back() -> None:
    alone = {"variants": [{"id": "plain"}], "hold_out": 0.5}
    with pytest.raises(ValueError, match="count came_back"):
        experiment(**alone)
    assert experiment(**alone, outcome="came_back").hold_out == 0.5
