"""The desk's sources, quarantine, experiments and models."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session, select

from apps.desk.app import create_app
from apps.desk.operations.cards import cards
from tests.desk import database, kill_switch_of, make_client
from tests.desk_visitors import sign_in
from tests.factories import (
    NOW,
    SECRET,
    make_answer,
    make_company,
    make_customer,
    make_feedback,
    make_loop,
    make_ticket,
    make_version,
    save,
)
from voc.actions import experiments
from voc.actions.understand import Reading, ReadStatement, ReadSuggestion, store_readings
from voc.company import Company
from voc.models import (
    Exposure,
    FeedbackState,
    FeedbackVersion,
    Quarantine,
    Role,
    SourceCursor,
    SuggestionCount,
    SuggestionKind,
    Ticket,
    TicketEventKind,
    TicketState,
    TrainedRouter,
    Verdict,
)
from voc.store import events
from voc.store.database import reading, transaction
from voc.store.events import Happening
from voc.store.model_watch import beginning, judged, readers

WEEK = timedelta(weeks=1)
EXPERIMENT = {
    "id": "tone",
    "begins": "2026-01-01",
    "within_days": 5,
    "variants": [{"id": "plain"}, {"id": "warm", "tone": "warm"}],
}
FILE = {"kind": "file", "channel": "survey", "path": "nps.csv", "columns": {"text": "words"}}


def company(**changes: object) -> Company:
    return make_company(
        **{"sources": [{"id": "nps", **FILE}], "experiments": [EXPERIMENT]} | changes
    )


def client_of(engine: Engine, company: Company) -> TestClient:
    app = create_app(
        engine=engine,
        company=company,
        secret=SECRET,
        clock=lambda: NOW,
        report=None,
        kill_switch=kill_switch_of(engine),
    )
    client = make_client(app)
    sign_in(client, engine, Role.AUDITOR)
    return client


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database that the tests here only read."""
    with database(tmp_path_factory.mktemp("desk")) as engine:
        with transaction(engine) as session:
            save(session, make_customer())
            fill_sources(session)
            fill_experiment(session)
            fill_models(session)
        experiments.count(engine, company(), now=NOW)
        yield engine


@pytest.fixture(scope="module")
def client(engine: Engine) -> TestClient:
    return client_of(engine, company())


def fill_sources(session: Session) -> None:
    """Twenty a week, of which those of five weeks ago are missing; one source has left."""
    said = [(week, n) for week in range(1, 10) if week != 5 for n in range(20)]
    save(
        session,
        *(
            make_feedback(
                id=1000 + i,
                source="nps",
                external_id=f"{week}-{n}",
                said_at=NOW - week * WEEK + timedelta(hours=n),
                state=FeedbackState.FILED if n else FeedbackState.COLLECTED,
            )
            for i, (week, n) in enumerate(said)
        ),
        SourceCursor(source="nps", cursor="9", read_at=NOW),
        SourceCursor(source="gone", cursor="1", read_at=NOW - 20 * WEEK),
        *(
            Quarantine(
                source="nps",
                place=f"nps.csv line {n}",
                reason="no id" if n % 2 else "nothing said",
                raw_hash=f"{n}",
                raw_encrypted=b"SECRET WORDS",
                at=NOW,
            )
            for n in range(121)
        ),
    )


def fill_experiment(session: Session) -> None:
    for n in range(40):
        arm = "warm" if n % 2 else "plain"
        save(
            session,
            make_customer(id=100 + n),
            make_feedback(id=100 + n, external_id=f"e{n}", customer_id=100 + n),
            make_loop(id=100 + n, feedback_id=100 + n, customer_id=100 + n),
            Exposure(
                experiment="tone",
                customer_id=100 + n,
                variant=arm,
                loop_id=100 + n,
                at=NOW - timedelta(days=9),
            ),
        )
        if arm == "warm":
            at = NOW - timedelta(days=8)
            save(session, make_answer(loop_id=100 + n, verdict=Verdict.SOLVED, at=at))


def fill_models(session: Session) -> None:
    """Forty tickets for delivery, of which it kept thirty, and handed ten to billing."""
    for n in range(40):
        moved = n < 10
        ticket = make_ticket(
            id=200 + n,
            department="billing" if moved else "delivery",
            hand=2 if moved else 1,
            state=TicketState.OPEN if moved else TicketState.IN_PROGRESS,
        )
        save(session, ticket)
        opened = Happening(
            kind=TicketEventKind.OPENED, ticket_id=200 + n, detail="delivery", loop_id=None
        )
        events.append(session, [opened], actor="vocloop", now=NOW)
    save(session, make_ticket(id=300), make_ticket(id=301, merged_into_id=300, hand=2))
    router = TrainedRouter(
        version="subjects@new",
        encoder="e",
        weights=b"",
        learned_from="x",
        labels=321,
        figures={"department": {"accuracy": 0.875}},
        trained_at=NOW,
    )
    save(session, router)
    version = make_version(id=9, feedback_id=1000, understood_by="sentiment@4e0dc867-int8-2 s@1")
    save(session, version)
    count = SuggestionCount(
        week="2026-W08",
        kind=SuggestionKind.DEPARTMENT,
        model="subjects@1",
        asked=200,
        unsure=50,
    )
    save(session, count)


def table_at(client: TestClient, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(client.get(path).content.decode("utf-8-sig"))))


def test_a_source_says_how_fresh_and_how_complete_it_is(client: TestClient) -> None:
    page = client.get("/desk/sources").text
    assert "usual are 20 a week" in page
    rows = table_at(client, "/desk/sources.csv")
    gaps = [row["week"] for row in rows if row["gap"]]
    assert gaps == ["2026-W05"]
    assert "not in the company file any more" in page
    assert "121 could not be accepted" in page


def test_quarantined_items_are_grouped_and_never_shown(client: TestClient) -> None:
    page = client.get("/desk/quarantine").text
    assert "nothing said" in page
    assert "SECRET" not in page
    listed = client.get("/desk/quarantine", params={"source": "nps", "reason": "nothing said"}).text
    assert "nps.csv line 0" in listed
    assert "nps.csv line 1<" not in listed
    assert "voc quarantine replay" in listed
    assert "SECRET" not in listed


def test_a_long_group_goes_on_where_it_ended(client: TestClient) -> None:
    asked = {"source": "nps", "reason": "nothing said"}
    first = client.get("/desk/quarantine", params=asked).text
    assert "nps.csv line 98<" in first
    assert "nps.csv line 100<" not in first
    after = first.partition("after=")[2].partition('"')[0]
    second = client.get("/desk/quarantine", params={**asked, "after": after}).text
    assert "nps.csv line 100<" in second
    assert "nps.csv line 98<" not in second


def test_an_experiment_is_listed_and_reported_with_intervals(client: TestClient) -> None:
    assert "plain: 20, warm: 20" in client.get("/desk/experiments").text
    page = client.get("/desk/experiments/tone").text
    assert "100.0 % (83.9 to 100.0)" in page
    assert "<circle" in page
    rows = table_at(client, "/desk/experiments/tone/table.csv")
    assert [(row["variant"], row["customers"], row["events"]) for row in rows] == [
        ("plain", "20", "0"),
        ("warm", "20", "20"),
    ]
    assert client.get("/desk/experiments/none").status_code == 404


def test_an_experiment_that_was_never_counted_says_who_counts(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        page = client_of(engine, company()).get("/desk/experiments/tone").text
        assert "It has not been counted yet." in page
        assert "voc experiment report tone" in page


def test_models_show_versions_figures_and_what_they_left_to_people(client: TestClient) -> None:
    page = client.get("/desk/models").text
    assert "sentiment@4e0dc867-int8-2" in page
    assert "accuracy 0.875" in page
    assert "25.0 % (" in page
    assert "75.0 % (59.8 to 85.8)" in page
    assert "2026-W08,department,subjects@1,200,50" in client.get("/desk/models.csv").text
    assert "/desk/models/routing.csv" in page
    rows = {row["department"]: row for row in table_at(client, "/desk/models/routing.csv")}
    assert (rows["Delivery"]["kept"], rows["Delivery"]["handed_on"]) == ("30", "10")
    assert float(rows["Delivery"]["share_kept"]) == 0.75
    assert rows["Billing"]["share_kept"] == ""


def test_no_page_of_these_has_a_style_or_a_script_inside(client: TestClient) -> None:
    for path in ("sources", "quarantine", "experiments", "experiments/tone", "models", "messages"):
        page = client.get(f"/desk/{path}").text
        assert "style=" not in page
        assert "<style" not in page
        assert page.count("<script") == page.count('<script src="/static/') == 1
        assert page.count("<h1") == 1


def test_a_company_without_any_of_it_is_told_what_to_do(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        client = client_of(engine, company(sources=[], experiments=[]))
        assert "names no source yet" in client.get("/desk/sources").text
        assert "Nothing is in quarantine." in client.get("/desk/quarantine").text
        assert "has no experiments" in client.get("/desk/experiments").text
        assert "No model has read anything yet." in client.get("/desk/models").text


def test_departments_are_judged_by_where_tickets_were_sent_first(engine: Engine) -> None:
    with reading(engine) as session:
        found = judged(session, ["billing", "delivery"], since=NOW - 13 * WEEK)
    assert [(each.department, each.kept, each.handed_on) for each in found] == [
        ("billing", 0, 0),
        ("delivery", 30, 10),
    ]
    with reading(engine) as session:
        assert session.get_one(Ticket, 301).merged_into_id == 300


def test_what_a_busy_department_kept_and_handed_on_is_of_the_same_time(tmp_path: Path) -> None:
    """Delivery keeps nine of ten; billing, which is quiet, has the others."""
    opened = [NOW - timedelta(hours=n) for n in range(100)]
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save(session, make_customer())
            for n, at in enumerate(opened):
                moved = n % 10 == 5
                ticket = make_ticket(
                    id=1 + n,
                    department="billing" if moved else "delivery",
                    hand=2 if moved else 1,
                    state=TicketState.IN_PROGRESS,
                    opened_at=at,
                )
                save(session, ticket)
                sent = Happening(
                    kind=TicketEventKind.OPENED, ticket_id=1 + n, detail="delivery", loop_id=None
                )
                events.append(session, [sent], actor="vocloop", now=at)
        with reading(engine) as session:
            both = ["delivery", "billing"]
            since = beginning(session, both, since=NOW - 13 * WEEK, most=18)
            found = judged(session, both, since=since)
            whole = beginning(session, both, since=NOW - 13 * WEEK, most=1000)
        assert since == opened[19]
        assert [(each.kept, each.handed_on) for each in found] == [(18, 2), (0, 0)]
        assert whole == NOW - 13 * WEEK


def test_versions_are_listed_from_those_that_read_the_newest_words(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        with reading(engine) as session:
            assert readers(session, most=9) == []
        with transaction(engine) as session:
            save(session, make_customer())
            for n, by in enumerate(["b@1", "c@1", None, "b@1", "a@1", "c@1", None], start=1):
                save(session, make_feedback(id=n, external_id=f"{n}"))
                save(session, make_version(id=n, feedback_id=n, understood_by=by))
        with reading(engine) as session:
            assert readers(session, most=9) == ["c@1", "a@1", "b@1"]
            assert readers(session, most=1) == ["c@1"]


def test_what_models_are_asked_is_counted_as_it_is_stored(tmp_path: Path) -> None:
    def read(version: int, *values: str | None) -> Reading:
        said = [
            ReadSuggestion(
                kind=SuggestionKind.SENTIMENT, model="m@1", value=v, probability=0.5, offers=[]
            )
            for v in values
        ]
        spans = [
            ReadStatement(start=i, end=i + 1, text_hash=f"{i}", vector=None, suggestions=[each])
            for i, each in enumerate(said)
        ]
        return Reading(version_id=version, feedback_id=version, language="en", statements=spans)

    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save(session, make_customer())
            for n in (1, 2, 3):
                state = FeedbackState.ROUTED if n == 3 else FeedbackState.COLLECTED
                save(session, make_feedback(id=n, external_id=f"{n}", state=state))
                save(session, make_version(id=n, feedback_id=n, collected_at=NOW))
        for readings in ([read(1, "negative", None)], [read(2, None), read(3, None)]):
            with transaction(engine) as session:
                store_readings(session, readings, encoder="e", models="m@1")
        with reading(engine) as session:
            counted = session.exec(select(SuggestionCount)).one()
            assert (counted.week, counted.asked, counted.unsure) == ("2026-W10", 3, 2)
            assert session.get_one(FeedbackVersion, 3).understood_by is None


def test_the_model_cards_of_this_repository_can_be_read() -> None:
    found = {card.name: card for card in cards()}
    sentiment = found["Sentiment"]
    assert sentiment.head[0] == "set"
    assert sentiment.rows[-1][0] == "mean"
    assert all(len(row) == len(sentiment.head) for row in sentiment.rows)
    assert any(version.startswith("sentiment@") for version in sentiment.versions)


def test_without_cards_there_are_none(tmp_path: Path) -> None:
    assert cards.__wrapped__(tmp_path) == ()
