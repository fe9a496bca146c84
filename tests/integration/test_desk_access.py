"""Signing in with a password, staying signed in, and signing out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import argon2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, delete, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from apps.desk.access import audit as afterwards_module
from apps.desk.access import me
from apps.desk.access.audit import Afterwards
from apps.desk.app import create_app
from tests.desk import database
from tests.desk_visitors import sign_in
from tests.factories import NOW, SECRET, make_company
from voc.actions import accounts as actions
from voc.models import Account, AuditEntry, DeskSession, Role
from voc.passwords import hash_password, is_password
from voc.rules.tokens import token_hash
from voc.store import audit
from voc.store.database import reading, transaction

PASSWORD = "correct horse battery"
KIM = "kim@shop.example"
ADA = "ada@shop.example"


class Hands:
    """A clock and seconds that pass when told to."""

    now = NOW
    ticks = 0.0

    def clock(self) -> datetime:
        return self.now

    def tick(self) -> float:
        return self.ticks


@pytest.fixture(scope="module")
def kept() -> str:
    return hash_password(PASSWORD)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with database(tmp_path_factory.mktemp("access")) as engine:
        yield engine


@pytest.fixture(autouse=True)
def people(engine: Engine, kept: str) -> None:
    """An owner and an administrator; nobody is signed in, nothing has happened."""
    with transaction(engine) as session:
        for table in (DeskSession, AuditEntry, Account):
            session.execute(delete(table))
        for email, role in ((KIM, Role.OWNER), (ADA, Role.ADMINISTRATOR)):
            actions.create(
                session,
                make_company(),
                email=email,
                name=email.partition("@")[0].title(),
                role=role,
                departments=["delivery"] if role is Role.OWNER else [],
                password_hash=kept,
                actor="test",
                now=NOW,
            )


@pytest.fixture(scope="module")
def world() -> Hands:
    return Hands()


@pytest.fixture
def hands(world: Hands) -> Hands:
    """It is nine, and nobody has tried anything for long."""
    world.now = NOW
    world.ticks += 1e6
    return world


def app_of(engine: Engine, hands: Hands, public_url: str = "http://desk.example") -> FastAPI:
    return create_app(
        engine=engine,
        company=make_company(),
        secret=SECRET,
        clock=hands.clock,
        report=None,
        kill_switch=Path("none"),
        public_url=public_url,
        ticks=hands.tick,
    )


@pytest.fixture(scope="module")
def app(engine: Engine, world: Hands) -> FastAPI:
    return app_of(engine, world)


def client_of(
    app: FastAPI, public_url: str = "http://desk.example", address: str = "testclient"
) -> TestClient:
    """A browser of its own."""
    at = (address, 50_000)
    return TestClient(app, base_url=public_url, raise_server_exceptions=False, client=at)


@pytest.fixture
def client(app: FastAPI, hands: Hands) -> TestClient:
    assert hands.now == NOW
    return client_of(app)


def field(name: str, page: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def enter(
    client: TestClient, password: str = PASSWORD, email: str = KIM, wanted: str = ""
) -> tuple[int, str]:
    """Through the sign-in page: the status, and where it leads or what it says."""
    page = client.get("/sign-in", params={"next": wanted}).text
    form = {"email": email, "password": password}
    form |= {"csrf": field("csrf", page), "next": field("next", page)}
    response = client.post("/sign-in", data=form, follow_redirects=False)
    return response.status_code, response.headers.get("location", response.text)


def deeds(engine: Engine) -> list[str]:
    with reading(engine) as session:
        entries = audit.entries(session, limit=100)
    return [entry.deed for entry in reversed(entries) if entry.deed != "account_created"]


def test_an_owner_signs_in_to_where_they_wanted_to_go(client: TestClient, engine: Engine) -> None:
    asked = client.get("/desk/me?done=settings", follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (
        303,
        "/sign-in?next=/desk/me%3Fdone%3Dsettings",
    )
    assert enter(client, wanted="/desk/me?done=settings") == (303, "/desk/me?done=settings")
    assert "Your settings are saved." in client.get("/desk/me?done=settings").text
    assert deeds(engine) == ["signed_in"]


def test_everybody_begins_where_their_work_is(client: TestClient) -> None:
    enter(client)
    assert client.get("/desk", follow_redirects=False).headers["location"] == "/desk/queue"
    client.cookies.clear()
    enter(client, email=ADA)
    assert client.get("/desk", follow_redirects=False).headers["location"] == "/desk/accounts"


def test_the_address_may_be_written_in_capital_letters(client: TestClient) -> None:
    assert enter(client, email=" KIM@Shop.Example ") == (303, "/desk")


def test_a_wrong_password_an_unknown_and_a_closed_account_read_the_same(
    client: TestClient, engine: Engine
) -> None:
    wrong = enter(client, "wrong horse battery")
    unknown = enter(client, email="nobody@shop.example")
    with transaction(engine) as session:
        kim = session.exec(select(Account).where(Account.email == KIM)).one()
        kim.closed_at = NOW
    closed = enter(client)
    shown = {re.sub(r'value="[^"]*"', "", text) for _, text in (wrong, unknown, closed)}
    assert {status for status, _ in (wrong, unknown, closed)} == {422}
    assert len(shown) == 1
    assert "do not belong together" in shown.pop()
    assert deeds(engine) == ["sign_in_failed", "sign_in_failed"]  # not what strangers typed


def test_an_unknown_account_costs_as_much_work_as_a_known_one(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = argon2.PasswordHasher.verify

    def count(self: argon2.PasswordHasher, kept: str, password: bytes) -> bool:
        verified.append(kept)
        return verify(self, kept, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", count)
    enter(client, "wrong horse battery")
    enter(client, email="nobody@shop.example")
    known, unknown = verified
    assert argon2.extract_parameters(known) == argon2.extract_parameters(unknown)


def test_a_password_of_weaker_making_is_kept_anew(client: TestClient, engine: Engine) -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with transaction(engine) as session:
        session.exec(select(Account).where(Account.email == KIM)).one().password_hash = weak
    assert enter(client) == (303, "/desk")
    with reading(engine) as session:
        kept = session.exec(select(Account.password_hash).where(Account.email == KIM)).one()
    assert kept != weak
    assert is_password(PASSWORD, kept)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/desk",
        "//evil.example",
        "/\\evil.example",
        "/desk\\@evil.example",
        "/desk/\nSet-Cookie: a=b",
        "/deskevil",
        "javascript:alert(1)",
        "/sign-out",
    ],
)
def test_nobody_is_led_elsewhere(client: TestClient, wanted: str) -> None:
    page = client.get("/sign-in", params={"next": wanted}).text
    assert field("next", page) == "/desk"


def test_a_form_of_another_page_signs_nobody_in(
    app: FastAPI, client: TestClient, engine: Engine
) -> None:
    theirs = field("csrf", client_of(app).get("/sign-in").text)
    client.get("/sign-in")
    for csrf in ("", theirs):
        form = {"email": KIM, "password": PASSWORD, "csrf": csrf}
        response = client.post("/sign-in", data=form, follow_redirects=False)
        assert response.status_code == 403
        assert "open for too long" in response.text
    assert deeds(engine) == []


def test_after_ten_tries_an_account_waits_a_minute_for_each(
    client: TestClient, hands: Hands
) -> None:
    for _ in range(10):
        assert enter(client, "wrong horse battery")[0] == 422
    status, text = enter(client)
    assert status == 429
    assert "too many tries" in text
    hands.ticks += 60
    assert enter(client) == (303, "/desk")


def test_a_stranger_shuts_nobody_out(app: FastAPI, client: TestClient) -> None:
    stranger = client_of(app, address="2001:db8::1")
    for _ in range(10):
        assert enter(stranger, "wrong horse battery")[0] == 422
    assert enter(stranger)[0] == 429
    neighbour = client_of(app, address="2001:db8::2")  # of the same network, so the same
    assert enter(neighbour)[0] == 429
    assert enter(client) == (303, "/desk")


def test_a_hundred_tries_from_everywhere_make_an_account_wait_ten_seconds_for_each(
    app: FastAPI, client: TestClient, hands: Hands
) -> None:
    for _ in range(100):
        app.state.desk.door.by_account.take(KIM)
    assert enter(client)[0] == 429
    hands.ticks += 10
    assert enter(client) == (303, "/desk")


def test_tries_that_are_refused_are_noted_once_a_minute(
    client: TestClient, engine: Engine, hands: Hands
) -> None:
    for _ in range(14):
        enter(client, "wrong horse battery")
    hands.ticks += 60
    assert enter(client)[0] == 303
    with reading(engine) as session:
        tries = audit.entries(session, deed="sign_in_failed", limit=99)
    said = [(each.actor, each.detail) for each in reversed(tries)]
    assert said == [*[(KIM, "password")] * 10, (KIM, "too_many")]


def test_after_thirty_tries_a_client_waits(app: FastAPI, client: TestClient) -> None:
    for _ in range(29):
        app.state.desk.door.by_client.take("testclient")
    assert enter(client, email="one@shop.example")[0] == 422
    assert enter(client, email="two@shop.example")[0] == 429


def test_the_cookie_says_nothing_and_only_its_hash_is_kept(
    app: FastAPI, client: TestClient, engine: Engine
) -> None:
    enter(client)
    token = client.cookies["voc_desk"]
    with reading(engine) as session:
        [browser] = session.exec(select(DeskSession)).all()
    assert len(bytes.fromhex(token)) == 32
    assert browser.token_hash == token_hash(token) != token
    again = client_of(app)
    enter(again)
    assert again.cookies["voc_desk"] != token


def test_the_cookie_is_for_nobody_but_this_host_over_https(engine: Engine, hands: Hands) -> None:
    address = "https://desk.example"
    client = client_of(app_of(engine, hands, address), address)
    page = client.get("/sign-in").text
    form = {"email": KIM, "password": PASSWORD, "csrf": field("csrf", page)}
    response = client.post("/sign-in", data=form, follow_redirects=False)
    cookie = response.headers.get_list("set-cookie")[0]
    assert cookie.startswith("__Host-voc_desk=")
    for attribute in ("HttpOnly", "Path=/", "SameSite=lax", "Secure", "Max-Age=43200"):
        assert attribute in cookie
    assert "Domain" not in cookie
    assert client.get("/desk/me").status_code == 200


def test_whoever_is_idle_for_an_hour_signs_in_again(client: TestClient, hands: Hands) -> None:
    enter(client)
    for _ in range(3):
        hands.now += timedelta(minutes=59)
        assert client.get("/desk/me").status_code == 200
    hands.now += timedelta(minutes=60)
    assert client.get("/desk/me", follow_redirects=False).status_code == 303


def test_after_twelve_hours_everybody_signs_in_again(client: TestClient, hands: Hands) -> None:
    enter(client)
    for _ in range(23):
        hands.now += timedelta(minutes=30)
        assert client.get("/desk/me").status_code == 200
    hands.now += timedelta(minutes=30)
    assert client.get("/desk/me", follow_redirects=False).status_code == 303


def test_visits_are_noted_once_a_minute(client: TestClient, engine: Engine, hands: Hands) -> None:
    def seen() -> datetime:
        with reading(engine) as session:
            return session.exec(select(DeskSession.seen_at)).one()

    enter(client)
    hands.now += timedelta(seconds=59)
    client.get("/desk/me")
    assert seen() == NOW
    hands.now += timedelta(seconds=1)
    client.get("/desk/me")
    assert seen() == hands.now


def test_a_page_waits_for_no_writer_and_its_note_is_written_later(
    app: FastAPI, client: TestClient, engine: Engine
) -> None:
    sign_in(client, engine, Role.AUDITOR)
    afterwards: Afterwards = app.state.desk.afterwards

    def meanwhile(_session: Session) -> None:
        assert client.get("/desk/audit.csv").status_code == 200

    afterwards.add(meanwhile)
    afterwards.do()
    assert deeds(engine) == ["saw"]


def test_signing_out_ends_the_session_itself(client: TestClient, engine: Engine) -> None:
    enter(client)
    token = client.cookies["voc_desk"]
    csrf = field("csrf", client.get("/desk/me").text)
    response = client.post("/sign-out", data={"csrf": csrf}, follow_redirects=False)
    assert response.headers["location"] == "/sign-in?done=out"
    assert "voc_desk" not in client.cookies
    client.cookies.set("voc_desk", token)
    assert client.get("/desk/me", follow_redirects=False).status_code == 303
    assert deeds(engine) == ["signed_in", "signed_out"]


def change_password(client: TestClient, old: str, new: str, again: str | None = None) -> str:
    csrf = field("csrf", client.get("/desk/me").text)
    form = {"csrf": csrf, "old": old, "password": new, "again": again or new}
    return client.post("/desk/me/password", data=form).text


def test_changing_the_password_signs_the_other_browsers_out(
    app: FastAPI, client: TestClient
) -> None:
    other = client_of(app)
    enter(client)
    enter(other)
    assert "Other browsers are signed out" in change_password(client, PASSWORD, "staple of horses")
    assert client.get("/desk/me").status_code == 200
    assert other.get("/desk/me", follow_redirects=False).status_code == 303
    assert enter(other)[0] == 422
    assert enter(other, "staple of horses") == (303, "/desk")


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong horse battery", "staple of horses", None, "not your old password"),
        (PASSWORD, "staple of horses", "staple of hares", "passwords differ"),
        (PASSWORD, "short", None, "at least 12 characters"),
        (PASSWORD, KIM.upper(), None, "is no password"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    *, app: FastAPI, client: TestClient, old: str, new: str, again: str | None, said: str
) -> None:
    enter(client)
    assert said in change_password(client, old, new, again)
    assert enter(client_of(app))[0] == 303


def test_whoever_was_overtaken_by_another_password_changes_nothing(
    client: TestClient, engine: Engine, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one was checked before: then somebody else's link was faster."""
    enter(client)
    theirs = hash_password("an administrator's link")

    def meanwhile(_password: str, _email: str) -> str:
        with transaction(engine) as session:
            kim = session.exec(select(Account).where(Account.email == KIM)).one()
            kim.password_hash = theirs
        return kept

    monkeypatch.setattr(me, "kept_password", meanwhile)
    assert "not your old password" in change_password(client, PASSWORD, "staple of horses")
    with reading(engine) as session:
        assert session.exec(select(Account.password_hash).where(Account.email == KIM)).one() == (
            theirs
        )


def test_a_wrong_old_password_is_a_try_that_is_noted(client: TestClient, engine: Engine) -> None:
    enter(client)
    change_password(client, "wrong horse battery", "staple of horses")
    with reading(engine) as session:
        [tried] = audit.entries(session, deed="sign_in_failed", limit=9)
    assert (tried.actor, tried.detail) == (KIM, "old_password")


def test_a_form_of_somebody_who_was_signed_out_says_that_nothing_was_saved(
    client: TestClient, engine: Engine
) -> None:
    csrf = sign_in(client, engine, Role.OWNER, ["delivery"], KIM)
    client.cookies.clear()
    form = {"csrf": csrf, "root_cause": "x", "action_taken": "y"}
    sent = client.post("/desk/tickets/12/resolve", data=form, follow_redirects=False)
    assert sent.headers["location"] == "/sign-in?done=expired&next=/desk/tickets/12"
    page = client.get(sent.headers["location"]).text
    assert "was not saved" in page
    assert field("next", page) == "/desk/tickets/12"
    out = client.post("/sign-out", data={"csrf": csrf}, follow_redirects=False)
    assert out.headers["location"] == "/sign-in"


def test_name_and_time_zone_are_everybodys_own(client: TestClient) -> None:
    enter(client)
    csrf = field("csrf", client.get("/desk/me").text)
    form = {"csrf": csrf, "name": "Kim  Ade", "timezone": "Asia/Tokyo"}
    page = client.post("/desk/me", data=form).text
    assert 'value="Kim Ade"' in page
    assert "<option selected>Asia/Tokyo</option>" in page
    assert "between 1 and 100" in client.post("/desk/me", data=form | {"name": " "}).text


def test_a_desk_without_accounts_says_how_to_begin(client: TestClient, engine: Engine) -> None:
    assert "create-user" not in client.get("/sign-in").text
    with transaction(engine) as session:
        session.execute(delete(Account).where(col(Account.id) > 0))
    assert "voc desk create-user" in client.get("/sign-in").text


def test_what_is_not_there_says_so_inside_the_desk(client: TestClient) -> None:
    enter(client)
    missing = client.get("/desk/nothing")
    assert (missing.status_code, "There is no such page" in missing.text) == (404, True)
    assert "Sign out" in missing.text
    refused = client.get("/desk/accounts")
    assert (refused.status_code, "not part of your role" in refused.text) == (403, True)
    stale = client.post("/desk/me", data={"name": "Kim"})
    assert (stale.status_code, "from before" in stale.text) == (403, True)


def test_notes_wait_while_the_database_takes_nothing(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    afterwards, tries = Afterwards(engine), []

    def is_busy_once(_session: Session) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("Kim's words", {}, Exception("locked"))

    afterwards.add(is_busy_once)
    afterwards.do()
    assert "wait for the database" in caplog.text
    assert "Kim's words" not in caplog.text
    afterwards.do()
    assert len(tries) == 2


def test_if_more_wait_than_fit_the_oldest_are_given_up(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(afterwards_module, "MOST", 3)
    afterwards = Afterwards(engine)
    written: list[int] = []

    def write(number: int, _session: Session) -> None:
        written.append(number)

    def is_busy(_session: Session) -> None:
        for number in (3, 4):  # these come in meanwhile
            afterwards.add(partial(write, number))
        raise OperationalError("", {}, Exception("locked"))

    afterwards.add(is_busy)
    for number in (1, 2):
        afterwards.add(partial(write, number))
    afterwards.do()
    afterwards.do()
    assert written == [2, 3, 4]


def test_what_was_seen_is_written_before_the_process_ends(app: FastAPI, engine: Engine) -> None:
    with client_of(app):
        app.state.desk.afterwards.add(
            partial(audit.write, actor=KIM, deed="saw", subject="x", at=NOW)
        )
    assert deeds(engine) == ["saw"]


def test_a_note_that_cannot_be_written_holds_up_no_other(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    afterwards = Afterwards(engine)
    afterwards.add(lambda session: session.execute(text("INSERT INTO auditentry (id) VALUES (1)")))
    afterwards.add(lambda session: audit.write(session, KIM, "saw", "ticket:1", at=NOW))
    afterwards.do()
    assert "could not be written" in caplog.text
    assert deeds(engine) == ["saw"]
