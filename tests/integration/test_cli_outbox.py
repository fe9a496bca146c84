"""``voc outbox`` and ``voc books``, as a person types them."""

import json
import shutil
from pathlib import Path

import pytest
from sqlmodel import select
from typer.testing import CliRunner, Result

from apps.cli.main import app
from tasks import understand
from tasks.workplace import workplace
from tests.story import Story, fake_models, write_company
from voc.models import Message, TicketEvent, TicketEventKind
from voc.models import MessageState as Is
from voc.store import breakers, messages
from voc.store.database import transaction

LATE = "The parcel came late."


@pytest.fixture
def shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    write_company(home)
    place = workplace()
    models = fake_models(place.company)
    monkeypatch.setattr(understand, "build_models", lambda _company: models)
    return Story(place)


def voc(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})


def in_doubt(shop: Story) -> int:
    """A receipt whose reply was lost."""
    shop.says(LATE, rating=2)
    shop.runs()
    with transaction(shop.place.engine) as session:
        receipt = session.exec(select(Message).where(Message.template == "receipt")).one()
        receipt.state = Is.SENDING
        session.flush()
        messages.move(session, receipt, Is.UNKNOWN, reason="ReadTimeout at DATA", now=shop.now)
        return receipt.id or 0


def test_what_needs_a_person_is_listed_with_what_stops_everything(shop: Story) -> None:
    assert "no message that a person has to look at" in voc("outbox", "list").output
    message_id = in_doubt(shop)
    with transaction(shop.place.engine) as session:
        breakers.has_failed(session, "smtp", reason="535 when connecting", now=shop.now)
    shop.place.settings.kill_switch.touch()
    told = voc("outbox", "list").output
    assert "ReadTimeout at DATA" in told
    assert "smtp is left alone until 2026-03-02 09:01 after 1 failures: 535 when" in told
    assert "The kill switch is on" in told
    assert str(message_id) in told
    assert "@" not in told
    assert "unknown" not in voc("outbox", "list", "--state", "sent").output


def test_a_message_is_shown_with_its_evidence_and_without_address_or_words(shop: Story) -> None:
    message_id = in_doubt(shop)
    shown = voc("outbox", "show", str(message_id)).output
    assert "message_ended" in shown
    assert "unknown:ReadTimeout at DATA" in shown
    assert "the journal: handed over 1 times" in shown
    assert "kim@example.com" not in shown
    assert "parcel" not in shown
    assert "kim@example.com" in voc("outbox", "show", str(message_id), "--address").output
    assert "parcel" in voc("outbox", "show", str(message_id), "--words").output
    assert "there is no message 99" in voc("outbox", "show", "99").output


def test_who_settles_a_doubt_stands_in_the_ledger(shop: Story) -> None:
    message_id = in_doubt(shop)
    assert "is sent" in voc("outbox", "resolve", str(message_id), "arrived", "--as", "ola").output
    with transaction(shop.place.engine) as session:
        query = select(TicketEvent).where(TicketEvent.kind == TicketEventKind.MESSAGE_SENT)
        assert [e.actor for e in session.exec(query)][-1] == "ola"
    assert voc("outbox", "resolve", str(message_id), "again").exit_code == 1


def test_a_message_is_held_and_let_go_by_hand(shop: Story) -> None:
    shop.says(LATE, rating=2)
    shop.place.settings.kill_switch.touch()
    shop.runs()
    assert voc("outbox", "release", "--all").exit_code == 0
    assert not shop.place.settings.kill_switch.exists()
    with transaction(shop.place.engine) as session:
        receipt = session.exec(select(Message).where(Message.template == "receipt")).one()
        messages.move(session, receipt, Is.QUEUED, now=shop.now)
    number = str(receipt.id)
    assert "is held" in voc("outbox", "hold", number, "--as", "ola").output
    shop.runs()
    assert "by_hand" in voc("outbox", "list").output
    assert voc("outbox", "hold", number).exit_code == 1
    assert "waits to leave" in voc("outbox", "release", number, "--as", "ola").output
    assert "not held by hand" in voc("outbox", "release", number).output
    shop.wait(minutes=1)
    with transaction(shop.place.engine) as session:  # released by the real clock
        session.get_one(Message, receipt.id).not_before = shop.now
    shop.runs()
    assert receipt.id in {m.id for m in shop.rows(Message) if m.state is Is.SENT}
    assert shop.broken_books() == []
    assert voc("outbox", "hold").exit_code == 2


def test_everything_is_held_at_once(shop: Story) -> None:
    assert "nothing leaves" in voc("outbox", "hold", "--all", "--as", "ola").output
    assert "ola" in shop.place.settings.kill_switch.read_text()
    shop.says(LATE, rating=2)
    shop.runs()
    assert {m.state for m in shop.rows(Message)} == {Is.HELD}
    voc("outbox", "release", "--all")
    shop.runs()
    assert {m.state for m in shop.rows(Message)} == {Is.SENT}


def test_a_restored_database_is_reconciled(shop: Story) -> None:
    shop.says(LATE, rating=2)
    assert "nothing to do" in voc("outbox", "reconcile").output
    home = shop.place.settings.home
    shop.place.engine.dispose()
    shutil.copy(home / "voc.db", home / "copy.db")
    shop.runs()
    shop.place.engine.dispose()
    for path in home.glob("voc.db*"):
        path.unlink()
    shutil.copy(home / "copy.db", home / "voc.db")
    shop.wait(hours=1)
    shop.runs()  # collects and plans again, and sends nothing
    assert {m.state for m in shop.rows(Message)} == {Is.PLANNED}
    assert "older copy of the database" in voc("outbox", "list").output
    told = voc("outbox", "reconcile").output
    assert "2 messages were handed over that this copy does not know of" in told
    assert "Nothing leaves yet" in told
    assert "Messages leave again" in voc("outbox", "reconcile", "--done").output
    shop.runs()
    assert {m.state for m in shop.rows(Message)} == {Is.UNKNOWN}
    assert voc("books").exit_code == 0
    assert shop.broken_books() == []


def test_the_books_balance_or_say_where_not(shop: Story) -> None:
    shop.says(LATE, rating=2)
    shop.runs()
    counted = json.loads(voc("books", "--json").output)
    assert (counted["ingested"], counted["handed_over"], counted["gone"]) == (1, 2, 2)
    assert "1 came in" in voc("books").output
    with transaction(shop.place.engine) as session:
        for message in session.exec(select(Message)):
            message.sending_at = None
    result = voc("books")
    assert result.exit_code == 1
    assert "the journal has 2 that no message here was" in result.output
