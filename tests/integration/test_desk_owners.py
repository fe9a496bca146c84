"""Owners act on their tickets by the links in their alerts, and by those only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import select

from tests.desk import database, make_client, make_desk
from tests.factories import (
    NOW,
    OWNER,
    make_answer,
    make_company,
    make_department,
    make_statement,
    save,
    save_open_ticket,
)
from voc.models import (
    DeliveryChannel,
    Label,
    Link,
    Message,
    Statement,
    Ticket,
    TicketEvent,
    TicketState,
    Verdict,
)
from voc.rules.tokens import token_hash
from voc.store.database import transaction
from voc.store.verify import event_chain

QUOTE = "The sofa came two weeks late."
REASON = {"root_cause": "The depot was closed.", "action_taken": "We deliver it today."}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save_open_ticket(session)
        yield engine


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine))


def ticket(engine: Engine) -> Ticket:
    with transaction(engine) as session:
        return session.get_one(Ticket, 1)


def actors(engine: Engine) -> list[tuple[str, str]]:
    with transaction(engine) as session:
        assert event_chain(session) is None
        return [(event.kind.value, event.actor) for event in session.exec(select(TicketEvent))]


@pytest.mark.parametrize("purpose", ["accept", "reassign", "resolve"])
def test_the_page_says_what_it_is_about_and_changes_nothing(
    engine: Engine, client: TestClient, purpose: str
) -> None:
    with transaction(engine) as session:
        save(session, make_statement(start=30, end=55))  # no part of this ticket
    page = client.get(f"/t/{purpose}")
    assert page.status_code == 200
    for said in (QUOTE, "Delivery", "suggested with 91%", "normal", "Mon 2 Mar 2026, 13:00 UTC"):
        assert said in page.text
    assert "Nobody answered" not in page.text
    assert "Kim" not in page.text
    assert ticket(engine).state is TicketState.OPEN


def test_accepting_makes_it_the_recipients(engine: Engine, client: TestClient) -> None:
    page = client.post("/t/accept")
    assert page.status_code == 200
    assert "The ticket is yours now." in page.text
    assert "in progress" in page.text
    assert ticket(engine).owner == OWNER
    assert actors(engine) == [("accepted", OWNER)]


def test_accepting_twice_is_a_page_that_says_how_it_stands(
    engine: Engine, client: TestClient
) -> None:
    client.post("/t/accept")
    again = client.post("/t/accept")
    assert again.status_code == 409
    assert "not possible now: the ticket is in progress" in again.text
    assert len(actors(engine)) == 1
    assert "<form" not in client.get("/t/accept").text


def test_reassigning_offers_the_likely_departments_first_and_teaches(
    engine: Engine, client: TestClient
) -> None:
    page = client.get("/t/reassign").text
    options = [part.partition('"')[0] for part in page.split('<option value="')[1:]]
    assert options == ["", "billing", "triage"]
    assert "Billing (suggested, 6%)" in page
    done = client.post("/t/reassign", data={"department": "billing"})
    assert done.status_code == 200
    assert "handed over" in done.text
    assert ticket(engine).department == "billing"
    assert actors(engine) == [("reassigned", OWNER)]
    with transaction(engine) as session:
        assert [label.value for label in session.exec(select(Label))] == ["billing"]


@pytest.mark.parametrize("department", ["", "delivery", "kitchen"])
def test_reassigning_to_nowhere_is_an_error_beside_the_field(
    engine: Engine, client: TestClient, department: str
) -> None:
    page = client.post("/t/reassign", data={"department": department})
    assert page.status_code == 422
    assert 'id="department-wrong"' in page.text
    assert ticket(engine).department == "delivery"


def test_resolving_needs_a_cause_and_an_action_and_keeps_what_was_typed(
    engine: Engine, client: TestClient
) -> None:
    page = client.post("/t/resolve", data={"root_cause": "The depot was closed."})
    assert page.status_code == 422
    assert "Say what was done about it." in page.text
    assert "The depot was closed.</textarea>" in page.text
    assert ticket(engine).state is TicketState.OPEN
    done = client.post("/t/resolve", data=REASON)
    assert done.status_code == 200
    assert ticket(engine).state is TicketState.RESOLVED
    assert ticket(engine).action_taken == "We deliver it today."
    assert actors(engine) == [("resolved", OWNER)]
    with transaction(engine) as session:  # the loop's only ticket: the customer gets the answer
        steps = session.exec(select(Message.step).where(Message.loop_id == 1)).all()
    assert steps == ["resolution.1"]


def test_a_closed_ticket_cannot_be_handed_over(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        session.get_one(Ticket, 1).state = TicketState.CLOSED
    for purpose, typed in (("reassign", {"department": "billing"}), ("resolve", REASON)):
        page = client.post(f"/t/{purpose}", data=typed)
        assert page.status_code == 409
        assert "the ticket is closed" in page.text
    assert actors(engine) == []


def test_whoever_handed_it_over_has_no_say_in_it_any_more(
    engine: Engine, client: TestClient
) -> None:
    client.post("/t/reassign", data={"department": "billing"})
    for response in (client.get("/t/accept"), client.post("/t/resolve", data=REASON)):
        assert response.status_code == 410
        assert "with others now" in response.text
        assert QUOTE not in response.text
    assert ticket(engine).state is TicketState.OPEN


@pytest.mark.parametrize("recipient", ["head.delivery@shop.example", "stranger@shop.example"])
def test_escalation_contacts_may_act_and_former_colleagues_may_not(
    engine: Engine, client: TestClient, recipient: str
) -> None:
    with transaction(engine) as session:
        session.get_one(Message, 2).recipient = recipient
    expected = 200 if recipient.startswith("head") else 410
    assert client.post("/t/accept").status_code == expected


def test_expired_and_unknown_links_change_nothing(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        session.get_one(Link, token_hash("accept")).expires_at = NOW
    assert client.post("/t/accept").status_code == 410
    assert client.post("/t/answer").status_code == 404
    assert actors(engine) == []


def test_what_the_customer_wrote_after_our_answer_is_shown(
    engine: Engine, client: TestClient
) -> None:
    with transaction(engine) as session:
        save(session, make_answer(verdict=Verdict.NOT_SOLVED, words="Wrong colour <b>again</b>"))
    assert "Wrong colour &lt;b&gt;again&lt;/b&gt;" in client.get("/t/resolve").text


def test_without_statements_all_that_was_said_is_shown(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        for statement in session.exec(select(Statement)):
            session.delete(statement)
    assert "Nobody answered my calls." in client.get("/t/accept").text


def test_a_link_in_a_room_asks_who_takes_it(engine: Engine) -> None:
    rooms = [{"name": "kitchen_room", "channel": "slack"}]
    department = make_department("delivery", "Delivery", ["head@shop.example"]) | {"alerts": rooms}
    company = make_company(
        departments=[
            department,
            make_department("triage", "Triage"),
            make_department("billing", "Bills"),
        ]
    )
    with transaction(engine) as session:
        alert = session.get_one(Message, 2)
        alert.channel, alert.recipient = DeliveryChannel.SLACK, "kitchen_room"
    client = make_client(make_desk(engine, company=company))
    assert "Who takes it?" in client.get("/t/accept").text
    assert client.post("/t/accept").status_code == 422
    assert client.post("/t/accept", data={"who": "nobody@shop.example"}).status_code == 422
    assert client.post("/t/accept", data={"who": OWNER}).status_code == 200
    assert ticket(engine).owner == OWNER
    assert client.post("/t/resolve", data=REASON).status_code == 200
    assert ticket(engine).state is TicketState.RESOLVED
    assert [actor for _, actor in actors(engine)][:2] == ["room:kitchen_room"] * 2
