"""One temporary Prefect server a session, and a company of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import tasks.understand
from nlp.reader import SeparateReader
from nlp.topics import Subject, SubjectModel
from nlp.understand import Models
from tests.nlp_fakes import FakeDetector, FakeEncoder, FakeSentiment
from tests.small_company import ROWS, Row, write_company
from voc.company import Company
from voc.company.model import TRIAGE

SERVICES = (
    "CANCELLATION_CLEANUP",
    "FOREMAN",
    "LATE_RUNS",
    "PAUSE_EXPIRATIONS",
    "REPOSSESSOR",
    "SCHEDULER",
    "TRIGGERS",
)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with prefect_for_tests(tmp_path_factory.mktemp("prefect")):
        yield


@contextmanager
def prefect_for_tests(home: Path) -> Iterator[None]:
    """A temporary Prefect server that keeps to itself."""
    from prefect import settings
    from prefect.testing.utilities import prefect_test_harness

    private = {
        settings.PREFECT_HOME: home,
        settings.PREFECT_SERVER_ANALYTICS_ENABLED: False,
    }
    # On SQLite, services that look after schedules lock runs and clients out for up to a minute.
    quiet = {getattr(settings, f"PREFECT_SERVER_SERVICES_{it}_ENABLED"): False for it in SERVICES}
    with (
        settings.temporary_settings(private | quiet),
        prefect_test_harness(server_startup_timeout=120),
        # Joining the heartbeat takes a second a run.
        settings.temporary_settings({settings.PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield


@pytest.fixture
def found_company(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Call it with rows to have a company in the home folder that was told them."""

    def found(*rows: Row) -> Path:
        write_company(home, rows or ROWS)
        monkeypatch.setattr(tasks.understand, "build_models", fake_models)
        return home

    return found


def fake_models(company: Company) -> Models:
    encoder = FakeEncoder()
    departments = {
        d.id: (d.description, *d.examples) for d in company.departments if d.id != TRIAGE
    }
    subjects: list[Subject] = []
    return Models(
        detector=FakeDetector(),
        reader=SeparateReader(encoder, FakeSentiment()),
        subjects=SubjectModel(subjects, departments, encoder),
    )
