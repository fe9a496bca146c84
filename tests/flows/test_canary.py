"""Prefect's books are open to everyone who may start a flow: nothing of a customer is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from prefect.client.orchestration import get_client
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_SERVER_DATABASE_CONNECTION_URL, get_current_settings
from pydantic import BaseModel

import tasks.collect
from flows.collect import collect
from flows.loop import loop
from flows.measure import measure
from tasks.workplace import workplace
from tests.small_company import ROWS
from voc.errors import VocError
from voc.store.database import transaction

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_server")]

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EMAIL = "zebulon.quisquil@canary.example"
NAME = "Zebulon Quisquil"
PHONE = "+44 20 7946 0987"
WORDS = "My xylophone came with marmalade inside"
CANARIES = ("zebulon", "quisquil", "7946 0987", "79460987", "xylophone", "marmalade")

GOOD = ("c-1", "2026-03-02T08:00:00+00:00", "1", EMAIL, NAME, PHONE, "yes", f"{WORDS}. {EMAIL}")
BAD = ("c-2", f"on {NAME}'s day", f"{WORDS}?", EMAIL, NAME, PHONE, "yes", f"Again: {WORDS}.")


class Trace:
    """All that Prefect keeps, and all that was printed or logged."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        self._caplog = caplog
        self._capfd = capfd
        caplog.set_level("DEBUG")

    def text(self) -> str:
        APILogHandler().flush()
        with get_client(sync_client=True) as client:
            logs = "\n".join(log.message for log in client.read_logs(limit=200))
        printed = self._capfd.readouterr()
        return "\n".join([logs, self._caplog.text, printed.out, printed.err, database()])


def database() -> str:
    """Prefect's own database, with what is not yet written back into the main file."""
    url = PREFECT_SERVER_DATABASE_CONNECTION_URL.value()
    path = sa.make_url(str(url)).database
    assert path is not None
    files = [Path(path), Path(f"{path}-wal")]
    return "\n".join(file.read_bytes().decode("latin-1") for file in files if file.exists())


@pytest.fixture
def trace(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Trace]:
    assert get_current_settings().logging.to_api.enabled  # else this would prove nothing
    return Trace(caplog, capfd)


def leaks(text: str) -> set[str]:
    folded = text.casefold()
    return {canary for canary in CANARIES if canary in folded}


def test_a_run_leaves_nothing_of_a_customer_with_prefect(
    found_company: Callable[..., Path], trace: Trace
) -> None:
    found_company(*ROWS, GOOD, BAD)

    counts = loop(now=NOW)
    measure(now=NOW)

    assert counts["collected"] == 7
    assert counts["quarantined"] == 1
    assert "collect nps" in (text := trace.text())  # the trace does show what happened
    assert leaks(text) == set()


class Strict(BaseModel):
    mail: int


def break_validation() -> None:
    Strict.model_validate({"mail": EMAIL, "words": WORDS})


def break_a_constraint() -> None:
    insert = sa.text("INSERT INTO customer (id, name, created_at) VALUES (:id, :name, :at)")
    with transaction(workplace().engine) as session:
        for _ in range(2):
            session.execute(insert, {"id": 4711, "name": NAME, "at": NOW})


def break_with_words() -> None:
    raise ValueError(f"cannot read {WORDS!r} of {NAME}")


@pytest.mark.parametrize("broken", [break_validation, break_a_constraint, break_with_words])
def test_an_error_nobody_expected_takes_no_words_along(
    broken: Callable[[], None],
    found_company: Callable[..., Path],
    trace: Trace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found_company(GOOD)

    def fail(*_args: object, **_kwargs: object) -> None:
        broken()

    monkeypatch.setattr(tasks.collect.collect, "store_page", fail)

    with pytest.raises(VocError, match="could not collect") as caught:
        collect(now=NOW)

    text = trace.text()
    assert "collect nps" in text
    assert leaks(text + str(caught.value)) == set()
