"""One life among real servers: postfix takes our mails and returns one, dovecot shows what came."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest
from imap_tools import MailBoxUnencrypted

from tasks import close, understand
from tasks.inbox import read_mail
from tasks.workplace import workplace
from tests.mail_servers import PASSWORD, MailServers
from tests.story import COMPANY, Story, fake_models, write_company
from voc.models import (
    Answer,
    AnswerWay,
    InboundEvent,
    InboundKind,
    Loop,
    LoopState,
    Message,
    MessageState,
    Suppression,
    Ticket,
    TicketState,
    Verdict,
)
from voc.rules.contact import Why
from voc.settings import get_settings

CARE, KIM, NOBODY = "care@noodles.test", "kim@customer.test", "nobody@customer.test"


@pytest.fixture
def story(home: Path, real_mail: MailServers, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A shop that sends by this postfix, and reads this dovecot."""
    settings = {
        "DELIVERY": "live",
        "PUBLIC_URL": "https://feedback.noodles.test",
        "REPLY_ADDRESS": CARE,
        "SMTP__HOST": "127.0.0.1",
        "SMTP__PORT": str(real_mail.smtp),
        "IMAP__HOST": "127.0.0.1",
        "IMAP__PORT": str(real_mail.imap),
        "IMAP__SECURITY": "none",
        "IMAP__USERNAME": CARE,
        "IMAP__PASSWORD": PASSWORD,
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"VOC_{name}", value)
    get_settings.cache_clear()
    write_company(home, COMPANY.replace("corner.example", "noodles.test"))
    models = fake_models(workplace().company)
    monkeypatch.setattr(understand, "build_models", lambda _company: models)
    return Story(workplace())


def answer(servers: MailServers, question: Message, words: str, **headers: str) -> None:
    """Kim answers the mail that lies in their mailbox: words above what it quotes."""
    with MailBoxUnencrypted("127.0.0.1", servers.imap).login(KIM, PASSWORD) as box:
        found = {each.headers["message-id"][0].strip(): each for each in box.fetch(mark_seen=False)}
    arrived = found[question.message_id or ""]
    mail = EmailMessage()
    mail["Subject"] = f"Re: {arrived.subject}"
    mail["From"] = f"Kim Lee <{KIM}>"
    mail["To"] = arrived.reply_to[0]
    mail["Message-ID"] = f"<{len(words)}@customer.test>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    quoted = "".join(f"> {line}\n" for line in arrived.text.splitlines())
    mail.set_content(f"{words}\n\nOn Monday Corner Shop wrote:\n{quoted}")
    with smtplib.SMTP("127.0.0.1", servers.smtp) as smtp:
        smtp.send_message(mail)


def test_mails_to_a_missing_mailbox_come_back_and_only_a_persons_reply_is_an_answer(
    story: Story, real_mail: MailServers
) -> None:
    story.says("My parcel is late, the courier never came.", rating=1, email=KIM)
    story.says("The courier charged me twice.", rating=1, email=NOBODY)
    story.runs()
    for ticket in story.rows(Ticket):
        if ticket.state is not TicketState.RESOLVED:
            story.resolves(ticket)
    story.wait(hours=30)
    story.runs()
    sent = [m for m in story.rows(Message) if m.state is MessageState.SENT and m.customer_id]
    to_nobody = [m for m in sent if m.address == NOBODY]
    to_kim = [m for m in sent if m.address == KIM]
    (question,) = (m for m in to_kim if m.template == "resolution")
    assert to_nobody

    # Postfix took the mails to an address without a mailbox, and returns them to us.
    real_mail.wait_for_mail("care", len(to_nobody))
    counts = read_mail.fn(story.now)
    assert counts == {"mail_hard_bounced": len(to_nobody)}
    bounced = story.rows(InboundEvent)
    assert {event.message_id for event in bounced} == {m.id for m in to_nobody}
    assert {event.code for event in bounced} == {"5.1.1"}
    assert [row.reason for row in story.rows(Suppression)] == [Why.BOUNCED]

    # A machine answers for Kim, then Kim does.
    real_mail.wait_for_mail("kim", len(to_kim))
    answer(real_mail, question, "I am away.", Auto_Submitted="auto-replied")
    answer(real_mail, question, "No, it is not solved.")
    real_mail.wait_for_mail("care", len(to_nobody) + 2)
    story.wait(hours=1)
    assert read_mail.fn(story.now) == {"mail_auto_replied": 1, "mail_replied": 1}
    (said,) = story.rows(Answer)
    assert (said.verdict, said.way) == (Verdict.NOT_SOLVED, AnswerWay.MAIL)
    assert said.words == "No, it is not solved."

    # And the stages go on from there.
    close.apply_events.fn(story.now)
    close.take_in_answers.fn(story.now)
    states = {loop.id: loop.state for loop in story.rows(Loop)}
    assert states[said.loop_id] is LoopState.OPEN
    assert read_mail.fn(story.now) == {}
    assert {event.kind for event in story.rows(InboundEvent)} == {
        InboundKind.HARD_BOUNCED,
        InboundKind.AUTO_REPLIED,
        InboundKind.REPLIED,
    }
    assert story.broken_books() == []
