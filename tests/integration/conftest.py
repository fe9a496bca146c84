"""Fixtures of the tests that let a small company live."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks import understand
from tasks.workplace import workplace
from tests.story import Story, fake_models, write_company


@pytest.fixture
def story(home: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A corner shop without feedback yet."""
    write_company(home)
    place = workplace()
    models = fake_models(place.company)
    monkeypatch.setattr(understand, "build_models", lambda _company: models)
    return Story(place)
