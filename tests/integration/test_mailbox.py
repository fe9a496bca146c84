"""The local mailbox: what is there is there whole, and once."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from notifications.allowlist import Channels, close_all, open_channels
from notifications.channel import ChannelDownError, Envelope
from notifications.mailbox import MailboxChannel
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


def test_a_message_that_is_no_mail_is_kept_readable_and_listed(tmp_path: Path) -> None:
    mailbox = MailboxChannel(tmp_path)
    others = {
        DeliveryChannel.SMS: ("+4915112345678", "Nudeln & Söhne: <b>gelöst</b>?"),
        DeliveryChannel.REVIEW: ("google:accounts/1/locations/2/reviews/3", "Thank you."),
        DeliveryChannel.SLACK: ("kitchen_room", '{"text": "Ticket 12 </pre>"}'),
    }
    for channel, (recipient, content) in others.items():
        other = Envelope(
            channel=channel,
            message_id=f"<{channel}@noodles.test>",
            sender="",
            recipient=recipient,
            content=content.encode(),
            frozen_at=NOW,
        )
        mailbox.hand_over(other)
        assert mailbox.look_up("mailbox", other) is not None
    mailbox.hand_over(envelope())
    mailbox.close()
    kept = [mailbox.find(f"<{channel}@noodles.test>") for channel in others]
    sms, reply, alert = (path.read_text(encoding="utf-8") for path in kept if path)
    assert sms.startswith("Channel: sms\nTo: +4915112345678\nDate: 2026-03-02T09:00:00+00:00\n\n")
    assert "Nudeln & Söhne: <b>gelöst</b>?" in sms
    assert "To: google:accounts/1/locations/2/reviews/3" in reply
    assert json.loads(alert)["content"] == {"text": "Ticket 12 </pre>"}
    day = tmp_path / "2026-03-02"
    page = (day / "index.html").read_text()
    assert page.count("<tr>") == 4
    assert "Nudeln &amp; Söhne: &lt;b&gt;gelöst&lt;/b&gt;?" in page
    assert "to kitchen_room" in page
    for link in page.split('href="')[1:]:
        assert (day / link.split('"')[0]).exists()
    for path in kept:
        assert path is not None
        shown = path.with_suffix(".html").read_text()
        assert shown.count("<pre>") == shown.count("</pre>") == 1


def test_days_without_new_mail_are_not_listed_anew(tmp_path: Path) -> None:
    mailbox = MailboxChannel(tmp_path)
    mailbox.hand_over(envelope())
    mailbox.close()
    listing = tmp_path / "2026-03-02" / "index.html"
    listing.write_text("as it was")
    mailbox.close()
    assert listing.read_text() == "as it was"


def channels(home: Path, mode: str, **values: object) -> Channels:
    settings = {"home": home, "delivery": mode, "public_url": "https://noodles.test"}
    return open_channels(Settings.model_validate(settings | values))


def test_when_nobody_may_be_written_to_everything_goes_to_the_mailbox(tmp_path: Path) -> None:
    opened = channels(tmp_path, "off")
    assert set(opened) == set(DeliveryChannel)
    assert {type(channel) for channel in opened.values()} == {MailboxChannel}


def test_only_those_on_the_list_are_really_written_to(tmp_path: Path) -> None:
    allowed = ["kim@customer.test", "@noodles.test", "+4915112345678", "kitchen_room", "crm"]
    opened = channels(tmp_path, "allowlist", delivery_allowlist=allowed)
    expected = {
        (DeliveryChannel.EMAIL, "Kim@customer.test"): "smtp",
        (DeliveryChannel.EMAIL, "ola@noodles.test"): "smtp",
        (DeliveryChannel.EMAIL, "lee@customer.test"): "mailbox",
        (DeliveryChannel.SMS, "+4915112345678"): "twilio",
        (DeliveryChannel.SMS, "+4915187654321"): "mailbox",
        (DeliveryChannel.SLACK, "kitchen_room"): "slack:kitchen_room",
        (DeliveryChannel.TEAMS, "depot_room"): "mailbox",
        (DeliveryChannel.APPRISE, "kitchen_room"): "apprise:kitchen_room",
        (DeliveryChannel.REVIEW, "google:accounts/1/locations/2/reviews/3"): "mailbox",
        (DeliveryChannel.WEBHOOK, "crm"): "webhook:crm",
    }
    for (name, recipient), route in expected.items():
        assert opened[name].route_for(recipient) == route
    close_all(opened)


def test_live_every_channel_is_the_real_one_and_says_what_it_lacks(tmp_path: Path) -> None:
    opened = channels(tmp_path, "live")
    recipients = {
        DeliveryChannel.SMS: ("+4915112345678", "VOC_TWILIO__ACCOUNT_SID"),
        DeliveryChannel.REVIEW: ("play:com.x/gp:1", "VOC_REVIEWS__PLAY_TOKEN"),
        DeliveryChannel.SLACK: ("kitchen_room", "VOC_ALERT_URLS"),
        DeliveryChannel.TEAMS: ("kitchen_room", "VOC_ALERT_URLS"),
        DeliveryChannel.APPRISE: ("kitchen_room", "VOC_ALERT_URLS"),
        DeliveryChannel.WEBHOOK: ("crm", "VOC_WEBHOOKS__CRM__URL"),
    }
    for name, (recipient, variable) in recipients.items():
        message = replace(envelope(), channel=name, recipient=recipient, content=b"{}")
        with pytest.raises(ChannelDownError, match=variable):
            opened[name].prepare(message)
    assert opened[DeliveryChannel.EMAIL].route_for("kim@customer.test") == "smtp"
    close_all(opened)
