"""A message of a kind that the company file names waits for a person; just that is then sent."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlmodel import col, select
from typer.testing import CliRunner

from apps.cli.main import app
from notifications.mailbox import MailboxChannel
from notifications.preview import masked, preview
from tasks.workplace import workplace
from tests.factories import save_waiting_reply
from tests.outbox_cases import (
    NOW,
    POLICY,
    add_customer,
    add_loop,
    deliver,
    make_company,
    make_engine,
    plan_follow_up,
    queue,
    the_message,
)
from tests.small_company import write_company
from voc.actions import approval, loops, tickets
from voc.actions.approval import ChangedError, NotWaitingError
from voc.company.follow_up import Approval
from voc.errors import NotFoundError, VocError
from voc.models import (
    DeliveryChannel,
    Loop,
    LoopKind,
    LoopState,
    Message,
    MessageState,
    Ticket,
    TicketEvent,
    TicketState,
)
from voc.rules.contact import Why
from voc.store import approval as store
from voc.store import messages
from voc.store.database import transaction
from voc.store.verify import event_chain
from voc.store.verify.consents import approved_messages_left_as_approved

APPROVER = "head@noodles.test"
RULE = Approval.model_validate(
    {"messages": ["resolution", "thanks", "receipt"], "approvers": [APPROVER]}
)
COMPANY = make_company(POLICY.model_copy(update={"approval": RULE}))
SENT, HELD, QUEUED, CANCELLED = (
    MessageState.SENT,
    MessageState.HELD,
    MessageState.QUEUED,
    MessageState.CANCELLED,
)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_engine(tmp_path)


@pytest.fixture
def mailbox(tmp_path: Path) -> MailboxChannel:
    return MailboxChannel(tmp_path / "mailbox")


def ready(engine: Engine, step: str = "resolution.1", address: str = "kim@customer.test") -> int:
    """A written message that waits for approval."""
    customer_id = add_customer(engine, address)
    loop_id, _ = add_loop(engine, customer_id)
    message_id = plan_follow_up(engine, loop_id, customer_id, step)
    queue(engine, company=COMPANY)
    return message_id


def approve(engine: Engine, message_id: int, seen: str | None = None) -> None:
    with transaction(engine) as session:
        approval.approve(session, message_id, seen=seen, actor="ada", now=NOW)


def refuse(engine: Engine, message_id: int, why: str = "It promises too much.") -> None:
    with transaction(engine) as session:
        approval.refuse(session, message_id, COMPANY, why=why, seen=None, actor="ada", now=NOW)


def sent_to_kim(tmp_path: Path) -> list[bytes]:
    mails = [path.read_bytes() for path in (tmp_path / "mailbox").rglob("*.eml")]
    return [mail for mail in mails if b"To: kim@customer.test" in mail]


def alerts(engine: Engine) -> list[tuple[str, str, str]]:
    with transaction(engine) as session:
        query = select(Message).where(Message.template == store.TEMPLATE).order_by(col(Message.id))
        return [(m.step, m.recipient, m.state.value) for m in session.exec(query)]


def events(engine: Engine) -> list[str]:
    with transaction(engine) as session:
        assert event_chain(session) is None
        query = select(TicketEvent).order_by(col(TicketEvent.id))
        return [e.kind.value for e in session.exec(query) if e.actor == "ada"]


def deliver_all(engine: Engine, mailbox: MailboxChannel, folder: Path) -> None:
    deliver(engine, mailbox, folder, company=COMPANY)


def test_it_waits_is_asked_for_and_leaves_byte_for_byte_when_approved(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    message_id = ready(engine)
    deliver_all(engine, mailbox, tmp_path)
    waiting = the_message(engine, message_id)
    assert (waiting.state, waiting.reason) == (HELD, Why.NEEDS_APPROVAL)
    assert sent_to_kim(tmp_path) == []
    assert alerts(engine) == [("approve.1", APPROVER, "sent")]

    approve(engine, message_id, seen=approval.fingerprint(waiting))
    approved = the_message(engine, message_id)
    assert (approved.state, approved.approved_by, approved.approved_at) == (QUEUED, "ada", NOW)
    deliver_all(engine, mailbox, tmp_path)
    done = the_message(engine, message_id)
    assert done.state is SENT
    assert done.content == waiting.content
    assert done.approved_hash == sha256(waiting.content or b"").hexdigest()
    assert sent_to_kim(tmp_path) == [waiting.content]
    assert events(engine) == ["message_approved"]


def test_words_that_were_changed_after_the_approval_are_not_sent(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    message_id = ready(engine)
    approve(engine, message_id)
    read = the_message(engine, message_id).content or b""
    changed = {"content": read + b"P.S. 50 % off today!\r\n", "id": message_id}
    with transaction(engine) as session:
        session.execute(text("UPDATE message SET content = :content WHERE id = :id"), changed)
    deliver_all(engine, mailbox, tmp_path)
    held = the_message(engine, message_id)
    assert (held.state, held.reason) == (HELD, Why.NEEDS_APPROVAL)
    assert sent_to_kim(tmp_path) == []
    assert [step for step, _, _ in alerts(engine)] == ["approve.1", "approve.2"]
    approve(engine, message_id)  # somebody has read the new words, and stands by them
    deliver_all(engine, mailbox, tmp_path)
    assert the_message(engine, message_id).state is SENT


def test_what_was_written_before_the_company_file_asked_for_approval_waits_as_well(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    customer_id = add_customer(engine)
    message_id = plan_follow_up(engine, add_loop(engine, customer_id)[0], customer_id)
    queue(engine, company=make_company())
    assert the_message(engine, message_id).state is QUEUED
    deliver_all(engine, mailbox, tmp_path)
    held = the_message(engine, message_id)
    assert (held.state, held.reason) == (HELD, Why.NEEDS_APPROVAL)
    assert [recipient for _, recipient, _ in alerts(engine)] == [APPROVER]
    approve(engine, message_id)
    deliver_all(engine, mailbox, tmp_path)
    assert the_message(engine, message_id).state is SENT
    with transaction(engine) as session:
        assert approved_messages_left_as_approved(session) is None


def test_the_longest_waiting_is_listed_first(engine: Engine) -> None:
    first, second = ready(engine), ready(engine, address="lee@customer.test")
    with transaction(engine) as session:
        messages.write_anew(session, session.get_one(Message, first), now=NOW, not_before=NOW)
    queue(engine, NOW + timedelta(minutes=1), COMPANY)
    with transaction(engine) as session:
        assert [message.id for message in store.listing(session, limit=5)] == [second, first]


def test_other_kinds_do_not_wait(engine: Engine, mailbox: MailboxChannel, tmp_path: Path) -> None:
    message_id = ready(engine, "reminder.1")
    assert the_message(engine, message_id).state is not HELD
    assert alerts(engine) == []


def test_a_public_reply_always_waits() -> None:
    reply = Message(channel=DeliveryChannel.REVIEW, template="review_reply")
    assert approval.needs_approval(reply, make_company())
    mail = Message(channel=DeliveryChannel.EMAIL, template="resolution")
    assert not approval.needs_approval(mail, make_company())


def test_a_refused_resolution_goes_back_to_its_owners_and_is_written_anew(engine: Engine) -> None:
    message_id = ready(engine)
    refuse(engine, message_id)
    refused = the_message(engine, message_id)
    assert (refused.state, refused.reason) == (CANCELLED, approval.REFUSED)
    assert refused.refusal == "It promises too much."
    with transaction(engine) as session:
        ticket = session.exec(select(Ticket)).one()
        loop = session.exec(select(Loop)).one()
        assert (ticket.state, ticket.level, loop.state) == (TicketState.OPEN, 0, LoopState.OPEN)
        ticket_id = ticket.id or 0
    assert events(engine) == ["message_refused", "reopened"]

    queue(engine, company=COMPANY)
    told = the_message(engine, template="ticket_reopened")
    words = message_from_bytes(told.content or b"", policy=default).get_body(("plain",))
    assert words is not None
    assert "It promises too much." in words.get_content()
    assert "says that it is not solved" not in words.get_content()

    with transaction(engine) as session:
        tickets.resolve(
            session, ticket_id, root_cause="Rain", action_taken="Told him.", actor="o", now=NOW
        )
    queue(engine, company=COMPANY)
    anew = the_message(engine, message_id)
    assert (anew.state, anew.reason, anew.refusal) == (HELD, Why.NEEDS_APPROVAL, None)
    assert b"Told him." in (anew.content or b"")
    assert [(step, state) for step, _, state in alerts(engine)] == [
        ("approve.1", "cancelled"),  # had not left yet when it was refused
        ("approve.2", "queued"),
    ]
    with pytest.raises(ChangedError):
        approve(engine, message_id, seen=approval.fingerprint(refused))


def test_refused_thanks_end_their_loop_and_a_refused_receipt_ends_nothing(engine: Engine) -> None:
    thanks = ready(engine, "thanks")
    with transaction(engine) as session:
        session.exec(select(Loop)).one().kind = LoopKind.THANKS
    refuse(engine, thanks)
    with transaction(engine) as session:
        loop = session.exec(select(Loop)).one()
        assert (loop.state, loop.reason) == (LoopState.COULD_NOT_TELL, "refused")
        loop.state = LoopState.OPEN
        loop_id, customer_id = loop.id or 0, loop.customer_id
    receipt = plan_follow_up(engine, loop_id, customer_id, "receipt")
    queue(engine, company=COMPANY)
    refuse(engine, receipt)
    with transaction(engine) as session:
        assert session.exec(select(Loop)).one().state is LoopState.OPEN


def test_what_does_not_wait_cannot_be_decided(engine: Engine) -> None:
    message_id = ready(engine)
    with pytest.raises(VocError, match="say why"):
        refuse(engine, message_id, why=" \n")
    approve(engine, message_id)
    for decide in (approve, refuse):
        with pytest.raises(NotWaitingError):
            decide(engine, message_id)
    with pytest.raises(NotFoundError):
        approve(engine, 4711)
    assert events(engine) == ["message_approved"]


def test_when_the_loop_ends_nobody_is_asked_any_more(engine: Engine) -> None:
    message_id = ready(engine)
    with transaction(engine) as session:
        loops.drop(session, session.exec(select(Loop)).one(), reason="deleted", now=NOW)
    assert the_message(engine, message_id).state is CANCELLED
    assert alerts(engine) == [("approve.1", APPROVER, "cancelled")]


def test_written_anew_it_has_to_be_approved_anew(engine: Engine) -> None:
    message_id = ready(engine)
    approve(engine, message_id)
    with transaction(engine) as session:
        message = session.get_one(Message, message_id)
        assert messages.write_anew(session, message, now=NOW, not_before=NOW)
    queue(engine, company=COMPANY)
    anew = the_message(engine, message_id)
    assert anew.state is HELD
    assert (anew.approved_by, anew.approved_at, anew.approved_hash) == (None, None, None)


def test_an_approver_sees_the_words_but_neither_address_nor_the_secret_of_a_link(
    engine: Engine,
) -> None:
    message = the_message(engine, ready(engine))
    words = preview(message)
    assert words is not None
    assert words.html is not None
    assert words.recipient == "ki…@customer.test"
    assert "We spoke with the courier." in words.text
    assert "https://feedback.noodles.test/a/…?verdict=solved" in words.text
    plain = message_from_bytes(message.content or b"", policy=default).get_body(("plain",))
    assert plain is not None
    (token,) = set(re.findall(r"/a/(\w{32})", plain.get_content()))
    for part in (words.text, words.html):
        assert token not in part


@pytest.mark.parametrize(
    ("address", "shown"), [("+491701234567", "+4…67"), ("", "unknown"), ("a@b.c", "a…@b.c")]
)
def test_what_is_shown_of_an_address(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_a_text_message_is_shown_as_it_is() -> None:
    words = preview(Message(channel=DeliveryChannel.SMS, address="+49170", content="Hé".encode()))
    assert words is not None
    assert (words.subject, words.text, words.html) == (None, "Hé", None)


def voc(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "160"})
    return result.output if result.exit_code == 0 else f"failed: {result.output}"


def test_the_command_lists_shows_approves_and_refuses(home: Path) -> None:
    write_company(home)
    assert "No message waits" in voc("approval", "list")
    with transaction(workplace().engine) as session:
        save_waiting_reply(session, b"Subject: News\r\n\r\nWe spoke with the courier.")
        fingerprint = approval.fingerprint(session.get_one(Message, 1))
    assert fingerprint in voc("approval", "list")
    shown = voc("approval", "show", "1")
    assert "subject: News" in shown
    assert "We spoke with the courier." in shown
    assert "kim@" not in shown
    assert "written anew" in voc("approval", "approve", "1", "--seen", "0" * 12, "--as", "ada")
    assert "is approved" in voc("approval", "approve", "1", "--seen", fingerprint, "--as", "ada")
    assert "does not wait" in voc("approval", "refuse", "1", "--why", "No.", "--as", "ada")
    with transaction(workplace().engine) as session:
        message = session.get_one(Message, 1)
        assert (message.state, message.approved_by) == (QUEUED, "ada")
        message.state, message.reason = HELD, Why.NEEDS_APPROVAL.value
    assert "is refused" in voc("approval", "refuse", "1", "--why", "Too vague.", "--as", "ada")
    assert "refused: Too vague." in voc("approval", "show", "1")
