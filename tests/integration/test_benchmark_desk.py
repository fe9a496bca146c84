"""The books and the visits of the desk's benchmark: each page is asked for, and each is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from rich.progress import Progress
from sqlalchemy import Engine

from apps.desk.access.door import COOKIE
from benchmarks.desk.__main__ import COMPANY, OWNS, let_in
from benchmarks.desk.books import write_books
from benchmarks.desk.pages import Page, pages
from tests.desk import database, make_client, make_desk
from tests.integration.test_desk_routes import INSIDE
from voc.company import load_company
from voc.models import Role
from voc.store.database import reading

FEEDBACK = 3_000
LEFT_OUT = {
    "/desk": "leads to an area",
    "/desk/me": "one account",
    "/desk/accounts/new": "a form",
    "/desk/accounts/{account_id}": "one account",
    "/desk/customers/{customer_id}/merges/{merge_id}": "a question: is it meant?",
    "/desk/kill-switch/{word}": "a question",
    "/desk/messages/{message_id}/{word}": "a question",
    "/desk/tickets/{ticket_id}/merge": "a question about two tickets",
}
"""Pages that are not visited, and why. Downloads, and mails as such, are not pages."""
NO_PAGES = (".csv", "/html")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with database(tmp_path_factory.mktemp("books")) as engine:
        write_books(engine, load_company(COMPANY), FEEDBACK, Progress(disable=True))
        yield engine


@pytest.fixture(scope="module")
def visited(engine: Engine) -> list[Page]:
    with reading(engine) as session:
        return pages(session, OWNS)


def test_each_page_is_there(engine: Engine, visited: list[Page]) -> None:
    app = make_desk(engine, company=load_company(COMPANY))
    cookies = {role: let_in(engine, role) for role in Role}
    assert [page for page in visited if _status(make_client(app), page, cookies) != 200] == []


def test_each_page_of_the_desk_is_visited(visited: list[Page]) -> None:
    paths = [page.path.partition("?")[0] for page in visited]
    routes = {r.path for r in INSIDE if r.method == "GET" and not r.path.endswith(NO_PAGES)}
    patterns = {route: re.sub(r"{[^}]+}", "[^/]+", route) for route in routes}
    missed = [
        route
        for route, pattern in patterns.items()
        if not any(re.fullmatch(pattern, path) for path in paths)
    ]
    assert sorted(set(missed) - LEFT_OUT.keys()) == []


def _status(client: TestClient, page: Page, cookies: dict[Role, str]) -> int:
    if page.role:
        client.cookies.set(COOKIE, cookies[page.role])
    return client.get(page.path).status_code
