"""A receipt holds all of a loop and nothing of a customer, and is checked without a database."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select
from typer.testing import CliRunner, Result

from apps.cli.main import app
from tests.story import Story, story_in
from voc.actions import answers
from voc.errors import NotFoundError, VocError
from voc.journal import Head
from voc.models import Loop, Ticket, TicketEvent, TicketEventKind, Verdict
from voc.rules import merkle
from voc.rules.receipt_checks import check_receipt
from voc.rules.receipts import Receipt, read_receipt
from voc.store import events
from voc.store.database import transaction
from voc.store.events import Happening
from voc.store.ledger import Ledger
from voc.store.receipt import receipt_of

GUIDE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")


@pytest.fixture
def database_url() -> str:
    """SQLite: a receipt reads the same rows on both."""
    return ""


@pytest.fixture
def told(story: Story) -> Story:
    tell(story)
    return story


@pytest.fixture(scope="module")
def receipt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receipt]:
    with story_in(tmp_path_factory.mktemp("receipt")) as story:
        tell(story)
        yield made(story)


def tell(story: Story) -> None:
    """Two loops; the first was told and answered, and the answer is not anchored yet."""
    story.says("The parcel came late, said Kim Lee.", rating=2)
    story.says("I was charged the wrong money.", rating=2, email="bo@example.com")
    story.runs()
    story.wait(days=2)
    story.resolves(story.rows(Ticket)[0])
    story.runs()
    with transaction(story.place.engine) as session:
        loop = session.get_one(Loop, 1)
        answers.record(
            session, loop, Verdict.SOLVED, round_asked=1, rating=5, words="Bravo!", now=story.now
        )


def made(story: Story, loop_id: int = 1) -> Receipt:
    with transaction(story.place.engine) as session:
        return receipt_of(session, loop_id, story.place.journal.last_head())


def voc(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def changed(receipt: Receipt, *path: str | int, to: Any) -> Receipt:
    """The receipt with one value changed."""
    values = receipt.model_dump(mode="json")
    inner: Any = values
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return read_receipt(json.dumps(values))


def test_a_receipt_tells_a_loop_from_its_first_word_to_its_answer(told: Story) -> None:
    receipt = made(told)
    assert [event.kind for event in receipt.events] == [
        "loop_opened",
        "decided",
        "opened",
        "message_sending",
        "message_sent",
        "message_sending",
        "message_sent",
        "resolved",
        "message_sending",
        "message_sent",
        "loop_told",
        "closed",
        "answered",
    ]
    assert [message.step for message in receipt.messages] == ["receipt", "resolution.1"]
    assert receipt.newer == 1  # the answer came in after the last anchor
    assert check_receipt(receipt, root=receipt.anchor.root) == []

    told.runs()
    closed = made(told)
    assert (closed.newer, closed.state) == (0, "closed")
    assert closed.events[-1].kind == "loop_closed"
    assert check_receipt(closed) == []


def test_a_receipt_holds_no_words_and_no_address_of_a_customer(receipt: Receipt) -> None:
    text = receipt.model_dump_json()
    for secret in ("parcel came", "Kim", "kim@", "example.com", "Bravo", "mended", "broken"):
        assert secret not in text


def test_whatever_is_changed_in_a_receipt_is_named(receipt: Receipt) -> None:
    last = len(receipt.events) - 1
    for place, event in enumerate(receipt.events):
        for field, value in (
            ("detail", "x"),
            ("actor", "x"),
            ("loop_id", 7),
            ("ticket_id", 7),
            ("message_id", 77),
            ("at", "2020-01-01T00:00:00Z"),
            ("kind", "x"),
            ("hash", "0" * 64),
            ("previous_hash", "f" * 64),
        ):
            problems = check_receipt(changed(receipt, "events", place, field, to=value))
            assert f"event {event.number} was changed" in problems
        if place < last:
            other = changed(receipt, "events", place, "audit_path", to=["0" * 64])
            assert check_receipt(other) == [f"event {event.number} is not under the root"]
            without = changed(receipt, "events", place, "audit_path", to=None)
            assert check_receipt(without) == [
                f"event {event.number} has no path, and is not newer than the anchor"
            ]
    assert check_receipt(receipt, root="0" * 64) == ["the root is another one"]
    assert check_receipt(changed(receipt, "events", to=[])) == ["it has no events"]
    forged = changed(receipt, "messages", 1, "sha256", to="0" * 64)
    assert check_receipt(forged) == ["message 5 is not the one that event 16 handed over"]
    with pytest.raises(VocError, match=r"this is no receipt: events.0.hash: "):
        changed(receipt, "events", 0, "hash", to="zz")
    for part, problem in (
        (("state",), "loop 1 is delivered, its events say told"),
        (("messages", 1, "state"), "message 5 is delivered, its events say sent"),
    ):
        assert check_receipt(changed(receipt, *part, to="delivered")) == [problem]
    fewer = changed(receipt, "messages", to=receipt.model_dump(mode="json")["messages"][:1])
    left_out = [f"message 5, which event {n} is about, is left out" for n in (16, 17)]
    assert check_receipt(fewer) == left_out
    other = changed(receipt, "words", 0, "content_hash", to="0" * 64)
    assert check_receipt(other) == ["feedback 1, version 1 is not what event 1 is about"]


def test_events_of_a_receipt_that_change_places_or_are_cut_out_are_named(receipt: Receipt) -> None:
    values = receipt.model_dump(mode="json")["events"]
    swapped = changed(receipt, "events", to=[values[1], values[0], *values[2:]])
    assert check_receipt(swapped) == ["event 1 is out of order"]


def test_events_of_another_loop_say_nothing_about_this_one(told: Story) -> None:
    other = changed(made(told, 2), "loop", to=1)
    problems = check_receipt(other)
    assert f"event {other.events[0].number} is not about loop 1" in problems
    assert "loop 1 is open, its events say nothing" in problems


def test_a_receipt_is_made_only_from_the_ledger_that_was_anchored(told: Story) -> None:
    with transaction(told.place.engine) as session:
        unanchored = receipt_of(session, 2, None)
        assert (unanchored.anchor.in_journal, unanchored.newer) == (False, 0)
        assert check_receipt(unanchored) == []
        for head in (Head(3, "0" * 64), Head(99, "0" * 64)):
            with pytest.raises(VocError, match="is not in the ledger; `voc verify`"):
                receipt_of(session, 1, head)
        with pytest.raises(NotFoundError, match="there is no loop 9"):
            receipt_of(session, 9, None)


def test_what_is_kept_of_the_ledger_from_one_receipt_leads_to_the_next(told: Story) -> None:
    ledgers = [Ledger(chunk) for chunk in (1, 2, 4, 8, 1024)]

    def receipts(session: Session) -> set[str]:
        """Anchored at several lengths; the same with each of the ledgers."""
        hashes = session.exec(select(TicketEvent.hash).order_by(col(TicketEvent.id))).all()
        made = set()
        for length in (1, 5, len(hashes) - 1, len(hashes)):
            head = Head(length, hashes[length - 1], merkle.Tree(hashes[:length]).root)
            each = {receipt_of(session, 1, head, kept).model_dump_json() for kept in ledgers}
            assert len(each) == 1
            made |= each
        return made

    def goes_on(session: Session, times: int, actor: str) -> None:
        happened = Happening(kind=TicketEventKind.COMMENTED, ticket_id=1)
        events.append(session, [happened] * times, actor=actor, now=told.now)

    with Session(told.place.engine) as session:
        found = receipts(session)
        goes_on(session, 9, "dee@corner.example")
        found |= receipts(session)
    with Session(told.place.engine) as session:  # without those nine, as if it had been put back
        goes_on(session, 17, "bo@corner.example")
        found |= receipts(session)
    problems = [check_receipt(read_receipt(one)) for one in found]
    assert problems == [[]] * 12


def test_the_commands_make_a_receipt_and_check_it(told: Story, tmp_path: Path) -> None:
    shown = voc("receipt", "1")
    assert shown.exit_code == 0, shown.output
    assert "Loop 1 is told" in shown.stdout
    assert "message_sent" in shown.stdout
    assert "Newer than the anchor, and not proven yet: 1 events" in shown.stdout

    file = tmp_path / "receipt.json"
    file.write_text(voc("receipt", "1", "--json").stdout, encoding="utf-8")
    root = json.loads(file.read_text())["anchor"]["root"]
    checked = voc("receipt", "--check", str(file), "--root", root)
    assert checked.exit_code == 0, checked.output
    assert "Loop 1: 12 events are under the root you named" in checked.stdout

    wrong = voc("receipt", "--check", str(file), "--root", "0" * 64)
    assert (wrong.exit_code, wrong.stdout) == (1, "wrong: the root is another one\n")
    file.write_text("{}", encoding="utf-8")
    assert voc("receipt", "--check", str(file)).stderr.startswith("voc: this is no receipt: ")
    missing = voc("receipt", "9")
    assert (missing.exit_code, missing.stderr) == (1, "voc: there is no loop 9\n")
    assert voc("receipt").exit_code == 2


def test_verify_says_what_it_found_to_people_and_to_programs(told: Story) -> None:
    good = voc("verify")
    assert good.exit_code == 0, good.output
    assert "ok     messages follow their events" in good.stdout

    with transaction(told.place.engine) as session:
        session.get_one(Loop, 2).reason = "x"
        session.get_one(Loop, 1).told_at = None
    broken = voc("verify", "--json")
    assert broken.exit_code == 1
    findings = {name: found for name, found in json.loads(broken.stdout).items() if found}
    assert findings == {
        "closed loops were told": {"row": "loop 1", "problem": "no message told the customer"}
    }


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    return found[1]


def test_the_guide_checks_a_receipt_by_hand(receipt: Receipt, tmp_path: Path) -> None:
    (tmp_path / "check.py").write_text(snippet("python"), encoding="utf-8")

    def by_hand(given: Receipt) -> str:
        (tmp_path / "receipt.json").write_text(given.model_dump_json(), encoding="utf-8")
        command = [sys.executable, "-I", "check.py", "receipt.json", receipt.anchor.root]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    assert by_hand(receipt) == "event 20 is newer than the root\n12 events are under the root\n"
    assert "event 1 was changed" in by_hand(changed(receipt, "events", 0, "detail", to="x"))
    other = changed(receipt, "events", 0, "audit_path", to=["0" * 64])
    assert "event 1 is not under the root" in by_hand(other)


def test_the_guide_hashes_an_event_with_nothing_but_a_shell() -> None:
    shell = snippet("sh")
    command, expected = shell.strip().rsplit("\n# ", 1)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == expected
