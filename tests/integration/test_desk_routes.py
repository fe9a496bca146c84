"""Every route of the web app: who gets through, found by asking the router itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import starlette.routing
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

import apps.desk
from apps.desk.access.gate import ChangingGate, Gate
from apps.desk.access.notices import NOTICES
from apps.desk.api.tokens import Scoped
from apps.desk.areas import AREAS, Area
from apps.desk.words import WORDS
from tests.desk import database, make_client, make_desk
from tests.desk_visitors import sign_in
from tests.factories import VERBATIM, save_open_ticket
from voc.models import Role
from voc.rules.scopes import Scope
from voc.store.database import transaction

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
}
"""What stands in an address for a parameter; numbers are 1: the ticket, customer, message ..."""
CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
SHOWN = {200, 303, 404}
ELSEWHERE = "billing"
"""A department that has nothing to do with the one ticket there is, which is Delivery's."""


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    gates: tuple[Any, ...] = ()
    query: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    """What must be sent along."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def gate(self) -> Gate:
        found = [gate for gate in self.gates if isinstance(gate, Gate)]
        return found[0] if found else Gate(frozenset())

    @property
    def address(self) -> str:
        return re.sub(r"{(\w+)(:\w+)?}", lambda part: FILLED.get(part[1], "1"), self.path)


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
    assert response.headers["location"].startswith("/sign-in")


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


def test_an_owner_gets_nothing_of_another_department(client: TestClient, engine: Engine) -> None:
    csrf = sign_in(client, engine, Role.OWNER, [ELSEWHERE])
    got = [(str(route), ask(client, route, csrf)[0]) for route in ABOUT_ONE]
    assert [(route, status) for route, status in got if status < 400] == []


def test_no_list_of_an_owner_holds_what_is_another_departments(
    client: TestClient, engine: Engine
) -> None:
    sign_in(client, engine, Role.OWNER, [ELSEWHERE])
    lists = [r for r in INSIDE if "{" not in r.path and r.method == "GET"]
    for route in lists:
        _, text = ask(client, route)
        for word in (VERBATIM[:20], "Kim Ade", "kim@customer.example", "/tickets/1"):
            assert word not in text, route


def test_an_owner_of_the_department_gets_it(client: TestClient, engine: Engine) -> None:
    """Or else the tests above say nothing."""
    sign_in(client, engine, Role.OWNER, ["delivery"])
    shown = [ask(client, route)[0] for route in ABOUT_ONE if route.method == "GET"]
    assert not shown or 200 in shown


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
