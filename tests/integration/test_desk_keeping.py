"""What administrators and auditors do: accounts, tokens, the audit log."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, delete
from sqlmodel import select

from apps.desk.access.tokens import MEANINGS
from tests.desk import database, make_client, make_desk
from tests.desk_visitors import sign_in
from tests.factories import NOW, make_company
from voc.actions import accounts as actions
from voc.actions.accounts import AccountError
from voc.models import Account, ApiToken, AuditEntry, DeskSession, Role
from voc.passwords import is_password
from voc.rules.tokens import token_hash
from voc.store import audit
from voc.store.api_tokens import open_token
from voc.store.database import reading, transaction

KIM = "kim@shop.example"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with database(tmp_path_factory.mktemp("keeping")) as engine:
        yield engine


@pytest.fixture(scope="module")
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine))


@pytest.fixture(autouse=True)
def csrf(client: TestClient, engine: Engine) -> str:
    """An administrator is signed in, and there is nobody else."""
    with transaction(engine) as session:
        for table in (DeskSession, AuditEntry, ApiToken, Account):
            session.execute(delete(table))
    return sign_in(client, engine, Role.ADMINISTRATOR)


def account(engine: Engine, email: str = KIM) -> Account:
    with reading(engine) as session:
        return session.exec(select(Account).where(Account.email == email)).one()


def deeds(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        entries = audit.entries(session, limit=100)
    return [(entry.deed, entry.detail) for entry in reversed(entries)]


def create(client: TestClient, csrf: str, **changes: object) -> str:
    form = {"email": "Kim@Shop.example", "name": "Kim", "role": "owner", "departments": ["billing"]}
    return client.post("/desk/accounts/new", data=form | changes | {"csrf": csrf}).text


def link_in(page: str) -> str:
    found = re.search(r"/sign-in/password/[^\"]+", page)
    assert found
    return found[0]


def test_a_new_owner_sets_a_password_by_a_link(
    client: TestClient, engine: Engine, csrf: str
) -> None:
    link = link_in(create(client, csrf))
    kim = account(engine)
    assert (kim.role, kim.departments, kim.password_hash) == (Role.OWNER, ["billing"], None)
    assert KIM in client.get(link).text
    new = {"password": "correct horse battery", "again": "correct horse battery"}
    assert "differ" in client.post(link, data=new | {"again": "x"}).text
    assert "at least 12" in client.post(link, data={"password": "short", "again": "short"}).text
    response = client.post(link, data=new, follow_redirects=False)
    assert response.headers["location"] == "/sign-in?done=password"
    assert is_password("correct horse battery", account(engine).password_hash)
    used = client.post(link, data=new)
    assert (used.status_code, "works once" in used.text) == (404, True)
    assert deeds(engine) == [("account_created", "owner"), ("password_set", "")]
    with reading(engine) as session:
        [entry] = audit.entries(session, deed="password_set", limit=9)
    assert entry.actor == "password link"  # whoever held it


def test_a_link_is_for_one_account_and_three_days(
    client: TestClient, engine: Engine, csrf: str
) -> None:
    link = link_in(create(client, csrf))
    number, until, seal = link.rpartition("/")[2].split(".")
    later = f"{number}.{int(until) + 1}.{seal}"
    other = f"{int(number) - 1}.{until}.{seal}"
    for token in (later, other, f"{number}..{seal}", "1.2", "x.y.z", f"{number}.²³.{seal}"):
        assert client.get(f"/sign-in/password/{token}").status_code == 404
    assert int(until) == NOW.timestamp() + 3 * 86_400


def test_another_link_ends_the_one_before(client: TestClient, engine: Engine, csrf: str) -> None:
    first = link_in(create(client, csrf))
    address = f"/desk/accounts/{account(engine).id}/link"
    second = link_in(client.post(address, data={"csrf": csrf}).text)
    assert [client.get(link).status_code for link in (first, second)] == [404, 200]


def test_an_account_that_was_made_twice_leads_to_where_its_link_is_made(
    client: TestClient, engine: Engine, csrf: str
) -> None:
    create(client, csrf)
    again = create(client, csrf)
    assert "has an account already" in again
    assert f'<a href="/desk/accounts/{account(engine).id}">' in again


def test_an_account_that_somebody_makes_at_the_same_moment_is_theirs(
    client: TestClient, engine: Engine, csrf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked, and there was none yet."""
    create(client, csrf)
    monkeypatch.setattr("voc.actions.accounts.accounts.by_email", lambda *_: None)
    with (
        pytest.raises(AccountError, match="has an account already"),
        transaction(engine) as session,
    ):
        actions.create(
            session,
            make_company(),
            email=KIM,
            name="Kim",
            role=Role.AUDITOR,
            departments=(),
            password_hash=None,
            actor="test",
            now=NOW,
        )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"email": "nonsense"}, "no e-mail address"),
        ({"email": "administrator@shop.example"}, "has an account already"),
        ({"name": " "}, "between 1 and 100"),
        ({"departments": []}, "at least one department"),
        ({"departments": ["moon"]}, "no department moon"),
    ],
)
def test_an_account_that_cannot_be_is_not_made(
    client: TestClient, engine: Engine, csrf: str, changes: dict[str, object], said: str
) -> None:
    assert said in create(client, csrf, **changes)
    with reading(engine) as session:
        assert len(session.exec(select(Account)).all()) == 1
    assert deeds(engine) == []


def test_a_change_of_role_holds_from_the_next_page(
    client: TestClient, engine: Engine, csrf: str
) -> None:
    create(client, csrf)
    other = make_client(client.app)  # type: ignore[arg-type]
    sign_in(other, engine, Role.OWNER, ["billing"], KIM)
    assert other.get("/desk/audit").status_code == 403
    form = {"name": "Kim Ade", "role": "auditor", "departments": ["billing"], "csrf": csrf}
    page = client.post(f"/desk/accounts/{account(engine).id}", data=form).text
    assert "The account is changed" in page
    assert other.get("/desk/audit").status_code == 200
    assert account(engine).departments == []
    assert deeds(engine)[-1] == ("account_changed", "auditor")


def test_a_closed_account_is_out_at_once_until_it_is_opened_again(
    client: TestClient, engine: Engine, csrf: str
) -> None:
    link = link_in(create(client, csrf))
    other = make_client(client.app)  # type: ignore[arg-type]
    sign_in(other, engine, Role.OWNER, ["billing"], KIM)
    address = f"/desk/accounts/{account(engine).id}"
    assert "is closed" in client.post(f"{address}/close", data={"csrf": csrf}).text
    assert other.get("/desk/me", follow_redirects=False).status_code == 303
    assert client.get(link).status_code == 404
    assert "is open again" in client.post(f"{address}/reopen", data={"csrf": csrf}).text
    assert other.get("/desk/me", follow_redirects=False).status_code == 303
    assert client.get(link).status_code == 404  # it ended with the closing
    assert [deed for deed, _ in deeds(engine)[1:]] == ["account_closed", "account_reopened"]


@pytest.mark.parametrize("path", ["/close", ""])
def test_the_last_administrator_stays(
    client: TestClient, engine: Engine, csrf: str, path: str
) -> None:
    me = account(engine, "administrator@shop.example")
    form = {"csrf": csrf, "name": "A", "role": "auditor"}
    page = client.post(f"/desk/accounts/{me.id}{path}", data=form)
    assert (page.status_code, "last administrator" in page.text) == (422, True)
    create(client, csrf, role="administrator")
    assert client.post(f"/desk/accounts/{me.id}{path}", data=form).status_code != 422


def test_a_token_is_shown_once_and_works_until_it_is_revoked(
    client: TestClient, engine: Engine, csrf: str
) -> None:
    form = {"csrf": csrf, "name": "crm-export", "scopes": ["tickets:read", "numbers:read"]}
    page = client.post("/desk/tokens", data=form).text
    secret = re.search(r'value="(voc_[0-9a-f]{64})"', page)
    assert secret
    with reading(engine) as session:
        token = open_token(session, token_hash(secret[1]), NOW)
    assert token
    assert token.scopes == ["numbers:read", "tickets:read"]
    assert token.expires_at is not None
    assert (token.expires_at - NOW).days == 90
    assert secret[1] not in client.get("/desk/tokens").text
    assert "There is or was" in client.post("/desk/tokens", data=form).text
    revoked = client.post(f"/desk/tokens/{token.id}/revoke", data={"csrf": csrf}).text
    assert "is revoked" in revoked
    with reading(engine) as session:
        assert open_token(session, token_hash(secret[1]), NOW) is None
    assert deeds(engine) == [("token_created", "numbers:read,tickets:read"), ("token_revoked", "")]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"name": "Two words"}, 422),
        ({"scopes": []}, 422),
        ({"scopes": ["everything"]}, 422),
        ({"days": "9999999"}, 422),
        ({"days": ""}, 200),
    ],
)
def test_a_token_may_only_be_what_there_is(
    client: TestClient, csrf: str, changes: dict[str, object], status: int
) -> None:
    form = {"csrf": csrf, "name": "crm", "scopes": ["tickets:read"], "days": "30"}
    assert client.post("/desk/tokens", data=form | changes).status_code == status


def test_what_a_scope_lets_a_token_do_is_said_the_same_everywhere() -> None:
    text = Path("docs/api.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `(\w+:\w+)` \| (.+?) \|$", text, re.M)) == MEANINGS


def fill(engine: Engine, n: int) -> None:
    with transaction(engine) as session:
        for i in range(n):
            audit.write(session, KIM, "saw", f"ticket:{i}", "=1+1", at=NOW)


def test_the_audit_log_goes_page_by_page(client: TestClient, engine: Engine) -> None:
    fill(engine, 120)
    seen: list[str] = []
    address: str | None = "/desk/audit"
    while address:
        page = client.get(address).text
        seen += re.findall(r">(ticket:\d+)<", page)
        older = re.search(r'href="(/desk/audit[^"]+)" rel="next"', page)
        address = html.unescape(older[1]) if older else None
    assert seen == [f"ticket:{i}" for i in reversed(range(120))]


def test_the_audit_log_is_found_by_who_what_and_to_what(client: TestClient, engine: Engine) -> None:
    fill(engine, 3)
    for query in ("subject=ticket:1", "subject=ticket:1&actor=kim@shop.example&deed=saw"):
        assert client.get(f"/desk/audit?{query}").text.count("<td><time") == 1
    assert "Nothing was found" in client.get("/desk/audit?actor=nobody").text
    assert client.get("/desk/audit?actor=Kim@Shop.Example").text.count("<td><time") == 3


def test_the_audit_log_is_downloaded_whole_and_that_is_written_down(
    client: TestClient, engine: Engine
) -> None:
    fill(engine, 1_100)
    response = client.get("/desk/audit.csv?deed=saw")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert len(rows) == 1_100
    assert rows[0]["subject"] == "ticket:1099"
    assert rows[0]["detail"] == "'=1+1"  # no spreadsheet runs it
    assert response.headers["content-disposition"].endswith('"audit.csv"')
    assert '<td><a href="/desk/audit?subject=audit">' in client.get("/desk/audit").text


def test_auditors_read_the_log_and_administrators_no_customers(
    client: TestClient, engine: Engine
) -> None:
    sign_in(client, engine, Role.AUDITOR)
    assert "Nothing has happened yet" in client.get("/desk/audit").text
    assert client.get("/desk/accounts").status_code == 403
