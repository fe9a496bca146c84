"""The local mailbox: what is there is there whole, and once."""

import threading
from pathlib import Path

import pytest

from notifications.allowlist import AllowlistChannel, open_channels
from notifications.channel import Envelope
from notifications.mailbox import MailboxChannel
from notifications.smtp import SmtpChannel
from tests.outbox_cases import NOW
from voc.models import DeliveryChannel
from voc.settings import Settings

CONTENT = (
    b"From: care@noodles.test\r\nTo: kim@customer.test\r\nSubject: %s\r\n"
    b"Date: Mon, 02 Mar 2026 09:05:00 +0000\r\nMessage-ID: <m1@noodles.test>\r\n"
    b"Content-Type: text/html\r\n\r\n<p>Hello Kim</p>\r\n"
)


def envelope(subject: bytes = b"Hello", message_id: str = "<m1@noodles.test>") -> Envelope:
    return Envelope(
        message_id=message_id,
        sender="care@noodles.test",
        recipient="kim@customer.test",
        content=CONTENT % subject,
        frozen_at=NOW,
    )


def test_a_mail_is_filed_under_its_day_and_can_be_found(tmp_path: Path) -> None:
    mailbox = MailboxChannel(tmp_path)
    assert mailbox.look_up("mailbox", envelope()) is None
    name = mailbox.hand_over(envelope())
    assert mailbox.look_up("mailbox", envelope()) == name
    assert mailbox.look_up("smtp", envelope()) is None
    path = mailbox.find("<m1@noodles.test>")
    assert path is not None
    assert path.parent == tmp_path / "2026-03-02"
    assert path.read_bytes() == CONTENT % b"Hello"
    assert "kim" not in str(path.relative_to(tmp_path))


def test_the_same_mail_is_there_once_however_often_and_fast_it_comes(tmp_path: Path) -> None:
    barrier = threading.Barrier(6)

    def write() -> None:
        barrier.wait()
        MailboxChannel(tmp_path).hand_over(envelope())

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.suffix for path in (tmp_path / "2026-03-02").iterdir()] == [".eml"]


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("notifications.mailbox.os.fsync", full)
    mailbox = MailboxChannel(tmp_path)
    with pytest.raises(OSError, match="No space"):
        mailbox.hand_over(envelope())
    assert mailbox.find("<m1@noodles.test>") is None
    assert list((tmp_path / "2026-03-02").iterdir()) == []


def test_the_listing_shows_subjects_as_text_and_leads_to_the_mails(tmp_path: Path) -> None:
    mailbox = MailboxChannel(tmp_path)
    mailbox.hand_over(envelope(b"<script>alert(1)</script>"))
    mailbox.hand_over(envelope(b"Second", "<m2@noodles.test>"))
    mailbox.close()
    day = tmp_path / "2026-03-02"
    page = (day / "index.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "09:05" in page
    assert 'href="2026-03-02/index.html"' in (tmp_path / "index.html").read_text()
    for link in page.split('href="')[1:]:
        assert (day / link.split('"')[0]).exists()


def test_days_without_new_mail_are_not_listed_anew(tmp_path: Path) -> None:
    mailbox = MailboxChannel(tmp_path)
    mailbox.hand_over(envelope())
    mailbox.close()
    listing = tmp_path / "2026-03-02" / "index.html"
    listing.write_text("as it was")
    mailbox.close()
    assert listing.read_text() == "as it was"


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("off", MailboxChannel), ("allowlist", AllowlistChannel), ("live", SmtpChannel)],
)
def test_the_delivery_mode_decides_the_channel(tmp_path: Path, mode: str, kind: type) -> None:
    values = {"home": tmp_path, "delivery": mode, "public_url": "https://noodles.test"}
    channel = open_channels(Settings.model_validate(values))[DeliveryChannel.EMAIL]
    assert type(channel) is kind
    assert channel.route_for("kim@customer.test") == ("smtp" if mode == "live" else "mailbox")
    channel.close()
