"""Kill `voc run` with -9, again and again, in every stage; the books must come out the same.

    python -m benchmarks.kill_run [--kills 10] [--seed 1]

An undisturbed rehearsal counts its commits by stage. Then a second one, in a home of its own,
is killed at commits that are drawn from between the first and the last one (each stage at
least once) and started again, until it ends. Feedback, statements, tickets, loops and messages
are compared by natural keys, and each Message-ID may be in the mailbox once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from email import message_from_bytes
from pathlib import Path

STAGES = ("collect", "understand", "route", "follow_up", "close", "measure", "people")
"""The flows, and the owners and customers who act between them."""

BOOKS = {
    "feedback": """
        select source, external_id, state, reason, version, rating from feedback""",
    "statements": """
        select f.source, f.external_id, v.number, s.start, s."end", s.text_hash
        from statement s join feedbackversion v on v.id = s.version_id
        join feedback f on f.id = v.feedback_id""",
    "suggestions": """
        select f.source, f.external_id, s.start, g.kind, g.value, g.model
        from suggestion g join statement s on s.id = g.statement_id
        join feedbackversion v on v.id = s.version_id join feedback f on f.id = v.feedback_id""",
    "loops": """
        select f.source, f.external_id, l.kind, l.state, l.reason, l.round, l.told_at
        from loop l join feedback f on f.id = l.feedback_id""",
    "tickets": """
        select f.source, f.external_id, t.department, t.topic, t.state, t.hand, t.round, t.level,
               t.priority, t.root_cause, t.resolved_at
        from ticket t join loopticket lt on lt.ticket_id = t.id join loop l on l.id = lt.loop_id
        join feedback f on f.id = l.feedback_id""",
    "events": """
        select f.source, f.external_id, e.kind, e.actor, e.detail, e.at
        from ticketevent e join loop l on l.id = e.loop_id
        join feedback f on f.id = l.feedback_id""",
    "follow-ups": """
        select f.source, f.external_id, m.step, m.state, m.settled_at
        from message m join loop l on l.id = m.loop_id join feedback f on f.id = l.feedback_id""",
    "alerts": """
        select m.step, m.recipient, m.state, count(*) from message m
        where m.loop_id is null group by 1, 2, 3""",
    "answers": """
        select f.source, f.external_id, a.round, a.verdict, a.rating, a.words, a.at
        from answer a join loop l on l.id = a.loop_id join feedback f on f.id = l.feedback_id""",
    "quarantine": "select source, place, reason, state from quarantine",
}


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        calm, stormy = Path(folder, "calm"), Path(folder, "stormy")
        started = time.monotonic()
        commits = _run(calm, None)
        print(f"undisturbed: {time.monotonic() - started:.0f} s, commits by stage: {commits}")
        for stage, nth in draw(commits, options.kills, random.Random(options.seed)):
            killed = _run(stormy, (stage, nth))
            print(f"killed in {stage} at its commit {nth}" if killed is None else "ended before")
        _run(stormy, None)
        return _compare(calm, stormy)


def draw(commits: Mapping[str, int], kills: int, rng: random.Random) -> list[tuple[str, int]]:
    """Where to kill: each stage once, the rest by where commits are; in random order.

    Measuring comes once, at the end, so its kill comes last. A run that goes on after a kill
    counts its commits anew, so each kill may use up a share of what a stage has to do.
    """
    stages = [stage for stage in STAGES if commits.get(stage)]
    early = [stage for stage in stages if stage != "measure"]
    drawn = early + rng.choices(early, [commits[s] for s in early], k=max(0, kills - len(stages)))
    rng.shuffle(drawn)
    times = Counter(drawn)
    points = [(s, rng.randint(1, max(1, commits[s] // (kills * times[s])))) for s in drawn]
    return points + ([("measure", 1)] if "measure" in stages else [])


def _run(home: Path, kill_at: tuple[str, int] | None) -> dict[str, int] | None:
    """Run `voc run` in *home*; its commits by stage, or None if it was killed."""
    report = home.with_suffix(".json")
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("VOC_", "PREFECT_"))},
        "VOC_HOME": str(home),
        "VOC_SECRET_KEY": "the same in both homes",
        "KILL_AT": json.dumps(kill_at),
        "KILL_REPORT": str(report),
    }
    child = subprocess.run(
        [sys.executable, "-c", "from benchmarks.kill_run import watched; watched()"],
        env=env,
        check=False,
        capture_output=True,
    )
    if child.returncode == -signal.SIGKILL:
        return None
    if child.returncode:
        sys.exit(f"voc run failed:\n{child.stderr.decode()[-3000:]}")
    commits: dict[str, int] = json.loads(report.read_text())
    return commits


def watched() -> None:
    """In the child: run, count commits by stage, and die where the parent says."""
    from sqlalchemy import Engine, event

    from apps.cli.run import run

    kill_at = json.loads(os.environ["KILL_AT"])
    commits: Counter[str] = Counter()

    def after_commit(_connection: object) -> None:
        stage = _stage()
        commits[stage] += 1
        if kill_at and stage == kill_at[0] and commits[stage] == kill_at[1]:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", after_commit)
    run()
    Path(os.environ["KILL_REPORT"]).write_text(json.dumps(commits))


def _stage() -> str:
    """The stage that is at work, by the modules on the stack."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        module = str(frame.f_globals.get("__name__", ""))
        name = module.rpartition(".")[2]
        if module == "rehearsal.people" or module.startswith("apps.desk"):
            return "people"
        if module.startswith("flows.") and name in STAGES:
            return name
    return "other"


def _compare(calm: Path, stormy: Path) -> int:
    """Print what differs; 0 if nothing does."""
    wrong = 0
    for name, query in BOOKS.items():
        one, other = _rows(calm, query), _rows(stormy, query)
        missing, extra = one - other, other - one
        wrong += bool(missing or extra)
        print(f"{name}: {one.total()} rows, {missing.total()} missing, {extra.total()} extra")
        for row in [*missing][:3] + [*extra][:3]:
            print("   ", row)
    for home in (calm, stormy):
        ids = Counter(
            str(message_from_bytes(path.read_bytes())["Message-ID"])
            for path in (home / "rehearsal" / "mailbox").rglob("*.eml")
        )
        twice = [key for key, n in ids.items() if n > 1]
        wrong += bool(twice)
        print(f"mailbox of {home.name}: {len(ids)} Message-IDs, {len(twice)} more than once")
    print("the books are the same" if not wrong else "THE BOOKS DIFFER")
    return wrong


def _rows(home: Path, query: str) -> Counter[tuple[object, ...]]:
    with sqlite3.connect(home / "rehearsal" / "voc.db") as connection:
        return Counter(tuple(row) for row in connection.execute(query))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
