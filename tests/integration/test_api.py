"""What other programs can ask and do over the JSON API, and what they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import select

from apps.desk.api import numbers
from apps.desk.api import reading as reading_routes
from apps.desk.api import tickets as ticket_routes
from apps.desk.api.problems import KINDS
from apps.desk.api.tokens import Scoped
from apps.desk.guards import MAX_BODY
from tests.api_cases import save_company, save_token
from tests.desk import database, make_client, make_desk
from tests.factories import NOW, VERBATIM
from voc.models import AuditEntry, Label, Ticket, TicketEvent, TicketState, WeekFigures
from voc.rules.receipt_checks import check_receipt
from voc.rules.receipts import Receipt
from voc.rules.scopes import Scope
from voc.store.database import transaction

API = "/api/v1"
READS = (
    ("/tickets", Scope.TICKETS_READ),
    ("/tickets/1", Scope.TICKETS_READ),
    ("/feedback", Scope.FEEDBACK_READ),
    ("/feedback/1", Scope.FEEDBACK_READ),
    ("/customers/1", Scope.CUSTOMERS_READ),
    ("/loops/1", Scope.TICKETS_READ),
    ("/loops/1/receipt", Scope.TICKETS_READ),
    ("/webhooks", Scope.WEBHOOKS_READ),
    ("/numbers/weeks", Scope.NUMBERS_READ),
)


class Seconds:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


SECONDS = Seconds()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with database(tmp_path_factory.mktemp("api")) as engine:
        save_company(engine)
        yield engine


@pytest.fixture(scope="module")
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine, ticks=SECONDS))


@pytest.fixture(scope="module")
def crm(engine: Engine) -> dict[str, str]:
    return save_token(engine, "voc_crm")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[Engine, TestClient, dict[str, str]]]:
    """For what changes a ticket."""
    with database(tmp_path) as engine:
        save_company(engine)
        crm = save_token(engine, "voc_crm")
        yield engine, make_client(make_desk(engine, ticks=SECONDS)), crm


def is_problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["type"] == f"/api/v1/docs#problem-{KINDS[status][0]}"
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    return told


@pytest.mark.parametrize(("path", "scope"), READS)
def test_each_page_is_read_with_its_scope_and_with_no_other(
    client: TestClient, engine: Engine, path: str, scope: Scope
) -> None:
    name = path.strip("/").replace("/", "-")
    allowed = save_token(engine, f"voc_only_{name}", [scope])
    others = save_token(engine, f"voc_not_{name}", set(Scope) - {scope})
    assert client.get(API + path, headers=allowed).status_code == 200
    assert str(scope) in is_problem(client.get(API + path, headers=others), 403)["detail"]


def _calls(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def test_every_operation_asks_for_one_scope() -> None:
    routers = (ticket_routes.router, reading_routes.router, numbers.router)
    routes = [route for router in routers for route in router.routes]
    for route in routes:
        assert isinstance(route, APIRoute)
        asked = [call for call in _calls(route.dependant) if isinstance(call, Scoped)]
        assert len(asked) == 1, route.path
        writes = route.methods != {"GET"}
        assert (asked[0].scope is Scope.TICKETS_WRITE) == writes


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer voc_unknown"},
        {"Authorization": "Basic dm9jX2NybTp4"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer \xff"},
    ],
    ids=["none", "unknown", "basic", "empty", "bytes"],
)
def test_who_is_not_known_is_told_how_to_be(client: TestClient, headers: dict[str, str]) -> None:
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = client.get(f"{API}/tickets", headers=raw)
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_that_is_over_or_revoked_is_none(client: TestClient, engine: Engine) -> None:
    over = save_token(engine, "voc_over", expires_at=NOW)
    revoked = save_token(engine, "voc_revoked", revoked_at=NOW - timedelta(days=1))
    for headers in (over, revoked):
        is_problem(client.get(f"{API}/tickets", headers=headers), 401)
    lasting = save_token(engine, "voc_lasting", expires_at=NOW + timedelta(seconds=1))
    assert client.get(f"{API}/tickets", headers=lasting).status_code == 200


def test_a_token_that_asks_too_often_is_told_when_to_come_back(
    engine: Engine, crm: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.desk.api.app.BURST", 3)
    client = make_client(make_desk(engine, ticks=SECONDS))
    eager = save_token(engine, "voc_eager")
    for _ in range(3):
        assert client.get(f"{API}/webhooks", headers=eager).status_code == 200
    answer = client.get(f"{API}/webhooks", headers=eager)
    is_problem(answer, 429)
    assert client.get(f"{API}/webhooks", headers=crm).status_code == 200  # others go on
    SECONDS.now += int(answer.headers["retry-after"])
    assert client.get(f"{API}/webhooks", headers=eager).status_code == 200


def test_what_is_wrong_is_told_without_repeating_it(
    client: TestClient, crm: dict[str, str]
) -> None:
    told = is_problem(client.get(f"{API}/tickets?limit=0&state=lost", headers=crm), 422)
    assert {each["where"] for each in told["errors"]} == {"query.limit", "query.state"}
    path, version = f"{API}/tickets/1/resolve", {"If-Match": "*"}
    told = is_problem(client.post(path, json={"root_cause": ""}, headers=crm | version), 422)
    assert {each["where"] for each in told["errors"]} == {"body.root_cause", "body.action_taken"}
    secret = client.post(path, content=b'{"root_cause": "kim@', headers=crm | version)
    assert "kim@" not in str(is_problem(secret, 422))
    is_problem(client.get(f"{API}/tickets/4711", headers=crm), 404)
    is_problem(client.get(f"{API}/tickets/{2**31}", headers=crm), 422)
    is_problem(client.get(f"{API}/nothing", headers=crm), 404)
    assert client.delete(f"{API}/tickets", headers=crm).headers["allow"] == "GET"
    is_problem(client.delete(f"{API}/tickets", headers=crm), 405)
    is_problem(client.post(path, content=b" " * (MAX_BODY + 1), headers=crm), 413)


def test_a_crash_is_a_problem_that_tells_nothing(
    client: TestClient, crm: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("kim@customer.example")

    monkeypatch.setattr("voc.store.listings.tickets_after", crash)
    assert "kim" not in str(is_problem(client.get(f"{API}/tickets", headers=crm), 500))


def test_feedback_is_shown_with_what_was_understood_and_a_person_wins(
    client: TestClient, crm: dict[str, str]
) -> None:
    shown = client.get(f"{API}/feedback/1", headers=crm).json()
    assert (shown["words"], shown["loop"], shown["customer_id"]) == (VERBATIM, 1, 1)
    (statement,) = shown["statements"]
    assert statement["sentiment"] == {"value": "negative", "probability": 0.9, "by": "m-1"}
    assert statement["department"] == {"value": "billing", "probability": None, "by": "person"}
    assert statement["topic"] is None


def test_a_customer_has_no_name_and_no_address_here(
    client: TestClient, crm: dict[str, str]
) -> None:
    answer = client.get(f"{API}/customers/1", headers=crm)
    assert answer.json()["consents"] == {"follow_up": True}
    assert "Kim" not in answer.text
    assert "@" not in answer.text


def test_the_receipt_of_a_loop_can_be_checked_by_whoever_got_it(
    client: TestClient, crm: dict[str, str]
) -> None:
    receipt = Receipt.model_validate(client.get(f"{API}/loops/1/receipt", headers=crm).json())
    assert check_receipt(receipt) == []


def test_the_numbers_of_weeks_are_those_that_were_counted(
    fresh: tuple[Engine, TestClient, dict[str, str]],
) -> None:
    engine, client, crm = fresh
    week = {"week": "2026-W10", "touchpoint": "*", "product": "*", "segment": "*"}
    with transaction(engine) as session:
        session.add(WeekFigures.model_validate(week | {"channel": "*", "counts": {"feedback": 3}}))
        for_reviews = week | {"channel": "review", "counts": {"feedback": 1}}
        session.add(WeekFigures.model_validate(for_reviews))
    all_weeks = client.get(f"{API}/numbers/weeks?weeks=2", headers=crm).json()
    assert all_weeks["items"] == [
        {"week": "2026-W09", "counts": {}},
        {"week": "2026-W10", "counts": {"feedback": 3}},
    ]
    reviews = client.get(f"{API}/numbers/weeks?weeks=1&channel=review", headers=crm).json()
    assert reviews["items"][0]["counts"] == {"feedback": 1}


def test_a_list_is_read_to_its_end_page_by_page(
    fresh: tuple[Engine, TestClient, dict[str, str]],
) -> None:
    engine, client, crm = fresh
    with transaction(engine) as session:
        first = session.get_one(Ticket, 1).model_dump(exclude={"id", "due_at"})
        for number in range(2, 8):
            changes = {"department": "billing" if number % 2 else "delivery"}
            session.add(Ticket.model_validate(first | changes))
    seen, after = list[int](), 0
    while after is not None:
        page = client.get(f"{API}/tickets?limit=3&after={after}", headers=crm).json()
        seen += [ticket["id"] for ticket in page["items"]]
        after = page["next"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    ours = client.get(f"{API}/tickets?department=billing&state=open&customer=1", headers=crm)
    assert [ticket["id"] for ticket in ours.json()["items"]] == [3, 5, 7]


def test_a_program_takes_a_ticket_works_it_and_resolves_it(
    fresh: tuple[Engine, TestClient, dict[str, str]],
) -> None:
    engine, client, crm = fresh

    def does(deed: str, **body: str) -> Any:
        etag = client.get(f"{API}/tickets/1", headers=crm).headers["etag"]
        path, headers = f"{API}/tickets/1/{deed}", crm | {"If-Match": etag}
        answer = client.post(path, json=body or None, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] != etag
        return answer.json()

    assert does("accept")["owner"] == "token:voc-crm"
    assert does("release")["owner"] is None
    assert does("comment", words="The courier calls at noon.")["comments"][0]["author"] == (
        "token:voc-crm"
    )
    assert does("snooze", until="tomorrow")["snoozed_until"] > NOW.isoformat()
    assert does("reassign", department="billing")["department"] == "billing"
    done = does("resolve", root_cause="Closed.", action_taken="We delivered it.")
    assert (done["state"], done["action_taken"]) == ("resolved", "We delivered it.")

    with transaction(engine) as session:
        deeds = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
        assert [entry.deed for entry in deeds] == [
            *("accepted", "released", "commented", "snoozed", "reassigned", "resolved")
        ]
        assert {(entry.actor, entry.subject) for entry in deeds} == {("token:voc-crm", "ticket:1")}
        assert session.exec(select(Label).where(Label.actor == "token:voc-crm")).all()


def test_a_repeated_or_outdated_request_changes_nothing_and_shows_what_is_so_now(
    fresh: tuple[Engine, TestClient, dict[str, str]],
) -> None:
    engine, client, crm = fresh
    path, body = f"{API}/tickets/1/comment", {"words": "Once."}
    is_problem(client.post(path, json=body, headers=crm), 428)
    seen = crm | {"If-Match": client.get(f"{API}/tickets/1", headers=crm).headers["etag"]}
    assert client.post(path, json=body, headers=seen).status_code == 200
    again = is_problem(client.post(path, json=body, headers=seen), 412)
    assert [each["words"] for each in again["ticket"]["comments"]] == ["Once."]
    for wrong in ("4711", '"0"', 'W/"1"', "", "ü".encode()):
        headers = {**crm, "If-Match": wrong}
        is_problem(client.post(path, json=body, headers=headers), 412)  # type: ignore[arg-type]
    with transaction(engine) as session:
        assert len(session.exec(select(AuditEntry)).all()) == 1


def test_what_is_not_possible_now_is_refused_and_leaves_no_trace(
    fresh: tuple[Engine, TestClient, dict[str, str]],
) -> None:
    engine, client, crm = fresh
    always = crm | {"If-Match": "*"}

    def refused(deed: str, status: int, body: dict[str, str] | None = None) -> str:
        answer = client.post(f"{API}/tickets/1/{deed}", json=body, headers=always)
        return str(is_problem(answer, status)["detail"])

    assert "released" in refused("release", 409)
    assert "already" in refused("reassign", 409, {"department": "delivery"})
    assert "use one of" in refused("reassign", 422, {"department": "nowhere"})
    refused("resolve", 409, {"root_cause": "\u200b", "action_taken": "x"})
    refused("snooze", 409, {"until": "date"})
    with transaction(engine) as session:
        assert session.get_one(Ticket, 1).state is TicketState.OPEN
        assert len(session.exec(select(TicketEvent)).all()) == 2
        assert session.exec(select(AuditEntry)).all() == []


def test_what_a_program_read_of_customers_stands_in_the_audit_log(
    fresh: tuple[Engine, TestClient, dict[str, str]],
) -> None:
    engine, client, crm = fresh
    for path in ("/customers/1", "/feedback/1", "/feedback", "/tickets"):
        client.get(API + path, headers=crm)
    with transaction(engine) as session:
        seen = [(entry.deed, entry.subject) for entry in session.exec(select(AuditEntry))]
    assert seen == [("saw", "customer:1"), ("saw", "feedback:1"), ("saw", "feedback:1-1")]


def test_the_documentation_is_a_page_of_ours_without_a_script_of_others(
    client: TestClient,
) -> None:
    document = client.get(f"{API}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["webhooks"]["event"]["post"]
    page = client.get(f"{API}/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in document["paths"]:
        assert f"/api/v1{path}" in page.text
    for slug, _, _ in KINDS.values():
        assert f'id="problem-{slug}"' in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
