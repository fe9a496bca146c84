"""Senders that are killed with -9, suspended and replaced, before a mail server that misbehaves.

    python -m tests.faults.storm [--trials 60] [--database sqlite|postgres|both] [--seed 1]
                                 [--short] [--calm] [--write]

A trial: 120 messages, four senders, a kill now and then, an SMTP fault in 19 % of all mails, and
two in five customers unsubscribing meanwhile. It ends when nothing is on its way. Nothing
may come twice, be lost, or be handed over after an unsubscribe was confirmed; each message in
doubt must have had its sender killed in mid hand-over, or its reply lost.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from multiprocessing import Pipe
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a parent that forks has no threads

import tasks.follow_up
from tests.faults import children, outcome, shop
from tests.faults.figures import keep, on_which_machine
from tests.faults.outcome import Result
from tests.faults.provider import Provider
from tests.faults.trial import CALM, Weather, play
from tests.faults.world import to_server
from tests.postgres_server import postgres_server
from tests.story import START, Story
from voc.models import Ticket

PROMOTERS = COMPLAINTS = 60
SHORT = {"sqlite": 2, "postgres": 1}
REPLY_TIMEOUT_S = "10"
"""Longer than anything here takes: a reply that does not come is lost, not late."""
SHOWN = 10


@dataclass(kw_only=True)
class Stage:
    """A shop whose messages wait, and how to begin anew with it."""

    folder: Path
    database_url: str
    made_url: str
    """Of the database that each trial gets a copy of. Empty with SQLite: the home holds it."""
    begins: datetime = START

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def made(self) -> Path:
        return self.folder / "made"

    def begin_anew(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.made, self.home)
        if self.made_url:
            trial, made = (make_url(url).database for url in (self.database_url, self.made_url))
            _administer(
                self.made_url,
                f'drop database if exists "{trial}" with (force)',
                f'create database "{trial}" template "{made}"',
            )

    def enter(self, smtp: Provider | None) -> Story:
        """Make this process's workplace the home. Its connections are closed again."""
        settings = {"DATABASE_URL": self.database_url}
        if smtp is not None:
            settings |= to_server(smtp) | {"SMTP__REPLY_TIMEOUT_S": REPLY_TIMEOUT_S}
        story = shop.enter(self.home, settings)
        story.now = self.begins
        story.place.engine.dispose()
        return story


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # children end with us
    logging.disable()  # errors and warnings are what this is for
    gc.freeze()
    shop.without_prefect()
    console = Console()
    weather = CALM if options.calm else Weather()
    told: list[str] = []
    is_wrong = False
    for database in options.database:
        trials = SHORT[database] if options.short else options.trials
        started = time.monotonic()
        with (
            tempfile.TemporaryDirectory(prefix="voc-storm-", dir=options.folder) as folder,
            STAGES[database](Path(folder)) as stage,
        ):
            total = storm(stage, trials, options.seed, weather, console)
        lines = describe(total, database, (time.monotonic() - started) / 60)
        console.print("\n".join(lines), markup=False)
        told += [*lines, ""]
        is_wrong |= bool(total.wrong) or (options.calm and total.doubts > 0)
    if options.write:
        keep("storm", [on_which_machine(), "", *told[:-1]])
    return int(is_wrong)


def storm(stage: Stage, trials: int, seed: int, weather: Weather, console: Console) -> Result:
    """So many trials that count; their figures together."""
    total, skipped = Result(), 0
    with Progress(console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("trials", total=trials)
        for number in count(seed):
            result = _trial(stage, number, weather)
            for line in result.wrong[:SHOWN]:
                console.print(f"trial {number}: {line}", markup=False)
            if result.counts or result.wrong:
                total.add(result)
                progress.advance(bar)
            else:
                skipped += 1
                console.print(
                    f"trial {number}: killed in {len(result.points)} places only: it does not count"
                )
            if total.trials >= trials or skipped > trials:
                return total
    raise AssertionError("numbers do not end")


def _trial(stage: Stage, seed: int, weather: Weather) -> Result:
    for log in ("mails", "hand_overs", "leavers"):
        (stage.folder / log).unlink(missing_ok=True)
    stage.begin_anew()
    logs = play(stage.folder, stage.begins, seed, weather, stage.enter)
    near, far = Pipe(duplex=False)
    assert children.run(lambda: far.send(outcome.count(logs))) == 0
    result: Result = near.recv()
    return result


@contextmanager
def _on_sqlite(folder: Path) -> Iterator[Stage]:
    yield _made(Stage(folder=folder, database_url="", made_url=""))


@contextmanager
def _on_postgres(folder: Path) -> Iterator[Stage]:
    with postgres_server() as server:
        _administer(server, "create database made")
        made, trial = (
            make_url(server).set(database=name).render_as_string(hide_password=False)
            for name in ("made", "trial")
        )
        yield _made(Stage(folder=folder, database_url=trial, made_url=made))


STAGES: dict[str, Callable[[Path], AbstractContextManager[Stage]]] = {
    "sqlite": _on_sqlite,
    "postgres": _on_postgres,
}


def _made(stage: Stage) -> Stage:
    """Fill the home; then deliver once, so that this process has compiled what senders do."""
    near, far = Pipe(duplex=False)
    assert children.run(lambda: far.send(_live(stage))) == 0
    stage.begins = near.recv()
    stage.begin_anew()
    story = stage.enter(None)
    tasks.follow_up.recover_messages.fn(story.now)
    tasks.follow_up.deliver.fn(PROMOTERS + COMPLAINTS, story.now)
    story.place.engine.dispose()
    return stage


def _live(stage: Stage) -> datetime:
    """In a child: complaints are resolved, promoters are to be thanked; 120 messages wait."""
    shop.found(stage.made)
    story = shop.enter(stage.made, {"DATABASE_URL": stage.made_url})
    for number in range(COMPLAINTS):
        story.says("my parcel was late", rating=1, email=f"c{number}@customer.example")
    story.runs()
    for ticket in story.rows(Ticket):
        story.resolves(ticket)
    for number in range(PROMOTERS):
        story.says("perfect, thanks", rating=10, email=f"p{number}@customer.example")
    story.wait(hours=25)
    for stage_name in ("understand", "route"):
        shop.STAGES[stage_name](story.now)
    tasks.follow_up.render_planned.fn(story.now)
    story.place.engine.dispose()
    return story.now


def _administer(url: str, *commands: str) -> None:
    server = make_url(url).set(database="postgres")
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for command in commands:
            connection.execute(sa.text(command))


def describe(total: Result, database: str, minutes: float) -> list[str]:
    """The figures of all trials on one database."""
    points = ", ".join(
        f"{p.name.lower().replace('_', ' ')} {n}" for p, n in sorted(total.points.items())
    )
    states = ", ".join(f"{state} {n}" for state, n in total.states.most_common())
    return [
        f"**{database}**: {total.trials} trials in {minutes:.0f} minutes, "
        f"{total.messages} messages, {total.kills} times kill -9, {total.suspended} times "
        f"suspended, {total.faults} SMTP faults, {total.unsubscribed} unsubscribed.",
        "",
        f"- twice {total.twice}, lost {total.lost}, after an unsubscribe {total.after} "
        f"({total.on_the_wire} were on the wire when it was confirmed)",
        f"- in doubt {total.doubts}, of these {total.doubts_that_came} had come; "
        f"unexplained {total.unexplained}",
        f"- ended as: {states}",
        f"- killed while: {points or 'never'}",
    ]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=60, help="on each database")
    parser.add_argument("--database", choices=[*STAGES, "both"], default="both")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="two trials and one, for CI")
    parser.add_argument("--calm", action="store_true", help="nothing fails: nothing is in doubt")
    parser.add_argument("--folder", type=Path, help="where homes are made; a RAM disk is fast")
    parser.add_argument("--write", action="store_true", help="keep the figures in docs/faults.md")
    options = parser.parse_args(arguments)
    options.database = [*STAGES] if options.database == "both" else [options.database]
    return options


if __name__ == "__main__":
    sys.exit(main())
