"""A desk for tests: a real database file, and a client that does not look away from crashes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import SQLModel, create_engine

from apps.desk.app import create_app
from tests.factories import NOW, SECRET, make_company
from voc.company import Company
from voc.store.database import with_manners


@contextmanager
def database(folder: Path) -> Generator[Engine]:
    """An empty database in a file of *folder*."""
    engine = with_manners(create_engine(f"sqlite:///{folder / 'voc.db'}", hide_parameters=True))
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


def make_desk(
    engine: Engine,
    *,
    company: Company | None = None,
    report: Path | None = None,
    ticks: Callable[[], float] = lambda: 0.0,
) -> FastAPI:
    return create_app(
        engine=engine,
        company=company or make_company(),
        secret=SECRET,
        clock=lambda: NOW,
        report=report,
        kill_switch=kill_switch_of(engine),
        ticks=ticks,
    )


def kill_switch_of(engine: Engine) -> Path:
    """Beside the database of a desk that `make_desk` made."""
    return Path(engine.url.database or "").with_name("KILL_SWITCH")


def make_client(app: FastAPI) -> TestClient:
    """Sees crashes as a visitor does: as a page."""
    return TestClient(app, raise_server_exceptions=False)


def text_of(desk: TestClient, address: str, status: int = 200) -> str:
    """The words of a page, without its marks."""
    answer = desk.get(f"/desk/{address}")
    assert answer.status_code == status, address
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def table_of(desk: TestClient, address: str) -> list[dict[str, str]]:
    """The rows of a download."""
    answer = desk.get(f"/desk/{address}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
