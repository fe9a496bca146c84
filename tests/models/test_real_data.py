"""The whole loop over a slice of real feedback, as docs/real-data.md shows it over all of it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from benchmarks.real_data.__main__ import prepare, run

DATA = os.environ.get("VOC_EVAL_DATA")

pytestmark = [
    pytest.mark.model,
    pytest.mark.evaluation,
    pytest.mark.skipif(DATA is None, reason="VOC_EVAL_DATA names no folder of labelled sets"),
]
SLICE = slice(2600, 2850)


@pytest.fixture
def airline(home: Path) -> Path:
    """A home with the newest rows of the set: tweets and reviews, mixed."""
    prepare(Path(DATA or "") / "stream_airlines" / "dev.csv", home, SLICE)
    return home


def test_all_of_a_slice_goes_through_and_ends_without_an_address(
    airline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(airline)
    assert "the books balance" in capsys.readouterr().out
    with sqlite3.connect(airline / "voc.db") as connection:
        collected, quarantined = connection.execute(
            "select (select count(*) from feedback), (select count(*) from quarantine)"
        ).fetchone()
        states = connection.execute(
            "select state, reason, count(*) from loop group by 1, 2"
        ).fetchall()
        channels = {row[0] for row in connection.execute("select distinct channel from feedback")}
    assert (collected, quarantined) == (SLICE.stop - SLICE.start, 0)
    assert [(state, reason) for state, reason, _ in states] == [("could_not_tell", "no_address")]
    assert channels <= {"social", "review"}
    report = (airline / "reports" / "report.md").read_text()
    assert "No address" in report or "no address" in report
