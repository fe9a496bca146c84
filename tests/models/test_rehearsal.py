"""The main job as a newcomer runs it: `voc run` without a company, twice, with the real models."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from email import message_from_bytes
from pathlib import Path

import pytest

pytestmark = pytest.mark.model


def voc(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("VOC_", "PREFECT_"))}
    return subprocess.run(
        [sys.executable, "-m", "apps.cli", *arguments],
        env=env | {"VOC_HOME": str(home), "COLUMNS": "120"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home in which the rehearsal was played, and what it printed."""
    home = tmp_path_factory.mktemp("home")
    run = voc(home, "run")
    assert run.returncode == 0, run.stderr
    return home / "rehearsal", run.stdout


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(home / "voc.db") as connection:
        return connection.execute(query).fetchall()


def test_it_ends_with_a_table_and_says_where_to_look(played: tuple[Path, str]) -> None:
    home, said = played
    for part in ("Feedback", "Tickets by department", "Messages", "Loops", "Where to look"):
        assert part in said
    assert (home / "reports" / "report.html").exists()
    assert (home / "mailbox" / "index.html").exists()


def test_loops_close_reopen_and_end_with_reasons(played: tuple[Path, str]) -> None:
    home, _ = played
    outcomes = Counter(
        {
            (s, r): n
            for s, r, n in rows(home, "select state, reason, count(*) from loop group by 1, 2")
        }
    )
    for outcome in (("closed", "solved"), ("closed", "silent"), ("closed", "thanked")):
        assert outcomes[outcome] > 0
    assert outcomes["could_not_tell", "no_address"] > 0
    assert rows(home, "select count(*) from loop where round > 1")[0][0]
    assert rows(home, "select count(*) from suppression")[0][0]


def test_a_tenth_ends_in_triage_and_a_tenth_is_handed_back(played: tuple[Path, str]) -> None:
    home, _ = played
    opened = Counter(
        dict(
            rows(home, "select detail, count(*) from ticketevent where kind = 'opened' group by 1")
        )
    )
    assert opened["triage"] >= 0.1 * opened.total()
    (handed_back,) = rows(
        home,
        """select count(*) from ticket t where hand > 1 and (select detail from ticketevent e
           where e.ticket_id = t.id and kind = 'opened') <> 'triage'""",
    )[0]
    assert handed_back >= 0.1 * opened.total()


def test_the_impossible_is_in_quarantine_and_the_rest_is_not(played: tuple[Path, str]) -> None:
    home, _ = played
    assert rows(home, "select count(*) from quarantine")[0][0] == 11
    listed = voc(home.parent, "quarantine", "list").stdout
    assert "csat.csv line" in listed


def test_every_mail_is_there_once(played: tuple[Path, str]) -> None:
    home, _ = played
    mails = [message_from_bytes(p.read_bytes()) for p in (home / "mailbox").rglob("*.eml")]
    ids = Counter(mail["Message-ID"] for mail in mails)
    assert max(ids.values()) == 1
    (sent,) = rows(home, "select count(*) from message where state = 'sent'")[0]
    assert len(ids) == sent


def test_no_words_of_injection_become_markup_or_templates(played: tuple[Path, str]) -> None:
    home, _ = played
    pages = [page.read_text() for page in (home / "mailbox").rglob("*.html")]
    assert not any("<script" in page for page in pages)
    quoted = [page for page in pages if "previous instructions" in page]
    assert quoted
    assert all("{{7*7}}" in page for page in quoted)


def test_the_books_balance(played: tuple[Path, str]) -> None:
    home, _ = played
    verified = voc(home.parent, "verify")
    assert verified.returncode == 0, verified.stdout


def test_a_second_run_does_nothing_new_and_loads_no_model(played: tuple[Path, str]) -> None:
    home, _ = played
    before = rows(home, "select count(*), max(id) from message")
    again = voc(home.parent, "run")
    assert again.returncode == 0, again.stderr
    assert "Nothing new" in again.stdout
    assert "no model was loaded" in again.stdout
    assert rows(home, "select count(*), max(id) from message") == before


def test_two_runs_at_once_do_not_get_in_each_others_way(
    played: tuple[Path, str], tmp_path: Path
) -> None:
    import fcntl

    (tmp_path / "locks").mkdir()
    with (tmp_path / "locks" / "run.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = voc(tmp_path, "run")
    assert second.returncode == 1
    assert second.stderr.startswith("voc: voc run is at work already")
