"""Signing in with an identity provider, over real HTTP, lies included."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from sqlalchemy import Engine, delete
from sqlmodel import select

from apps.desk.access.provider import Provider
from apps.desk.app import create_app
from tests.desk import database
from tests.factories import NOW, SECRET, make_company
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, identity_provider
from voc.models import Account, AuditEntry, DeskSession, Role
from voc.settings import OidcSettings
from voc.store import audit
from voc.store.database import reading, transaction

KIM = {"email": "kim@shop.example", "email_verified": True}
DESK = "http://desk.example"
CONFIGURATION = "/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with database(tmp_path_factory.mktemp("oidc")) as engine:
        yield engine


@pytest.fixture(scope="module")
def standing() -> Iterator[IdentityProvider]:
    with identity_provider(NOW) as provider:
        yield provider


@pytest.fixture
def idp(standing: IdentityProvider, engine: Engine) -> IdentityProvider:
    """An honest one, that nobody has used; Kim has an account."""
    standing.says, standing.signs_with = dict(KIM), None
    with transaction(engine) as session:
        for table in (DeskSession, AuditEntry, Account):
            session.execute(delete(table))
        session.add(
            Account(
                email="kim@shop.example",
                name="Kim",
                role=Role.OWNER,
                departments=["billing"],
                created_at=NOW,
            )
        )
    return standing


def app_of(
    engine: Engine,
    idp: IdentityProvider,
    ticks: Callable[[], float] | None = None,
    **settings: Any,
) -> FastAPI:
    oidc = OidcSettings(
        issuer=idp.issuer,
        client_id=CLIENT_ID,
        client_secret=SecretStr(CLIENT_SECRET),
        name="Shop ID",
        **settings,
    )
    return create_app(
        engine=engine,
        company=make_company(),
        secret=SECRET,
        clock=lambda: NOW,
        report=None,
        kill_switch=Path("none"),
        public_url=DESK,
        provider=Provider(oidc, DESK, lambda: NOW),
        ticks=ticks or count(step=60).__next__,
    )


@pytest.fixture(scope="module")
def app(engine: Engine, standing: IdentityProvider) -> FastAPI:
    return app_of(engine, standing)


def client_of(app: FastAPI) -> TestClient:
    """A browser of its own."""
    return TestClient(app, base_url=DESK, raise_server_exceptions=False)


@pytest.fixture
def client(app: FastAPI, idp: IdentityProvider) -> TestClient:
    assert idp.says == KIM
    return client_of(app)


def go(client: TestClient, idp: IdentityProvider, wanted: str = "/desk/me") -> dict[str, str]:
    """To the provider; what one brings back from there."""
    away = client.get("/sign-in/provider", params={"next": wanted}, follow_redirects=False)
    assert away.status_code == 303
    return idp.agree(away.headers["location"])


def come_back(client: TestClient, brought: dict[str, str]) -> tuple[int, str]:
    response = client.get("/sign-in/return", params=brought, follow_redirects=False)
    return response.status_code, response.headers.get("location", response.text)


def account(engine: Engine) -> Account:
    with reading(engine) as session:
        return session.exec(select(Account)).one()


def deeds(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return [entry.deed for entry in reversed(audit.entries(session, limit=9))]


def tries(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        entries = audit.entries(session, deed="sign_in_failed", limit=9)
    return [(entry.actor, entry.detail) for entry in entries]


def test_whoever_has_an_account_is_bound_to_it_at_the_first_sign_in(
    client: TestClient, engine: Engine, idp: IdentityProvider
) -> None:
    assert "Sign in with Shop ID" in client.get("/sign-in").text
    assert come_back(client, go(client, idp)) == (303, "/desk/me")
    assert "Kim" in client.get("/desk/me").text
    idp.says = {"email": "another@shop.example"}  # the subject is who they are
    assert come_back(client, go(client, idp)) == (303, "/desk/me")
    assert deeds(engine) == ["bound", "signed_in", "signed_in"]


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"]},  # and not made for us: no azp
        {"iss": "https://evil.example"},
        {"exp": int(NOW.timestamp()) - 120},
        {"iat": int(NOW.timestamp()) + 600},
        {"sub": None},
    ],
    ids=str,
)
def test_an_id_token_that_is_not_for_this_visit_lets_nobody_in(
    client: TestClient, engine: Engine, idp: IdentityProvider, lie: dict[str, Any]
) -> None:
    idp.says |= lie
    status, text = come_back(client, go(client, idp))
    assert (status, "did not confirm who you are" in text) == (403, True)
    assert tries(engine) == [("provider", "not_vouched_for")]


def test_an_id_token_that_somebody_else_signed_lets_nobody_in(
    client: TestClient, engine: Engine, idp: IdentityProvider
) -> None:
    idp.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert come_back(client, go(client, idp))[0] == 403
    assert tries(engine) == [("provider", "not_vouched_for")]


@pytest.mark.parametrize("verified", [False, None, "true"])
def test_an_address_that_is_not_verified_is_nobodys(
    client: TestClient, engine: Engine, idp: IdentityProvider, verified: object
) -> None:
    idp.says["email_verified"] = verified
    status, text = come_back(client, go(client, idp))
    assert (status, "no account for you" in text) == (403, True)
    assert account(engine).oidc_subject is None


def test_nobody_gets_an_account_by_signing_in(
    client: TestClient, engine: Engine, idp: IdentityProvider
) -> None:
    idp.says["email"] = "stranger@shop.example"
    assert come_back(client, go(client, idp))[0] == 403
    assert tries(engine) == [("provider", "not_known")]
    assert account(engine).email == "kim@shop.example"


def test_an_account_that_is_bound_is_nobody_elses(
    client: TestClient, engine: Engine, idp: IdentityProvider
) -> None:
    come_back(client, go(client, idp))
    idp.says["sub"] = "u-2"
    assert come_back(client, go(client, idp))[0] == 403


def test_a_closed_account_stays_closed(
    client: TestClient, engine: Engine, idp: IdentityProvider
) -> None:
    with transaction(engine) as session:
        session.exec(select(Account)).one().closed_at = NOW
    assert come_back(client, go(client, idp))[0] == 403
    assert tries(engine) == [("kim@shop.example", "not_known")]


def test_another_state_than_ours_lets_nobody_in(client: TestClient, idp: IdentityProvider) -> None:
    brought = go(client, idp)
    assert come_back(client, brought | {"state": "another"})[0] == 403
    assert come_back(client, {"state": brought["state"]})[0] == 403


def test_what_was_brought_back_once_is_no_use_again(
    client: TestClient, engine: Engine, idp: IdentityProvider
) -> None:
    brought = go(client, idp)
    cookie = client.cookies["voc_away"]
    assert come_back(client, brought)[0] == 303
    assert come_back(client, brought)[0] == 403  # our cookie is gone
    client.cookies.set("voc_away", cookie)
    assert come_back(client, brought)[0] == 403  # the code is used


def test_what_one_browser_began_another_cannot_end(
    app: FastAPI, client: TestClient, idp: IdentityProvider
) -> None:
    brought = go(client, idp)
    other = client_of(app)
    assert come_back(other, brought)[0] == 403
    go(other, idp)
    assert come_back(other, brought)[0] == 403


def test_a_cookie_that_we_did_not_seal_is_no_cookie(
    client: TestClient, idp: IdentityProvider
) -> None:
    brought = go(client, idp)
    sealed = client.cookies["voc_away"]
    client.cookies.clear()
    client.cookies.set("voc_away", "7b7d" + sealed[4:])
    assert come_back(client, brought)[0] == 403


def test_nobody_is_led_elsewhere_from_there(client: TestClient, idp: IdentityProvider) -> None:
    assert come_back(client, go(client, idp, "https://evil.example")) == (303, "/desk")


def test_the_provider_may_say_the_role(engine: Engine, idp: IdentityProvider) -> None:
    client = client_of(app_of(engine, idp, role_claim="groups", roles={"cx": Role.OPERATIONS}))
    idp.says["groups"] = ["staff"]
    status, text = come_back(client, go(client, idp))
    assert (status, "none of your groups" in text) == (403, True)
    assert account(engine).oidc_subject is None
    idp.says["groups"] = ["staff", "cx"]
    assert come_back(client, go(client, idp))[0] == 303
    assert account(engine).role is Role.OPERATIONS
    assert deeds(engine) == ["sign_in_failed", "bound", "role_from_provider", "signed_in"]
    assert tries(engine) == [("kim@shop.example", "no_role")]


def test_who_tries_again_and_again_has_to_wait_and_asks_the_provider_nothing(
    engine: Engine, idp: IdentityProvider
) -> None:
    client = client_of(app_of(engine, idp, ticks=lambda: 0.0))
    brought = go(client, idp) | {"code": "x"}
    idp.asked.clear()
    assert [come_back(client, brought)[0] for _ in range(30)] == [403] * 29 + [429]
    assert idp.asked == ["/token"] * 29


def test_keys_of_the_provider_are_kept_until_they_do_not_fit(
    engine: Engine, idp: IdentityProvider
) -> None:
    client = client_of(app_of(engine, idp))
    idp.asked.clear()
    for _ in range(2):
        assert come_back(client, go(client, idp))[0] == 303
    assert sorted(idp.asked) == [CONFIGURATION, "/keys", "/token", "/token"]
    idp.key = RSAKey.generate_key(2048, {"kid": "one"})
    assert [come_back(client, go(client, idp))[0] for _ in range(2)] == [403, 303]


def test_a_provider_that_is_away_is_no_crash(engine: Engine, idp: IdentityProvider) -> None:
    with identity_provider(NOW) as gone:
        client = client_of(app_of(engine, gone))
    response = client.get("/sign-in/provider", follow_redirects=False)
    assert (response.status_code, "Signing in did not work" in response.text) == (502, True)


def test_a_desk_without_a_provider_does_not_load_its_libraries() -> None:
    code = "import sys, apps.desk.serve; print({'authlib', 'joserfc', 'httpx2'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "settings",
    [
        {"issuer": "http://id.example", "client_id": "x"},
        {"issuer": "https://id.example"},
        {"issuer": "https://id.example", "client_id": "x", "role_claim": "groups"},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="VOC_OIDC__"):
        OidcSettings.model_validate(settings)
