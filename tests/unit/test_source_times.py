"""Moments and numbers as people and exports write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.cells import as_number, as_text
from sources.times import parse_time

SIX = datetime(2026, 1, 5, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-05T18:30:00Z",
        "2026-01-05 18:30",
        "2026-01-05 18:30:00 UTC",
        "2026-01-05T19:30:00+01:00",
        "2026-01-05 10:30:00 -0800",
        "05.01.2026 18:30",
        "5.1.2026  18:30:00",
        "2026/01/05 18:30",
        "Mon, 05 Jan 2026 18:30:00 +0000",
        "1767637800",
        1767637800,
        1767637800000,
        46027.770833333336,
        "46027.770833333336",
    ],
)
def test_moments_are_understood_as_they_are_written(written: str | float) -> None:
    moment = parse_time(written)
    assert moment is not None
    assert abs((moment - SIX).total_seconds()) < 1
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "written",
    [
        "", "soon", "31.02.2026 25:61", "03/04/2026", "2026", "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00", "12", 1e300, float("nan"), float("inf"), "1" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_certain_moment_is_not_guessed(written: str | float) -> None:
    assert parse_time(written) is None


def test_a_time_without_zone_is_in_the_zone_of_the_source() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_time("05.07.2026 18:30", zone=berlin) == datetime(2026, 7, 5, 16, 30, tzinfo=UTC)


def test_slashes_need_a_format_and_then_are_read() -> None:
    assert parse_time("01/05/2026 18:30", date_format="%m/%d/%Y %H:%M") == SIX


@given(st.one_of(st.text(), st.floats(), st.integers()))
def test_any_value_is_a_moment_or_none(value: str | float) -> None:
    moment = parse_time(value, zone=ZoneInfo("America/St_Johns"))
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("cell", "decimal", "number"),
    [
        ("2,0", ",", 2.0), ("1.234,5", ",", 1234.5), ("3.5", ",", None), (3.5, ",", 3.5),
        ("3.5", ".", 3.5), ("1,234.5", ".", 1234.5), ("2,0", ".", None), ("-4", ".", -4.0),
        ("four", ".", None), ("NaN", ".", None), ("1e5", ".", None), (True, ".", None),
        (float("nan"), ".", None), (10**400, ".", None), ("9" * 50, ".", None),
        ("1 234,5", ",", 1234.5), ("½", ".", None),
    ],
)  # fmt: skip
def test_numbers_are_read_strictly(cell: str | float, decimal: str, number: float | None) -> None:
    assert as_number(cell, decimal) == number  # type: ignore[arg-type]


def test_cells_read_as_a_person_reads_them() -> None:
    assert [as_text(c) for c in (None, 3.0, 3.5, True, "  a ", float("nan"))] == [
        "", "3", "3.5", "true", "a", "",
    ]  # fmt: skip
