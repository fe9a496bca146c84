"""Fixtures of the tests that let a small company live, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tasks import understand
from tasks.workplace import workplace
from tests.mail_servers import MailServers, mail_servers, why_not
from tests.postgres_server import binaries, postgres_server
from tests.story import Story, fake_models, write_company

POSTGRESQL = pytest.param(
    "postgresql",
    marks=[
        pytest.mark.postgres,
        pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed"),
    ],
)
_numbers = count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server's own database."""
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", POSTGRESQL])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database; the empty text means SQLite in the home folder."""
    if request.param == "sqlite":
        return ""
    server: str = request.getfixturevalue("postgresql")
    name = f"story_{next(_numbers)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def real_mail() -> Iterator[MailServers]:
    """A real mail server and a real IMAP server; see `tests.mail_servers`."""
    if reason := why_not():
        pytest.skip(reason)
    ours = [f"{name}@noodles.test" for name in ("care", "dee", "boss", "bill", "tess")]
    with mail_servers(*ours, "kim@customer.test") as servers:
        yield servers


@pytest.fixture
def story(home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A corner shop without feedback yet."""
    monkeypatch.setenv("VOC_DATABASE_URL", database_url)
    write_company(home)
    place = workplace()
    models = fake_models(place.company)
    monkeypatch.setattr(understand, "build_models", lambda _company: models)
    return Story(place)
