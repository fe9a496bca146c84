"""The outbox against a real database and the local mailbox."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from notifications.mailbox import MailboxChannel
from tests.outbox_cases import (
    NOW,
    POLICY,
    SECRET,
    add_address,
    add_customer,
    add_loop,
    deliver,
    make_company,
    make_engine,
    plan_alert,
    plan_follow_up,
    queue,
    ready_resolution,
    save_consent,
    states,
    the_message,
)
from voc.models import (
    Answer,
    Identity,
    Link,
    LinkPurpose,
    Loop,
    LoopState,
    Message,
    MessageKind,
    Ticket,
    TicketState,
    Verdict,
)
from voc.models import MessageState as Is
from voc.rules.pseudonym import pseudonym
from voc.rules.tokens import token_hash
from voc.store import contact, messages, outbox
from voc.store.database import transaction
from voc.store.freezing import freeze


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def mailbox(tmp_path: Path) -> MailboxChannel:
    return MailboxChannel(tmp_path / "mailbox")


def mails(folder: Path) -> list[EmailMessage]:
    files = sorted((folder / "mailbox").glob("*/*.eml"))
    found = [message_from_bytes(path.read_bytes(), policy=default) for path in files]
    return cast(list[EmailMessage], found)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_planning_the_same_step_twice_plans_one_message(engine: Engine) -> None:
    values = {
        "subject": "loop:7",
        "step": "receipt",
        "recipient": "customer:1",
        "kind": MessageKind.FOLLOW_UP,
        "template": "receipt",
        "now": NOW,
    }
    with transaction(engine) as session:
        assert messages.plan(session, **values) is True
        assert messages.plan(session, **values) is False
    with transaction(engine) as session:
        assert messages.plan(session, **values) is False
        assert messages.plan(session, **values | {"step": "resolution.1"}) is True
    assert states(engine) == {Is.PLANNED: 2}


def test_a_planned_message_is_rendered_delivered_and_settled(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    told: list[int | None] = []
    message_id = ready_resolution(engine)
    queued = the_message(engine, message_id)
    counts = deliver(engine, mailbox, tmp_path, on_sent=lambda _s, m, _n: told.append(m.loop_id))
    sent = the_message(engine, message_id)
    assert counts == {Is.SENT: 1}
    assert (sent.state, sent.route, sent.settled_at) == (Is.SENT, "mailbox", NOW)
    assert sent.content == queued.content
    assert told == [sent.loop_id]
    (mail,) = mails(tmp_path)
    assert mail["To"] == "kim@customer.test"
    assert mail["Message-ID"] == sent.message_id
    assert "We spoke with the courier." in text_of(mail)


def test_what_is_in_the_mail_can_be_used_and_only_its_hash_is_kept(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    ready_resolution(engine)
    deliver(engine, mailbox, tmp_path)
    text = text_of(mails(tmp_path)[0])
    token = text.split("/a/")[1].split("?")[0]
    with transaction(engine) as session:
        link = session.get_one(Link, token_hash(token))
        kept = [row.token_hash for row in session.exec(select(Link))]
    assert link.purpose is LinkPurpose.ANSWER
    assert link.expires_at == NOW + timedelta(days=60)
    assert len(kept) == 2
    assert token not in kept


def test_message_and_tokens_follow_from_the_key_and_the_secret_only(tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        engine = make_engine(tmp_path / name)
        contents.append(the_message(engine, ready_resolution(engine)).content)
        engine.dispose()
    assert contents[0] == contents[1]


def test_queueing_twice_freezes_once(engine: Engine) -> None:
    ready_resolution(engine)
    assert queue(engine) == {}
    with transaction(engine) as session:
        assert len(session.exec(select(Link)).all()) == 2


def test_the_edit_of_a_name_after_queueing_does_not_change_the_mail(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    ready_resolution(engine)
    before = the_message(engine).content
    with transaction(engine) as session:
        session.exec(select(Ticket)).one().action_taken = "Something else."
    queue(engine)
    deliver(engine, mailbox, tmp_path)
    assert the_message(engine).content == before


def test_a_customer_without_an_address_is_suppressed_not_lost(engine: Engine) -> None:
    customer_id = add_customer(engine, address=None)
    loop_id, _ = add_loop(engine, customer_id)
    message_id = plan_follow_up(engine, loop_id, customer_id)
    assert queue(engine) == {Is.SUPPRESSED: 1}
    assert the_message(engine, message_id).reason == "no_address"


def test_a_bad_address_is_dead_and_the_others_go_on(engine: Engine) -> None:
    for address in ("not an address", "kim@customer.test"):
        customer_id = add_customer(engine, address)
        loop_id, _ = add_loop(engine, customer_id)
        plan_follow_up(engine, loop_id, customer_id)
    assert queue(engine) == {Is.DEAD: 1, Is.QUEUED: 1}
    assert the_message(engine, state=Is.DEAD).reason == "bad address"


def test_a_template_that_does_not_exist_makes_the_message_dead(engine: Engine) -> None:
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    message_id = plan_follow_up(engine, loop_id, customer_id, step="birthday.1")
    assert queue(engine) == {Is.DEAD: 1}
    assert the_message(engine, message_id).reason == "there is no template 'birthday'"


def test_the_language_is_the_customers_if_we_write_it(engine: Engine) -> None:
    for address, language in (("a@b.test", "de-AT"), ("c@d.test", "fr"), ("e@f.test", None)):
        ready_resolution(engine, address, language=language)
    with transaction(engine) as session:
        heads = [m.content or b"" for m in session.exec(select(Message).order_by("id"))]
    languages = [message_from_bytes(head)["Content-Language"] for head in heads]
    assert languages == ["de", "en", "en"]


def test_an_opt_out_between_queueing_and_sending_is_obeyed(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    message_id = ready_resolution(engine)
    with transaction(engine) as session:
        contact.suppress(
            session,
            pseudonym(SECRET, " KIM@customer.test"),
            reason="opted_out",
            how="unsubscribe page",
            now=NOW,
        )
    assert deliver(engine, mailbox, tmp_path) == {Is.SUPPRESSED: 1}
    assert the_message(engine, message_id).reason == "opted_out"
    assert mails(tmp_path) == []


def test_an_opt_out_while_the_connection_is_prepared_is_obeyed(
    engine: Engine, tmp_path: Path
) -> None:
    class OptsOutWhilePreparing(MailboxChannel):
        def prepare(self, mail: object) -> None:
            with transaction(engine) as session:
                save_consent(session, 1, granted=False, at=NOW)

    message_id = ready_resolution(engine)
    channel = OptsOutWhilePreparing(tmp_path / "mailbox")
    assert deliver(engine, channel, tmp_path) == {Is.SUPPRESSED: 1}
    assert the_message(engine, message_id).reason == "no_consent"
    assert mails(tmp_path) == []


def test_another_address_of_someone_who_opted_out_is_not_written_to(engine: Engine) -> None:
    customer_id = add_customer(engine, "old@customer.test")
    loop_id, _ = add_loop(engine, customer_id)
    plan_follow_up(engine, loop_id, customer_id)
    with transaction(engine) as session:
        add_address(session, customer_id, "new@customer.test", NOW)
        hashed = pseudonym(SECRET, "old@customer.test")
        contact.suppress(session, hashed, reason="opted_out", how="page", now=NOW)
    assert queue(engine) == {Is.SUPPRESSED: 1}


def test_an_address_that_bounced_is_passed_over(engine: Engine) -> None:
    customer_id = add_customer(engine, "old@customer.test")
    loop_id, _ = add_loop(engine, customer_id)
    message_id = plan_follow_up(engine, loop_id, customer_id)
    with transaction(engine) as session:
        add_address(session, customer_id, "new@customer.test", NOW + timedelta(days=1))
        hashed = pseudonym(SECRET, "new@customer.test")
        contact.suppress(session, hashed, reason="bounced", how="message 1", now=NOW)
    assert queue(engine) == {Is.QUEUED: 1}
    assert the_message(engine, message_id).address == "old@customer.test"


def test_an_address_that_was_taken_from_the_customer_is_not_written_to(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    message_id = ready_resolution(engine)
    with transaction(engine) as session:
        session.delete(session.exec(select(Identity)).one())
    assert deliver(engine, mailbox, tmp_path) == {Is.SUPPRESSED: 1}
    assert the_message(engine, message_id).reason == "no_address"


def test_the_newest_consent_holds(engine: Engine) -> None:
    message_id = ready_resolution(engine, consent=False)
    assert the_message(engine, message_id).reason == "no_consent"
    with transaction(engine) as session:
        save_consent(session, 1, granted=True, at=NOW)
    loop_id, _ = add_loop(engine, 1, verbatim="Again: the soup was cold.")
    plan_follow_up(engine, loop_id, 1)
    assert queue(engine) == {Is.QUEUED: 1}


def test_the_kill_switch_holds_and_its_end_releases(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    message_id = ready_resolution(engine)
    switch = tmp_path / "KILL_SWITCH"
    switch.touch()
    assert deliver(engine, mailbox, tmp_path) == {Is.HELD: 1}
    assert the_message(engine, message_id).reason == "kill_switch"
    assert deliver(engine, mailbox, tmp_path) == {}
    switch.unlink()
    assert deliver(engine, mailbox, tmp_path) == {Is.SENT: 1}


def test_who_is_held_out_is_visible_and_never_released(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    policy = POLICY.model_copy(update={"hold_out_share": 0.999999})
    customer_id = add_customer(engine)
    loop_id, ticket_id = add_loop(engine, customer_id, state=TicketState.OPEN)
    plan_follow_up(engine, loop_id, customer_id, step="receipt")
    plan_alert(engine, ticket_id)
    assert queue(engine, company=make_company(policy)) == {Is.HELD: 1, Is.QUEUED: 1}
    assert deliver(engine, mailbox, tmp_path, company=make_company(policy)) == {Is.SENT: 1}
    assert the_message(engine, state=Is.HELD).reason == "hold_out"


def test_old_news_expires(engine: Engine, mailbox: MailboxChannel, tmp_path: Path) -> None:
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    plan_follow_up(engine, loop_id, customer_id, expires_at=NOW + timedelta(days=1))
    queue(engine)
    assert deliver(engine, mailbox, tmp_path, now=NOW + timedelta(days=1)) == {Is.EXPIRED: 1}


def test_a_resolution_whose_ticket_was_reopened_is_cancelled(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    message_id = ready_resolution(engine)
    with transaction(engine) as session:
        session.exec(select(Ticket)).one().state = TicketState.OPEN
    assert deliver(engine, mailbox, tmp_path) == {Is.CANCELLED: 1}
    assert the_message(engine, message_id).reason == "no_longer_wanted"


def test_a_reminder_to_someone_who_has_answered_is_cancelled(engine: Engine) -> None:
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    with transaction(engine) as session:
        session.get_one(Loop, loop_id).state = LoopState.TOLD
    plan_follow_up(engine, loop_id, customer_id, step="reminder.1")
    with transaction(engine) as session:
        session.add(Answer(loop_id=loop_id, round=1, verdict=Verdict.SOLVED, at=NOW))
    assert queue(engine) == {Is.CANCELLED: 1}


def test_caps_defer_and_do_not_drop(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    company = make_company(POLICY.model_copy(update={"cap_7_days": 1}))
    customer_id = add_customer(engine)
    for step in ("receipt", "thanks"):
        loop_id, _ = add_loop(engine, customer_id, verbatim=f"For a {step}.")
        plan_follow_up(engine, loop_id, customer_id, step=step)
    queue(engine, company=company)
    assert deliver(engine, mailbox, tmp_path, company=company) == {Is.SENT: 1, Is.QUEUED: 1}
    waiting = the_message(engine, state=Is.QUEUED)
    assert (waiting.reason, waiting.not_before) == ("cap_7_days", NOW + timedelta(days=7))
    later = NOW + timedelta(days=7)
    assert deliver(engine, mailbox, tmp_path, company=company, now=later) == {Is.SENT: 1}


def test_a_resolution_is_exempt_from_caps(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    company = make_company(POLICY.model_copy(update={"cap_7_days": 1}))
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    plan_follow_up(engine, loop_id, customer_id, step="receipt")
    queue(engine, company=company)
    deliver(engine, mailbox, tmp_path, company=company)
    plan_follow_up(engine, loop_id, customer_id, now=NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=1)
    queue(engine, now=later, company=company)
    assert deliver(engine, mailbox, tmp_path, company=company, now=later) == {Is.SENT: 1}


def test_quiet_hours_are_the_customers(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    quiet = {"quiet_from": time(20), "quiet_until": time(8)}
    company = make_company(POLICY.model_copy(update=quiet))
    ready_resolution(engine, timezone="America/New_York")  # 09:00 UTC is 04:00 there
    assert deliver(engine, mailbox, tmp_path, company=company) == {Is.QUEUED: 1}
    waiting = the_message(engine)
    assert waiting.reason == "quiet_hours"
    assert waiting.not_before == NOW.replace(hour=13)
    later = NOW.replace(hour=13)
    assert deliver(engine, mailbox, tmp_path, company=company, now=later) == {Is.SENT: 1}


@pytest.mark.parametrize(("hours", "state"), [(23, Is.CANCELLED), (25, Is.QUEUED)])
def test_a_receipt_merges_into_a_resolution_that_follows_within_a_day(
    engine: Engine, hours: int, state: Is
) -> None:
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    receipt_id = plan_follow_up(engine, loop_id, customer_id, step="receipt")
    plan_follow_up(engine, loop_id, customer_id, now=NOW + timedelta(hours=hours))
    queue(engine, now=NOW + timedelta(hours=hours))
    assert the_message(engine, receipt_id).state is state
    assert the_message(engine, template="resolution").state is Is.QUEUED


def test_cancelling_takes_back_only_what_was_asked_for(engine: Engine) -> None:
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    for step in ("receipt", "reminder.1", "reminder.2"):
        plan_follow_up(engine, loop_id, customer_id, step=step)
    with transaction(engine) as session:
        n = messages.cancel(
            session, loop_id=loop_id, steps=["reminder"], reason="answered", now=NOW
        )
    assert n == 2
    assert states(engine) == {Is.PLANNED: 1, Is.CANCELLED: 2}


def test_replies_hang_on_the_first_mail_of_the_loop(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    receipt_id = plan_follow_up(engine, loop_id, customer_id, step="receipt")
    queue(engine)
    deliver(engine, mailbox, tmp_path)
    later = NOW + timedelta(days=2)
    reply_id = plan_follow_up(engine, loop_id, customer_id, now=later)
    queue(engine, now=later)
    reply = message_from_bytes(the_message(engine, reply_id).content or b"", policy=default)
    assert reply["In-Reply-To"] == the_message(engine, receipt_id).message_id
    assert reply["References"] == reply["In-Reply-To"]


def test_an_alert_quotes_its_statements_and_offers_departments(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    customer_id = add_customer(engine, consent=False)
    offers: list[list[str | float]] = [["logistics", 0.61], ["triage", 0.2]]
    _, ticket_id = add_loop(
        engine, customer_id, state=TicketState.OPEN, offers=offers, department="triage"
    )
    plan_alert(engine, ticket_id)
    queue(engine)
    assert deliver(engine, mailbox, tmp_path) == {Is.SENT: 1}
    text = text_of(mails(tmp_path)[0])
    assert "courier was rude." in text
    assert "Great food" not in text
    assert "- Logistics (61 %)" in text
    assert "Mon 2 Mar 2026, 18:00 (Europe/Berlin)" in text
    assert text.count("/t/") == 3


def test_an_alert_to_the_department_that_handed_the_ticket_on_is_cancelled(
    engine: Engine,
) -> None:
    _, ticket_id = add_loop(engine, add_customer(engine), state=TicketState.OPEN)
    plan_alert(engine, ticket_id)
    with transaction(engine) as session:
        session.get_one(Ticket, ticket_id).hand = 2
    plan_alert(engine, ticket_id, step="opened.2")
    assert queue(engine) == {Is.CANCELLED: 1, Is.QUEUED: 1}


def test_the_span_of_what_is_due(engine: Engine) -> None:
    with transaction(engine) as session:
        assert outbox.planned_span(session, NOW) == (0, 0, 0)
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    first = plan_follow_up(engine, loop_id, customer_id, step="receipt")
    last = plan_follow_up(engine, loop_id, customer_id)
    later = {"not_before": NOW + timedelta(days=1)}
    plan_follow_up(engine, loop_id, customer_id, step="reminder.1", **later)
    with transaction(engine) as session:
        assert outbox.planned_span(session, NOW) == (first, last, 2)


def test_a_domain_that_fails_to_react_leaves_the_mail_in_doubt_not_unsent(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    def fails(_session: Session, _message: Message, _now: datetime) -> None:
        raise RuntimeError

    message_id = ready_resolution(engine)
    with pytest.raises(RuntimeError):
        deliver(engine, mailbox, tmp_path, on_sent=fails)
    assert the_message(engine, message_id).state is Is.SENDING


def test_resolutions_do_not_use_up_the_cap_and_messages_in_doubt_do(
    engine: Engine, mailbox: MailboxChannel, tmp_path: Path
) -> None:
    company = make_company(POLICY.model_copy(update={"cap_7_days": 1}))
    ready_resolution(engine)
    deliver(engine, mailbox, tmp_path, company=company)
    for step in ("receipt", "thanks"):
        loop_id, _ = add_loop(engine, 1, verbatim=f"For a {step}.")
        plan_follow_up(engine, loop_id, 1, step=step)
    queue(engine, company=company)
    assert deliver(engine, mailbox, tmp_path, company=company, limit=1) == {Is.SENT: 1}
    with transaction(engine) as session:
        sent = session.exec(select(Message).where(Message.template == "receipt")).first()
        assert sent is not None
        sent.state = Is.UNKNOWN
    assert deliver(engine, mailbox, tmp_path, company=company) == {Is.QUEUED: 1}


def test_a_message_that_was_cancelled_while_it_was_written_stays_cancelled(
    engine: Engine,
) -> None:
    customer_id = add_customer(engine)
    loop_id, _ = add_loop(engine, customer_id)
    read = the_message(engine, plan_follow_up(engine, loop_id, customer_id))
    with transaction(engine) as session:
        messages.cancel(session, loop_id=loop_id, reason="duplicate", now=NOW)
    with transaction(engine) as session:
        links = [("h" * 64, LinkPurpose.ANSWER)]
        frozen = freeze(
            session,
            read,
            address="kim@customer.test",
            message_id="<m@noodles.test>",
            content=b"",
            envelope_sender="care@noodles.test",
            links=links,
            links_expire_at=NOW,
            now=NOW,
        )
    assert not frozen
    assert states(engine) == {Is.CANCELLED: 1}
    with transaction(engine) as session:
        assert session.exec(select(Link)).all() == []


def test_cancelling_everything_by_mistake_is_not_possible(engine: Engine) -> None:
    with transaction(engine) as session, pytest.raises(ValueError, match="a loop or a ticket"):
        messages.cancel(session, reason="oops", now=NOW)
