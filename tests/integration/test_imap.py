"""Reading a mailbox, against a real IMAP server: everything once, nothing changed there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Thread

import pytest
from imap_tools import MailBoxUnencrypted
from pydantic import SecretStr

from notifications.inbox import imap
from notifications.inbox.imap import MOST_BYTES, Fetched, new_mails
from notifications.inbox.reading import read_mail
from notifications.inbox.replies import new_words
from tests.mail_servers import PASSWORD, MailServers
from tests.mails_in import OWN, plain, with_large_attachment
from voc.errors import SourceRefusedError, SourceUnavailableError
from voc.settings import ImapSettings

_names = count(1)


@contextmanager
def mailbox_of(settings: ImapSettings) -> Iterator[MailBoxUnencrypted]:
    """The mailbox as somebody else uses it."""
    box = MailBoxUnencrypted(settings.host, settings.port)
    with box.login(settings.username, PASSWORD):
        yield box


@pytest.fixture
def settings(real_mail: MailServers) -> ImapSettings:
    """A mailbox of its own for each test."""
    return ImapSettings(
        host="127.0.0.1",
        port=real_mail.imap,
        security="none",
        username=f"reader{next(_names)}",
        password=SecretStr(PASSWORD),
        timeout_s=20,
    )


def put(settings: ImapSettings, *mails: bytes, folder: str = "INBOX") -> None:
    with mailbox_of(settings) as box:
        for mail in mails:
            box.append(mail, folder)


def read(settings: ImapSettings, cursor: str | None = None) -> tuple[list[Fetched], str | None]:
    """All that is new, and the cursor after it."""
    mails: list[Fetched] = []
    for batch in new_mails(settings, cursor):
        mails += batch.mails
        cursor = batch.cursor
    return mails, cursor


def test_an_empty_mailbox_has_nothing_new(settings: ImapSettings) -> None:
    assert read(settings) == ([], None)


def test_mails_come_oldest_first_with_the_servers_date(settings: ImapSettings) -> None:
    put(settings, plain("one"), plain("two"))
    mails, _ = read(settings)
    assert [mail.uid for mail in mails] == [1, 2]
    assert [b"one" in mail.raw for mail in mails] == [True, False]
    assert all(mail.arrived_at is not None for mail in mails)


def test_only_what_came_since_is_read(settings: ImapSettings) -> None:
    put(settings, plain("one"))
    _, cursor = read(settings)
    assert read(settings, cursor) == ([], cursor)  # the server offers the newest mail again
    put(settings, plain("two"))
    mails, later = read(settings, cursor)
    assert [mail.uid for mail in mails] == [2]
    assert cursor is not None
    assert later == cursor.replace(":1", ":2")


def test_many_mails_come_in_batches_that_each_end_with_a_cursor(
    settings: ImapSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "BATCH", 3)
    put(settings, *(plain(str(n)) for n in range(5)))
    batches = list(new_mails(settings, None))
    assert [len(batch.mails) for batch in batches] == [3, 2]
    rest, _ = read(settings, batches[0].cursor)
    assert rest == batches[1].mails


def test_nothing_is_changed_on_the_server(settings: ImapSettings) -> None:
    put(settings, plain("one"), plain("two"))
    read(settings)
    with mailbox_of(settings) as box:
        status = box.folder.status("INBOX")
        assert (status["MESSAGES"], status["UNSEEN"]) == (2, 2)
        assert all("\\Seen" not in mail.flags for mail in box.fetch(mark_seen=False))


def test_if_the_server_counts_anew_all_is_read_again(settings: ImapSettings) -> None:
    settings = settings.model_copy(update={"folder": "Replies"})
    with mailbox_of(settings) as box:
        box.folder.create("Replies")
    put(settings, plain("one"), plain("two"), folder="Replies")
    _, cursor = read(settings)
    with mailbox_of(settings) as box:
        box.folder.delete("Replies")
        box.folder.create("Replies")
    put(settings, plain("one"), folder="Replies")
    mails, later = read(settings, cursor)
    assert [mail.uid for mail in mails] == [1]
    assert later != cursor


def test_a_mail_that_is_gone_meanwhile_is_left_out(settings: ImapSettings) -> None:
    put(settings, plain("one"), plain("two"), plain("three"))
    _, cursor = read(settings)
    assert cursor is not None
    with mailbox_of(settings) as box:
        box.delete("2")
    mails, _ = read(settings, cursor.replace(":3", ":0"))
    assert [mail.uid for mail in mails] == [1, 3]


def test_of_a_large_mail_only_the_beginning_is_fetched(settings: ImapSettings) -> None:
    put(settings, with_large_attachment(5_000_000))
    ((mail,), _) = read(settings)
    assert len(mail.raw) == MOST_BYTES
    assert new_words(read_mail(mail.raw, OWN).text) == "No, it is not solved. See the picture."


def test_a_folder_may_have_any_name(settings: ImapSettings) -> None:
    settings = settings.model_copy(update={"folder": "Rückläufer & mehr"})
    with mailbox_of(settings) as box:
        box.folder.create(settings.folder)
    put(settings, plain("one"), folder=settings.folder)
    assert len(read(settings)[0]) == 1


def test_starttls_and_tls_need_a_certificate_that_is_trusted(
    settings: ImapSettings, real_mail: MailServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(settings, plain("one"))
    ways = [
        settings.model_copy(update={"security": "starttls"}),
        settings.model_copy(update={"security": "tls", "port": real_mail.imaps}),
    ]
    for way in ways:
        with pytest.raises(SourceRefusedError, match=r"certificate of 127\.0\.0\.1:.* not trusted"):
            read(way)
    monkeypatch.setenv("SSL_CERT_FILE", str(real_mail.certificate))
    assert [len(read(way)[0]) for way in ways] == [1, 1]


def test_a_wrong_password_is_told_without_telling_it(settings: ImapSettings) -> None:
    wrong = settings.model_copy(update={"password": SecretStr("opensesame")})
    with pytest.raises(SourceRefusedError, match="VOC_IMAP__PASSWORD") as caught:
        read(wrong)
    assert "opensesame" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_password_may_have_any_letters(settings: ImapSettings) -> None:
    with pytest.raises(SourceRefusedError, match="VOC_IMAP__PASSWORD"):
        read(settings.model_copy(update={"password": SecretStr("sésame")}))


def test_a_folder_that_is_not_there_is_told(settings: ImapSettings) -> None:
    with pytest.raises(SourceRefusedError, match="no folder 'Nowhere'; set VOC_IMAP__FOLDER"):
        read(settings.model_copy(update={"folder": "Nowhere"}))


def test_a_server_that_does_not_speak_tls_is_told(settings: ImapSettings) -> None:
    with pytest.raises(SourceRefusedError, match="does not speak tls; check VOC_IMAP__SECURITY"):
        read(settings.model_copy(update={"security": "tls"}))


def test_a_closed_port_may_be_open_another_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceUnavailableError, match="cannot connect to"):
        read(ImapSettings(host="127.0.0.1", port=port, security="none"))


@contextmanager
def server_that_says(*lines: bytes) -> Iterator[int]:
    """A server that answers each line with the next of these, and then hangs up."""

    def talk() -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as heard:
            for line in lines:
                connection.sendall(line)
                if not heard.readline():
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=talk, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_we_say() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        silence = ImapSettings(host="127.0.0.1", port=port, security="none", timeout_s=0.1)
        with pytest.raises(SourceUnavailableError, match=r"did not answer within 0\.1 s"):
            read(silence)


@pytest.mark.parametrize("lines", [[], [b"* OK hello\r\n"], [b"* BYE too busy\r\n"], [b"hi\r\n"]])
def test_a_server_that_hangs_up_may_do_better_another_time(lines: list[bytes]) -> None:
    with server_that_says(*lines) as port:
        settings = ImapSettings(host="127.0.0.1", port=port, security="none", timeout_s=5)
        with pytest.raises(SourceUnavailableError, match="source imap: "):
            read(settings)
