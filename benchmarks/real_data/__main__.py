"""Run the whole loop over the evaluation set stream_airlines, stage by stage, and time it.

    VOC_EVAL_DATA=... python -m benchmarks.real_data [--rows N] [--home DIR]

Each stage is the plain function under its flow, called in this one process; CPU seconds, wall
seconds and the peak of memory are printed, and what the books say in the end.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

HERE = Path(__file__).parent
LOADED_AT = datetime(2015, 3, 1, 6, tzinfo=UTC)
"""The morning after the newest row: what is real time for this company."""


def main() -> int:
    options = _options()
    data = os.environ.get("VOC_EVAL_DATA")
    if not data:
        sys.stderr.write("set VOC_EVAL_DATA to the folder of the evaluation sets\n")
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(options.home or scratch)
        prepare(Path(data) / "stream_airlines" / "dev.csv", home, slice(options.rows))
        os.environ["VOC_HOME"] = str(home)
        run(home)
    return 0


def prepare(source: Path, home: Path, rows: slice) -> None:
    """Put the company file and these rows of the set into *home*."""
    (home / "inbox").mkdir(parents=True, exist_ok=True)
    (home / "voc.yaml").write_bytes((HERE / "voc.yaml").read_bytes())
    with (
        source.open(encoding="utf-8", newline="") as read,
        (home / "inbox" / "stream.csv").open("w", encoding="utf-8", newline="") as write,
    ):
        reader, writer = csv.reader(read), csv.writer(write)
        writer.writerow(next(reader))
        writer.writerows(list(reader)[rows])


def run(home: Path) -> None:
    """All stages once, timed; then what the books say."""
    from apps.cli.summary import print_summary
    from tasks import close, collect, follow_up, measure, route, understand
    from tasks.workplace import workplace
    from voc.store.database import transaction
    from voc.store.verify import verify

    place = workplace()
    everything = (0, 10**9)
    stages: dict[str, Callable[[], object]] = {
        "collect": lambda: collect.collect_source.fn("stream", LOADED_AT),
        "understand": lambda: understand.understand_range.fn(*everything),
        "route": lambda: route.route_range.fn(*everything, LOADED_AT),
        "follow up": lambda: (
            follow_up.plan_due.fn(LOADED_AT),
            follow_up.render_planned.fn(LOADED_AT),
            follow_up.deliver.fn(1_000_000, LOADED_AT),
        ),
        "close": lambda: (close.take_in_answers.fn(LOADED_AT), close.end_loops.fn(LOADED_AT)),
        "measure": lambda: measure.write_report.fn(None, LOADED_AT),
    }
    console = Console()
    console.print("stage        wall s    CPU s   peak MB")
    for name, stage in stages.items():
        wall, cpu = time.monotonic(), time.process_time()
        stage()
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        console.print(f"{name:<10} {wall:>8.1f} {cpu:>8.1f} {peak:>9.0f}")
    with transaction(place.engine) as session:
        findings = [str(finding) for finding in verify(session).values() if finding]
    console.print("the books balance" if not findings else "\n".join(findings))
    print_summary(console, place, is_new=True)
    console.print(f"database {(home / 'voc.db').stat().st_size / 2**20:.0f} MB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_data")
    parser.add_argument("--rows", type=int, help="only the first so many rows")
    parser.add_argument("--home", help="keep everything in this folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
