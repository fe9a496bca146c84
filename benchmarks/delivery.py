"""How many mails a second one sender delivers, with every transaction on the disk.

    python -m benchmarks.delivery [--mails 500] [--folder FOLDER]

A mail server in a process of its own takes them over SMTP. *Receipts* are the protocol alone;
a *resolution* also closes its loop and ticket in the transaction that settles it. CPU time is
the sender's; the wall clock says how busy the machine and how fast the disk of FOLDER is, too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notifications.smtp import SmtpChannel
from tests import outbox_cases as cases
from tests.faults.provider import provider
from voc.actions import loops
from voc.models import MessageState
from voc.settings import SmtpSettings

STEPS = ("receipt", "resolution.1")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=500)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    return 0 if all(measure(step, options.mails, options.folder) for step in STEPS) else 1


def measure(step: str, n: int, folder: Path | None) -> bool:
    """Write and deliver *n* mails in a new home; whether each came once."""
    what = step.partition(".")[0] + "s"
    with tempfile.TemporaryDirectory(prefix="voc-delivery-", dir=folder) as name:
        home = Path(name)
        engine = cases.make_engine(home)
        for i in range(n):
            customer = cases.add_customer(engine, f"c{i}@customer.test")
            loop, _ = cases.add_loop(engine, customer)
            cases.plan_follow_up(engine, loop, customer, step)
        with timed(f"{what} written", n):
            cases.queue(engine)
        with provider(home / "received") as server:
            channel = SmtpChannel(SmtpSettings(host="127.0.0.1", port=server.port))
            with timed(f"{what} delivered", n):
                counts = cases.deliver(engine, channel, home, limit=n, on_sent=loops.on_sent)
            came = [entry.message_id for entry in server.entries()]
        engine.dispose()
    return counts[MessageState.SENT] == len(came) == len(set(came)) == n


@contextmanager
def timed(what: str, n: int) -> Iterator[None]:
    wall, cpu = time.monotonic(), time.process_time()
    yield
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    print(f"{what}: {n / wall:.0f} a second, {1000 * cpu / n:.1f} ms CPU each", flush=True)


if __name__ == "__main__":
    sys.exit(main())
