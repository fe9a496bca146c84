"""Customers answer: nothing changes by looking, and no words are kept with personal data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import SQLModel, select

from tests.desk import database, make_client, make_desk
from tests.factories import (
    NOW,
    VERBATIM,
    make_answer,
    make_identity,
    make_link,
    make_message,
    save,
    save_open_ticket,
    save_told_loop,
)
from voc.models import (
    Answer,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    IdentityKind,
    Link,
    LinkPurpose,
    Loop,
    LoopState,
    Verdict,
)
from voc.rules.tokens import token_hash
from voc.store.database import transaction


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        yield engine


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine))


@pytest.fixture
def told(engine: Engine) -> None:
    with transaction(engine) as session:
        save_told_loop(session)


def answers(engine: Engine) -> list[Answer]:
    with transaction(engine) as session:
        return list(session.exec(select(Answer).order_by(Answer.id)))  # type: ignore[arg-type]


def change(engine: Engine, model: type[SQLModel], key: object, **changes: object) -> None:
    with transaction(engine) as session:
        row = session.get_one(model, key)
        for name, value in changes.items():
            setattr(row, name, value)
        session.add(row)


@pytest.mark.usefixtures("told")
def test_the_page_shows_what_was_said_and_done_and_asks_one_question(client: TestClient) -> None:
    page = client.get("/a/answer")
    assert page.status_code == 200
    assert VERBATIM in page.text
    assert "refunded the delivery fee" in page.text
    assert "depot" not in page.text  # the root cause is for colleagues
    assert page.text.count('name="verdict"') == 2
    assert "Kim" not in page.text
    assert "kim@customer.example" not in page.text


@pytest.mark.parametrize(
    ("language", "lang", "question"),
    [
        ("de-AT", "de", "Ist es für Sie gelöst?"),
        ("es", "es", "¿Está resuelto para usted?"),
        ("EN_gb", "en", "Is it solved for you?"),
        ("fi", "en", "Is it solved for you?"),
        (None, "en", "Is it solved for you?"),
    ],
)
def test_the_page_speaks_the_customers_language_if_the_company_does(
    engine: Engine, client: TestClient, language: str | None, lang: str, question: str
) -> None:
    with transaction(engine) as session:
        save_told_loop(session, language=language)  # type: ignore[arg-type]
    page = client.get("/a/answer", headers={"accept-language": "de"})
    assert f'<html lang="{lang}">' in page.text
    assert question in page.text


@pytest.mark.usefixtures("told")
def test_an_answer_is_stored_with_its_round_and_its_words_masked(
    engine: Engine, client: TestClient
) -> None:
    words = "I am Kim Ade, write to kim@customer.example or other@friend.example"
    page = client.post("/a/answer", data={"verdict": "not_solved", "rating": "2", "words": words})
    assert page.status_code == 200
    assert "one level up" in page.text
    (answer,) = answers(engine)
    assert (answer.verdict, answer.rating, answer.round) == (Verdict.NOT_SOLVED, 2, 1)
    assert answer.words == "I am [name], write to [email] or [email]"
    assert answer.at == NOW


@pytest.mark.usefixtures("told")
def test_the_customers_own_handles_are_masked_too(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        save(session, make_identity(kind=IdentityKind.HANDLE, value="mastodon:@kay@social.example"))
        save(session, make_identity(kind=IdentityKind.ACCOUNT, value="C-9981"))
    words = "Find me as @kay@social.example, account c-9981"
    assert client.post("/a/answer", data={"verdict": "solved", "words": words}).status_code == 200
    assert answers(engine)[0].words == "Find me as [account], account [account]"


@pytest.mark.usefixtures("told")
def test_no_file_of_the_database_ever_holds_the_words_as_they_came(
    engine: Engine, client: TestClient, tmp_path: Path
) -> None:
    client.post("/a/answer", data={"verdict": "solved", "words": "ask canary-4711@leak.example"})
    assert answers(engine)[0].words == "ask [email]"
    assert all(b"canary-4711" not in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.usefixtures("told")
def test_an_earlier_answer_is_shown_and_may_be_changed(engine: Engine, client: TestClient) -> None:
    client.post("/a/answer", data={"verdict": "solved", "rating": "4", "words": "All fine."})
    page = client.get("/a/answer")
    assert "On March 2, 2026 you answered: Yes, it is solved." in page.text
    assert 'value="4" checked' in page.text
    assert "All fine.</textarea>" in page.text
    client.post("/a/answer", data={"verdict": "not_solved"})
    assert [a.verdict for a in answers(engine)] == [Verdict.SOLVED, Verdict.NOT_SOLVED]
    assert "you answered: No, not solved." in client.get("/a/answer").text


@pytest.mark.usefixtures("told")
def test_what_was_pressed_in_the_mail_waits_for_a_confirmation(
    engine: Engine, client: TestClient
) -> None:
    page = client.get("/a/answer?verdict=not_solved").text
    assert "You chose “No, not solved” in our mail." in page
    assert page.index("pressed") > page.index('value="solved"')
    assert answers(engine) == []
    assert client.post("/a/answer?verdict=not_solved").status_code == 422  # pressed by nobody
    assert answers(engine) == []
    assert "in our mail" not in client.get("/a/answer?verdict=<b>").text


@pytest.mark.usefixtures("told")
def test_pressing_the_button_twice_is_one_answer(engine: Engine, client: TestClient) -> None:
    for _ in range(2):
        assert client.post("/a/answer", data={"verdict": "solved"}).status_code == 200
    assert len(answers(engine)) == 1


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"words": "Still broken"}, "verdict", "choose one of the two answers"),
        ({"verdict": "maybe", "words": "Still broken"}, "verdict", "one of the two"),
        ({"verdict": "solved", "rating": "9", "words": "Still broken"}, "rating", "from 1 to 5"),
        ({"verdict": "solved", "words": "Still broken" + "x" * 5_000}, "words", "5,012 characters"),
    ],
)
@pytest.mark.usefixtures("told")
def test_a_mistake_is_named_beside_its_field_and_what_was_typed_is_kept(
    engine: Engine, client: TestClient, typed: dict[str, str], field: str, message: str
) -> None:
    page = client.post("/a/answer", data=typed)
    assert page.status_code == 422
    before, _, after = page.text.partition(f'id="{field}-wrong"')
    assert message in after.split("</p>")[0]
    assert f"{field}-wrong" in before + after.partition("</p>")[2]  # aria-describedby
    assert typed["words"] in page.text
    assert answers(engine) == []


@pytest.mark.usefixtures("told")
def test_customers_words_are_shown_as_text_whatever_they_are(
    engine: Engine, client: TestClient
) -> None:
    evil = "<script>alert(1)</script>{{7*7}}\u202etxt"
    change(engine, FeedbackVersion, 1, verbatim=evil)
    client.post("/a/answer", data={"verdict": "solved", "words": "</textarea>" + evil})
    page = client.get("/a/answer").text
    assert "<script" not in page
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page
    assert page.count("</textarea>") == 1


@pytest.mark.parametrize(
    ("token", "status"), [("nonsense", 404), ("silence", 404), ("accept", 404), ("a" * 4000, 404)]
)
@pytest.mark.usefixtures("told")
def test_a_link_of_another_purpose_or_of_nobody_is_a_friendly_page_that_tells_nothing(
    engine: Engine, client: TestClient, token: str, status: int
) -> None:
    for response in (
        client.get(f"/a/{token}"),
        client.post(f"/a/{token}", data={"verdict": "solved"}),
    ):
        assert response.status_code == status
        assert "This link leads nowhere" in response.text
        assert VERBATIM not in response.text
        assert token not in response.text
    assert answers(engine) == []


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ((Loop, 1, {"round": 2}), "no longer current"),
        ((Loop, 1, {"state": LoopState.NOT_ACTIONABLE}), "nothing left to answer"),
        ((Link, token_hash("answer"), {"expires_at": NOW}), "no longer valid"),
        ((Feedback, 1, {"state": FeedbackState.FILED}), "nothing left to answer"),
    ],
)
@pytest.mark.usefixtures("told")
def test_a_question_that_is_over_is_a_friendly_page_without_a_trace_of_the_case(
    engine: Engine,
    client: TestClient,
    changes: tuple[type[SQLModel], object, dict[str, object]],
    title: str,
) -> None:
    model, key, values = changes
    change(engine, model, key, **values)
    for response in (client.get("/a/answer"), client.post("/a/answer", data={"verdict": "solved"})):
        assert response.status_code == 410
        assert title in response.text
        assert VERBATIM not in response.text
    assert answers(engine) == []


@pytest.mark.usefixtures("told")
def test_the_answer_of_an_earlier_round_is_not_that_of_this_one(
    engine: Engine, client: TestClient
) -> None:
    change(engine, Loop, 1, round=2)
    with transaction(engine) as session:
        second = make_message(id=9, step="resolution.2", message_id="<nine@shop.example>")
        link = make_link("second", LinkPurpose.ANSWER, message_id=9)
        save(session, second, link, make_answer(words="from round one"))
    page = client.get("/a/second")
    assert page.status_code == 200
    assert "you answered" not in page.text
    assert "from round one" not in page.text
    client.post("/a/second", data={"verdict": "solved"})
    assert [a.round for a in answers(engine)] == [1, 2]


@pytest.mark.usefixtures("told")
def test_upper_case_links_work_as_mail_programs_make_them(client: TestClient) -> None:
    assert client.get("/a/ANSWER").status_code == 200


def test_a_long_comment_is_quoted_in_part(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        save_told_loop(session)
    change(engine, FeedbackVersion, 1, verbatim="word " * 500 + "the-end")
    page = client.get("/a/answer").text
    assert "word…" in page
    assert "the-end" not in page


def test_owners_links_are_no_answers(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        save_open_ticket(session)
    assert client.post("/a/accept", data={"verdict": "solved"}).status_code == 404
    assert answers(engine) == []


@pytest.mark.usefixtures("told")
def test_an_answer_to_a_message_whose_reply_was_lost_is_kept(
    engine: Engine, client: TestClient
) -> None:
    change(engine, Loop, 1, state=LoopState.OPEN, told_at=None)
    assert client.post("/a/answer", data={"verdict": "solved"}).status_code == 200
    assert len(answers(engine)) == 1


@pytest.mark.usefixtures("told")
def test_the_newest_answer_is_the_one_that_is_shown(engine: Engine, client: TestClient) -> None:
    with transaction(engine) as session:
        late = make_answer(verdict=Verdict.NOT_SOLVED, at=NOW + timedelta(hours=1))
        save(session, late, make_answer())
    assert "you answered: No, not solved." in client.get("/a/answer").text
