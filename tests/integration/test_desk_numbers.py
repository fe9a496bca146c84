"""The pages of numbers: what they say of a small company, by filter, as tables, and to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.desk import database, make_client, make_desk, table_of, text_of
from tests.desk_visitors import sign_in
from tests.factories import (
    NOW,
    make_customer,
    make_feedback,
    make_loop,
    make_message,
    make_statement,
    make_ticket,
    make_version,
    save,
)
from voc.actions import figures
from voc.models import (
    AssignmentState,
    Channel,
    LoopState,
    MessageState,
    Quarantine,
    RatingScale,
    Role,
    Theme,
    ThemeAssignment,
    TicketState,
)
from voc.store.database import transaction

PAGES = ("overview", "trends", "themes", "departments", "leaks")
N = 40
"""Pieces of feedback; every second one promotes, every fourth loop could not be told."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with database(tmp_path_factory.mktemp("numbers")) as engine:
        fill(engine)
        figures.refresh(engine, "UTC", now=NOW)
        yield engine


@pytest.fixture(scope="module")
def desk(engine: Engine) -> TestClient:
    """Somebody of CX operations, at the desk."""
    client = make_client(make_desk(engine))
    sign_in(client, engine, Role.OPERATIONS)
    return client


def fill(engine: Engine) -> None:
    with transaction(engine) as session:
        save(
            session,
            make_customer(segment="vip"),
            Theme(
                id=1, words=["late", "=sofa"], model="m", centroid=b"", cut=0.5, size=N, born_at=NOW
            ),
        )
        for i in range(1, N + 1):
            save(
                session,
                make_feedback(
                    id=i,
                    external_id=f"r-{i}",
                    channel=Channel.SURVEY if i % 2 else Channel.REVIEW,
                    rating=9 if i % 2 else 3,
                    rating_scale=RatingScale.NPS,
                    product="sofa" if i % 2 else None,
                ),
                make_version(id=i, feedback_id=i),
                make_statement(id=i, version_id=i),
                ThemeAssignment(
                    statement_id=i, state=AssignmentState.ASSIGNED, theme_id=1, similarity=0.9
                ),
                make_loop(id=i, feedback_id=i, **ending(i)),
            )
        save(
            session,
            make_ticket(first_response_due_at=NOW - timedelta(hours=3)),
            make_ticket(id=2, department="triage"),
            make_ticket(id=3, department="billing", state=TicketState.RESOLVED, resolved_at=NOW),
            make_message(state=MessageState.UNKNOWN, reason="the reply was lost"),
            Quarantine(
                source="reviews", place="p", reason="r", raw_hash="h", raw_encrypted=b"", at=NOW
            ),
        )


def ending(i: int) -> dict[str, object]:
    ended = {"closed_at": NOW - timedelta(hours=i)}
    if i % 4:
        told = {"first_told_at": NOW - timedelta(days=1), "told_at": NOW - timedelta(days=1)}
        return {"state": LoopState.CLOSED, "reason": "solved", **told, **ended}
    return {"state": LoopState.COULD_NOT_TELL, "reason": "no_address", **ended}


def test_operations_and_auditors_read_the_numbers_and_nobody_else(engine: Engine) -> None:
    client = make_client(make_desk(engine))
    for role, status in {
        Role.OPERATIONS: 200,
        Role.AUDITOR: 200,
        Role.OWNER: 403,
        Role.ADMINISTRATOR: 403,
    }.items():
        sign_in(client, engine, role, ["delivery"] if role is Role.OWNER else ())
        for page in (
            *PAGES,
            "overview.csv",
            "trends/nps.csv",
            "themes/1",
            "leaks/triage",
            "verbatims",
        ):
            assert client.get(f"/desk/{page}").status_code == status, (role, page)


@pytest.mark.parametrize(
    "page", [*PAGES, "verbatims", "themes/1", "leaks/triage", "leaks/untold-no_address"]
)
def test_a_page_brings_no_style_or_script_of_its_own(desk: TestClient, page: str) -> None:
    html = desk.get(f"/desk/{page}").text
    assert not re.search(r"<[^>]+\s(style|on\w+)=", html)
    assert html.count("<h1") == 1
    for svg in re.findall(r"<svg[^>]*>", html):
        assert 'aria-hidden="true"' in svg or re.search(r'role="img" aria-label="[^"]+"', svg), svg


def test_the_overview_begins_with_what_does_not_wait(desk: TestClient) -> None:
    text = text_of(desk, "overview")
    assert text.index("1 message in doubt") < text.index("1 item in quarantine")
    assert text.index("1 item in") < text.index("Came in 40")
    assert "Closure rate 100 % 30 of 30" in text
    assert "Late tickets 1" in text
    assert "No address 10" in text


def test_a_number_says_what_it_means_and_how_fresh_it_is(desk: TestClient) -> None:
    text = text_of(desk, "overview")
    assert "Loops that ended with the customer told, of those that could" in text
    assert "Counted 2 Mar 2026" in text


@pytest.mark.parametrize(
    ("filters", "n"),
    [
        ("channel=survey", 20),
        ("product=sofa", 20),
        ("segment=vip", 40),
        ("channel=survey&product=sofa&segment=vip", 20),
        ("channel=review&product=sofa", 0),
        ("stage=retention", 0),
        ("from=2026-02-23&to=2026-03-01", 40),
        ("from=2026-01-01&to=2026-02-01", 0),
    ],
)
def test_a_filter_leaves_what_it_says(desk: TestClient, filters: str, n: int) -> None:
    assert sum(int(row["feedback"]) for row in table_of(desk, f"overview.csv?{filters}")) == n


def test_the_filter_goes_along_with_links_and_downloads(desk: TestClient) -> None:
    html = desk.get("/desk/overview?weeks=4&channel=survey").text
    for path in ("/desk/overview.csv", "/desk/trends", "/desk/leaks/untold"):
        assert f'href="{path}?weeks=4&amp;channel=survey"' in html
    assert '<option value="survey" selected>' in html


@pytest.mark.parametrize(
    "dates",
    [
        "from=31.01.2026",
        "from=2026-02-01&to=2026-01-01",
        "from=1800-01-01",
        "to=9999-12-31",
        "to=0001-01-01",
        "from=0001-01-01&to=0001-01-01",
    ],
)
def test_dates_that_cannot_be_meant_are_told_and_kept_as_typed(
    desk: TestClient, dates: str
) -> None:
    text = text_of(desk, f"overview?{dates}", 422)
    assert "The last 12 weeks are shown instead." in text
    typed = dates.partition("=")[2].partition("&")[0]
    assert f'value="{typed}"' in desk.get(f"/desk/overview?{dates}").text


@pytest.mark.parametrize("value", ["<script>", "' OR 1=1 --", "*", "x" * 5000, "\x00"])
def test_whatever_stands_in_the_address_is_only_a_value(desk: TestClient, value: str) -> None:
    for page in PAGES:
        given = dict.fromkeys(("channel", "product", "department", "weeks", "stage"), value)
        answer = desk.get(f"/desk/{page}", params=given)
        assert answer.status_code == 200
        assert "<script>" not in answer.text


def test_trends_draw_a_line_with_its_interval_and_say_it_in_words(desk: TestClient) -> None:
    html = desk.get("/desk/trends").text
    assert 'class="band"' in html
    assert "NPS from 0 in the week of 23 Feb 2026" in html
    assert "Nobody answered on: CSAT, CES, Stars." in " ".join(re.sub("<[^>]+>", "", html).split())


def test_a_trend_as_a_table_has_limits_and_cases(desk: TestClient) -> None:
    row = next(row for row in table_of(desk, "trends/nps.csv") if row["nps"])
    assert (float(row["nps"]), row["n"], row["unit"]) == (0, "40", "points")
    assert float(row["low_95"]) < 0 < float(row["high_95"])
    volume = table_of(desk, "trends/volume.csv")
    assert sum(int(row["a loop was opened"]) for row in volume) == N
    assert desk.get("/desk/trends/nonsense.csv").status_code == 404


def test_behind_a_theme_stand_the_words_page_by_page(desk: TestClient) -> None:
    assert "late, =sofa 40" in text_of(desk, "themes")
    first = desk.get("/desk/themes/1").text
    assert first.count("<article") == 25
    assert "<mark>The sofa came two weeks late.</mark>" in first
    further = re.search(r'href="/desk/themes/1(\?after=[\d-]+)"', first)
    assert further
    assert desk.get(f"/desk/themes/1{further[1]}").text.count("<article") == 15


def test_behind_a_number_stand_the_words_of_those_who_gave_it(desk: TestClient) -> None:
    assert 'href="/desk/verbatims?of=detractors"' in desk.get("/desk/trends").text
    first = desk.get("/desk/verbatims?weeks=4").text
    assert first.count("<article") == 25
    further = re.search(r'href="/desk/verbatims(\?weeks=4[^"]+)"[^>]*>Older', first)
    assert further
    assert (
        desk.get(f"/desk/verbatims{further[1].replace('&amp;', '&')}").text.count("<article") == 15
    )
    trends = desk.get("/desk/trends").text
    for of, n in {"unsure": 40, "negative": 0, "routed": 40, "filed": 0}.items():
        assert (f'href="/desk/verbatims?of={of}"' in trends) is bool(n)
        pages = desk.get(f"/desk/verbatims?of={of}").text
        assert pages.count("<article") == min(n, 25), of
    assert desk.get("/desk/verbatims?of=detractors&channel=review").text.count("<article") == 20
    assert desk.get("/desk/verbatims?of=detractors&channel=survey").text.count("<article") == 0
    assert desk.get("/desk/verbatims?of=nobody").status_code == 404


def test_the_words_of_a_theme_keep_to_the_filter(desk: TestClient) -> None:
    assert desk.get("/desk/themes/1?channel=survey").text.count("<article") == 20
    assert "Nobody said anything here" in text_of(desk, "themes/1?channel=social")
    assert desk.get("/desk/themes/9").status_code == 404


def test_a_theme_whose_words_would_run_in_a_spreadsheet_is_text_there(desk: TestClient) -> None:
    (row,) = table_of(desk, "themes.csv")
    assert row["name"] == "late, =sofa"
    assert row["statements"] == row["2026-W09"] == "40"


def test_a_theme_has_its_weeks_as_a_table(desk: TestClient) -> None:
    assert 'href="/desk/themes/1.csv?weeks=4"' in desk.get("/desk/themes/1?weeks=4").text
    rows = table_of(desk, "themes/1.csv?weeks=4&channel=survey")
    assert [row["statements"] for row in rows] == ["0", "0", "20", "0"]
    assert desk.get("/desk/themes/9.csv").status_code == 404


def test_departments_with_few_cases_get_no_score(desk: TestClient) -> None:
    text = text_of(desk, "departments")
    assert "Delivery 1 1 1 too few to say: 1" in text
    rows = {row["department"]: row for row in table_of(desk, "departments.csv")}
    assert rows["delivery"]["taken_in_time_percent"] == ""
    weeks = [row for row in table_of(desk, "departments/weeks.csv") if row["tickets"] != "0"]
    assert {row["department"]: row["response_due"] for row in weeks} == {
        "delivery": "1", "billing": "1", "triage": "0",
    }  # fmt: skip
    assert rows["delivery"]["late_now"] == "1"


def test_each_leak_has_a_number_an_owner_and_its_items(desk: TestClient) -> None:
    rows = {row["code"]: row for row in table_of(desk, "leaks.csv")}
    assert {code: row["n"] for code, row in rows.items()} == {
        "triage:triage": "1",
        "not_taken:delivery": "1",
        "resolved_not_told:billing": "1",
        "unknown": "1",
        "quarantined": "1",
        "untold-no_address": "10",
    }
    assert {code for code, row in rows.items() if row["late"] == "1"} == {"not_taken:delivery"}
    assert rows["not_taken:delivery"]["owner"] == "Delivery desk"
    assert rows["unknown"]["owner"] == "CX operations"
    assert "/desk/tickets/1" in desk.get("/desk/leaks/not_taken?department=delivery").text
    assert "Nothing here now." in text_of(desk, "leaks/not_taken?department=billing")
    assert text_of(desk, "leaks/untold-no_address").count("Customer 1") == 10
    assert desk.get("/desk/leaks/nonsense").status_code == 404


def test_before_anything_was_counted_the_pages_say_what_to_do(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with database(tmp_path_factory.mktemp("empty")) as engine:
        client = make_client(make_desk(engine))
        sign_in(client, engine, Role.OPERATIONS)
        for page in PAGES:
            text = text_of(client, page)
            assert "Nothing has been counted yet. Run voc run once" in text
