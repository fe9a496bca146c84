"""How much memory an incremental run takes, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.understanding.figures import Figure
from benchmarks.understanding.history import NEW, write_books
from benchmarks.understanding.place import at_work, put_back
from benchmarks.understanding.timing import Tick

AIM_MB = 500
TIMES = 10
"""Pieces of history for each new one."""


def memory(folder: Path, texts: int | None, rounds: int, tick: Tick) -> list[Figure]:
    """The peak of memory of a run over *texts* new pieces; the highest of *rounds*."""
    place = at_work(folder)
    new = texts or NEW
    ((n, book),) = write_books(place, folder, new, [TIMES], tick).items()
    peaks = []
    for number in range(rounds):
        tick(f"run in a process of its own, {number + 1}")
        put_back(place, book)
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.understanding.incremental"],
            check=True,
            stdout=subprocess.PIPE,
        )
        peaks.append(json.loads(child.stdout)["peak_mb"])
    return [
        Figure(
            name=f"peak of memory, run over {new:,} new",
            value=max(peaks),
            unit="MB",
            at_most=AIM_MB,
            how=f"beside {n:,} of history, without Prefect's server; the highest of {rounds}",
        )
    ]
