"""Themes through Prefect: in the main job, and in `learn`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.settings import PREFECT_API_URL
from sqlmodel import select

from flows.learn import learn
from flows.loop import loop
from tasks import themes as finding
from tasks.workplace import workplace
from tests.small_company import Row
from tests.theme_cases import common_words
from voc.models import Theme, ThemeAssignment, ThemeEvent
from voc.params import LoopParams
from voc.store.database import transaction

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_server")]

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
QUICK = LoopParams(measure=False)
SUBJECTS = (
    "My parcel came too late",
    "Where is my refund money",
    "That courier was really rude",
    "These shoes fit very well",
    "Your website loads so slowly",
    "This coupon code got refused",
    "An invoice has wrong numbers",
    "Our mobile app crashes often",
    "One box arrived fully damaged",
    "Nobody answers support phone calls",
)
OFTEN = ("today", "again", "sadly", "now", "please", "honestly", "really", "twice", "here", "still")


def comments(n: int) -> list[Row]:
    """*n* comments on each subject, worded a little differently."""
    said = NOW - timedelta(days=1)
    return [
        (f"r-{s}-{k}", said.isoformat(), "5", "", "", "", "", f"{subject} {OFTEN[k]}")
        for s, subject in enumerate(SUBJECTS)
        for k in range(n)
    ]


def rows(table: Any) -> list[Any]:
    with transaction(workplace().engine) as session:
        return list(session.exec(select(table)))


def test_learn_finds_themes_and_the_loop_puts_new_statements_into_them(
    found_company: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "label_words", common_words)
    home = found_company(*comments(10))
    counts: dict[str, float] = dict(loop(QUICK, NOW))
    assert counts["fit_no_theme"] == len(rows(ThemeAssignment)) == 100
    assert not rows(Theme)

    counts = learn(now=NOW)

    assert counts["born"] == len(rows(Theme)) >= 8
    assert counts["retired"] == counts["merged"] == counts["split"] == 0
    assert 0 <= counts["unassigned_share"] < 0.2
    assert len(rows(ThemeEvent)) == counts["born"]
    assert all(event.run for event in rows(ThemeEvent))
    figures = latest_artifact("learned")["data"]
    assert '"born"' in figures
    assert not any(word in figures for word in ("parcel", "refund", "courier"))

    with (home / "inbox" / "survey.csv").open("a", encoding="utf-8") as file:
        file.write(f"r-new,{NOW.isoformat()},5,,,,,My parcel came too late today again\n")
    counts = dict(loop(QUICK, NOW))
    assert counts["themed"] == 1

    counts = dict(loop(QUICK, NOW))
    assert not {name for name, n in counts.items() if n and name != "unchanged"}

    counts = learn(now=NOW + timedelta(days=7))
    assert counts["continued"] == len(rows(Theme))
    assert counts.get("born", 0) == 0


def test_learn_says_when_there_is_too_little(found_company: Callable[..., Path]) -> None:
    found_company(*comments(1)[:3])
    assert learn(now=NOW)["too_few_statements"] == 0
    loop(QUICK, NOW)

    counts = learn(now=NOW)

    assert counts["too_few_statements"] == 3
    assert counts["unassigned_share"] == 1.0
    assert counts["router_labels"] == counts["router_kept"] == 0
    assert "too few statements" in latest_artifact("learned")["data"]


def latest_artifact(key: str) -> dict[str, Any]:
    # Not by Prefect's own `Artifact.get`: it leaves its connection open.
    url = f"{PREFECT_API_URL.value()}/artifacts/{key}/latest"
    artifact: dict[str, Any] = httpx.get(url, trust_env=False).raise_for_status().json()
    return artifact
