"""What holds for every page: looking changes nothing, nothing leaks, nothing is too much."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlmodel import SQLModel, create_engine
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from apps.desk.guards import HEADERS, RateLimit, WithoutNul, client_of
from apps.desk.words import WORDS, choose_language
from notifications.contexts import LANGUAGES
from notifications.words import language_of
from tests.desk import database, make_client, make_desk
from tests.factories import (
    APPROVER,
    make_alert,
    make_answer,
    make_link,
    save,
    save_told_loop,
)
from voc.models import LinkPurpose, Verdict
from voc.store.database import transaction, with_manners

TOKENS = ("answer", "silence", "accept", "reassign", "resolve", "nonsense")


class Ticks:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        with transaction(engine) as session:
            save_told_loop(session)
            save(session, make_alert())
            for purpose in (LinkPurpose.ACCEPT, LinkPurpose.REASSIGN, LinkPurpose.RESOLVE):
                save(session, make_link(purpose.value, purpose, message_id=2))
        yield engine


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def client(engine: Engine, ticks: Ticks, tmp_path: Path) -> TestClient:
    return make_client(make_desk(engine, report=tmp_path / "report.html", ticks=ticks))


def dump(engine: Engine) -> dict[str, list[Any]]:
    """Every row of every table."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select())]
            for table in SQLModel.metadata.sorted_tables
        }


looks = st.tuples(
    st.sampled_from(["GET", "HEAD", "OPTIONS"]),
    st.sampled_from("atu"),
    st.sampled_from(TOKENS),
    st.sampled_from(["", "?verdict=solved", "?List-Unsubscribe=One-Click&button=stop"]),
)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(visits=st.lists(looks, min_size=1, max_size=8))
def test_no_sequence_of_looks_changes_a_row(
    engine: Engine, client: TestClient, ticks: Ticks, visits: list[tuple[str, str, str, str]]
) -> None:
    before = dump(engine)
    for method, kind, token, query in visits:
        ticks.now += 60  # patient enough for the rate limits
        assert client.request(method, f"/{kind}/{token}{query}").status_code != 429
    assert dump(engine) == before


@pytest.mark.parametrize("path", ["/", "/a/answer", "/a/no", "/u/silence"])
def test_every_answer_has_the_headers_that_keep_it_private(client: TestClient, path: str) -> None:
    response = client.get(path)
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    assert "script" not in HEADERS["Content-Security-Policy"]
    assert "<script" not in response.text


def test_strangers_learn_nothing(client: TestClient) -> None:
    assert "Nothing to see here" in client.get("/").text
    for path in ("/docs", "/openapi.json", "/redoc", "/static/", "/static/../app.py", "/a/", "/t"):
        assert client.get(path).status_code == 404
    assert client.post("/").status_code == 405
    assert client.get("/", headers={"accept-language": "fr, de;q=0.7"}).text.count("Hier gibt es")


def test_health_says_whether_the_database_answers(engine: Engine, client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_a_database_that_does_not_answer_is_not_healthy(tmp_path: Path) -> None:
    broken = create_engine(f"sqlite:///{tmp_path / 'no' / 'such.db'}")
    client = make_client(make_desk(broken))
    assert client.get("/health").status_code == 503
    page = client.get("/a/secret-token")
    assert page.status_code == 500
    assert "Something went wrong on our side" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "secret-token" not in page.text


def test_the_report_is_shown_once_it_exists(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/report").status_code == 404
    (tmp_path / "report.html").write_text("<style>p{}</style><p>Figures</p>")
    page = client.get("/report")
    assert "Figures" in page.text
    assert "style-src 'unsafe-inline'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_long_is_refused_before_it_is_read(
    engine: Engine, client: TestClient, chunked: bool
) -> None:
    before = dump(engine)
    body = b"verdict=solved&words=" + b"x" * 70_000
    headers = {"content-type": "application/x-www-form-urlencoded"}
    content = iter([body[:30_000], body[30_000:]]) if chunked else body
    response = client.post("/a/answer", content=content, headers=headers)
    assert response.status_code == 413
    assert "too much at once" in response.text
    assert dump(engine) == before


def test_a_file_in_place_of_words_is_refused(engine: Engine, client: TestClient) -> None:
    before = dump(engine)
    response = client.post(
        "/a/answer", data={"verdict": "solved"}, files={"words": ("a.txt", b"canary")}
    )
    assert response.status_code == 422
    assert "canary" not in response.text
    assert dump(engine) == before


def test_a_link_that_is_opened_too_often_has_to_wait(client: TestClient, ticks: Ticks) -> None:
    statuses = [client.get("/a/answer").status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    assert client.get("/u/silence").status_code == 200  # others go on
    ticks.now += 2
    assert client.get("/a/answer").status_code == 200


def test_guessing_links_is_slow(client: TestClient, ticks: Ticks) -> None:
    statuses = [client.get(f"/a/guess{i}").status_code for i in range(21)]
    assert statuses == [404] * 20 + [429]
    ticks.now += 10
    assert client.get("/a/guess").status_code == 404


def test_whoever_has_a_link_of_ours_gets_in_however_many_guess_beside_them(
    client: TestClient,
) -> None:
    """Behind a proxy that we do not know of, all the world comes from one place."""
    for i in range(25):
        client.get(f"/a/guess{i}")
    one_click = client.post("/u/silence", data={"List-Unsubscribe": "One-Click"})
    assert one_click.status_code == 200


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("testclient", "testclient"),
    ],
)
def test_who_has_a_network_of_addresses_counts_as_one(host: str, counted: str) -> None:
    assert client_of(Request({"type": "http", "client": (host, 1)})) == counted
    assert client_of(Request({"type": "http", "client": None})) == ""


def test_looking_waits_for_no_writer(engine: Engine) -> None:
    """Whoever takes the write lock for a look fails here at once; a stranger's tries, too."""
    impatient = with_manners(create_engine(engine.url, hide_parameters=True))
    event.listen(impatient, "connect", lambda made, _: made.execute("PRAGMA busy_timeout = 0"))
    client = make_client(make_desk(impatient))
    with transaction(engine) as session:
        asked = {"subject": "message:1", "step": "approve.1", "recipient": APPROVER}
        save(
            session,
            make_answer(id=1, verdict=Verdict.UNCLEAR, words="Well."),
            make_alert(id=3, subject="answer:1", step="judge.1", loop_id=1, message_id="<3>"),
            make_link("judge", LinkPurpose.JUDGE, message_id=3),
            make_alert(id=4, **asked, ticket_id=None, loop_id=1, message_id="<4>"),
            make_link("approve", LinkPurpose.APPROVE, message_id=4),
        )
    with transaction(engine) as writer:
        writer.connection()  # it begins here
        for address in ("/a/answer", "/u/silence", "/t/resolve", "/j/judge", "/p/approve"):
            assert client.get(address).status_code == 200, address
        for kind in "autjp":
            assert client.get(f"/{kind}/nonsense").status_code == 404, kind
            assert client.post(f"/{kind}/nonsense").status_code == 404, kind
        refused = client.post("/u/silence", data={"button": "stop"})
        assert (refused.status_code, "books are busy" in refused.text) == (503, True)
        assert int(refused.headers["retry-after"]) > 0
    assert client.post("/u/silence", data={"button": "stop"}).status_code == 200
    impatient.dispose()


@pytest.mark.parametrize("page", ["/", "/sign-in"])
def test_browsers_keep_styles_and_script_until_they_change(client: TestClient, page: str) -> None:
    addresses = re.findall(r'"(/static/[^"]+)"', client.get(page).text)
    assert len(addresses) > 1
    for address in addresses:
        kept = client.get(address)
        assert kept.status_code == 200
        assert "immutable" in kept.headers["cache-control"]
        bare = client.get(address.partition("?")[0])
        assert bare.headers["cache-control"] == "no-cache"
        again = client.get(address, headers={"if-none-match": kept.headers["etag"]})
        assert again.status_code == 304
        assert kept.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


def test_the_rate_limit_forgets_the_longest_unseen() -> None:
    limit = RateLimit(burst=1, per_second=0, ticks=lambda: 0.0, keys=2)
    assert [limit.take(key) for key in ("a", "a", "b", "c", "a")] == [True, False, True, True, True]


@pytest.mark.parametrize("spoken", ["de", "de-AT", "ES_mx", "EN", "fr", "", None, "d"])
@pytest.mark.parametrize("offered", [("en",), ("de", "en"), ("fr", "es"), ("fr",)])
def test_pages_speak_the_language_of_the_mails(
    spoken: str | None, offered: tuple[str, ...]
) -> None:
    assert choose_language(spoken, offered) == language_of(spoken, offered)


def test_all_languages_say_the_same_things() -> None:
    english = WORDS["en"]
    assert set(WORDS) == set(LANGUAGES)
    for language, words in WORDS.items():
        assert words.keys() == english.keys(), language
        for key, text in words.items():
            for name in ("{company}", "{day}", "{verdict}", "{length}"):
                assert (name in text) == (name in english[key]), (language, key, name)


@pytest.mark.parametrize(("path", "arrives"), [("/desk/queue", "ab%00"), ("/hooks/x", "a\0b%00")])
def test_no_nul_reaches_a_page_and_what_is_signed_stays_as_it_came(path: str, arrives: str) -> None:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        said = [request.query_params["q"], (await request.form())["words"]]
        await JSONResponse(said)(scope, receive, send)

    said = "a\0b%00"
    answer = TestClient(WithoutNul(echo)).post(path, params={"q": said}, data={"words": said})
    assert answer.json() == [arrives, arrives]
