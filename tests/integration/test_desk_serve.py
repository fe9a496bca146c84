"""What is served on this machine: whose time, which report, which company."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from apps.desk import serve
from tests.desk import database
from tests.factories import NOW, make_company
from voc.errors import ConfigurationError
from voc.settings import Settings
from voc.store.clock import set_clock
from voc.store.database import transaction


def test_a_rehearsal_is_served_by_its_own_clock_and_others_by_the_real_one(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        assert datetime.now(UTC) - serve.company_time(engine) < timedelta(minutes=1)
        with transaction(engine) as session:
            set_clock(session, moment=1, now=NOW, finished=True)
        assert serve.company_time(engine) == NOW


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"web_host": "0.0.0.0"}, 404),
        ({"public_url": "https://feedback.shop.example"}, 404),
    ],
)
def test_the_report_is_for_colleagues_and_not_for_the_internet(
    tmp_path: Path, changes: dict[str, str], status: int
) -> None:
    settings = Settings(home=tmp_path, **changes)  # type: ignore[arg-type]
    settings.reports.mkdir()
    (settings.reports / "report.html").write_text("<p>Figures</p>")
    client = TestClient(serve.build(settings, make_company()))
    assert client.get("/report").status_code == status
    assert client.get("/health").status_code == 200


def test_without_a_company_file_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="voc init"):
        serve.company_of(Settings(home=tmp_path / "home"))


def test_a_secret_that_nobody_can_sign_with_is_told_at_the_start(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        webhook_secrets={"mailer": "no base64 at all, but long"},
    )
    with pytest.raises(ConfigurationError, match="'mailer' must be whsec_"):
        serve.build(settings, make_company())


def test_visits_are_not_logged_since_addresses_are_secrets(tmp_path: Path) -> None:
    server = serve.server(Settings(home=tmp_path), make_company())
    assert server.config.access_log is False


def test_a_proxy_that_is_known_says_who_asks(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, trusted_proxies="127.0.0.1, 172.18.0.0/16")
    server = serve.server(settings, make_company())
    server.config.load()
    proxy = server.config.loaded_app
    assert isinstance(proxy, ProxyHeadersMiddleware)
    known = proxy.trusted_hosts
    assert "172.18.0.5" in known
    assert "203.0.113.7" not in known
    said = "198.51.100.1, 203.0.113.7, 172.18.0.5"  # the first is what the visitor made up
    assert known.get_trusted_client_address(said) == ("203.0.113.7", 0)


@pytest.mark.parametrize("wrong", ["proxy", "10.0.0.1/8", "10.0.0.1;10.0.0.2", "*"])
def test_a_proxy_that_could_never_be_known_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="addresses or networks"):
        Settings(trusted_proxies=wrong)
