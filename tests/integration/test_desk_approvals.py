"""An approver reads a message by the link in the alert, and lets it leave or refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.desk import database, make_client, make_desk
from tests.factories import APPROVER, NOW, make_link, save, save_waiting_reply
from voc.actions.approval import fingerprint
from voc.models import (
    DeliveryChannel,
    Link,
    LinkPurpose,
    Message,
    MessageState,
    Ticket,
    TicketState,
)
from voc.rules.tokens import token_hash
from voc.store.database import transaction

SAID = "We delivered it today <b>& refunded</b> the fee."
SECRET_PART = "abcdefghijklmnopqrstuvwxyz234567"


def mail() -> bytes:
    letter = EmailMessage()
    letter["To"] = "kim@customer.example"
    letter["Subject"] = "Shop & Co: what we did about your feedback"
    link = f"https://shop.example/a/{SECRET_PART}?verdict=solved"
    letter.set_content(f"{SAID}\n\nYes, it is solved: {link}\n")
    html = f"<!doctype html><html lang=en><title>t</title><p>Hi <a href='{link}'>Yes</a></html>"
    letter.add_alternative(html, subtype="html")
    return letter.as_bytes()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A reply that waits. Token: "approve"."""
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save_waiting_reply(session, mail())
        yield engine


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine))


def message(engine: Engine) -> Message:
    with transaction(engine) as session:
        return session.get_one(Message, 1)


def decided(deed: str, engine: Engine, **fields: str) -> dict[str, str]:
    return {"deed": deed, "seen": fingerprint(message(engine))} | fields


def test_the_page_shows_what_is_sent_and_why_and_changes_nothing(
    engine: Engine, client: TestClient
) -> None:
    page = client.get("/p/approve")
    assert page.status_code == 200
    for shown in (
        "Shop &amp; Co: what we did about your feedback",
        "We delivered it today &lt;b&gt;&amp; refunded&lt;/b&gt; the fee.",
        "ki…@customer.example",
        "Delivery: <bdi>The depot was closed.</bdi>",
        fingerprint(message(engine)),
        "/a/…?verdict=solved",
    ):
        assert shown in page.text
    assert "kim@customer.example" not in page.text
    assert SECRET_PART not in page.text
    assert message(engine).state is MessageState.HELD


def test_the_html_part_stands_alone_where_nothing_runs_or_loads(client: TestClient) -> None:
    page = client.get("/p/approve/html")
    assert page.text.startswith("<!doctype html>")
    assert SECRET_PART not in page.text
    policy = page.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "form-action 'none'", "sandbox"):
        assert rule in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"


def test_approving_lets_it_leave_and_says_by_whom(engine: Engine, client: TestClient) -> None:
    page = client.post("/p/approve", data=decided("approve", engine))
    assert page.status_code == 200
    assert "just as it stands here" in page.text
    approved = message(engine)
    assert (approved.state, approved.approved_by) == (MessageState.QUEUED, APPROVER)
    again = client.get("/p/approve")
    assert "It was approved already. It is queued now." in again.text
    assert "<form" not in again.text
    assert client.post("/p/approve", data=decided("approve", engine)).status_code == 409


def test_refusing_needs_a_reason_that_the_owners_then_read(
    engine: Engine, client: TestClient
) -> None:
    page = client.post("/p/approve", data=decided("refuse", engine, why="  "))
    assert page.status_code == 422
    assert 'id="why-wrong"' in page.text
    assert message(engine).state is MessageState.HELD
    page = client.post("/p/approve", data=decided("refuse", engine, why="x" * 501))
    assert "501 characters" in page.text

    page = client.post("/p/approve", data=decided("refuse", engine, why="Too <b>vague</b>."))
    assert page.status_code == 200
    assert "Too &lt;b&gt;vague&lt;/b&gt;." in page.text
    assert message(engine).state is MessageState.CANCELLED
    assert "was refused" in client.get("/p/approve").text
    with transaction(engine) as session:
        assert session.get_one(Ticket, 1).state is TicketState.OPEN
        save(session, make_link("accept", LinkPurpose.ACCEPT, message_id=3))
        owner = session.get_one(Message, 3)
        assert (owner.template, owner.ticket_id) == ("ticket_reopened", 1)
    assert "Too &lt;b&gt;vague&lt;/b&gt;." in client.get("/t/accept").text


def test_what_was_written_anew_has_to_be_read_anew(engine: Engine, client: TestClient) -> None:
    old = decided("approve", engine)
    with transaction(engine) as session:
        session.get_one(Message, 1).content = mail().replace(b"today", b"on Friday")
    page = client.post("/p/approve", data=old)
    assert page.status_code == 409
    assert "written anew since you read it" in page.text
    assert "on Friday" in page.text
    assert message(engine).state is MessageState.HELD


@pytest.mark.parametrize("deed", ["", "delete"])
def test_neither_button_decides_nothing(engine: Engine, client: TestClient, deed: str) -> None:
    assert client.post("/p/approve", data=decided(deed, engine)).status_code == 422
    assert message(engine).state is MessageState.HELD


def test_whoever_is_no_approver_any_more_sees_nothing(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        session.get_one(Message, 2).recipient = "former@shop.example"
    for page in (client.get("/p/approve"), client.get("/p/approve/html")):
        assert page.status_code == 410
        assert "approve messages now" in page.text
        assert "refunded" not in page.text


def test_expired_and_unknown_links_and_other_purposes_decide_nothing(
    engine: Engine, client: TestClient
) -> None:
    assert client.post("/p/answer", data=decided("approve", engine)).status_code == 404
    assert client.post("/p/nothing", data=decided("approve", engine)).status_code == 404
    with transaction(engine) as session:
        session.get_one(Link, token_hash("approve")).expires_at = NOW
    assert client.post("/p/approve", data=decided("approve", engine)).status_code == 410
    assert message(engine).state is MessageState.HELD


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": MessageState.CANCELLED, "reason": "deleted"}, "no longer needed"),
        ({"state": MessageState.HELD, "reason": "by_hand"}, "It is held now"),
        ({"state": MessageState.PLANNED, "reason": None}, "being written anew"),
        ({"state": MessageState.PLANNED, "content": None}, "Its words are no longer kept."),
    ],
)
def test_a_message_that_does_not_wait_says_how_it_stands(
    engine: Engine, client: TestClient, changes: dict[str, object], said: str
) -> None:
    with transaction(engine) as session:
        row = session.get_one(Message, 1)
        for name, value in changes.items():
            setattr(row, name, value)
    page = client.get("/p/approve")
    assert page.status_code == 200
    assert said in page.text
    assert "<form" not in page.text


def test_words_changed_behind_an_approval_are_called_that(
    engine: Engine, client: TestClient
) -> None:
    with transaction(engine) as session:
        session.get_one(Message, 1).approved_hash = "0" * 64
    assert "somebody changed them" in client.get("/p/approve").text


def test_a_text_message_has_no_subject_and_no_picture(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        row = session.get_one(Message, 1)
        row.content, row.channel = b"We spoke with the courier.", DeliveryChannel.SMS
    page = client.get("/p/approve")
    assert "mail program draws it" not in page.text
    assert client.get("/p/approve/html").status_code == 404
