"""The sheet of a weekly huddle: one department, one week, one page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from tests.desk import database, make_client, make_desk
from tests.desk_visitors import sign_in
from tests.factories import (
    NOW,
    make_answer,
    make_customer,
    make_feedback,
    make_loop,
    make_statement,
    make_ticket,
    make_version,
    save,
)
from voc.models import (
    AssignmentState,
    LoopTicket,
    Role,
    Suggestion,
    SuggestionKind,
    Theme,
    ThemeAssignment,
    TicketState,
    Verdict,
)
from voc.store.database import transaction

LAST_WEEK = NOW - timedelta(days=4)  # 2026-W09; today is the Monday of W10
TIMES = "\N{MULTIPLICATION SIGN}"
SHEET = "/desk/huddle/delivery"


def save_ticket(session: Session, number: int, at: datetime, **changes: object) -> None:
    """A ticket opened then, with what was said and that it was read as negative."""
    text = f"Courier number {number} left the parcel in the rain."
    save(
        session,
        make_feedback(id=number, external_id=f"r-{number}"),
        make_version(id=number, feedback_id=number, verbatim=text),
        make_loop(id=number, feedback_id=number),
        make_ticket(id=number, opened_at=at, topic="late_parcel", **changes),
        make_statement(id=number, version_id=number, end=len(text), ticket_id=number),
        LoopTicket(loop_id=number, ticket_id=number),
        Suggestion(
            statement_id=number,
            kind=SuggestionKind.SENTIMENT,
            model="m",
            value="negative",
            probability=number / 100,
        ),
        ThemeAssignment(statement_id=number, state=AssignmentState.ASSIGNED, theme_id=1),
    )


def solved(cause: str) -> dict[str, object]:
    return {
        "state": TicketState.CLOSED,
        "resolved_at": LAST_WEEK,
        "root_cause": cause,
        "action_taken": "We hired another courier.",
    }


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    theme = Theme(id=1, words=["rain"], model="m", centroid=b"", cut=0.5, size=3, born_at=NOW)
    with database(Path(tmp_path_factory.mktemp("huddle"))) as engine:
        with transaction(engine) as session:
            save(session, make_customer(), theme)
            save_ticket(session, 1, LAST_WEEK, **solved("The depot was closed."))
            save_ticket(session, 2, LAST_WEEK, **solved("the depot  was closed"))
            save_ticket(session, 3, LAST_WEEK, **solved("Fog."))
            save_ticket(session, 4, LAST_WEEK, first_response_due_at=NOW - timedelta(hours=5))
            save_ticket(session, 5, NOW - timedelta(days=20))
            save_ticket(session, 6, LAST_WEEK, department="billing")
            said = {"verdict": Verdict.NOT_SOLVED, "words": "It came wet again."}
            save(
                session,
                make_answer(id=1, loop_id=1, at=LAST_WEEK),
                make_answer(id=2, loop_id=3, at=LAST_WEEK, **said),
                make_answer(id=3, loop_id=6, at=LAST_WEEK),
            )
        yield engine


@pytest.fixture
def client(engine: Engine) -> TestClient:
    client = make_client(make_desk(engine))
    sign_in(client, engine, Role.OWNER, ["delivery"], "dee@shop.example")
    return client


def test_a_sheet_says_what_came_in_what_was_solved_and_how_and_what_is_late(
    client: TestClient,
) -> None:
    text = client.get(f"{SHEET}?week=2026-W09").text
    for said in (
        "Huddle: Delivery",
        "23 Feb 2026",
        "1 Mar 2026",
        "Came in: 4",
        "late parcel: 4",
        "Solved: 3",
        f"2 {TIMES} <strong>the depot  was closed</strong>",
        f"1 {TIMES} <strong>Fog.</strong>",
        "Late now: 1",
        "5 h overdue",
        "Solved: 1. Not solved: 1. To be judged: 0.",
        "It came wet again.",
        "rain: 4 (before: 0.2 a week)",
    ):
        assert said in text
    assert "Courier number 6" not in text


def test_it_has_three_verbatims_worth_reading_and_room_to_write(client: TestClient) -> None:
    text = client.get(f"{SHEET}?week=2026-W09").text
    read_aloud = [n for n in range(1, 7) if f"Courier number {n} left" in text]
    assert read_aloud == [2, 3, 4]
    assert text.count("<tr><td>&nbsp;</td>") == 5


def test_without_a_week_it_is_this_one_and_leads_to_the_one_before(client: TestClient) -> None:
    text = client.get(SHEET).text
    assert "Week 2026-W10" in text
    assert "No ticket was opened in this week." in text
    assert f'href="{SHEET}?week=2026-W09"' in text
    assert "Week after" not in text
    assert "Week after" in client.get(f"{SHEET}?week=2026-W09").text


@pytest.mark.parametrize("week", ["2026-W54", "2026-9", "x", "0000-W01", "0001-W01", "9999-W53"])
def test_a_week_that_there_is_not_is_no_page(client: TestClient, week: str) -> None:
    assert client.get(f"{SHEET}?week={week}").status_code == 404


def test_another_departments_sheet_is_not_there(client: TestClient, engine: Engine) -> None:
    assert client.get("/desk/huddle/billing").status_code == 404
    sign_in(client, engine, Role.OPERATIONS)
    assert client.get("/desk/huddle/billing").status_code == 200
    assert client.get("/desk/huddle/nowhere").status_code == 404
