"""What the first answer costs a newcomer: `voc analyze` on ten rows, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import voc
from benchmarks.understanding.figures import Figure
from benchmarks.understanding.timing import Tick, Variant, children, in_turns

AIM_S = 4.0
STARTER = Path(voc.__file__).parent / "company" / "starter"


def cold_start(folder: Path, texts: int | None, rounds: int, tick: Tick) -> list[Figure]:
    """CPU seconds of the child, the built models kept in its cache folder and not."""
    del texts  # the starter's file has ten rows
    (first,) = _seconds(folder, "with nothing kept", 1, tick)
    later = _seconds(folder, "with the models kept", rounds, tick)
    return [
        Figure(
            name="`voc analyze`, ten rows",
            value=median(later),
            unit="CPU seconds",
            at_most=AIM_S,
            how=f"the whole process, the built models kept; median of {rounds}",
        ),
        Figure(
            name="`voc analyze`, the first time",
            value=first,
            unit="CPU seconds",
            how="the whole process, with nothing kept: the models are built",
        ),
    ]


def _seconds(folder: Path, name: str, rounds: int, tick: Tick) -> list[float]:
    return in_turns({name: Variant(run=lambda: analyze(folder))}, rounds, tick, children)[name]


def analyze(folder: Path) -> str:
    """What `voc analyze` says of the starter's feedback; what it keeps, it keeps in *folder*.

    Raises:
        CalledProcessError: It failed; its stderr says why.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VOC_")}
    child = subprocess.run(
        [
            *(sys.executable, "-c", "from apps.cli.main import app; app()", "analyze"),
            *(str(STARTER / "inbox" / "feedback.csv"), "--company", str(STARTER / "voc.yaml")),
            *("--format", "csv"),
        ],
        env={**kept, "VOC_HOME": str(folder)},
        check=True,
        capture_output=True,
        text=True,
    )
    return child.stdout
