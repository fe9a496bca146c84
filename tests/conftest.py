"""Fixtures that any test may use. Nothing here reaches the network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# Before anything imports prefect: a developer's own server is not for tests.
os.environ["PREFECT_API_URL"] = ""
os.environ["DO_NOT_TRACK"] = "1"
# Or else whoever runs the tests decides how wide the tables are that they look at.
os.environ.pop("COLUMNS", None)

import pytest
from hypothesis import settings

from tests.standing import Stand
from voc.settings import get_settings

settings.register_profile("noisy machine", deadline=None)  # others may be at work on it
settings.load_profile("noisy machine")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home folder that settings and workplace point to."""
    from tasks.workplace import workplace

    for name in list(os.environ):
        if name.startswith("VOC_") and name != "VOC_EVAL_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("VOC_HOME", str(tmp_path))
    get_settings.cache_clear()
    workplace.cache_clear()
    yield tmp_path
    if workplace.cache_info().currsize:
        workplace().engine.dispose()
    get_settings.cache_clear()
    workplace.cache_clear()


@pytest.fixture(scope="session")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """`voc up` for a small company: one for all tests, it takes half a minute to stand."""
    stand = Stand(tmp_path_factory.mktemp("standing"))
    yield stand
    stand.close()
