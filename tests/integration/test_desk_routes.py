"""Every route of the web app: who gets through, found by asking the router itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import starlette.routing
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine, delete
from sqlmodel import Session
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

import apps.desk
from apps.desk.access.gate import ChangingGate, Gate
from apps.desk.access.notices import NOTICES
from apps.desk.api.tokens import Scoped
from apps.desk.areas import AREAS, Area
from apps.desk.words import WORDS
from apps.desk.work.done import Deed
from tests.desk import database, make_client, make_desk
from tests.desk_visitors import sign_in
from tests.factories import (
    APPROVER,
    NOW,
    VERBATIM,
    make_answer,
    make_customer,
    make_message,
    make_ticket,
    save,
    save_open_ticket,
)
from voc.models import AuditEntry, MessageState, Role, TicketEventKind, Verdict
from voc.rules.contact import Why
from voc.rules.scopes import Scope
from voc.store import audit, events
from voc.store.database import reading, transaction
from voc.store.events import Happening

OPEN = {
    "/": "says that there is nothing to see",
    "/brand.css": "the colours of the customers' pages",
    "/health": "for the machine's own watch",
    "/report": "only where the pages cannot be reached from elsewhere",
    "/a/{token}": "a customer's link",
    "/u/{token}": "a customer's link",
    "/t/{token}": "an owner's link",
    "/p/{token}": "an approver's link",
    "/p/{token}/html": "an approver's link",
    "/j/{token}": "an owner's link",
    "/hooks/twilio/status": "signed by Twilio",
    "/hooks/twilio/inbound": "signed by Twilio",
    "/hooks/slack": "signed by Slack",
    "/hooks/{name}": "signed by the provider",
    "/sign-in": "the way in",
    "/sign-in/provider": "the way in",
    "/sign-in/return": "the way in",
    "/sign-in/password/{token}": "a link that an administrator made",
}
"""Routes that nobody has to sign in for, and why. Each stands here on purpose."""
FILLED = {
    "other_id": "2",
    "department": "delivery",
    "week": "2026-W10",
    "token": "none",
    "name": "none",
    "deed": "accept",
    "into": "2",
    "purpose": "call",
    "root_cause": "It rained.",
    "action_taken": "We delivered it.",
    "verdict": "solved",
    "who": "kim@customer.example",
}
"""What stands for a parameter, in an address or a form; numbers are 1: the ticket, customer ..."""
CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
SHOWN = {200, 303, 404}
ELSEWHERE = "billing"
"""A department that has nothing to do with the tickets that there are, which are Delivery's."""
ANSWER = "The courier came, the sofa did not."
REPLY = "We refunded the delivery fee."
SECRETS = (VERBATIM[:20], "Kim Ade", "kim@customer.example", ANSWER, REPLY)
FOR_APPROVERS = {"POST /desk/approvals/{message_id}"}
"""Routes that other owners read of in the list, and so get 403 and not 404."""


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    gates: tuple[Any, ...] = ()
    query: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    """What must be sent along."""
    takes: tuple[str, ...] = ()
    """What may be."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def gate(self) -> Gate:
        found = [gate for gate in self.gates if isinstance(gate, Gate)]
        return found[0] if found else Gate(frozenset())

    @property
    def address(self) -> str:
        return self.filled(FILLED)

    def filled(self, values: Mapping[str, str]) -> str:
        return re.sub(r"{(\w+)(:\w+)?}", lambda part: values.get(part[1], "1"), self.path)


def gates_of(dependant: Dependant) -> Iterator[Any]:
    """What stands before a route, at any depth."""
    for below in dependant.dependencies:
        if isinstance(below.call, Gate | Scoped):
            yield below.call
        yield from gates_of(below)


def routes_of(routes: list[BaseRoute], prefix: str = "") -> Iterator[Route]:
    """All of them, those of routers and apps inside included."""
    for route in routes:
        if isinstance(route, APIRoute):
            for method in sorted({*(route.methods or ())} - {"HEAD"}):
                needs = route.dependant
                yield Route(
                    method,
                    prefix + route.path,
                    gates=tuple(gates_of(needs)),
                    query=tuple(p.alias for p in needs.query_params if p.field_info.is_required()),
                    form=tuple(p.alias for p in needs.body_params if p.field_info.is_required()),
                    takes=tuple(p.alias for p in (*needs.query_params, *needs.body_params)),
                )
        elif isinstance(route, Mount):
            if isinstance(route.app, FastAPI):
                yield from routes_of(route.app.routes, prefix + route.path)
            else:
                assert isinstance(route.app, StaticFiles)
        elif isinstance(route, starlette.routing.Route):
            methods = sorted(route.methods or ())
            yield from (Route(method, prefix + route.path) for method in methods)
        else:
            yield from routes_of(vars(route)["original_router"].routes, prefix)


def make_app() -> FastAPI:
    with TemporaryDirectory() as folder, database(Path(folder)) as engine:
        return make_desk(engine)


ROUTES = list(routes_of(make_app().routes))
INSIDE = [r for r in ROUTES if r.path not in OPEN and not r.path.startswith("/api/")]
API = [r for r in ROUTES if r.path.startswith("/api/")]
ABOUT_ONE = [r for r in INSIDE if "{" in r.path and Role.OWNER in r.gate.roles]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with database(tmp_path_factory.mktemp("routes")) as engine:
        with transaction(engine) as session:
            save_open_ticket(session)
        yield engine


@pytest.fixture(scope="module")
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine))


def filled(names: tuple[str, ...]) -> dict[str, str]:
    return {name: FILLED.get(name, "1") for name in names}


def ask(client: TestClient, route: Route, csrf: str = "") -> tuple[int, str]:
    response = client.request(
        route.method,
        route.address,
        params=filled(route.query),
        data=filled(route.form) | {"csrf": csrf} if route.method in CHANGES else None,
        follow_redirects=False,
    )
    return response.status_code, response.text


def test_the_router_was_read() -> None:
    assert {"GET /desk/accounts", "POST /desk/accounts/new"} <= {str(r) for r in INSIDE}
    assert set(OPEN) <= {r.path for r in ROUTES}


@pytest.mark.parametrize("route", INSIDE, ids=str)
def test_a_route_that_is_not_open_on_purpose_has_a_gate(route: Route) -> None:
    assert len(route.gates) == 1
    assert isinstance(route.gate, Gate)
    assert isinstance(route.gate, ChangingGate) is (route.method in CHANGES)


@pytest.mark.parametrize("route", API, ids=str)
def test_an_operation_of_the_api_has_a_scope(route: Route) -> None:
    is_description = route.path.rpartition("/")[2] in {"openapi.json", "docs"}
    assert is_description or [type(gate.scope) for gate in route.gates] == [Scope]


@pytest.mark.parametrize("route", [r for r in ROUTES if r.path in OPEN], ids=str)
def test_an_open_route_has_no_gate(route: Route) -> None:
    assert not route.gates


@pytest.mark.parametrize("route", INSIDE, ids=str)
def test_strangers_are_sent_to_the_sign_in_page(client: TestClient, route: Route) -> None:
    client.cookies.clear()
    response = client.request(route.method, route.address, follow_redirects=False)
    assert response.status_code == 303
    address = urlsplit(response.headers["location"])
    assert address.path == "/sign-in"
    if route.method in CHANGES and route.path.startswith("/desk/"):
        back = dict(parse_qsl(address.query))
        assert back["done"] == "expired"
        pages = [r.address for r in INSIDE if r.method == "GET"]
        assert back["next"] in pages  # of what they were at: it can be looked at
        assert route.address.startswith(back["next"])


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_through_its_own_gates_and_no_other(
    client: TestClient, engine: Engine, role: Role
) -> None:
    """Without what a form brings back, nothing that changes something gets through."""
    sign_in(client, engine, role, ["delivery"] if role is Role.OWNER else [])
    wrong = []
    for route in INSIDE:
        status, text = ask(client, route)
        if role not in route.gate.roles:
            is_right = status == 403 and "not part of your role" in text
        elif route.gate.changes:
            is_right = status == 403 and "from before" in text
        else:
            is_right = status in SHOWN
        if not is_right:
            wrong.append((str(route), status))
    assert wrong == []


def save_case(session: Session) -> None:
    """Two tickets of one customer, a reply that waits for approval, an answer to be judged."""
    save_open_ticket(session)
    letter = EmailMessage()
    letter["Subject"] = "What we did"
    letter.set_content(REPLY)
    letter.add_alternative(f"<!doctype html><title>t</title><p>{REPLY}", subtype="html")
    waits = make_message(
        state=MessageState.HELD,
        reason=Why.NEEDS_APPROVAL.value,
        needs_approval=True,
        content=letter.as_bytes(),
        settled_at=None,
    )
    unclear = make_answer(id=1, verdict=Verdict.UNCLEAR, words=ANSWER)
    save(session, make_customer(id=2), make_ticket(id=2), waits, unclear)
    opened = [
        Happening(kind=TicketEventKind.OPENED, ticket_id=number, detail="delivery")
        for number in (1, 2)
    ]
    events.append(session, opened, actor="vocloop", now=NOW)


def said_to(client: TestClient, route: Route, deed: str, csrf: str) -> tuple[int, str]:
    """What an owner gets who sends all that the route takes."""
    sent = {name: FILLED[name] for name in route.takes if name in FILLED}
    is_form = route.method in CHANGES
    response = client.request(
        route.method,
        route.filled(FILLED | {"deed": deed}),
        params=None if is_form else sent,
        data=sent | {"csrf": csrf} if is_form else None,
        follow_redirects=False,
    )
    return response.status_code, response.text


def test_an_owner_gets_nothing_of_another_department_and_all_of_theirs(tmp_path: Path) -> None:
    """Every route about one thing, with every deed: it is not there, but for whose it is."""
    asked = [(r, deed) for r in ABOUT_ONE for deed in (Deed if "{deed}" in r.path else [""])]
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save_case(session)
        client = make_client(make_desk(engine))
        csrf = sign_in(client, engine, Role.OWNER, [ELSEWHERE])
        strangers = [said_to(client, *each, csrf) for each in asked]
        csrf = sign_in(client, engine, Role.OWNER, ["delivery"], APPROVER)
        owners = [said_to(client, *each, csrf)[0] for each in asked]
    for (route, deed), (status, text), own in zip(asked, strangers, owners, strict=True):
        refused = 403 if str(route) in FOR_APPROVERS else 404
        assert status == refused, (str(route), deed)
        assert own != refused, (str(route), deed)  # or else this says nothing
        assert [words for words in SECRETS if words in text] == [], (str(route), deed)


@pytest.mark.parametrize("role", [Role.OWNER, Role.OPERATIONS])
def test_whoever_is_shown_customers_words_of_one_case_is_in_the_audit_log(
    tmp_path: Path, role: Role
) -> None:
    """By whatever route, and also where a deed was not possible."""
    about_one = [r for r in INSIDE if "_id}" in r.path and role in r.gate.roles]
    shown = []
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save_case(session)
        client = make_client(make_desk(engine))
        theirs = ["delivery"] if role is Role.OWNER else []
        csrf = sign_in(client, engine, role, theirs, APPROVER)
        for route in about_one:
            for deed in Deed if "{deed}" in route.path else [""]:
                with transaction(engine) as session:
                    session.execute(delete(AuditEntry))
                _, text = said_to(client, route, deed, csrf)
                if any(words in text for words in SECRETS):
                    with reading(engine) as session:
                        noted = {e.subject for e in audit.entries(session, deed="saw", limit=9)}
                    assert noted, (str(route), deed)
                    shown.append((str(route), noted))
    seen = dict(shown)
    assert seen["POST /desk/tickets/{ticket_id}/preview"] == {"ticket:1"}
    assert seen["GET /desk/tickets/{ticket_id}/merge"] == {"ticket:1", "ticket:2"}
    assert seen["GET /desk/approvals/{message_id}/html"] == {"message:1"}
    if role is Role.OPERATIONS:
        both = {"customer:1", "customer:2"}
        assert seen["GET /desk/customers/{customer_id}/merge/{other_id}"] == both
        assert seen["GET /desk/messages/{message_id}/html"] == {"message:1"}


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5_000], ids=len)
def test_a_number_that_nothing_has_is_nothing(
    client: TestClient, engine: Engine, number: str
) -> None:
    got = []
    for role in Role:
        csrf = sign_in(client, engine, role, ["delivery"] if role is Role.OWNER else [])
        for route in (r for r in INSIDE if role in r.gate.roles):
            names = re.findall(r"{(\w+_id)\b", route.path)
            for name in names:
                address = route.filled(FILLED | {name: number})
                data = {"csrf": csrf} if route.method in CHANGES else None
                response = client.request(route.method, address, data=data, follow_redirects=False)
                says = "nothing here for you" in response.text
                got.append((str(route), name, response.status_code if says else 0))
    assert len(got) > 30
    assert [each for each in got if each[2] != 404] == []


def test_no_list_of_an_owner_holds_what_is_another_departments(
    client: TestClient, engine: Engine
) -> None:
    sign_in(client, engine, Role.OWNER, [ELSEWHERE])
    lists = [r for r in INSIDE if "{" not in r.path and r.method == "GET"]
    for route in lists:
        _, text = ask(client, route)
        for word in (*SECRETS, "/tickets/1"):
            assert word not in text, route


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_the_navigation_shows_an_area_to_those_who_may_see_it(area: Area) -> None:
    [route] = [r for r in INSIDE if str(r) == f"GET {area.path}"]
    assert route.gate.roles == area.roles


def codes_of_refusals() -> set[str]:
    """Each `Refusal(status, "code")` in the code of the desk."""
    desk = Path(apps.desk.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in desk.rglob("*.py"))
    return set(re.findall(r'Refusal\(\d+, "(\w+)"', code))


@pytest.mark.parametrize("code", sorted(codes_of_refusals()))
def test_every_refusal_has_its_words(code: str) -> None:
    assert code in NOTICES or f"notice.{code}.title" in WORDS["en"]
