"""Mail that comes in, from the mailbox into the books: once for ever, and never more than it is."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

import flows.close
import flows.loop
from notifications.inbox import handover, parts
from notifications.inbox.handover import store_batch
from notifications.inbox.imap import SOURCE, Batch, Fetched
from notifications.inbox.replies import new_words
from tasks import close, understand
from tasks.collect import replay_marked, replay_quarantine
from tasks.inbox import build_post
from tasks.workplace import workplace
from tests.mails_in import arf, block, dsn, nested, plain
from tests.story import Story, fake_models, write_company
from voc.actions.collect import read_cursor
from voc.actions.quarantine import are_marked
from voc.errors import SourceUnavailableError
from voc.models import (
    Answer,
    AnswerWay,
    InboundEvent,
    InboundKind,
    LoopState,
    Message,
    MessageState,
    Quarantine,
    QuarantineState,
    Suppression,
    Verdict,
)
from voc.rules.contact import Why
from voc.rules.tokens import ReturnPurpose, return_address
from voc.settings import get_settings
from voc.store.database import transaction
from voc.store.quarantine import mark

CARE = "care@corner.example"


@pytest.fixture(scope="module")
def asked_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """The home of a shop that told a customer what was done, and asked whether it is solved."""
    folder = tmp_path_factory.mktemp("asked")
    with pytest.MonkeyPatch.context() as patch:
        story = story_at(folder, patch)
        story.says("My parcel is late, the courier never came.", rating=1)
        story.runs()
        story.resolves(story.ticket())
        story.wait(hours=30)
        story.runs()
        story.wait(hours=1)
        story.place.engine.dispose()
    return folder, story.now


@pytest.fixture
def story(
    home: Path, asked_home: tuple[Path, datetime], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    """That shop, for one test. On SQLite: the domain is tried on both databases elsewhere."""
    folder, now = asked_home
    shutil.copytree(folder, home, dirs_exist_ok=True)
    story = story_at(home, monkeypatch)
    story.now = now
    yield story
    story.place.engine.dispose()


def story_at(home: Path, patch: pytest.MonkeyPatch) -> Story:
    patch.setenv("VOC_HOME", str(home))
    patch.setenv("VOC_REPLY_ADDRESS", CARE)
    get_settings.cache_clear()
    workplace.cache_clear()
    write_company(home)
    models = fake_models(workplace().company)
    patch.setattr(understand, "build_models", lambda _company: models)
    return Story(workplace())


def asked(story: Story) -> Message:
    """The question, as it was sent."""
    message = next(m for m in story.rows(Message) if m.template == "resolution")
    assert message.state is MessageState.SENT
    return message


def acts(story: Story) -> None:
    """The close stage."""
    close.apply_events.fn(story.now)
    close.take_in_answers.fn(story.now)


def address_of(story: Story, message: Message, purpose: ReturnPurpose) -> str:
    return return_address(CARE, story.place.secret, purpose, message.id or 0)


def comes_in(story: Story, *raws: bytes, cursor: str = "1:1") -> Counter[str]:
    """The mails lie in the mailbox, and are read."""
    mails = [Fetched(uid, story.now, raw) for uid, raw in enumerate(raws, 1)]
    return store_batch(build_post(story.place, now=story.now), Batch(mails, cursor))


def replies(story: Story, message: Message, words: str, head: str = "") -> bytes:
    return plain(words, to=address_of(story, message, ReturnPurpose.REPLY), head=head)


def bounce(story: Story, message: Message, status: str = "5.1.1", action: str = "failed") -> bytes:
    to = address_of(story, message, ReturnPurpose.BOUNCE)
    return dsn(block(action, status), to=to, returned="Subject: Yours\n")


def test_a_reply_is_an_answer_in_the_customers_own_words_masked(story: Story) -> None:
    message = asked(story)
    text = "No, it is not solved.\nKim Lee, kim@example.com\n\n> Is this solved?\n"
    assert comes_in(story, replies(story, message, text)) == {"replied": 1}
    (answer,) = story.rows(Answer)
    assert (answer.verdict, answer.way) == (Verdict.NOT_SOLVED, AnswerWay.MAIL)
    assert answer.words is not None
    assert answer.words.startswith("No, it is not solved.")
    assert "Kim" not in answer.words
    assert "@" not in answer.words
    acts(story)
    assert story.loop().state is LoopState.OPEN
    assert story.broken_books() == []


def test_a_reply_that_says_yes_closes_the_loop(story: Story) -> None:
    message = asked(story)
    comes_in(story, replies(story, message, "Yes, thank you!"))
    acts(story)
    assert (story.loop().state, story.loop().reason) == (LoopState.CLOSED, "solved")


def test_words_that_say_neither_close_nothing(story: Story) -> None:
    message = asked(story)
    comes_in(story, replies(story, message, "Yes, but the refund is missing."))
    acts(story)
    assert story.rows(Answer)[0].verdict is Verdict.UNCLEAR
    assert story.loop().state is LoopState.TOLD


def test_a_reply_is_found_by_the_mail_that_it_answers(story: Story) -> None:
    message = asked(story)
    head = f"In-Reply-To: {message.message_id}\n"
    assert comes_in(story, plain("No.", to=CARE, head=head)) == {"replied": 1}


def test_a_mail_that_is_read_again_counts_once(story: Story) -> None:
    raw = replies(story, asked(story), "No.")
    comes_in(story, raw)
    assert comes_in(story, raw, raw, cursor="2:2") == {"known": 2}
    assert len(story.rows(Answer)) == 1
    assert read_cursor(story.place.engine, SOURCE) == "2:2"


def test_events_and_cursor_are_stored_together_or_not_at_all(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = replies(story, asked(story), "No.")

    def power_cut(*_args: object, **_more: object) -> int:
        raise OSError("no power")

    with monkeypatch.context() as fault:
        fault.setattr(handover, "quarantine", power_cut)  # after the events, before the cursor
        with pytest.raises(OSError, match="no power"):
            comes_in(story, raw)
    assert story.rows(InboundEvent) == []
    assert read_cursor(story.place.engine, SOURCE) is None
    assert comes_in(story, raw) == {"replied": 1}


def test_a_hard_bounce_silences_the_address(story: Story) -> None:
    message = asked(story)
    assert comes_in(story, bounce(story, message)) == {"hard_bounced": 1}
    acts(story)
    assert [row.reason for row in story.rows(Suppression)] == [Why.BOUNCED]
    assert story.rows(InboundEvent)[0].code == "5.1.1"
    states = {m.id: m.state for m in story.rows(Message)}
    assert states[message.id] is MessageState.BOUNCED


def test_a_delay_and_a_mail_that_arrived_are_no_failures(story: Story) -> None:
    message = asked(story)
    delayed, arrived = (
        bounce(story, message, "4.4.1", "delayed"),
        bounce(story, message, "2.0.0", "delivered"),
    )
    assert comes_in(story, delayed, arrived) == {"says_nothing": 1, "delivered": 1}
    assert story.rows(Suppression) == []


def test_a_forged_bounce_is_on_record_and_does_nothing(story: Story) -> None:
    message = asked(story)
    forged = [
        dsn(block("failed", "5.1.1"), to=f"care+b-{'a' * 24}@corner.example", returned=""),
        dsn(block("failed", "5.1.1", "550 kim@example.com unknown"), to=CARE, returned=""),
        arf(),
    ]
    assert comes_in(story, *forged) == {"names_no_message": 3}
    acts(story)
    assert story.rows(Suppression) == []
    assert {event.message_id for event in story.rows(InboundEvent)} == {None}
    assert {m.id: m.state for m in story.rows(Message)}[message.id] is MessageState.SENT


@pytest.mark.parametrize(
    "head", ["Auto-Submitted: auto-replied\n", "Precedence: bulk\n", "Return-Path: <>\n"]
)
def test_an_out_of_office_is_never_an_answer(story: Story, head: str) -> None:
    message = asked(story)
    assert comes_in(story, replies(story, message, "Yes, solved.", head)) == {"auto_replied": 1}
    acts(story)
    assert story.rows(Answer) == []
    assert story.loop().state is LoopState.TOLD


def test_two_machines_do_not_keep_each_other_talking(story: Story) -> None:
    """Theirs answers whatever it gets; we answer no machine, so that there is nothing to answer."""
    asked(story)
    for turn in range(2):
        for message in story.rows(Message):
            if message.state is MessageState.SENT and message.customer_id is not None:
                head = f"Auto-Submitted: auto-replied\nX-Turn: {turn}\n"
                comes_in(story, replies(story, message, "We got your mail.", head))
        sent = len(story.rows(Message))
        story.runs()
        assert len(story.rows(Message)) == sent
    assert all(b"Auto-Submitted: auto-generated" in (m.content or b"") for m in story.rows(Message))


def test_a_complaint_silences_the_customer_at_once(story: Story) -> None:
    message = asked(story)
    to = address_of(story, message, ReturnPurpose.BOUNCE)
    raw = arf().replace(b"Original-Mail-From:", f"Original-Mail-From: <{to}>\nX-Old:".encode())
    assert comes_in(story, raw) == {"complained": 1}
    assert [row.reason for row in story.rows(Suppression)] == [Why.COMPLAINED]


def mail_to_the_unsubscribe_address(story: Story, message: Message) -> bytes:
    return plain("", to=address_of(story, message, ReturnPurpose.UNSUBSCRIBE))


def reply_that_asks_for_silence(story: Story, message: Message) -> bytes:
    return replies(story, message, "Please unsubscribe me.")


@pytest.mark.parametrize("write", [mail_to_the_unsubscribe_address, reply_that_asks_for_silence])
def test_who_asks_for_silence_by_mail_gets_it(
    story: Story, write: Callable[[Story, Message], bytes]
) -> None:
    assert comes_in(story, write(story, asked(story))) == {"opted_out": 1}
    assert [row.reason for row in story.rows(Suppression)] == [Why.OPTED_OUT]
    assert story.rows(Answer) == []


def test_words_that_may_ask_for_silence_are_for_a_person(story: Story) -> None:
    message = asked(story)
    comes_in(story, replies(story, message, "Yes.\nI had to cancel my order, though."))
    assert story.rows(Answer)[0].verdict is Verdict.UNCLEAR


def test_other_peoples_mails_in_the_mailbox_are_left_alone(story: Story) -> None:
    asked(story)
    assert comes_in(story, plain("Please call me", to=CARE), b"", b"\xff\0") == {"not_ours": 3}
    assert story.rows(InboundEvent) == []


def test_a_poison_mail_is_kept_sealed_and_the_rest_goes_on(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = asked(story)
    poison = replies(story, message, "").replace(b"Content-Type: text/plain", b"X-Was: text/plain")
    poison = poison.replace(b"\n\n", b"\n", 1) + nested(60).partition(b"\n")[2].partition(b"\n")[2]
    counts = comes_in(story, poison, replies(story, message, "No."))
    assert counts == {"unreadable": 1, "replied": 1}
    (kept,) = story.rows(Quarantine)
    assert (kept.source, kept.place) == ("mail in", f"mail of {story.now:%Y-%m-%d %H:%M}")
    assert b"kim@customer" not in kept.raw_encrypted  # letters of a cipher may spell a short word
    assert replay_quarantine(story.place, [], now=story.now) == {"still_wrong": 1}
    monkeypatch.setattr(parts, "MOST_PARTS", 1_000)  # a later version reads it
    story.wait(hours=1)
    assert replay_marked.fn(story.now) == {}
    with transaction(story.place.engine) as session:
        assert mark(session, kept.source, kept.reason, again=True) == 1
    assert are_marked(story.place.engine)
    assert replay_marked.fn(story.now) == {"replayed": 1}
    assert not are_marked(story.place.engine)
    assert story.rows(Quarantine)[0].state is QuarantineState.REPLAYED
    assert [answer.words for answer in story.rows(Answer)] == ["No.", "hello"]


def test_a_mail_whose_words_break_something_is_poison_too(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = asked(story)
    mails = replies(story, message, "Boom"), replies(story, message, "No.")

    def breaks(words: str, ours: str) -> str:
        if words == "Boom":
            raise RecursionError(words)
        return new_words(words, ours)

    with monkeypatch.context() as fault:
        fault.setattr(handover, "new_words", breaks)
        assert comes_in(story, *mails) == {"unreadable": 1, "replied": 1}
        assert [kept.reason for kept in story.rows(Quarantine)] == [
            "cannot be read: RecursionError"
        ]
        assert replay_quarantine(story.place, [], now=story.now) == {"still_wrong": 1}
    assert replay_quarantine(story.place, [], now=story.now) == {"replayed": 1}
    assert [answer.words for answer in story.rows(Answer)] == ["No.", "Boom"]


def test_who_says_no_and_asks_for_silence_is_heard_in_both(story: Story) -> None:
    message = asked(story)
    words = "No, it is not solved. Stop writing to me."
    assert comes_in(story, replies(story, message, words)) == {"opted_out": 1}
    assert [row.reason for row in story.rows(Suppression)] == [Why.OPTED_OUT]
    assert story.rows(Answer)[0].verdict is Verdict.NOT_SOLVED
    acts(story)
    assert story.loop().state is LoopState.OPEN


def test_a_reply_that_claims_to_be_from_the_future_is_from_now(story: Story) -> None:
    message = asked(story)
    later = Fetched(1, story.now + timedelta(days=400), replies(story, message, "No."))
    store_batch(build_post(story.place, now=story.now), Batch([later], "1:1"))
    assert story.rows(InboundEvent)[0].occurred_at == story.now


def test_nothing_that_is_kept_of_a_mail_shows_who_wrote_it(story: Story) -> None:
    message = asked(story)
    comes_in(story, replies(story, message, "Auto", "Auto-Submitted: auto-replied\n"))
    comes_in(story, bounce(story, message))
    for event in story.rows(InboundEvent):
        assert "@" not in repr(event)
        assert "kim" not in repr(event).casefold()
    assert {event.kind for event in story.rows(InboundEvent)} == {
        InboundKind.AUTO_REPLIED,
        InboundKind.HARD_BOUNCED,
    }


@pytest.fixture
def imap_is_set(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    assert story.place.settings.imap.host == ""
    monkeypatch.setenv("VOC_IMAP__HOST", "mail.example")
    get_settings.cache_clear()
    workplace.cache_clear()


@pytest.mark.usefixtures("imap_is_set")
def test_the_loop_looks_into_the_mailbox_even_if_nothing_else_is_to_be_closed(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[datetime] = []
    stage = SimpleNamespace(fn=lambda now: {"closed": len(closed.append(now) or closed)})
    monkeypatch.setattr(flows.loop, "close", stage)
    monkeypatch.setattr(flows.loop, "ask_sources", lambda *_: ({}, []))
    for question in ("themes_wait", "is_stale"):
        monkeypatch.setattr(flows.loop, question, lambda *_: False)
    assert flows.loop.loop.fn(now=story.now)["closed"] == 1
    assert closed == [story.now]


UNREACHABLE = SourceUnavailableError(SOURCE, "mail.example:993 did not answer within 60 s")


@pytest.mark.usefixtures("imap_is_set")
@pytest.mark.parametrize("problem", [UNREACHABLE, RuntimeError("did not answer")])
def test_a_mailbox_that_cannot_be_read_does_not_keep_the_rest_from_being_done(
    story: Story, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    comes_in(story, replies(story, asked(story), "Yes."))

    def cannot(_now: datetime) -> dict[str, int]:
        raise problem

    monkeypatch.setattr(flows.close, "read_mail", cannot)
    for name in ("apply_events", "take_in_answers", "end_loops"):
        monkeypatch.setattr(flows.close, name, getattr(close, name).fn)
    monkeypatch.setattr(flows.close, "anchor_ledger", lambda _now: {})
    with pytest.raises(type(problem), match="did not answer"):
        flows.close.close.fn(story.now)
    assert story.loop().state is LoopState.CLOSED
