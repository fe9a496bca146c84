"""A real browser before a real server. Skipped where there is no browser."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine

from apps.desk.serve import build
from tests.desk import database, make_desk
from tests.played import Played, going_on, play
from tests.story import Story

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        yield engine


@pytest.fixture
def site(engine: Engine) -> Iterator[str]:
    """The address of a desk that runs on a free port, over *engine*."""
    with serving(make_desk(engine)) as address:
        yield address


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("played"))


@pytest.fixture(scope="module")
def story(
    browser: Browser,  # or else it would be played for nobody
    played: Played,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Story]:
    """The example company in its second week: tickets wait, nobody has acted yet."""
    with going_on(played, tmp_path_factory.mktemp("company")) as story:
        yield story


@pytest.fixture(scope="module")
def company_site(story: Story) -> Iterator[str]:
    """The address of the example company's desk."""
    with serving(build(story.place.settings, story.place.company)) as address:
        yield address


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of *app* on a free port."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server takes too long to start"
        time.sleep(0.02)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    server.should_exit = True
    thread.join(10)
