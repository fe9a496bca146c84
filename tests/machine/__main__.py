"""Let the machine run, and see that it finds bugs.

    python -m tests.machine run [--runs 200] [--steps 20] [--seed 1]
    python -m tests.machine bugs [--only NAME] [--seed 1] [--write]

`bugs` copies the project, puts one bug in (a patch under `tests/machine/bugs`), lets the machine
run there, and goes on to the next. A bug that is not found fails the command.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.figures import keep, on_which_machine

ROOT = Path(__file__).parents[2]
BUGS = Path(__file__).parent / "bugs"
PACKAGES = ("voc", "tasks", "notifications", "nlp", "sources", "tests", "migrations", "apps")
FILES = ("pyproject.toml",)
RUNS, STEPS = 60, 20
NO_BUGS = ("ImportError", "ModuleNotFoundError", "SyntaxError", "NameError")
"""A patch that has become wrong, not one that puts a bug in."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one bug."""

    name: str
    found: bool
    seconds: float
    told: str


def main() -> int:
    options = _options()
    if options.command == "run":
        return run(options.runs, options.steps, options.seed, shrink=True)
    if options.command == "hunt":
        return run(options.runs, options.steps, options.seed, shrink=False)
    return hunt_bugs(options.only, options.seed, write=options.write)


def run(runs: int, steps: int, seed: int, *, shrink: bool) -> int:
    """The known crossings, then a search for an order that breaks a promise; 1 if there is one."""
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis import seed as seeded
    from hypothesis.stateful import run_state_machine_as_test

    from tests.machine.crossings import play_crossings
    from tests.machine.tangles import Shop

    logging.disable()
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    began = time.process_time()
    try:
        play_crossings(seed)
        run_state_machine_as_test(
            seeded(seed)(Shop),
            settings=settings(
                max_examples=runs,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                phases=phases,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Exception as exc:
        if shrink:
            raise
        print(f"{_told(exc)} ({time.process_time() - began:.0f} CPU s)")
        return 1
    print(f"{runs} runs of up to {steps} steps, {time.process_time() - began:.0f} CPU s: it holds")
    return 0


def _told(exc: Exception) -> str:
    """The promise that is broken, or what is raised before it comes to that."""
    promise = traceback.extract_tb(exc.__traceback__)[-1].name.replace("_", " ")
    name = promise if isinstance(exc, AssertionError) else type(exc).__name__
    return f"{name}: {' '.join(str(exc).split())[:150]}".removesuffix(": ")


def hunt_bugs(only: str | None, seed: int, *, write: bool) -> int:
    """Put in one bug after the other; 1 if one is not found."""
    patches = [p for p in sorted(BUGS.glob("*.patch")) if only in {None, p.stem}]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = []
        for verdict in pool.map(partial(_hunt, seed=seed), patches):
            verdicts.append(verdict)
            mark = "found" if verdict.found else "MISSED"
            told = f"{verdict.seconds:4.0f} s  {mark:6}  {verdict.name}: {verdict.told}"
            print(f"{len(verdicts):2}/{len(patches)}  {told}", flush=True)
    missed = [verdict.name for verdict in verdicts if not verdict.found]
    print(f"{len(verdicts) - len(missed)} of {len(verdicts)} bugs found")
    if write:
        keep("bugs", [on_which_machine(), "", *_table(verdicts)])
    return 1 if missed or not verdicts else 0


def _hunt(patch: Path, *, seed: int) -> Verdict:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for package in PACKAGES:
            ignored = shutil.ignore_patterns("__pycache__", "*.patch")
            shutil.copytree(ROOT / package, copy / package, ignore=ignored)
        for name in FILES:
            shutil.copy(ROOT / name, copy / name)
        applied = _run(["git", "apply", "-p1", "-C1", str(patch)], copy)
        if applied.returncode:
            return Verdict(patch.stem, False, 0, f"does not apply: {applied.stderr.strip()[:100]}")
        command = [sys.executable, "-m", "tests.machine", "hunt", "--seed", str(seed)]
        hunted = _run(command, copy)
    lines = hunted.stdout.strip().splitlines() or [hunted.stderr.strip()[-150:]]
    broke = any(name in lines[-1] for name in NO_BUGS)
    found = hunted.returncode == 1 and not hunted.stderr.strip() and not broke
    return Verdict(patch.stem, found, time.monotonic() - began, lines[-1])


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("VOC_")}
    env |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def _table(verdicts: list[Verdict]) -> list[str]:
    head = ["| bug that was put in | found by |", "|---|---|"]
    return head + [f"| {v.name.replace('_', ' ')} | {v.told} |" for v in verdicts]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run", "hunt", "bugs"])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
