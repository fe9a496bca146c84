"""What other programs can ask and do over the JSON API, and what they cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from sqlite3 import SQLITE_BUSY, OperationalError
from typing import Any

import pytest
import sqlalchemy.exc
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import select

from apps.desk.api import deeds, numbers
from apps.desk.api import reading as reading_routes
from apps.desk.api import tickets as ticket_routes
from apps.desk.api.problems import KINDS
from apps.desk.api.tokens import Scoped
from apps.desk.guards import MAX_BODY
from apps.desk.work.done import Deed
from tests.api_cases import save_company, save_token, save_twin
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
    ("/tickets/changes", Scope.TICKETS_READ),
    ("/tickets/1", Scope.TICKETS_READ),
    ("/feedback", Scope.FEEDBACK_READ),
    ("/feedback/1", Scope.FEEDBACK_READ),
    ("/customers/1", Scope.CUSTOMERS_READ),
    ("/loops/1", Scope.TICKETS_READ),
    ("/loops/1/receipt", Scope.TICKETS_READ),
    ("/webhooks", Scope.WEBHOOKS_READ),
    ("/numbers/weeks", Scope.NUMBERS_READ),
)


ANY_VERSION = {"If-Match": "*"}


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


def done(
    client: TestClient, headers: dict[str, str], deed: str, ticket: int = 1, **body: Any
) -> Any:
    """Do something with a ticket as it is now; what it is then."""
    path = f"{API}/tickets/{ticket}"
    etag = client.get(path, headers=headers).headers["etag"]
    answer = client.post(f"{path}/{deed}", json=body or None, headers=headers | {"If-Match": etag})
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] != etag
    return answer.json()


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
    routers = (ticket_routes.router, deeds.router, reading_routes.router, numbers.router)
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
    wrong = {"department": "kim@shop.example"}, {"owner": "kim@shop.example"}
    for deed, body in zip(("reassign", "assign"), wrong, strict=True):
        answer = client.post(f"{API}/tickets/1/{deed}", json=body, headers=crm | version)
        (told,) = is_problem(answer, 422)["errors"]
        assert told["where"] == f"body.{next(iter(body))}"
        assert "kim@" not in answer.text
    extra = {"words": "Hello", "kim@shop.example": 1}
    answer = client.post(f"{API}/tickets/1/comment", json=extra, headers=crm | version)
    assert [each["where"] for each in is_problem(answer, 422)["errors"]] == ["body"]
    assert "kim@" not in answer.text
    secret = client.post(path, content=b'{"root_cause": "kim@', headers=crm | version)
    assert "kim@" not in str(is_problem(secret, 422))
    is_problem(client.get(f"{API}/tickets/4711", headers=crm), 404)
    is_problem(client.get(f"{API}/tickets/{2**31}", headers=crm), 422)
    for nowhere in ("/nothing", "/tickets/", "/", ""):
        is_problem(client.get(API + nowhere, headers=crm, follow_redirects=False), 404)
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


@pytest.mark.parametrize("path", [f"{API}/tickets/1/accept", "/hooks/mailer"])
def test_a_busy_database_asks_programs_to_come_back(
    client: TestClient, crm: dict[str, str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def busy(*_: object, **__: object) -> None:
        why = OperationalError("SELECT 1")
        why.sqlite_errorcode = SQLITE_BUSY
        raise sqlalchemy.exc.OperationalError(None, None, why)

    monkeypatch.setattr("apps.desk.api.deeds.transaction", busy)
    monkeypatch.setattr("apps.desk.hooks.is_standard", busy)
    answer = client.post(path, headers=crm | ANY_VERSION)
    is_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


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

    def does(deed: str, **body: Any) -> Any:
        return done(client, crm, deed, **body)

    assert does("accept")["owner"] == "token:voc-crm"
    assert does("release")["owner"] is None
    assert does("assign", owner="delivery@shop.example")["owner"] == "delivery@shop.example"
    assert does("undo")["owner"] is None
    (said,) = does("comment", words="The courier calls at noon.")["comments"]
    assert said["author"] == "token:voc-crm"
    assert does("remove-comment", comment=said["id"])["comments"] == []
    assert does("snooze", until="tomorrow")["snoozed_until"] > NOW.isoformat()
    assert does("wake")["snoozed_until"] is None
    assert does("reassign", department="billing")["department"] == "billing"
    words = {"root_cause": "Closed.", "action_taken": "We delivered it."}
    assert does("resolve", **words)["state"] == "resolved"
    assert does("take-back")["state"] == "in_progress"
    resolved = does("resolve", **words)
    assert (resolved["state"], resolved["action_taken"]) == ("resolved", "We delivered it.")

    with transaction(engine) as session:
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
        assert [entry.deed for entry in entries if entry.deed != "saw"] == [
            *("accepted", "released", "assigned", "undone", "commented", "comment_removed"),
            *("snoozed", "woken", "reassigned", "resolved", "taken_back", "resolved"),
        ]
        who = {(entry.actor, entry.subject) for entry in entries}
        assert who == {("token:voc-crm", "ticket:1")}
        assert session.exec(select(Label).where(Label.actor == "token:voc-crm")).all()


def test_whatever_an_owner_can_do_in_the_desk_a_program_can_do() -> None:
    ours = {route.path.rpartition("/")[2] for route in deeds.router.routes}  # type: ignore[attr-defined]
    assert ours == set(Deed) - {Deed.HAND_OVER} | {"reassign"}


def test_two_tickets_of_a_customer_become_one(
    fresh: tuple[Engine, TestClient, dict[str, str]],
) -> None:
    engine, client, crm = fresh
    save_twin(engine)
    merged = done(client, crm, "merge", into=2)
    assert (merged["state"], merged["merged_into_id"], merged["loops"]) == ("closed", 2, [])
    assert client.get(f"{API}/tickets/2", headers=crm).json()["loops"] == [1]
    again = client.post(f"{API}/tickets/1/merge", json={"into": 2}, headers=crm | ANY_VERSION)
    is_problem(again, 409)
    gone = client.post(f"{API}/tickets/2/merge", json={"into": 4711}, headers=crm | ANY_VERSION)
    is_problem(gone, 404)


def test_whoever_follows_the_changes_misses_none_and_sees_each_ticket_once(
    fresh: tuple[Engine, TestClient, dict[str, str]],
) -> None:
    engine, client, crm = fresh
    for _ in range(3):
        save_twin(engine)

    def changes(after: int) -> tuple[list[int], int]:
        seen = []
        while True:
            path = f"{API}/tickets/changes?limit=2&after={after}"
            page = client.get(path, headers=crm).json()
            seen += [(each["id"], each["version"]) for each in page["items"]]
            if page["next"] is None:
                assert seen == sorted(seen, key=itemgetter(1))
                return [number for number, _ in seen], max([after, *(v for _, v in seen)])
            after = page["next"]

    numbers, newest = changes(0)
    assert numbers == [1, 2, 3, 4]
    assert changes(newest) == ([], newest)
    for key in (3, 1, 3):
        done(client, crm, "comment", key, words="Once more.")
    assert changes(newest)[0] == [1, 3]
    assert changes(0)[0] == [2, 4, 1, 3]


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
        noted = Counter(entry.deed for entry in session.exec(select(AuditEntry)))
    assert noted == {"commented": 1, "saw": 7}  # what a 412 shows is noted, too


def test_what_is_not_possible_now_is_refused_and_leaves_no_trace(
    fresh: tuple[Engine, TestClient, dict[str, str]],
) -> None:
    engine, client, crm = fresh
    always = crm | ANY_VERSION

    def refused(deed: str, status: int, body: dict[str, Any] | None = None) -> str:
        answer = client.post(f"{API}/tickets/1/{deed}", json=body, headers=always)
        return str(is_problem(answer, status)["detail"])

    assert "released" in refused("release", 409)
    assert "already" in refused("reassign", 409, {"department": "delivery"})
    assert "since" in refused("undo", 409)
    assert "comment 7" in refused("remove-comment", 409, {"comment": 7})
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
    assert seen == [
        *(("saw", "customer:1"), ("saw", "feedback:1"), ("saw", "feedback:1-1")),
        ("saw", "ticket:1-1"),
    ]


def test_the_documentation_is_a_page_of_ours_without_a_script_of_others(
    client: TestClient,
) -> None:
    document = client.get(f"{API}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    told = document["webhooks"]["event"]["post"]["parameters"]
    assert [each["name"] for each in told] == [
        *("webhook-id", "webhook-timestamp", "webhook-signature")
    ]
    page = client.get(f"{API}/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in document["paths"]:
        assert f"/api/v1{path}" in page.text
    for slug, _, _ in KINDS.values():
        assert f'id="problem-{slug}"' in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
