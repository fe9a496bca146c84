"""Hostile text that has got into the database: on our pages, in the report, on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine
from sqlmodel import Session, select
from typer.testing import CliRunner

from apps.cli.main import app
from notifications import report
from notifications.render import clean
from tasks.workplace import workplace
from tests.desk import database, make_client, make_desk
from tests.factories import NOW, make_feedback, save, save_open_ticket, save_told_loop
from tests.hostile import CONTROLS, STORABLE, active_parts
from tests.story import write_company
from voc.models import (
    Channel,
    Customer,
    FeedbackVersion,
    Quarantine,
    Statement,
    Theme,
    Ticket,
)
from voc.rules.measures import measure
from voc.store.database import transaction
from voc.store.measures import read

MARKUP = ("script", "closing", "comment", "markdown", "table", "line_separator", "bidi")
TERMINAL = ("terminal", "controls", "rich_markup", "line_separator", "bidi", "zero_width")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        yield engine


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine, ticks=count(0, 60).__next__))  # never too fast


def say_everywhere(session: Session, text: str) -> None:
    """Put *text* wherever a customer's or a colleague's words are kept."""
    version = session.get_one(FeedbackVersion, 1)
    version.verbatim = text
    session.get_one(Customer, 1).name = text
    ticket = session.get_one(Ticket, 1)
    ticket.because, ticket.owner = text[:255], text[:255]
    if ticket.action_taken:
        ticket.action_taken = ticket.root_cause = text
    statement = session.exec(select(Statement).where(Statement.ticket_id == 1)).one()
    statement.start, statement.end = 0, len(text)


def shows_as_words(page: str, text: str) -> bool:
    """Whether *page* does nothing, and a reader sees the beginning of *text* on it."""
    body = LexborHTMLParser(page).body
    return _squashed(text)[:20] in _squashed(body.text() if body else "")


def _squashed(text: str) -> str:
    return "".join(clean(text).split())


@pytest.mark.parametrize("path", ["/a/answer", "/u/silence"])
def test_a_customers_page_shows_words_as_words(
    engine: Engine, client: TestClient, path: str
) -> None:
    with transaction(engine) as session:
        save_told_loop(session)
    plain = active_parts(client.get(path).text)
    for name, text in STORABLE.items():
        with transaction(engine) as session:
            say_everywhere(session, text)
        page = client.get(path)
        assert page.status_code == 200, name
        assert active_parts(page.text) == plain, name
        assert path.startswith("/u") or shows_as_words(page.text, text), name


def test_an_owners_page_shows_words_as_words(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        save_open_ticket(session)
    plain = active_parts(client.get("/t/resolve").text)
    for name, text in STORABLE.items():
        with transaction(engine) as session:
            say_everywhere(session, text)
        page = client.get("/t/resolve")
        assert page.status_code == 200, name
        assert active_parts(page.text) == plain, name
        assert shows_as_words(page.text, text), name


def test_the_report_in_markdown_shows_names_as_names(engine: Engine) -> None:
    with transaction(engine) as session:
        save_told_loop(session)
        for number, text in enumerate((STORABLE[name] for name in MARKUP), 2):
            said = {"id": number, "external_id": str(number), "channel": Channel.SURVEY}
            save(session, make_feedback(**said, touchpoint=text[:64], reason=text[:64]))
            refused = {"place": text[:255], "reason": text[:255], "raw_hash": str(number)}
            item = {"source": "nps", "raw_encrypted": b"", "at": NOW}
            save(session, Quarantine.model_validate(item | refused))
        measures = measure(read(session, now=NOW), ZoneInfo("UTC"))
    rows = [line for line in report.markdown(measures, "Shop", NOW).splitlines() if "|" in line]
    assert len(rows) > 2 * len(MARKUP)
    for row in rows:
        assert not re.search(r"(?<!\\)(?:\\\\)*[<>\[\]`*]", row), row
        assert not CONTROLS.search(row), row


def test_a_terminal_obeys_nothing_that_was_stored(home: Path) -> None:
    write_company(home)
    text = " ".join(STORABLE[name] for name in TERMINAL)
    with transaction(workplace().engine) as session:
        save_open_ticket(session, root_cause=text, action_taken=text)
        say_everywhere(session, text)
        found = {"model": "m", "centroid": b"", "cut": 0.5, "size": 1, "words": [text]}
        save(session, Theme.model_validate({"id": 1, "name": text[:80], "born_at": NOW, **found}))
    for words in ("ticket show 1", "ticket list", "theme list", "theme show 1"):
        shown = CliRunner().invoke(app, words.split(), env={"COLUMNS": "200"})
        assert shown.exit_code == 0, shown.output
        assert not CONTROLS.search(shown.stdout), words
