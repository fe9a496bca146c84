"""What mailboxes and providers tell us: once for ever, in any order, and what comes of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, delete
from sqlmodel import Session, SQLModel, col, select

from tests.desk import database
from tests.factories import (
    NOW,
    SECRET,
    make_answer,
    make_company,
    make_feedback,
    make_identity,
    make_message,
    save,
    save_customer,
    save_open_ticket,
    save_told_loop,
)
from voc.actions import answers, judging
from voc.actions.answers import apply_answers, close_silent
from voc.actions.erase import erase_feedback
from voc.actions.follow_up import plan_reminders
from voc.actions.inbound import Arrived, apply_waiting, take_in
from voc.errors import VocError
from voc.models import (
    Answer,
    AnswerWay,
    DeliveryChannel,
    Feedback,
    FeedbackState,
    IdentityKind,
    InboundEvent,
    InboundKind,
    Loop,
    LoopState,
    Message,
    MessageState,
    Suppression,
    Ticket,
    TicketEvent,
    TicketEventKind,
    TicketState,
    Verdict,
)
from voc.rules.contact import Why
from voc.rules.pseudonym import pseudonym
from voc.store import inbound as store
from voc.store.contact import facts_for
from voc.store.database import transaction, with_manners
from voc.store.events import HELD
from voc.store.verify import event_chain
from voc.store.verify.loops import closed_loops_were_told

Kind = InboundKind
COMPANY = make_company()
KIM = pseudonym(SECRET, "kim@customer.example")
PHONE = pseudonym(SECRET, "+4915112345678")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        yield engine


@pytest.fixture
def told(engine: Engine) -> Engine:
    """A customer was told by message 1, and asked whether it is solved."""
    with transaction(engine) as session:
        save_told_loop(session)
    return engine


def arrived(kind: Kind, *, number: int = 1, hours: float = 0, **values: object) -> Arrived:
    fields: dict[str, object] = {
        "provider": "mail",
        "event_id": f"event-{number}",
        "kind": kind,
        "occurred_at": NOW + hours * HOUR,
        "message_id": 1,
    }
    return Arrived(**(fields | values))  # type: ignore[arg-type]


def takes(engine: Engine, what: Arrived, *, now: object = NOW + DAY) -> str | None:
    """Take it in; the outcome of its event."""
    with transaction(engine) as session:
        take_in(session, what, secret=SECRET, now=now)  # type: ignore[arg-type]
        query = select(InboundEvent).where(
            InboundEvent.provider == what.provider, InboundEvent.event_id == what.event_id
        )
        return session.exec(query).one().outcome


def applies(engine: Engine, *, days: float = 1) -> dict[str, int]:
    with transaction(engine) as session:
        waiting = store.unapplied(session)
        return dict(apply_waiting(session, waiting, secret=SECRET, now=NOW + days * DAY))


def closes(engine: Engine) -> str:
    with transaction(engine) as session:
        return apply_answers(session, 1, COMPANY, now=NOW + DAY)


def the_loop(engine: Engine) -> Loop:
    with transaction(engine) as session:
        return session.get_one(Loop, 1)


def the_state(engine: Engine) -> MessageState:
    with transaction(engine) as session:
        return session.get_one(Message, 1).state


def suppressed(engine: Engine) -> dict[str, str]:
    with transaction(engine) as session:
        return {row.address_hash: row.reason for row in session.exec(select(Suppression))}


def answered(engine: Engine) -> list[Answer]:
    with transaction(engine) as session:
        return list(session.exec(select(Answer).order_by(col(Answer.id))))


def becomes(engine: Engine, state: MessageState, **values: object) -> None:
    with transaction(engine) as session:
        message = session.get_one(Message, 1)
        message.state = state
        for name, value in values.items():
            setattr(message, name, value)
        session.add(message)


def test_the_same_event_has_one_effect_for_ever(told: Engine) -> None:
    reply = arrived(Kind.REPLIED, words="It came!", verdict=Verdict.SOLVED)
    for years in (0, 1, 9):
        with transaction(told) as session:
            first = take_in(session, reply, secret=SECRET, now=NOW + years * 365 * DAY)
        assert first is (years == 0)
    assert len(answered(told)) == 1


def test_a_bounce_takes_back_what_we_believed_and_silences_the_address(told: Engine) -> None:
    assert takes(told, arrived(Kind.HARD_BOUNCED, code="5.1.1")) == "bounced"
    assert the_state(told) is MessageState.BOUNCED
    assert suppressed(told) == {KIM: Why.BOUNCED}
    loop = the_loop(told)
    assert (loop.state, loop.reason, loop.told_at) == (LoopState.COULD_NOT_TELL, "bounced", None)
    with transaction(told) as session:
        assert closed_loops_were_told(session) is None
        assert event_chain(session) is None


def test_a_bounce_after_the_silent_close_takes_that_back_too(told: Engine) -> None:
    with transaction(told) as session:
        close_silent(session, COMPANY, now=NOW + 60 * DAY)
    assert the_loop(told).state is LoopState.CLOSED
    takes(told, arrived(Kind.HARD_BOUNCED), now=NOW + 61 * DAY)
    assert the_loop(told).state is LoopState.COULD_NOT_TELL


def test_who_has_answered_has_got_it_whatever_comes_back(told: Engine) -> None:
    takes(told, arrived(Kind.REPLIED, words="Yes", verdict=Verdict.SOLVED))
    takes(told, arrived(Kind.HARD_BOUNCED, number=2, hours=1))
    assert closes(told) == "solved"
    assert the_state(told) is MessageState.BOUNCED
    with transaction(told) as session:
        assert closed_loops_were_told(session) is None


def test_an_answer_after_the_bounce_proves_that_it_arrived(told: Engine) -> None:
    takes(told, arrived(Kind.HARD_BOUNCED))
    takes(told, arrived(Kind.REPLIED, number=2, hours=2, words="No", verdict=Verdict.NOT_SOLVED))
    assert closes(told) == "reopened"
    assert the_loop(told).state is LoopState.OPEN
    with transaction(told) as session:
        assert event_chain(session) is None


def test_a_full_mailbox_silences_only_the_third_time_in_thirty_days(told: Engine) -> None:
    for number, days in enumerate((-40, -9, -1), 2):
        takes(told, full(number, hours=24 * days))
    assert suppressed(told) == {}
    takes(told, full(5, hours=1))
    assert suppressed(told) == {KIM: Why.BOUNCED}


def full(number: int, *, hours: float) -> Arrived:
    """A mail to Kim that found the mailbox full."""
    return arrived(Kind.SOFT_BOUNCED, number=number, hours=hours, message_id=None, address_hash=KIM)


def test_a_full_mailbox_that_several_report_was_full_once(told: Engine) -> None:
    for number, provider in enumerate(("mail", "hook:a", "hook:b")):
        takes(told, arrived(Kind.SOFT_BOUNCED, number=number, hours=number, provider=provider))
    assert suppressed(told) == {}


def test_a_complaint_that_waits_silences_once(told: Engine) -> None:
    becomes(told, MessageState.SENDING)
    assert takes(told, arrived(Kind.COMPLAINED)) is None
    with transaction(told) as session:
        before = len(session.exec(select(TicketEvent)).all())
        session.exec(delete(Suppression))  # they came back meanwhile
    assert applies(told) == {"waits": 1}
    with transaction(told) as session:
        assert len(session.exec(select(TicketEvent)).all()) == before
    assert suppressed(told) == {}
    becomes(told, MessageState.SENT)
    assert applies(told) == {"complained": 1}
    assert suppressed(told) == {}


def test_a_complaint_silences_as_soon_as_it_is_known_whose_it_is(told: Engine) -> None:
    takes(told, arrived(Kind.COMPLAINED, message_id=None, provider_id="queue-7"))
    assert suppressed(told) == {}
    becomes(told, MessageState.SENT, provider_id="queue-7")
    assert applies(told) == {"complained": 1}
    assert suppressed(told) == {KIM: Why.COMPLAINED}


def test_a_complaint_silences_the_customer_at_all_addresses(told: Engine) -> None:
    with transaction(told) as session:
        save(session, make_identity(value="kim@work.example"))
    assert takes(told, arrived(Kind.COMPLAINED)) == "complained"
    assert the_state(told) is MessageState.COMPLAINED
    assert set(suppressed(told).values()) == {Why.COMPLAINED}
    assert set(suppressed(told)) == {KIM, pseudonym(SECRET, "kim@work.example")}
    assert the_loop(told).state is LoopState.TOLD


def test_a_wish_for_silence_by_mail_silences_before_it_is_confirmed(told: Engine) -> None:
    assert takes(told, arrived(Kind.OPTED_OUT)) == "silenced"
    assert suppressed(told) == {KIM: Why.OPTED_OUT}


def test_positive_evidence_settles_a_message_in_doubt_and_its_loop(told: Engine) -> None:
    for state in (MessageState.UNKNOWN, MessageState.ABANDONED):
        becomes(told, state)
        with transaction(told) as session:
            loop = session.get_one(Loop, 1)
            loop.state, loop.told_at = LoopState.OPEN, None
            session.add(loop)
        takes(told, arrived(Kind.DELIVERED, number=len(state)))
        assert the_state(told) is MessageState.DELIVERED
        assert the_loop(told).state is LoopState.TOLD


def test_a_bounce_of_a_message_in_doubt_tells_nobody(told: Engine) -> None:
    becomes(told, MessageState.UNKNOWN)
    with transaction(told) as session:
        loop = session.get_one(Loop, 1)
        loop.state, loop.told_at = LoopState.OPEN, None
        session.add(loop)
    takes(told, arrived(Kind.HARD_BOUNCED))
    assert the_state(told) is MessageState.BOUNCED
    assert the_loop(told).state is LoopState.OPEN
    with transaction(told) as session:
        answers.give_up_untellable(session, now=NOW + DAY)
    assert the_loop(told).state is LoopState.COULD_NOT_TELL


def test_what_overtakes_our_own_commit_is_kept_and_applied_later(told: Engine) -> None:
    becomes(told, MessageState.SENDING, provider_id=None)
    delivered = arrived(Kind.DELIVERED, message_id=None, provider_id="queue-7")
    assert takes(told, delivered) is None
    assert takes(told, arrived(Kind.HARD_BOUNCED, number=2, hours=1)) is None
    assert suppressed(told) == {KIM: Why.BOUNCED}
    assert applies(told) == {"waits": 2}

    becomes(told, MessageState.SENT, provider_id="queue-7")
    assert applies(told) == {"delivered": 1, "bounced": 1}
    assert the_state(told) is MessageState.BOUNCED
    assert applies(told) == {}


def test_what_is_about_no_message_of_ours_is_given_up_after_three_days(told: Engine) -> None:
    stranger = arrived(Kind.DELIVERED, message_id=None, provider_id="nobody's")
    assert takes(told, stranger, now=NOW) is None
    assert applies(told, days=2) == {"waits": 1}
    assert applies(told, days=4) == {"unknown": 1}
    assert the_state(told) is MessageState.SENT


def test_a_provider_of_texts_says_nothing_about_mails(told: Engine) -> None:
    becomes(told, MessageState.SENT, provider_id="SM1")
    takes(told, arrived(Kind.FAILED, provider="twilio", message_id=None, provider_id="SM1"))
    assert the_state(told) is MessageState.SENT


def test_a_machine_answers_nothing(told: Engine) -> None:
    assert takes(told, arrived(Kind.AUTO_REPLIED)) == "noted"
    assert answered(told) == []


def test_replies_to_nothing_to_ended_and_to_erased_things_leave_nothing(told: Engine) -> None:
    secret = "my card is 4111"
    nobody = arrived(Kind.REPLIED, message_id=None, words=secret)
    assert takes(told, nobody) == "unknown"
    with transaction(told) as session:
        feedback = session.get_one(Feedback, 1)
        feedback.state, feedback.reason = FeedbackState.FILED, "deleted_at_source"
        session.add(feedback)
    assert takes(told, arrived(Kind.REPLIED, number=2, words=secret)) == "ended"
    with transaction(told) as session:
        feedback = session.get_one(Feedback, 1)
        feedback.state, feedback.reason = FeedbackState.ROUTED, None
        loop = session.get_one(Loop, 1)
        loop.state, loop.reason = LoopState.NOT_ACTIONABLE, "not_actionable"
        session.add_all([feedback, loop])
    assert takes(told, arrived(Kind.REPLIED, number=3, words=secret)) == "ended"
    assert answered(told) == []


def test_an_older_answer_that_comes_later_changes_nothing(told: Engine) -> None:
    takes(told, arrived(Kind.REPLIED, hours=2, words="Yes", verdict=Verdict.SOLVED))
    assert closes(told) == "solved"
    takes(told, arrived(Kind.REPLIED, number=2, hours=1, words="No", verdict=Verdict.NOT_SOLVED))
    assert closes(told) == "outdated"
    assert the_loop(told).state is LoopState.CLOSED


def test_a_clock_that_is_ahead_makes_no_answer_the_newest_for_ever(told: Engine) -> None:
    takes(told, arrived(Kind.REPLIED, hours=9999, words="Yes", verdict=Verdict.SOLVED))
    assert answered(told)[0].at == NOW + DAY


def test_codes_that_may_be_words_are_not_kept(told: Engine) -> None:
    takes(told, arrived(Kind.HARD_BOUNCED, code="kim@customer.example is gone"))
    with transaction(told) as session:
        assert session.exec(select(InboundEvent)).one().code == ""


def test_a_reply_to_a_message_that_asked_nothing_is_for_a_person(engine: Engine) -> None:
    with transaction(engine) as session:
        save_open_ticket(session)
        receipt = make_message(step="receipt", template="receipt", message_id="<r@shop.example>")
        save(session, receipt)
    takes(engine, arrived(Kind.REPLIED, words="Yes", verdict=Verdict.SOLVED))
    (answer,) = answered(engine)
    assert (answer.verdict, answer.round) == (Verdict.UNCLEAR, answers.UNASKED)
    assert closes(engine) == "unclear"
    assert the_loop(engine).state is LoopState.OPEN


def alerts(engine: Engine) -> list[Message]:
    with transaction(engine) as session:
        query = select(Message).where(Message.template == "customer_replied")
        return list(session.exec(query))


def wanted(engine: Engine, message: Message) -> bool:
    with transaction(engine) as session:
        facts = facts_for(
            session,
            [message.id or 0],
            company=COMPANY,
            secret=SECRET,
            kill_switch=False,
            now=NOW + DAY,
        )
    return facts[message.id or 0].still_wanted


UNCLEAR = "Well, the courier came, but the sofa did not"


def test_unclear_words_wait_for_a_person_and_nothing_else_happens(told: Engine) -> None:
    takes(told, arrived(Kind.REPLIED, words=UNCLEAR))
    assert closes(told) == closes(told) == "unclear"
    assert the_loop(told).state is LoopState.TOLD
    with transaction(told) as session:
        assert plan_reminders(session, COMPANY, now=NOW + 90 * DAY) == 0
        assert close_silent(session, COMPANY, now=NOW + 90 * DAY) == 0
    (alert,) = alerts(told)
    assert (alert.subject, alert.step) == ("answer:1", "judge.1")
    assert alert.recipient == "delivery@shop.example"
    assert wanted(told, alert)


def test_a_persons_word_does_what_the_customers_would_have_done(told: Engine) -> None:
    takes(told, arrived(Kind.REPLIED, words=UNCLEAR))
    closes(told)
    with transaction(told) as session:
        judging.judge(session, 1, Verdict.NOT_SOLVED, actor="dee", now=NOW + DAY)
    assert closes(told) == "reopened"
    with transaction(told) as session:
        ticket = session.get_one(Ticket, 1)
        assert (ticket.state, ticket.level) == (TicketState.OPEN, 1)
        kinds = [event.kind for event in session.exec(select(TicketEvent))]
        assert event_chain(session) is None
    assert kinds[:2] == [TicketEventKind.ANSWERED, TicketEventKind.JUDGED]
    (answer,) = answered(told)
    assert (answer.judged_by, answer.way) == ("dee", AnswerWay.MAIL)
    assert not wanted(told, alerts(told)[0])
    with transaction(told) as session, pytest.raises(VocError, match="does not wait"):
        judging.judge(session, 1, Verdict.SOLVED, actor="dee", now=NOW + DAY)


def test_a_clear_word_of_the_customers_makes_the_question_void(told: Engine) -> None:
    takes(told, arrived(Kind.REPLIED, words=UNCLEAR))
    closes(told)
    takes(told, arrived(Kind.REPLIED, number=2, hours=3, words="Yes", verdict=Verdict.SOLVED))
    assert closes(told) == "solved"
    assert not wanted(told, alerts(told)[0])


def test_a_reply_without_words_is_for_a_person_too(told: Engine) -> None:
    takes(told, arrived(Kind.REPLIED))
    assert closes(told) == "unclear"
    assert len(alerts(told)) == 1


def test_a_no_does_not_wait_for_what_unclear_words_after_it_mean(told: Engine) -> None:
    takes(told, arrived(Kind.REPLIED, words="No", verdict=Verdict.NOT_SOLVED))
    takes(told, arrived(Kind.REPLIED, number=2, hours=1, words="Ring at the back door"))
    assert closes(told) == "reopened"
    assert closes(told) == "unclear"
    assert len(alerts(told)) == 1


def test_a_yes_waits_for_what_unclear_words_after_it_mean(told: Engine) -> None:
    takes(told, arrived(Kind.REPLIED, words="Yes", verdict=Verdict.SOLVED))
    takes(told, arrived(Kind.REPLIED, number=2, hours=1, words="Hm, it leaks"))
    assert closes(told) == "unclear"
    with transaction(told) as session:
        judging.judge(session, 2, Verdict.NOT_SOLVED, actor="dee", now=NOW + DAY)
    assert closes(told) == "reopened"


@pytest.mark.parametrize("state", [MessageState.PLANNED, MessageState.HELD])
def test_an_answer_to_what_we_do_not_know_to_have_asked_waits(
    told: Engine, state: MessageState
) -> None:
    """As in an older copy of the database that was put back."""
    becomes(told, state)
    with transaction(told) as session:
        loop = session.get_one(Loop, 1)
        loop.state, loop.told_at = LoopState.OPEN, None
        session.add(loop)
    takes(told, arrived(Kind.REPLIED, words="No", verdict=Verdict.NOT_SOLVED))
    assert closes(told) == "asked_just_now"
    becomes(told, MessageState.UNKNOWN)
    assert closes(told) == "reopened"


def test_erasing_waits_for_who_opens_a_loop_just_now(engine: Engine) -> None:
    """They hold the ledger's head until their loop can be seen."""
    with transaction(engine) as session:
        save_customer(session)
        feedback = make_feedback()
        save(session, feedback)
        assert HELD not in session.info
        erase_feedback(session, feedback, now=NOW)
        assert HELD in session.info


def test_unclear_words_of_an_erased_customer_wait_for_nobody(told: Engine) -> None:
    with transaction(told) as session:
        save(session, make_answer(verdict=Verdict.UNCLEAR, words=None))
    assert closes(told) == "outdated"
    assert alerts(told) == []


def text_from_kim(kind: Kind, *, number: int, hours: float = 0) -> Arrived:
    return arrived(
        kind,
        number=number,
        hours=hours,
        provider="twilio",
        message_id=None,
        customer_id=1,
        address_hash=PHONE,
    )


def test_stop_and_start_take_turns_by_when_they_were_said(engine: Engine) -> None:
    with transaction(engine) as session:
        save_customer(session)
        save(session, make_identity(kind=IdentityKind.PHONE, value="+4915112345678"))
    takes(engine, text_from_kim(Kind.OPTED_OUT, number=1))
    assert suppressed(engine) == {PHONE: Why.STOPPED}
    assert takes(engine, text_from_kim(Kind.OPTED_IN, number=2, hours=2)) == "heard"
    assert suppressed(engine) == {}
    assert takes(engine, text_from_kim(Kind.OPTED_OUT, number=3, hours=1)) == "outdated"
    assert suppressed(engine) == {}
    assert takes(engine, text_from_kim(Kind.ASKED_FOR_HELP, number=4, hours=3)) == "noted"


def end_state(session: Session, order: Sequence[Arrived]) -> tuple[object, ...]:
    """What all comes to, if told in this order: without a trace."""
    for what in order:
        take_in(session, what, secret=SECRET, now=NOW + DAY)
        apply_waiting(session, store.unapplied(session), secret=SECRET, now=NOW + DAY)
    apply_answers(session, 1, COMPANY, now=NOW + DAY)
    loop, message = session.get_one(Loop, 1), session.get_one(Message, 1)
    reasons = sorted(session.exec(select(Suppression.reason)))
    state = (loop.state, loop.reason, loop.round, message.state, reasons)
    session.rollback()
    return state


EVENTS = (
    arrived(Kind.DELIVERED, number=1, hours=1),
    arrived(Kind.REPLIED, number=2, hours=2, words="No", verdict=Verdict.NOT_SOLVED),
    arrived(Kind.SOFT_BOUNCED, number=3, hours=3),
    arrived(Kind.REPLIED, number=4, hours=4, words="Yes", verdict=Verdict.SOLVED),
    arrived(Kind.COMPLAINED, number=5, hours=5),
)


@given(st.permutations(EVENTS))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_order_in_which_we_are_told_does_not_matter(told: Engine, order: list[Arrived]) -> None:
    with Session(told) as session:
        state = end_state(session, order)
    assert state == (
        LoopState.CLOSED,
        "solved",
        1,
        MessageState.COMPLAINED,
        [Why.COMPLAINED],
    )


def test_a_text_reply_answers_by_text(told: Engine) -> None:
    becomes(told, MessageState.SENT, channel=DeliveryChannel.SMS)
    takes(told, arrived(Kind.REPLIED, provider="twilio", words="Yes", verdict=Verdict.SOLVED))
    assert answered(told)[0].way is AnswerWay.SMS


THREADS = 10


def test_the_same_event_a_hundred_times_at_once_has_one_effect(
    database_url: str, tmp_path: Path
) -> None:
    engine = with_manners(create_engine(database_url or f"sqlite:///{tmp_path / 'voc.db'}"))
    SQLModel.metadata.create_all(engine)
    with transaction(engine) as session:
        save_told_loop(session)
    reply = arrived(Kind.REPLIED, words="No", verdict=Verdict.NOT_SOLVED)
    start, firsts = threading.Barrier(THREADS), []

    def call() -> None:
        start.wait()
        for _ in range(100 // THREADS):
            with transaction(engine) as session:
                first = take_in(session, reply, secret=SECRET, now=NOW + DAY)
            firsts.append(first)

    threads = [threading.Thread(target=call) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(firsts) == [False] * 99 + [True]
    assert len(answered(engine)) == 1
    engine.dispose()
