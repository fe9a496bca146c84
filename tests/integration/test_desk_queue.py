"""Owners' queue: what waits for them, the most urgent first, and nothing of other departments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from apps.desk.work.queue import PAGE
from tests.desk import database, make_client, make_desk
from tests.desk_visitors import sign_in
from tests.factories import (
    NOW,
    make_customer,
    make_feedback,
    make_loop,
    make_statement,
    make_ticket,
    make_version,
    save,
)
from voc.models import (
    LoopTicket,
    Priority,
    Role,
    Suggestion,
    SuggestionKind,
    TicketEvent,
    TicketEventKind,
    TicketState,
)
from voc.store.database import transaction

ME = "dee@shop.example"
MANY = 130


def save_ticket(session: Session, number: int, **changes: object) -> None:
    """A ticket with its loop, its feedback and its words."""
    text = f"Parcel {number} came late. <script>alert(1)</script> is no way to answer."
    save(
        session,
        make_feedback(id=number, external_id=f"r-{number}", customer_id=1),
        make_version(id=number, feedback_id=number, verbatim=text),
        make_loop(id=number, feedback_id=number, customer_id=1),
        make_ticket(id=number, **changes),
        make_statement(
            id=number,
            version_id=number,
            end=len(text.split(".", maxsplit=1)[0]) + 1,
            ticket_id=number,
        ),
        LoopTicket(loop_id=number, ticket_id=number),
        Suggestion(
            statement_id=number,
            kind=SuggestionKind.SENTIMENT,
            model="m",
            value="negative",
            probability=0.9,
        ),
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    late = {"first_response_due_at": NOW - timedelta(hours=3)}
    mine = {"state": TicketState.IN_PROGRESS, "accepted_at": NOW, "owner": ME}
    with database(Path(tmp_path_factory.mktemp("queue"))) as engine:
        with transaction(engine) as session:
            save(session, make_customer())
            save_ticket(session, 1, **mine, topic="late_parcel")
            save_ticket(session, 2, **late, priority=Priority.URGENT, level=1, round=2)
            save_ticket(session, 3, snoozed_until=NOW + timedelta(days=1))
            save_ticket(session, 4, snoozed_until=NOW - timedelta(minutes=1))
            save_ticket(session, 5, department="billing")
            save_ticket(session, 6, state=TicketState.CLOSED)
            save(
                session,
                TicketEvent(
                    ticket_id=2,
                    kind=TicketEventKind.REOPENED,
                    actor="customer",
                    detail="not_solved",
                    at=NOW,
                    previous_hash="0",
                    hash="1",
                ),
            )
            due = NOW + timedelta(days=2)
            session.add_all(
                make_ticket(
                    id=number,
                    department="triage",
                    first_response_due_at=due + timedelta(minutes=number),
                    resolution_due_at=due + timedelta(minutes=number),
                )
                for number in range(100, 100 + MANY)
            )
        yield engine


@pytest.fixture(scope="module")
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine))


@pytest.fixture
def owner(engine: Engine, client: TestClient) -> TestClient:
    sign_in(client, engine, Role.OWNER, ["delivery"], ME)
    return client


def numbers(page: str) -> list[int]:
    """The tickets of a page, in its order."""
    return [int(n) for n in re.findall(r'href="/desk/tickets/(\d+)[^"]*" data-step', page)]


def test_an_owner_finds_their_departments_tickets_the_late_one_first(owner: TestClient) -> None:
    page = owner.get("/desk/queue")
    assert page.status_code == 200
    assert numbers(page.text) == [2, 4, 1]  # 3 is put off, 5 another's, 6 closed


def test_a_row_says_what_matters_in_words(owner: TestClient) -> None:
    text = owner.get("/desk/queue").text
    for said in (
        "3 h overdue",
        "to be taken",
        "urgent priority",
        "back: not solved",
        "escalated to level 1",
        "<mark>Parcel 2 came late.</mark>",
        "negative",
        "late parcel",
        "6 loops with this customer",
        "due in 4 h",
    ):
        assert said in text


def test_a_customers_words_are_shown_and_never_run(owner: TestClient) -> None:
    text = owner.get("/desk/queue").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_the_counts_are_those_of_the_lists(owner: TestClient) -> None:
    text = owner.get("/desk/queue").text
    counts = dict(re.findall(r'(\w+) <span class="n">(\d+)</span>', text))
    assert counts == {"All": "3", "Mine": "1", "Unassigned": "2", "Snoozed": "1"}
    assert "1 overdue" in text
    for whose, expected in (("mine", [1]), ("unassigned", [2, 4]), ("snoozed", [3])):
        assert numbers(owner.get(f"/desk/queue?whose={whose}").text) == expected


def test_filters_are_in_the_address_and_stay_in_its_links(owner: TestClient) -> None:
    text = owner.get("/desk/queue?topic=late_parcel").text
    assert numbers(text) == [1]
    assert "whose=mine&amp;topic=late_parcel" in text
    ticket = owner.get(re.findall(r'href="([^"]+)" data-step', text)[0]).text
    assert '<a href="/desk/queue?topic=late_parcel" data-key="q">' in ticket
    assert ticket.count('name="from" value="/desk/queue?topic=late_parcel"') > 3


@pytest.mark.parametrize("address", ["https://elsewhere.example", "/desk/queue?a=//b", "/desk/me"])
def test_the_way_back_leads_to_a_queue_whatever_stands_in_the_address(
    owner: TestClient, address: str
) -> None:
    page = owner.get("/desk/tickets/1", params={"from": address}).text
    assert '<a href="/desk/queue" data-key="q">' in page


def test_another_departments_queue_is_not_there(owner: TestClient) -> None:
    assert owner.get("/desk/queue?department=billing").status_code == 404
    assert "ticket 5" not in owner.get("/desk/queue").text


def test_operations_sees_all_departments_and_one_of_them(
    engine: Engine, client: TestClient
) -> None:
    sign_in(client, engine, Role.OPERATIONS)
    assert set(numbers(client.get("/desk/queue").text)) > {1, 2, 4, 5}
    assert numbers(client.get("/desk/queue?department=billing").text) == [5]


def test_a_long_queue_is_read_through_page_by_page(engine: Engine, client: TestClient) -> None:
    sign_in(client, engine, Role.OWNER, ["triage"], "tess@shop.example")
    found: list[int] = []
    address: str | None = "/desk/queue"
    while address:
        text = client.get(address).text
        found += numbers(text)
        assert len(numbers(text)) <= PAGE
        further = re.search(r'href="([^"]+)" rel="next"', text)
        address = further.group(1).replace("&amp;", "&") if further else None
    assert found == list(range(100, 100 + MANY))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("?whose=snoozed", "Nothing is put off."),
        ("?whose=mine", "No ticket is yours."),
        ("?topic=nothing", "No ticket is like that."),
        ("?after=2030-01-01T00:00:00%2B00:00~0~1", "That was the last one."),
        ("", "Nothing waits."),
    ],
)
def test_an_empty_queue_says_what_to_do(
    engine: Engine, client: TestClient, address: str, said: str
) -> None:
    sign_in(client, engine, Role.OWNER, ["nothing_here"], "new@shop.example")
    assert said in client.get(f"/desk/queue{address}").text


def test_a_place_that_nobody_wrote_begins_at_the_front(owner: TestClient) -> None:
    assert numbers(owner.get("/desk/queue?after=x").text) == [2, 4, 1]
    assert numbers(owner.get("/desk/queue?after=0001-01-01T00:00:00%2B05:00~0~1").text) == [2, 4, 1]
    assert owner.get("/desk/queue?whose=everything").status_code == 422
    assert owner.get(f"/desk/queue?done=snooze&ticket={10**20}").status_code == 422
