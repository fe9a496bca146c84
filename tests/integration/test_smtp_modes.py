"""The ways to reach a mail server: in the clear, STARTTLS, TLS, with a login; and whom to trust."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from pydantic import SecretStr

from notifications.channel import ChannelDownError, Envelope
from notifications.smtp import SmtpChannel
from tests.certificates import LAST_YEAR, Authority, make_authority
from tests.outbox_cases import NOW
from voc.errors import RefusedError
from voc.settings import SmtpSettings

# aiosmtpd only knows STARTTLS as a secret line; here it is to take logins on all of them.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")

PASSWORD = "hunter2"
MAIL = Envelope(
    message_id="<m1@noodles.test>",
    sender="care@noodles.test",
    recipient="kim@customer.test",
    content=b"Message-ID: <m1@noodles.test>\r\nSubject: s\r\n\r\nHello.\r\n",
    frozen_at=NOW,
)


class Inbox:
    """What the server took, and whether the line was secret."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, bool, bool]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        is_secret = server.transport.get_extra_info("ssl_object") is not None
        self.taken.append((envelope.original_content, is_secret, bool(session.authenticated)))
        return "250 2.0.0 queued as 12AB34"


class Server(Controller):
    """Listens on any free port; `tls` from the first byte, or `starttls` when asked."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        login: bool = False,
    ) -> None:
        options: dict[str, Any] = {"tls_context": starttls, "require_starttls": bool(starttls)}
        if login:
            options |= {"authenticator": self._knows, "auth_required": True}
        options |= {"auth_require_tls": False, "enable_SMTPUTF8": False}
        super().__init__(inbox, hostname="127.0.0.1", port=0, ssl_context=tls, **options)

    def _knows(self, _s: Any, _session: Any, _e: Any, _mechanism: str, data: Any) -> AuthResult:
        is_kim = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=is_kim, handled=False)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("certificates"))


@contextmanager
def serving(inbox: Inbox, **options: Any) -> Iterator[int]:
    server = Server(inbox, **options)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def hand_over(port: int, **values: object) -> str:
    settings = {"host": "127.0.0.1", "port": port, "connect_timeout_s": 5, "reply_timeout_s": 5}
    channel = SmtpChannel(SmtpSettings.model_validate(settings | values))
    try:
        channel.prepare(MAIL)
        return channel.hand_over(MAIL)
    finally:
        channel.close()


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.parametrize("login", [False, True])
def test_a_mail_arrives_by_every_way(authority: Authority, security: str, login: bool) -> None:
    inbox = Inbox()
    options = {} if security == "none" else {security: authority.context()}
    account = {"username": "kim", "password": SecretStr(PASSWORD)} if login else {}
    with serving(inbox, login=login, **options) as port:
        said = hand_over(port, security=security, ca_file=authority.file, **account)
    assert said == "12AB34"
    assert inbox.taken == [(MAIL.content, security != "none", login)]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("mistake", ["unknown", "expired", "another_host"])
def test_a_certificate_that_proves_nothing_gets_no_mail_and_no_password(
    authority: Authority, tmp_path: Path, security: str, mistake: str
) -> None:
    inbox = Inbox()
    shown = {
        "unknown": lambda: make_authority(tmp_path).context(),
        "expired": lambda: authority.context(until=LAST_YEAR),
        "another_host": lambda: authority.context(host="127.0.0.2"),
    }[mistake]()
    account = {"username": "kim", "password": SecretStr(PASSWORD)}
    with (
        serving(inbox, login=True, **{security: shown}) as port,
        pytest.raises(ChannelDownError, match="when connecting") as caught,
    ):
        hand_over(port, security=security, ca_file=authority.file, **account)
    assert inbox.taken == []
    assert PASSWORD not in repr(caught.value)


def test_the_systems_authorities_are_trusted_unless_others_are_named(authority: Authority) -> None:
    inbox = Inbox()
    with serving(inbox, tls=authority.context()) as port, pytest.raises(ChannelDownError):
        hand_over(port, security="tls")
    assert inbox.taken == []


def test_a_server_that_does_not_end_a_secret_line_is_not_waited_for(authority: Authority) -> None:
    ended = threading.Event()

    def talk(listener: socket.socket) -> None:
        plain, _ = listener.accept()
        with plain, authority.context().wrap_socket(plain, server_side=True) as line:
            line.sendall(b"220 hello\r\n")
            for said in line.makefile("rb"):
                line.sendall(b"221 bye\r\n" if said.startswith(b"QUIT") else b"250 ok\r\n")
                if said.startswith(b"QUIT"):
                    break
            ended.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=talk, args=(listener,))
        server.start()
        settings = {"host": "127.0.0.1", "port": listener.getsockname()[1], "security": "tls"}
        channel = SmtpChannel(SmtpSettings.model_validate({**settings, "ca_file": authority.file}))
        channel.prepare(MAIL)
        with warnings.catch_warnings(record=True) as left_open:
            warnings.simplefilter("always")
            channel.close()
            del channel
            gc.collect()
        ended.set()
        server.join()
    assert [str(each.message) for each in left_open] == []


def test_a_wrong_password_stops_the_channel_and_costs_no_message(authority: Authority) -> None:
    inbox = Inbox()
    account = {"username": "kim", "password": SecretStr("wrong-one")}
    with (
        serving(inbox, starttls=authority.context(), login=True) as port,
        pytest.raises(ChannelDownError, match="535") as caught,
    ):
        hand_over(port, security="starttls", ca_file=authority.file, **account)
    assert "wrong-one" not in repr(caught.value)


def test_authorities_that_cannot_be_read_are_no_reason_to_trust_anybody(
    authority: Authority, tmp_path: Path
) -> None:
    with serving(Inbox(), tls=authority.context()) as port, pytest.raises(ChannelDownError):
        hand_over(port, security="tls", ca_file=tmp_path / "none.pem")


def test_an_address_that_the_server_cannot_write_fails_with_the_reason() -> None:
    """It does not know SMTPUTF8, so no other address is tried in its place."""
    inbox = Inbox()
    elsewhere = replace(MAIL, recipient="zoë@customer.test")
    with serving(inbox) as port:
        channel = SmtpChannel(SmtpSettings(host="127.0.0.1", port=port))
        with pytest.raises(RefusedError, match="outside ASCII"):
            channel.prepare(elsewhere)
        channel.close()
    assert inbox.taken == []
