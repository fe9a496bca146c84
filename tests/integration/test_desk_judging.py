"""Unclear words go to a colleague, who says what they mean by the link in their alert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from sqlalchemy import Engine
from typer.testing import CliRunner

from apps.cli.main import app
from tests.desk import database, make_client, make_desk
from tests.factories import (
    NOW,
    OWNER,
    make_alert,
    make_answer,
    make_link,
    save,
    save_told_loop,
)
from tests.story import Story
from voc.actions import answers
from voc.models import (
    Answer,
    LinkPurpose,
    Loop,
    LoopState,
    Ticket,
    TicketState,
    Verdict,
)
from voc.store.database import transaction
from voc.store.verify import event_chain

WORDS = "Well <b>the courier</b> came, but the sofa did not"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The owner of a told case has an alert about an unclear reply; its token is "judge"."""
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save_told_loop(session)
            save(
                session,
                make_answer(verdict=Verdict.UNCLEAR, words=WORDS),
                make_alert(subject="answer:1", step="judge.1", loop_id=1),
                make_link("judge", LinkPurpose.JUDGE, message_id=2),
            )
        yield engine


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine))


def the_loop(engine: Engine) -> Loop:
    with transaction(engine) as session:
        return session.get_one(Loop, 1)


def the_answer(engine: Engine) -> Answer:
    with transaction(engine) as session:
        return session.get_one(Answer, 1)


def test_the_page_shows_the_reply_and_what_it_was_about_and_changes_nothing(
    engine: Engine, client: TestClient
) -> None:
    for _ in range(3):
        page = client.get("/j/judge")
        client.head("/j/judge")
    text = HTMLParser(page.text).text()
    assert page.status_code == 200
    assert WORDS in text
    assert "The sofa came two weeks late" in text
    assert "We delivered it today" in text
    assert "<b>the courier</b>" not in page.text
    assert the_answer(engine).verdict is Verdict.UNCLEAR
    assert the_loop(engine).state is LoopState.TOLD


def test_not_solved_opens_the_case_again_one_level_up(engine: Engine, client: TestClient) -> None:
    page = client.post("/j/judge", data={"verdict": "not_solved"})
    assert page.status_code == 200
    assert "open again" in page.text
    assert the_answer(engine).judged_by == OWNER
    with transaction(engine) as session:
        ticket = session.get_one(Ticket, 1)
        assert event_chain(session) is None
    assert (ticket.state, ticket.level) == (TicketState.OPEN, 1)
    assert the_loop(engine).state is LoopState.OPEN


def test_solved_closes_the_case_and_a_second_press_finds_it_read(
    engine: Engine, client: TestClient
) -> None:
    assert "closed as solved" in client.post("/j/judge", data={"verdict": "solved"}).text
    assert the_loop(engine).state is LoopState.CLOSED
    again = client.post("/j/judge", data={"verdict": "not_solved"})
    assert again.status_code == 409
    assert f"{OWNER} has read it already: solved" in HTMLParser(again.text).text()
    assert the_loop(engine).state is LoopState.CLOSED


@pytest.mark.parametrize("verdict", ["", "unclear", "maybe"])
def test_only_the_two_buttons_say_something(
    engine: Engine, client: TestClient, verdict: str
) -> None:
    assert client.post("/j/judge", data={"verdict": verdict}).status_code == 422
    assert the_answer(engine).verdict is Verdict.UNCLEAR


def test_what_the_customer_said_since_makes_the_question_void(
    engine: Engine, client: TestClient
) -> None:
    with transaction(engine) as session:
        answer = session.get_one(Answer, 1)
        answer.applied_at = NOW
        session.add(answer)
    page = client.post("/j/judge", data={"verdict": "solved"})
    assert page.status_code == 409
    assert "has said more since" in page.text


def test_who_owns_none_of_the_tickets_any_more_reads_nothing(
    engine: Engine, client: TestClient
) -> None:
    with transaction(engine) as session:
        ticket = session.get_one(Ticket, 1)
        ticket.department = "billing"
        session.add(ticket)
    page = client.get("/j/judge")
    assert page.status_code == 410
    assert "courier" not in page.text


def test_a_link_for_another_purpose_opens_no_reply(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        save(session, make_link("accept", LinkPurpose.ACCEPT, message_id=2))
    for token in ("answer", "silence", "accept", "guessed"):
        assert client.get(f"/j/{token}").status_code == 404
    assert client.get("/t/judge").status_code == 404
    assert client.get("/a/judge").status_code == 404


def told(story: Story) -> None:
    story.says("The parcel came late and the courier was rude.", rating=2)
    story.runs()
    story.wait(days=2)
    story.resolves(story.ticket())
    story.runs()


def replies(story: Story, words: str, verdict: Verdict = Verdict.UNCLEAR) -> None:
    with transaction(story.place.engine) as session:
        loop = session.get_one(Loop, 1)
        answers.record(
            session,
            loop,
            verdict,
            round_asked=loop.round,
            rating=None,
            words=words,
            now=story.now,
        )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_unclear_words_reach_the_owners_and_the_command_line_judges_them(story: Story) -> None:
    told(story)
    replies(story, WORDS)
    story.runs()
    story.runs()
    (mail,) = story.mails("A customer replied", to="dee@corner.example")
    assert WORDS in mail
    assert "/j/" in mail
    assert "We mended it." in mail

    runner = CliRunner()
    assert "the sofa did not" in runner.invoke(app, ["answers", "list"]).output.replace("\n", " ")
    judged = runner.invoke(app, ["answers", "judge", "1", "solved", "--as", "dee"])
    assert judged.exit_code == 0, judged.output
    assert story.loop().state is LoopState.CLOSED
    assert "No reply waits" in runner.invoke(app, ["answers", "list"]).output
    assert runner.invoke(app, ["answers", "judge", "1", "solved"]).exit_code == 1
    assert story.broken_books() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_not_solved_goes_up_with_the_history(story: Story) -> None:
    told(story)
    replies(story, "The box was empty.", Verdict.NOT_SOLVED)
    story.runs()
    story.runs()
    (mail,) = story.mails("open again", to="boss@corner.example")
    lines = [line for line in mail.splitlines() if line.startswith("- ")]
    assert [line.partition(": ")[2].partition(";")[0] for line in lines] == [
        "opened",
        "resolved by dee@corner.example",
        "the customer was told",
        "the customer answered: not solved",
    ]
    assert "root cause: It was broken." in lines[1]
    assert "what was done: We mended it." in lines[1]
    assert "The box was empty." in mail
    assert story.ticket().level == 1
