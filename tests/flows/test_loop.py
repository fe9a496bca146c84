"""The main job on a small company, against a temporary Prefect server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.settings import PREFECT_API_URL
from sqlmodel import select

from flows.loop import loop
from flows.measure import measure
from tasks.workplace import workplace
from tests.small_company import COMPANY
from voc.errors import VocError
from voc.models import Feedback, FeedbackState, Message, MessageState, Ticket
from voc.store.database import transaction

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_server")]

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def rows(table: Any) -> list[Any]:
    with transaction(workplace().engine) as session:
        return list(session.exec(select(table)))


def test_the_loop_takes_six_comments_from_the_file_to_the_mailbox(
    found_company: Callable[..., Path],
) -> None:
    home = found_company()

    counts = loop(now=NOW)

    assert counts["collected"] == counts["understood"] == 6
    assert {f.state for f in rows(Feedback)} <= {FeedbackState.ROUTED, FeedbackState.FILED}
    assert {t.department for t in rows(Ticket)} >= {"delivery", "billing"}
    messages = rows(Message)
    sent = [m for m in messages if m.state is MessageState.SENT]
    assert len(sent) == len(list(home.glob("mailbox/*/*.eml"))) >= 6
    assert (home / "reports" / "report.html").exists()


def test_a_second_run_has_nothing_to_do(found_company: Callable[..., Path]) -> None:
    home = found_company()
    loop(now=NOW)
    report = (home / "reports" / "report.html").stat()
    before = Counter(m.state for m in rows(Message))

    counts = loop(now=NOW)

    assert not {name for name, n in counts.items() if n and name != "unchanged"}
    assert Counter(m.state for m in rows(Message)) == before
    assert (home / "reports" / "report.html").stat() == report


def test_a_source_that_fails_does_not_stop_the_others_and_fails_the_run(
    found_company: Callable[..., Path],
) -> None:
    home = found_company()
    broken = COMPANY[COMPANY.index("  - id: nps") :].replace("id: nps", "id: broken", 1)
    broken = broken.replace("comment", "no_such_column").replace("inbox/*", "inbox/survey")
    (home / "voc.yaml").write_text(
        COMPANY.replace("sources:\n", f"sources:\n{broken}"), encoding="utf-8"
    )

    with pytest.raises(VocError, match="broken"):
        loop(now=NOW)

    assert {f.source for f in rows(Feedback)} == {"nps"}
    assert {f.state for f in rows(Feedback)} <= {FeedbackState.ROUTED, FeedbackState.FILED}
    assert any(m.state is MessageState.SENT for m in rows(Message))


def test_the_report_is_an_artifact_of_its_run(found_company: Callable[..., Path]) -> None:
    found_company()
    loop(now=NOW)

    assert measure(now=NOW) > 0

    assert "Shop & Co" in str(latest_artifact("report")["data"])
    assert "NPS" in str(latest_artifact("figures")["data"])


def latest_artifact(key: str) -> dict[str, Any]:
    # Not by Prefect's own `Artifact.get`: it leaves its connection open.
    url = f"{PREFECT_API_URL.value()}/artifacts/{key}/latest"
    artifact: dict[str, Any] = httpx.get(url, trust_env=False).raise_for_status().json()
    return artifact
