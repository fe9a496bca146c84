"""The lists behind the numbers hold what the numbers count, the newest first, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from tests.desk import database, make_client, make_desk, table_of, text_of
from tests.desk_visitors import sign_in
from tests.factories import (
    NOW,
    make_alert,
    make_company,
    make_customer,
    make_feedback,
    make_loop,
    make_statement,
    make_ticket,
    make_version,
    save,
)
from voc.actions import figures, labels
from voc.models import (
    AssignmentState,
    Channel,
    LoopState,
    MessageState,
    Role,
    SuggestionKind,
    Theme,
    ThemeAssignment,
    TicketState,
)
from voc.store import loop_lists, said, theme_words, verbatims
from voc.store.database import reading, transaction
from voc.store.loop_lists import Which
from voc.store.message_lists import Spot
from voc.store.weekly import Wanted

DAY = timedelta(days=1)
EVERYTHING = Wanted()
UNTOLD = Which(LoopState.COULD_NOT_TELL, "no_address")
SPAN = (NOW - 100 * DAY, NOW)


def said_at(i: int) -> datetime:
    """Not in the order of the numbers, and two at a time."""
    return NOW - DAY - timedelta(hours=i * 7 % 20 // 2)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Twenty loops that could not be told, one that waits since last year, and late tickets."""
    with database(tmp_path_factory.mktemp("behind")) as engine:
        with transaction(engine) as session:
            save(
                session,
                make_customer(),
                Theme(id=1, words=["late"], model="m", centroid=b"", cut=0.5, size=1, born_at=NOW),
            )
            for i in range(1, 21):
                moment = said_at(i) if i % 4 else said_at(i) - 50 * DAY
                channel = Channel.SURVEY if i % 2 else Channel.REVIEW
                save(
                    session,
                    make_feedback(id=i, external_id=f"f{i}", said_at=moment, channel=channel),
                    make_version(id=i, feedback_id=i),
                    make_statement(id=i, version_id=i),
                    ThemeAssignment(
                        statement_id=i, state=AssignmentState.ASSIGNED, theme_id=1, similarity=0.9
                    ),
                    make_loop(
                        id=i,
                        feedback_id=i,
                        state=UNTOLD.state,
                        reason=UNTOLD.reason,
                        closed_at=NOW,
                    ),
                )
            save(
                session,
                make_feedback(id=21, external_id="f21", said_at=NOW - 400 * DAY),
                make_loop(id=21, feedback_id=21),
            )
            add_tickets(session)
        figures.refresh(engine, "UTC", now=NOW)
        yield engine


def add_tickets(session: Session) -> None:
    late = {"first_response_due_at": NOW - timedelta(hours=3)}
    done = {"state": TicketState.CLOSED, "resolved_at": NOW, "closed_at": NOW}
    lost = {"state": MessageState.BOUNCED, "reason": "no such mailbox"}
    save(
        session,
        make_ticket(id=1, department="returns", **late),  # which the company no longer has
        make_ticket(id=2, department="triage", **late),
        make_ticket(id=3, department="triage"),
        make_ticket(id=4, department="billing", **done),
        make_alert(id=2, ticket_id=1, **lost),
        make_alert(id=3, ticket_id=4, subject="ticket:4", message_id="<3@shop.example>", **lost),
    )


@pytest.fixture(scope="module")
def desk(engine: Engine) -> TestClient:
    client = make_client(make_desk(engine))
    sign_in(client, engine, Role.OPERATIONS)
    return client


@pytest.mark.parametrize(
    ("filters", "n"),
    [
        ("", 20),
        ("?channel=survey", 10),
        ("?weeks=4", 15),
        ("?from=2026-03-02", 0),  # when they ended, and nobody said anything
        ("?weeks=4&channel=review&segment=vip", 0),
    ],
)
def test_the_overview_the_leaks_and_the_list_behind_them_agree(
    desk: TestClient, filters: str, n: int
) -> None:
    numbers = re.findall(r"No address (\d+)", text_of(desk, f"overview{filters}"))
    leaks = table_of(desk, f"leaks.csv{filters}")
    numbers += [row["n"] for row in leaks if row["code"] == "untold-no_address"]
    assert numbers == ([f"{n}"] * 2 if n else [])
    for code in ("untold-no_address", "untold"):
        assert len(re.findall(r"Loop \d+", text_of(desk, f"leaks/{code}{filters}"))) == n


def test_what_waits_now_is_listed_however_long_ago_it_was_said(desk: TestClient) -> None:
    overview = text_of(desk, "overview")
    assert "Open loops 1" in overview
    assert "Loop 21" in text_of(desk, "leaks/open-now")
    assert "Nothing here now." in text_of(desk, "leaks/open")
    assert "Nothing here now." in text_of(desk, "leaks/told-now")


def test_the_late_tickets_of_the_overview_are_those_of_the_leaks(desk: TestClient) -> None:
    assert "Late tickets 2" in text_of(desk, "overview")
    assert sum(int(row["late"] or 0) for row in table_of(desk, "leaks.csv")) == 2
    assert "In triage of them 1 late 2" in text_of(desk, "leaks")


def test_a_department_that_left_the_company_file_keeps_its_tickets_in_sight(
    desk: TestClient,
) -> None:
    gone = "returns (not in the company file)"
    assert "Open tickets 3" in text_of(desk, "overview")
    assert f"{gone} 1 1 1" in text_of(desk, "departments")
    assert f"Not taken in time: {gone}" in text_of(desk, "leaks")
    assert gone in text_of(desk, "leaks/not_taken?department=returns")


def test_a_department_in_which_nothing_is_stuck_is_named(desk: TestClient) -> None:
    text = text_of(desk, "leaks?department=billing")
    assert "Nothing is stuck in Billing." in text
    assert "Every open loop is within its promises" not in text


def test_lost_alerts_count_as_long_as_their_ticket_is_not_finished(desk: TestClient) -> None:
    (lost,) = [row for row in table_of(desk, "leaks.csv") if row["code"] == "alerts_lost"]
    assert lost["n"] == "1"
    text = text_of(desk, "messages?show=alerts")
    assert "ticket 1" in text
    assert "ticket 4" not in text


@pytest.mark.parametrize("looked_through", [1, 3, 3_000])
@pytest.mark.parametrize("what", ["feedback", "loops", "words of a theme"])
def test_page_by_page_each_is_seen_once_the_newest_first(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, what: str, looked_through: int
) -> None:
    for module in (said, loop_lists, theme_words):
        monkeypatch.setattr(module, "LOOKED_THROUGH", looked_through)
    expected = sorted(range(1, 21), key=lambda i: (said_at(i) - 50 * DAY * (i % 4 == 0), i))[::-1]
    seen: list[int] = []
    after: Spot | None = None
    with reading(engine) as session:
        while True:
            match what:
                case "feedback":
                    feedback = verbatims.newest(session, EVERYTHING, SPAN, "", after=after, limit=3)
                    seen += [it.loop_id or 0 for it in feedback.verbatims]
                    after = feedback.after
                case "loops":
                    loops = loop_lists.said_in(
                        session, UNTOLD, EVERYTHING, SPAN, after=after, limit=3
                    )
                    seen += [loop.id or 0 for loop, _ in loops.loops]
                    after = loops.after
                case _:
                    words = theme_words.newest(session, 1, EVERYTHING, SPAN, after=after, limit=3)
                    seen += [it.statement_id for it in words.verbatims]
                    after = words.after
            if after is None:
                break
    assert seen == expected


def test_an_older_period_of_a_theme_begins_with_what_was_said_then(engine: Engine) -> None:
    span = (NOW - 60 * DAY, NOW - 40 * DAY)
    with reading(engine) as session:
        found = theme_words.newest(session, 1, EVERYTHING, span, after=None, limit=3)
    assert [it.statement_id % 4 for it in found.verbatims] == [0, 0, 0]


def test_a_label_decides_how_words_feel(engine: Engine, desk: TestClient) -> None:
    with transaction(engine) as session:
        kind = SuggestionKind.SENTIMENT
        labels.set_label(session, 5, kind, "negative", make_company(), actor="dee", now=NOW)
    assert desk.get("/desk/verbatims?of=negative").text.count("<article") == 1
    assert desk.get("/desk/verbatims?of=positive").text.count("<article") == 0
