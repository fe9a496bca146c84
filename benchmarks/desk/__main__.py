"""How long the desk's pages take over HTTP, with much in the books and a writer at work.

    python -m benchmarks.desk [--feedback 1000000] [--rounds 40] [--database URL] [--home DIR]

Makes the books in a new home (or in DIR, and keeps them there for the next time), starts the web
app in a process of its own, and asks for each page in turn: the first visit after the start is
*cold*. Meanwhile another process commits to the feedback table without a pause, as collecting does.
A page whose p95 is over the bound fails the command.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from secrets import token_hex

import httpx
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table
from sqlalchemy import Engine
from sqlmodel import select

from apps.desk.access.door import COOKIE
from benchmarks.desk.books import measure, write_books
from benchmarks.desk.pages import Page, pages
from benchmarks.desk.rows import NOW
from benchmarks.desk.writer import keep_collecting
from voc.company import load_company
from voc.models import Account, DeskSession, Feedback, Role
from voc.rules.tokens import token_hash
from voc.store.clock import set_clock
from voc.store.database import open_database, reading, transaction

COMPANY = Path(__file__).parents[2] / "rehearsal" / "company" / "voc.yaml"
BOUND_MS, AIM_MS = 100, 50
OWNS = "delivery"
PORT = 8399
FAR = NOW.replace(year=NOW.year + 50)


@dataclass
class Visits:
    """What one page took, in milliseconds."""

    cold: float
    warm: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.warm, n=20)[-1]


def main() -> int:
    options = _options()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="voc-desk-") as scratch:
        home = Path(options.home or scratch)
        env = os.environ | {"VOC_HOME": str(home), "VOC_WEB_PORT": str(PORT)}
        if options.database:
            env["VOC_DATABASE_URL"] = options.database
        url = options.database or f"sqlite:///{home.resolve() / 'voc.db'}"
        engine = prepare(url, home, options.feedback)
        cookies = {role: let_in(engine, role) for role in Role}
        with web_app(env, console), writer(url):
            with reading(engine) as session:
                visited = pages(session, OWNS)
            visits = {page: visit(page, cookies, options.rounds) for page in track(visited)}
    console.print(_table(visits))
    slow = [page for page, visited in visits.items() if visited.p95 > BOUND_MS]
    return 1 if slow else 0


def prepare(url: str, home: Path, feedback: int) -> Engine:
    """The books, unless they are there."""
    engine, company = open_database(url), load_company(COMPANY)
    home.mkdir(exist_ok=True)
    shutil.copy(COMPANY, home / "voc.yaml")
    with transaction(engine) as session:
        has_books = session.exec(select(Feedback.id).limit(1)).first() is not None
    if not has_books:
        with Progress() as progress:
            write_books(engine, company, feedback, progress)
            progress.add_task("weeks", total=None)
            measure(engine, company)
    with transaction(engine) as session:
        set_clock(session, moment=1, now=NOW, finished=True)  # the books end there
    return engine


def let_in(engine: Engine, role: Role) -> str:
    """Somebody who is signed in: their cookie."""
    token = token_hex(32)
    with transaction(engine) as session:
        account = Account(
            email=f"{role}-{token[:8]}@company.example",
            name=f"A {role}",
            role=role,
            departments=[OWNS],
            created_at=NOW,
        )
        session.add(account)
        session.flush()
        session.add(
            DeskSession(
                token_hash=token_hash(token),
                account_id=account.id or 0,
                created_at=NOW,
                seen_at=FAR,
                expires_at=FAR,
            )
        )
    return token


def visit(page: Page, cookies: dict[Role, str], rounds: int) -> Visits:
    signed_in = {COOKIE: cookies[page.role]} if page.role else {}
    with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", cookies=signed_in, timeout=60) as client:
        taken = [_timed(client, page.path) for _ in range(rounds + 1)]
    return Visits(taken[0], taken[1:])


def _timed(client: httpx.Client, page: str) -> float:
    began = time.perf_counter()
    answer = client.get(page)
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != httpx.codes.OK:
        raise SystemExit(f"{page}: {answer.status_code}")
    return took


@contextmanager
def writer(url: str) -> Iterator[None]:
    """Another process that collects all the time."""
    process = get_context("spawn").Process(target=keep_collecting, args=(url, COMPANY), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


@contextmanager
def web_app(env: dict[str, str], console: Console) -> Iterator[None]:
    command = [sys.executable, "-m", "apps.desk"]
    began = time.monotonic()
    with subprocess.Popen(command, env=env) as server:
        try:
            while not _answers():
                if server.poll() is not None:
                    raise SystemExit("the web app did not start")
                time.sleep(0.02)
            console.print(f"the web app started in {time.monotonic() - began:.2f} s")
            yield
        finally:
            server.terminate()


def _answers() -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{PORT}/health").is_success
    except httpx.TransportError:
        return False


def _table(visits: dict[Page, Visits]) -> Table:
    table = Table("page", "cold ms", "median ms", "p95 ms", "")
    for page, visited in visits.items():
        median, p95 = statistics.median(visited.warm), visited.p95
        verdict = "" if p95 <= AIM_MS else ("over the aim" if p95 <= BOUND_MS else "[red]over")
        table.add_row(str(page), f"{visited.cold:.0f}", f"{median:.0f}", f"{p95:.0f}", verdict)
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feedback", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--database", default="", help="a URL; SQLite in the home if not given")
    parser.add_argument("--home", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
