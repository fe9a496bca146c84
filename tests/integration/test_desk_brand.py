"""Customers' pages: in the company's colour and the customer's language, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from apps.desk.app import create_app
from apps.desk.links.brand import FOR_EVER
from tests.desk import database, kill_switch_of, make_client, make_desk
from tests.factories import NOW, SECRET, make_company, save_told_loop
from voc.models import Customer
from voc.store.database import transaction

WINE = "#7a1f3d"
PAGES = ["/a/answer", "/u/silence", "/a/none"]
ELSEWHERE = re.compile(r"[a-z]+:|//")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with database(tmp_path_factory.mktemp("brand")) as engine:
        with transaction(engine) as session:
            save_told_loop(session, language="de")
        company = make_company()
        about = company.company.model_copy(update={"brand_color": WINE})
        app = create_app(
            engine=engine,
            company=company.model_copy(update={"company": about}),
            secret=SECRET,
            clock=lambda: NOW,
            report=None,
            kill_switch=kill_switch_of(engine),
            ticks=lambda: 0.0,
        )
        yield make_client(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_nothing_and_asks_nobody_else(client: TestClient, page: str) -> None:
    answer = client.get(page)
    html = answer.text
    assert "set-cookie" not in answer.headers
    assert not re.search(r"<(script|style|img|iframe|object|video|audio|meta http)", html)
    assert not re.search(r"\s(style|on\w+|srcset|ping)=", html)
    fetched = re.findall(r'\s(?:src|href|action|formaction)="([^"]*)"', html)
    assert fetched
    assert not [address for address in fetched if ELSEWHERE.match(address)]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "script-src" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_pages_are_in_the_customers_language(client: TestClient) -> None:
    for page in PAGES[:2]:
        assert '<html lang="de">' in client.get(page).text


def test_the_brand_is_a_stylesheet_that_is_kept_until_it_changes(client: TestClient) -> None:
    (address,) = re.findall(r'href="(/brand\.css[^"]*)"', client.get("/a/answer").text)
    sheet = client.get(address)
    assert sheet.headers["content-type"].startswith("text/css")
    assert sheet.headers["cache-control"] == FOR_EVER
    assert f"--navy: {WINE};" in sheet.text
    assert client.get("/brand.css?v=old").headers["cache-control"] == "no-cache"


def test_what_the_brand_names_stands_in_the_stylesheet_that_it_changes(client: TestClient) -> None:
    known = Path("apps/desk/static/desk.css").read_text(encoding="utf-8")
    for name in re.findall(r"--[\w-]+", client.get("/brand.css").text):
        assert f"var({name})" in known


def test_without_a_colour_there_is_no_stylesheet_of_it(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save_told_loop(session)
            session.get_one(Customer, 1).language = None
        plain = make_client(make_desk(engine))
        assert "brand.css" not in plain.get("/a/answer").text
        assert plain.get("/brand.css").status_code == 404
