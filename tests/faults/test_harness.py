"""The proofs by fault injection prove something: a sender that repeats is caught, always."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from notifications.channel import Capability
from notifications.smtp import SmtpChannel
from tests.faults import cases, shop
from tests.faults.boundary import Fault
from tests.faults.disturbed import Bench, disturb, prepare
from tests.faults.figures import keep
from tests.faults.world import by_mail, world
from tests.story import Story

RUN = "import sys; from tests.faults.test_harness import be_tried; be_tried(*sys.argv[1:])"


def _one_thanks(story: Story) -> None:
    story.says("perfect service, thanks", rating=10)
    for stage in ("understand", "route"):
        shop.STAGES[stage](story.now)


def be_tried(folder: str, report: str) -> None:
    """In a process of its own: kill the sender when its mail is sent and the reply unread."""
    shop.without_prefect()
    cases.FLOWS["one mail"] = cases.Flow(
        before=_one_thanks, run=cases.FLOWS["follow_up"].run, settings=by_mail
    )
    (Path(folder) / "snapshots").mkdir()
    own = Path(folder) / "bench"
    with world(Path(folder), own / "home") as outside:
        bench = Bench(folder=own, world=outside, snapshots=Path(folder) / "snapshots")
        names = prepare(bench, "one mail").names
        disturb(bench, "one mail", Fault.KILL, None)
        again = json.loads((bench.folder / "names").read_text())
        *_, mail, _goodbye = (n for n, name in enumerate(names, 1) if name == "socket send")
        right = disturb(bench, "one mail", Fault.KILL, mail + 1)
        with patch.object(SmtpChannel, "capability_of", return_value=Capability.IDEMPOTENT):
            wrong = disturb(bench, "one mail", Fault.KILL, mail + 1)
    found = {
        "the same calls": names == again,
        "in doubt": right.doubts,
        "right": right.wrong,
        "wrong": wrong.wrong,
    }
    Path(report).write_text(json.dumps(found))


def test_a_sender_that_repeats_what_may_have_arrived_is_found(tmp_path: Path) -> None:
    report = tmp_path / "report"
    (tmp_path / "work").mkdir()
    command = [sys.executable, "-c", RUN, str(tmp_path / "work"), str(report)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2], timeout=120)
    assert json.loads(report.read_text()) == {
        "the same calls": True,
        "in doubt": 1,
        "right": [],
        "wrong": ["message 1 (thanks) came 2 times"],
    }


def test_figures_take_the_place_of_older_ones(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- figures:storm -->\nold\n<!-- /figures:storm -->\nb\n")
    for _ in range(2):
        keep("storm", ["new"], page)
    expected = "a\n<!-- figures:storm -->\n\nnew\n\n<!-- /figures:storm -->\nb\n"
    assert page.read_text() == expected
