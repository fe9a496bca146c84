"""How fast, how small and how steady understanding is: CPU time, one thread.

VOC_EVAL_DATA=... python -m benchmarks.understanding [--only NAME] [--texts N] [--rounds N]
                                                     [--json] [--write]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.understanding.figures import Figure, as_object, as_table, with_table
from benchmarks.understanding.texts import VARIABLE
from benchmarks.understanding.timing import Tick, hold_to_one_core

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
NAMES = ("throughput", "history", "memory", "cold-start", "pipelines")
NEED_TEXTS = frozenset({"throughput", "pipelines"})
ROUNDS = 3

Benchmark = Callable[[Path, int | None, int, Tick], list[Figure]]


def main() -> int:
    options = _options()
    names = options.only or NAMES
    if problem := _problem(options, frozenset(names)):
        sys.stderr.write(f"{problem}\n")
        return 2
    hold_to_one_core()
    figures: list[Figure] = []
    with _progress(len(names)) as show:
        for name in names:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                show(name)
                tick = partial(show, name)
                figures += _benchmark(name)(Path(folder), options.texts, options.rounds, tick)
                show(name, done=1)
    print(json.dumps(as_object(figures), indent=2) if options.json else as_table(figures))
    if options.write:
        document = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(with_table(document, as_table(figures)), encoding="utf-8")
    return 0


def _problem(options: argparse.Namespace, names: frozenset[str]) -> str | None:
    """What stands against starting, or None."""
    if names & NEED_TEXTS and not Path(os.environ.get(VARIABLE, "/nowhere")).is_dir():
        without = " ".join(f"--only {name}" for name in NAMES if name not in NEED_TEXTS)
        return (
            f"set {VARIABLE} to the folder of the labelled sets (each a folder with a dev.csv), "
            f"or measure what needs none: {without}"
        )
    if options.write and (names != set(NAMES) or options.texts):
        return "--write keeps a whole measurement: leave out --only and --texts"
    return None


def _benchmark(name: str) -> Benchmark:
    """Imported only now: numpy and torch count the threads when they are loaded."""
    match name:
        case "throughput":
            from benchmarks.understanding.throughput import throughput as benchmark
        case "history":
            from benchmarks.understanding.history import history as benchmark
        case "memory":
            from benchmarks.understanding.memory import memory as benchmark
        case "cold-start":
            from benchmarks.understanding.cold_start import cold_start as benchmark
        case _:
            from benchmarks.understanding.pipelines import pipelines as benchmark
    return benchmark


@contextmanager
def _progress(total: int) -> Iterator[Callable[..., None]]:
    """A bar on stderr, on a terminal only: which benchmark, which step of it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)

        def show(name: str, step: str = "", *, done: int = 0) -> None:
            bar.update(task, description=f"{name}: {step}" if step else name, advance=done)

        yield show


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.understanding",
        description="How fast, how small and how steady understanding is: CPU time, one thread.",
    )
    parser.add_argument("--only", action="append", choices=NAMES, help="may be given again")
    parser.add_argument("--texts", type=_positive, help="how many, instead of each one's own")
    parser.add_argument("--rounds", type=_positive, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="an object instead of a table")
    parser.add_argument("--write", action="store_true", help="put the table into the document")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
