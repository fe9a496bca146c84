"""Let the N-th boundary call of each flow fail, for N = 1, 2, ... until a run passes untouched.

    python -m tests.faults.matrix [--flow NAME] [--fault kill|error|timeout] [--short] [--write]

Each run happens in a forked child, on a copy of a small home. After the fault the flow is
finished without one, and the books must balance: nothing came twice, nothing is lost, what
nobody can know is UNKNOWN, and all ends as it does when nothing fails.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a parent that forks has no threads

from tests.faults import cases, shop
from tests.faults.boundary import Fault
from tests.faults.disturbed import Bench, Outcome, Undisturbed, disturb, prepare
from tests.faults.figures import keep, on_which_machine
from tests.faults.workers import Work, Workers, workers
from tests.faults.world import world

A_SHORT_RUN = 5
"""Points of each flow and fault that a short run tries: others for each fault."""
SHOWN, LINE = 5, 2000
"""Of what went wrong in a run: lines, and the length of one."""

Task = tuple[str, Fault, int]
"""Flow, fault, N. N is 0 for the undisturbed run that comes first."""


@dataclass
class Report:
    """What was found about one flow."""

    points: int
    runs: int = 0
    doubts: Counter[Fault] = field(default_factory=Counter)
    seconds: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # workers end with us
    logging.disable()  # errors and warnings are what this is for
    shop.import_all()
    shop.without_prefect()
    console = Console()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="voc-faults-", dir=options.folder) as folder:
        crew = partial(_open_bench, Path(folder))
        with workers(options.jobs, crew) as hands:
            reports, wrong = try_all(hands, options.flow, options.fault, options.short, console)
    table = _table(reports)
    console.print(table)
    runs = sum(report.runs for report in reports.values())
    minutes = (time.monotonic() - started) / 60
    told = f"{runs} disturbed runs in {minutes:.1f} minutes, {len(wrong)} broke the promise"
    console.print(told)
    if options.write:
        keep("faults", [f"{told}. {on_which_machine()}", "", *_markdown(reports)])
    return 1 if wrong else 0


def try_all(
    hands: Workers[Task, Undisturbed | Outcome],
    flows: Sequence[str],
    faults: Sequence[Fault],
    is_short: bool,
    console: Console,
) -> tuple[dict[str, Report], list[Outcome]]:
    """Every fault at every point of every flow: what was counted, and what went wrong."""
    reports: dict[str, Report] = {}
    wrong: list[Outcome] = []
    points: dict[str, int] = {}
    for calm in hands.do([(name, Fault.KILL, 0) for name in flows]):
        assert isinstance(calm, Undisturbed)
        reports[calm.outcome.flow] = Report(points=len(calm.names))
    points = {name: report.points for name, report in reports.items()}
    tasks: list[Task] = [
        (name, fault, nth)
        for name in flows
        for fault in faults
        for nth in (_some(points[name], fault) if is_short else range(1, points[name] + 2))
    ]
    left = Counter(name for name, _, _ in tasks)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("disturbed runs", total=len(tasks))
        while tasks:
            touched: list[Task] = []
            for outcome in hands.do(tasks):
                assert isinstance(outcome, Outcome)
                progress.advance(bar)
                left[outcome.flow] -= 1
                if not left[outcome.flow] and not console.is_terminal:
                    console.print(f"{outcome.flow}: done")
                report = reports[outcome.flow]
                report.runs += bool(outcome.at)
                report.doubts[outcome.fault] += outcome.doubts
                report.seconds += outcome.seconds
                if outcome.wrong:
                    wrong.append(outcome)
                    _show(outcome, console)
                if outcome.at and outcome.nth > points[outcome.flow]:
                    touched.append((outcome.flow, outcome.fault, outcome.nth + 1))
            tasks = touched  # a run with more calls than the first one: on to the untouched one
    return reports, wrong


def _show(outcome: Outcome, console: Console) -> None:
    console.print(f"[red]{outcome.flow}, {outcome.fault} at {outcome.nth}[/]: {outcome.at}")
    for line in outcome.wrong[:SHOWN]:
        console.print(f"    {line[-LINE:]}", markup=False)


def _some(points: int, fault: Fault) -> range:
    """A few of the points, from the first to the last of them."""
    shift = [*Fault].index(fault)
    step = max(1, points // A_SHORT_RUN)
    return range(1 + shift * step // len(Fault), points + 1, step)


def _open_bench(folder: Path, number: int, stack: ExitStack) -> Work[Task, Undisturbed | Outcome]:
    own = folder / str(number)
    own.mkdir()
    snapshots = folder / "snapshots"
    snapshots.mkdir(exist_ok=True)
    bench = Bench(
        folder=own / "bench",
        world=stack.enter_context(world(own, own / "bench" / "home")),
        snapshots=snapshots,
    )

    def work(task: Task) -> Undisturbed | Outcome:
        name, fault, nth = task
        return disturb(bench, name, fault, nth) if nth else prepare(bench, name)

    return work


def _table(reports: dict[str, Report]) -> Table:
    table = Table("flow", "points", "runs", "in doubt", "seconds")
    for name, report in reports.items():
        table.add_row(
            name.replace("_", " "),
            str(report.points),
            str(report.runs),
            str(report.doubts.total()),
            f"{report.seconds:.0f}",
        )
    return table


def _markdown(reports: dict[str, Report]) -> list[str]:
    lines = ["| flow | boundary calls | disturbed runs | in doubt |", "|---|---:|---:|---:|"]
    for name, report in reports.items():
        flow, doubts = name.replace("_", " "), report.doubts.total()
        lines.append(f"| {flow} | {report.points} | {report.runs} | {doubts} |")
    return lines


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flow", action="append", choices=[*cases.FLOWS], help="only this one")
    parser.add_argument("--fault", action="append", choices=[*Fault], type=Fault)
    parser.add_argument("--short", action="store_true", help="a spread of points, for CI")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, help="where homes are made; a RAM disk is fast")
    parser.add_argument("--write", action="store_true", help="keep the figures in docs/faults.md")
    options = parser.parse_args(arguments)
    options.flow = options.flow or [*cases.FLOWS]
    options.fault = options.fault or [*Fault]
    return options


if __name__ == "__main__":
    sys.exit(main())
