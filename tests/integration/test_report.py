import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine, event
from sqlmodel import Session, SQLModel

from notifications import report
from voc.models import (
    Answer,
    Channel,
    Customer,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Loop,
    LoopKind,
    LoopState,
    LoopTicket,
    Message,
    MessageKind,
    MessageState,
    Priority,
    Quarantine,
    RatingScale,
    Ticket,
    TicketState,
    Verdict,
)
from voc.rules.measures import Measures, measure
from voc.store.database import connect, transaction
from voc.store.measures import read

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WORDS = "The courier threw it over the fence"
H = timedelta(hours=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'voc.db'}")
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


def fill(session: Session) -> None:
    """40 answers to NPS, one every 12 hours: 20 promoters without words, 20 detractors with a loop.

    Of the loops 16 closed, 2 are open, 2 could not be told. The first two share a ticket.
    """
    session.add(Customer(id=1, name="Kim Doe", created_at=NOW))
    session.flush()
    for i in range(1, 41):
        unhappy = i <= 20
        said_at = NOW - 12 * i * H
        session.add(
            Feedback(
                id=i,
                source="nps",
                external_id=str(i),
                channel=Channel.SURVEY if i % 2 else Channel.MAIL,
                customer_id=1,
                said_at=said_at,
                collected_at=said_at,
                rating=3 if unhappy else 10,
                rating_scale=RatingScale.NPS,
                state=FeedbackState.ROUTED if unhappy else FeedbackState.FILED,
                reason=None if unhappy else "no_words",
            )
        )
    session.flush()
    for i in range(1, 21):
        _loop(session, i, NOW - 12 * i * H)
    for i in range(3):
        session.add(
            Quarantine(
                source="nps",
                place=f"line {i}",
                reason="the date is missing",
                raw_hash=str(i),
                raw_encrypted=b"",
                at=NOW,
            )
        )


def _loop(session: Session, i: int, said_at: datetime) -> None:
    state = LoopState.CLOSED if i <= 16 else LoopState.OPEN if i <= 18 else LoopState.COULD_NOT_TELL
    told_at = said_at + i * H if state is LoopState.CLOSED else None
    session.add(
        FeedbackVersion(
            feedback_id=i,
            number=1,
            verbatim=WORDS,
            content_hash="",
            masked={},
            collected_at=said_at,
        )
    )
    session.add(
        Loop(
            id=i,
            feedback_id=i,
            customer_id=1,
            kind=LoopKind.ISSUE,
            state=state,
            reason={LoopState.CLOSED: "solved", LoopState.OPEN: None}.get(state, "no_consent"),
            opened_at=said_at,
            first_told_at=told_at,
            closed_at=told_at,
        )
    )
    if i != 2:
        session.add(
            Ticket(
                id=i,
                customer_id=1,
                department="delivery" if i % 2 else "billing",
                topic="late_parcel" if i % 2 else None,
                because="rule",
                priority=Priority.NORMAL,
                state=TicketState.CLOSED if told_at else TicketState.OPEN,
                hand=2 if i == 1 else 1,
                opened_at=said_at,
                first_response_due_at=said_at + 8 * H,
                resolution_due_at=said_at + 24 * H,
                accepted_at=said_at + H if told_at else None,
                resolved_at=told_at,
                closed_at=told_at,
                root_cause=WORDS,
            )
        )
    session.flush()
    session.add(LoopTicket(loop_id=i, ticket_id=1 if i == 2 else i))
    for _ in range(2 if i == 1 else 1 if i <= 4 else 0):  # one customer answers twice
        session.add(Answer(loop_id=i, round=1, verdict=Verdict.SOLVED, words=WORDS, at=NOW))
    session.add(
        Message(
            subject=f"loop:{i}",
            step="resolution.1",
            recipient="customer:1",
            kind=MessageKind.FOLLOW_UP,
            template="resolution",
            state=MessageState.DELIVERED if told_at else MessageState.BOUNCED,
            reason=None if told_at else f"550 5.1.1 <kim{i}@example.org>: unknown",
            planned_at=said_at,
            not_before=said_at,
            address=f"kim{i}@example.org",
        )
    )


@pytest.fixture
def measures(engine: Engine) -> Measures:
    with transaction(engine) as session:
        fill(session)
    with transaction(engine) as session:
        return measure(read(session, now=NOW), ZoneInfo("Europe/Berlin"))


def test_the_figures_are_those_of_the_tables(measures: Measures) -> None:
    assert (measures.nps.figure.value, measures.nps.figure.n) == (0, 40)
    assert measures.nps.figure.note == "20 promoters, 0 passives, 20 detractors"
    by_channel = {r.name: r.n for r in measures.nps.split("channel").rows}
    assert by_channel == {"mail": 20, "survey": 20}
    by_department = {r.name: r.n for r in measures.nps.split("department").rows}
    assert by_department == {"(no ticket)": 20, "billing": 9, "delivery": 11}
    assert (measures.closure.figure.n, measures.closure.figure.value) == (18, None)
    assert measures.answered.figure.n == 16
    assert measures.reassigned.figure.n == 19
    assert [(c.state, c.reason, c.n) for c in measures.feedback] == [
        (FeedbackState.FILED, "no_words", 20),
        (FeedbackState.ROUTED, "", 20),
    ]
    assert [(c.state, c.reason, c.n) for c in measures.messages] == [
        (MessageState.DELIVERED, "", 16),
        (MessageState.BOUNCED, "the server said 550 5.1.1", 4),
    ]
    assert [(c.reason, c.n) for c in measures.quarantined] == [("the date is missing", 3)]
    late = sum(c.n for c in measures.tickets if c.late and c.state is TicketState.OPEN)
    assert late == 4


def test_a_period_begins_with_what_was_said_in_it(engine: Engine) -> None:
    with transaction(engine) as session:
        fill(session)
    with transaction(engine) as session:
        facts = read(session, now=NOW, since=NOW - timedelta(days=5))
    assert len(facts.rated) == 10
    assert len(facts.loops) == 10
    assert {ticket.id for ticket in facts.tickets} == {1, 3, 4, 5, 6, 7, 8, 9, 10}
    assert len(facts.links) == 10
    assert [loop.id for loop in facts.loops if loop.answered] == [1, 2, 3, 4]
    assert sum(count.n for count in facts.messages) == 10


def test_reading_takes_as_many_queries_for_much_as_for_nothing(engine: Engine) -> None:
    queries: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            queries.append(statement)

    with transaction(engine) as session:
        read(session, now=NOW)
    of_nothing = len(queries)
    with transaction(engine) as session:
        fill(session)
    queries.clear()
    with transaction(engine) as session:
        read(session, now=NOW)
    assert len(queries) == of_nothing == 7


def references(page: LexborHTMLParser) -> list[str]:
    return [
        value
        for node in page.css("*")
        for name, value in node.attributes.items()
        if name in {"src", "srcset", "href", "action", "data", "poster"} and value
    ]


def drawings(page: LexborHTMLParser) -> list[str]:
    prefix = "data:image/svg+xml;base64,"
    uris = [uri for uri in references(page) if uri.startswith(prefix)]
    return [base64.b64decode(uri.removeprefix(prefix)).decode() for uri in uris]


def test_the_page_needs_nothing_from_any_other_place(measures: Measures) -> None:
    html = report.html(measures, "Tidewater", NOW)
    page = LexborHTMLParser(html)
    assert not page.css("script, link, iframe, object, embed, base, form")
    assert all(uri.startswith(("#", "data:image/svg+xml;base64,")) for uri in references(page))
    assert not re.search(r"url\(|@import|https?:", html)
    for svg in drawings(page):
        assert not re.search(r"<script|<image|@import|href=|url\((?!#)", svg)
    assert len(drawings(page)) == 10  # five pictures, each wide and narrow


def test_every_picture_has_words_and_a_table_beside_it(measures: Measures) -> None:
    page = LexborHTMLParser(report.html(measures, "Tidewater", NOW))
    html = page.css_first("html")
    assert html is not None
    assert html.attributes["lang"] == "en"
    figures = page.css("figure")
    assert len(figures) == 5
    for figure in figures:
        image = figure.css_first("img")
        assert image is not None
        assert len(image.attributes["alt"] or "") > 20
        assert figure.css("table tbody tr")
    assert len(page.css("h1")) == 1
    ids = [node.attributes["id"] for node in page.css("[id]")]
    assert len(ids) == len(set(ids))
    assert {f"#{i}" for i in ids} >= {a.attributes["href"] for a in page.css("a")}


def test_no_words_and_no_addresses_leave_with_the_report(measures: Measures) -> None:
    page = report.html(measures, "Tidewater", NOW)
    told = [page, *drawings(LexborHTMLParser(page)), report.markdown(measures, "Tidewater", NOW)]
    told += [cell for row in report.summary(measures) for cell in row]
    for text in told:
        assert "@example" not in text
        assert "fence" not in text
        assert "Kim" not in text


def test_the_same_measures_give_the_same_bytes(measures: Measures) -> None:
    assert report.html(measures, "Tidewater", NOW) == report.html(measures, "Tidewater", NOW)


def test_a_company_and_a_topic_cannot_break_the_page(measures: Measures) -> None:
    page = report.html(measures, "<b>Tide & Sons</b>", NOW)
    assert "<b>" not in page
    assert "&lt;b&gt;Tide &amp; Sons" in page


def test_markdown_tells_every_figure(measures: Measures) -> None:
    text = report.markdown(measures, "Tidewater", NOW)
    for row in measures.headlines:
        assert f"| {row.figure.name} |" in text
    assert "| Closure rate | too few to say |  | 18 |" in text
    assert "| Bounced | The server said 550 5.1.1 | 4 |" in text
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")


def test_the_summary_says_what_waits_for_somebody(measures: Measures) -> None:
    rows = dict(report.summary(measures))
    assert rows["NPS"].startswith("0 (95 %: -")
    assert rows["Closure rate"] == "too few to say (n = 18)"
    assert rows["Loops"] == "Closed 16, Could not tell 2, Open 2"
    assert rows["Tickets"] == "Closed 15, Open 4; late now 4"
    assert rows["In quarantine"] == "3"


def test_a_company_on_its_first_day_gets_a_report(engine: Engine) -> None:
    with transaction(engine) as session:
        numbers = measure(read(session, now=NOW), UTC)
    page = LexborHTMLParser(report.html(numbers, "Tidewater", NOW))
    assert not page.css("img")
    assert "There are no loops yet." in (page.html or "")
    assert report.markdown(numbers, "Tidewater", NOW).count("too few to say") >= 11
    assert dict(report.summary(numbers))["Loops"] == "none"
