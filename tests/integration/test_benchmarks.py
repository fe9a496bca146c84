"""`python -m benchmarks.understanding` in short: it runs, counts what it says, and says why not."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.understanding import pipelines
from benchmarks.understanding.__main__ import DOCUMENT, NAMES
from benchmarks.understanding.figures import Figure, as_object, as_table, with_table
from benchmarks.understanding.history import history, write_books
from benchmarks.understanding.memory import memory
from benchmarks.understanding.place import at_work
from benchmarks.understanding.texts import like_all
from benchmarks.understanding.throughput import throughput
from benchmarks.understanding.timing import Parts, Variant, in_turns, ratio
from tasks.workplace import workplace
from voc.settings import get_settings

DATA = os.environ.get("VOC_EVAL_DATA")
needs_data = pytest.mark.skipif(
    DATA is None, reason="VOC_EVAL_DATA names no folder of labelled sets"
)
ROOT = Path(__file__).parents[2]


def silent(_step: str) -> None:
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder to measure in, so that models are built once; all is as before afterwards."""
    before = dict(os.environ)
    yield tmp_path_factory.mktemp("bench")
    workplace().engine.dispose()
    os.environ.clear()
    os.environ.update(before)
    for cached in (get_settings, workplace):
        cached.cache_clear()


def by_name(figures: list[Figure]) -> dict[str, float]:
    return {figure.name: figure.value for figure in figures}


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "VOC_EVAL_DATA"}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.understanding", *arguments],
        cwd=ROOT,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=False,
    )


# The command


@pytest.mark.model
def test_the_command_prints_the_machine_and_every_figure_as_one_object() -> None:
    ended = run("--only", "cold-start", "--rounds", "1", "--json")
    assert ended.returncode == 0, ended.stderr
    printed = json.loads(ended.stdout)
    assert re.search(r"VNNI, \d+ cores.*onnxruntime \d", printed["machine"])
    values = {figure["name"]: figure["value"] for figure in printed["figures"]}
    assert 0 < values["`voc analyze`, ten rows"] < values["`voc analyze`, the first time"] * 2
    assert ended.stderr == ""


def test_without_the_labelled_sets_it_says_what_to_set_and_what_it_can_do_without() -> None:
    ended = run()
    assert ended.returncode == 2
    assert "set VOC_EVAL_DATA" in ended.stderr
    assert "--only history --only memory --only cold-start" in ended.stderr
    assert ended.stdout == ""


def test_a_part_of_a_measurement_is_not_written_into_the_document(tmp_path: Path) -> None:
    before = DOCUMENT.read_bytes()
    assert run("--only", "memory", "--write").returncode == 2
    assert run("--texts", "3", "--write", VOC_EVAL_DATA=str(tmp_path)).returncode == 2
    assert DOCUMENT.read_bytes() == before


# What it measures


@pytest.mark.model
def test_history_is_as_long_as_it_says_and_the_run_reads_what_is_new(folder: Path) -> None:
    books = write_books(at_work(folder), folder, 3, (1, 10), silent)
    states = {n: _states(book) for n, book in books.items()}
    assert states == {n: {"filed": n, "collected": 3} for n in (3, 30)}
    figures = by_name(history(folder, 3, 1, silent))
    assert [name for name in figures if name.startswith("run over 3 new")] == [
        f"run over 3 new, {n} of history" for n in (3, 30, 300)
    ]
    assert figures["ratio, 100 times the history"] > 0
    end = _states(folder / "voc.db")
    assert end["understood"] == 3
    assert "collected" not in end


def _states(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("select state, count(*) from feedback group by state"))


@pytest.mark.model
def test_memory_is_that_of_a_process_of_its_own(folder: Path) -> None:
    (figure,) = memory(folder, 2, 1, silent)
    assert 50 < figure.value < 600
    assert _states(folder / "voc.db")["understood"] == 2


@needs_data
@pytest.mark.model
@pytest.mark.evaluation
def test_throughput_is_of_rows_that_were_stored_and_the_parts_are_all_of_it(folder: Path) -> None:
    figures = throughput(folder, 4, 1, silent)
    values = by_name(figures)
    for label in ("short texts", "reviews"):
        ours, theirs = (
            values[f"{name}, {label}"] for name in ("whole stage", "`SentenceTransformer.encode`")
        )
        assert values[f"ratio, {label}"] == pytest.approx(ours / theirs)
        shares = next(f.how for f in figures if f.name == f"share of the model, {label}")
        parts = [float(share) for share in re.findall(r"([\d.]+)%", shares)]
        assert sum(parts) == pytest.approx(100, abs=0.5)
        assert len(parts) == 6
    with closing(sqlite3.connect(folder / "voc.db")) as connection:
        (suggested,) = connection.execute("select count(*) from suggestion").fetchone()
    assert suggested >= 4


@needs_data
@pytest.mark.model
@pytest.mark.evaluation
def test_pipelines_are_compared_text_for_text(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, list[int]] = {"classify": [], "route": []}
    monkeypatch.setattr(
        pipelines, "distilbert", lambda _tokens: lambda texts: given["classify"].append(len(texts))
    )
    monkeypatch.setattr(
        pipelines,
        "bart_large",
        lambda _tokens, departments: (
            lambda texts: given["route"].append(len(texts) * len(departments))
        ),
    )
    figures = by_name(pipelines.pipelines(folder, 4, 1, silent))
    assert given == {"classify": [2, 4], "route": [6, 12]}  # six departments
    assert figures["distilbert alone"] > figures["distilbert and bart-large"]


# How it measures


class Clock:
    """Goes on by what it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def spend(self, seconds: float) -> None:
        self.now += seconds


def test_a_part_is_counted_without_the_parts_inside_it() -> None:
    clock = Clock()
    parts = Parts(clock)
    clock.spend(100)
    with parts.part("whole"):
        clock.spend(1)
        with parts.part("inner"):
            clock.spend(2)
            with parts.part("whole"):
                clock.spend(4)
        clock.spend(8)
    clock.spend(100)
    assert parts.seconds == {"whole": 13, "inner": 2}


def test_a_watched_function_works_as_before_and_is_itself_again_afterwards() -> None:
    clock = Clock()
    parts = Parts(clock)
    with parts.watching({(Clock, "spend"): "spending"}):
        clock.spend(3)
    clock.spend(5)
    assert parts.seconds == {"spending": 3}
    assert Clock.spend.__name__ == "spend"


def test_variants_take_turns_and_what_is_prepared_is_not_counted() -> None:
    clock, order = Clock(), []

    def variant(name: str, seconds: float) -> Variant:
        def work() -> None:
            order.append(name)
            clock.spend(seconds)

        return Variant(run=work, prepare=lambda: clock.spend(50))

    variants = {"one": variant("one", 1), "two": variant("two", 2)}
    seconds = in_turns(variants, 3, silent, clock)
    assert seconds == {"one": [1, 1, 1], "two": [2, 2, 2]}
    assert order == ["one", "two", "two", "one", "one", "two"]


def test_a_ratio_is_the_median_over_rounds_and_not_of_medians() -> None:
    assert ratio([1, 10, 9], [1, 5, 3]) == 2


@given(st.lists(st.text(), min_size=1), st.integers(1, 40))
def test_a_sample_keeps_the_order_and_takes_from_all_lengths(texts: list[str], n: int) -> None:
    rows = like_all([f"{number} {text}" for number, text in enumerate(texts)], n)
    numbers = [int(row.split()[0]) for row in rows]
    assert len(rows) == min(n, len(texts))
    assert numbers == sorted(set(numbers))


def test_a_sample_of_two_is_neither_the_shortest_nor_the_longest() -> None:
    assert like_all(["a" * n for n in range(100)], 2) == ["a" * 25, "a" * 75]


# How it is told

MET = Figure(name="ratio", value=2.341, at_least=1.5)
MISSED = Figure(name="peak", value=1234.4, unit="MB", at_most=500)


def test_a_figure_says_whether_it_is_what_was_aimed_at() -> None:
    assert MET.aim == "at least 1.5: met"
    assert MISSED.aim == "at most 500: **missed**"
    assert Figure(name="rate", value=1).aim == ""
    assert [each["is_met"] for each in as_object([MET, MISSED])["figures"]] == [True, False]


def test_the_table_takes_the_place_of_the_one_before() -> None:
    table = as_table([MET, MISSED])
    assert "| ratio | 2.34 | at least 1.5: met |  |" in table
    assert "| peak | 1,234 MB | at most 500: **missed** |  |" in table
    document = DOCUMENT.read_text(encoding="utf-8")
    once = with_table(document, table)
    assert with_table(once, table) == once
    assert table in once
    assert "| ratio |" not in with_table(once, "another")
    with pytest.raises(ValueError, match="table:bench"):
        with_table("no marks here", table)


def test_the_document_tells_of_every_benchmark() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert all(f"**{name}**" in document for name in NAMES)
