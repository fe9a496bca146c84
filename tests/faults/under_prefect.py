"""Each flow under Prefect itself, killed with -9 in the middle, finished and judged.

    python -m tests.faults.under_prefect

The boundary calls are tried without Prefect (`tests.faults.matrix`), in a fraction of the time:
this shows that Prefect adds no way to lose or repeat anything.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from prefect.settings import get_current_settings
from rich.console import Console
from sqlalchemy import Connection as Database
from sqlalchemy import event

from tests.faults import cases, shop
from tests.faults.boundary import Fault
from tests.faults.disturbed import Bench, disturb, prepare
from tests.faults.world import world
from tests.flows.conftest import prefect_for_tests
from voc.store.database import connect

ROOT = Path(__file__).parents[2]
FLOWS = {
    "collect": "collect_files",
    "understand": "understand",
    "route": "route",
    "follow_up": "follow_up",
    "close": "close",
    "measure": "measure",
    "learn": "learn",
    "loop": "loop",
}
"""By the flow's name the case that it is tried with."""
SERVE = "from tests.faults.under_prefect import serve; serve()"
RUN = "import sys; from tests.faults.under_prefect import be_killed; be_killed(sys.argv[1])"


def main() -> int:
    logging.disable()
    shop.import_all()
    shop.without_prefect()
    surveys = cases.FLOWS["collect_files"].before
    cases.FLOWS["loop"] = cases.Flow(before=surveys, run=lambda it: shop.run_loop(it.now))
    console, wrong = Console(), 0
    with tempfile.TemporaryDirectory(prefix="voc-prefect-") as name, _server() as api:
        folder, own = Path(name), Path(name, "bench")
        (folder / "snapshots").mkdir()
        with world(folder, own / "home") as outside:
            bench = Bench(folder=own, world=outside, snapshots=folder / "snapshots")
            for flow, case in FLOWS.items():
                commits = prepare(bench, case).names.count("sql commit")
                nth = max(1, commits // 2)
                kill = partial(_run, bench, flow, case, nth, api)
                outcome = disturb(bench, case, Fault.KILL, nth, kill)
                wrong += bool(outcome.wrong) or not outcome.at
                told = "; ".join(outcome.wrong) or f"{outcome.doubts} in doubt, nothing wrong"
                console.print(f"{flow}: killed at commit {nth} of {commits}: {told}", markup=False)
    return int(wrong > 0)


def _run(bench: Bench, flow: str, case: str, nth: int, api: str) -> int:
    """The flow in a process of its own, as Prefect runs it; its exit code."""
    task = {
        "home": str(bench.home),
        "settings": cases.FLOWS[case].settings(bench.world),
        "posts": bench.world.urls[cases.FLOWS[case].posts[1]],
        "now": bench.now(case).isoformat(),
        "flow": flow,
        "commit": nth,
        "hit": str(bench.folder / "hit"),
    }
    killed = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(task)],
        env=os.environ | {"PREFECT_API_URL": api},
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if killed.returncode != -signal.SIGKILL:
        (bench.folder / "error").write_text(killed.stderr.decode()[-2000:])
    return killed.returncode


def be_killed(told: str) -> None:
    """Run a flow until its database has committed so often; then end with -9."""
    task = json.loads(told)
    shop.with_stand_ins()
    story = shop.enter(Path(task["home"]), task["settings"], task["posts"])
    assert story.place.engine is connect(story.place.settings.database)
    left = task["commit"]

    def committed(_connection: Database) -> None:
        nonlocal left
        left -= 1
        if not left:
            Path(task["hit"]).write_text(f"commit {task['commit']}")
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(story.place.engine, "commit", committed)
    flow = getattr(importlib.import_module(f"flows.{task['flow']}"), task["flow"])
    flow(now=datetime.fromisoformat(task["now"]))


@contextmanager
def _server() -> Iterator[str]:
    """The address of a Prefect server; it ends with the block."""
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        yield next(line.strip() for line in server.stdout if line.startswith("http"))
        server.stdin.close()


def serve() -> None:
    """Tell the address, and stay until nobody listens any more."""
    with tempfile.TemporaryDirectory() as home, prefect_for_tests(Path(home)):
        sys.stdout.write(f"{get_current_settings().api.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    sys.exit(main())
