"""The loop, from the first word to the last answer, as the people in it see it."""

from __future__ import annotations

import re

import pytest
from sqlmodel import Session, select

from tasks import close, follow_up, route, understand
from tests.story import Story
from voc.actions import answers, tickets
from voc.actions.contact import unsubscribe
from voc.actions.route import give_strays_to_triage, route_pieces
from voc.actions.understand import store_readings
from voc.arrivals import Page, RawFeedback, RawIdentity
from voc.errors import ConfigurationError, IllegalTransitionError, VocError
from voc.models import (
    Answer,
    Channel,
    Embedding,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    IdentityKind,
    Label,
    Loop,
    LoopState,
    Message,
    MessageState,
    Statement,
    Ticket,
    TicketEvent,
    TicketEventKind,
    TicketState,
    Verdict,
)
from voc.store.database import transaction
from voc.store.feedback import unread
from voc.store.installation import check_secret
from voc.store.pending import pending

LATE = "The parcel came late and the courier was rude."
CHARGED = "I was charged the wrong money."


def answer(story: Story, verdict: Verdict) -> None:
    with transaction(story.place.engine) as session:
        loop = session.get_one(Loop, story.loop().id)
        answers.record(
            session, loop, verdict, round_asked=loop.round, rating=None, words=None, now=story.now
        )


def told(story: Story, text: str = LATE) -> None:
    """A complaint whose ticket is resolved and whose customer was told."""
    story.says(text, rating=2)
    story.runs()
    story.wait(days=2)
    story.resolves(story.ticket())
    story.runs()


def test_a_complaint_is_answered_and_closes_when_the_customer_says_solved(story: Story) -> None:
    told(story)
    assert story.loop().state is LoopState.TOLD
    assert "We mended it." in story.mails(to="kim@example.com")[-1]

    answer(story, Verdict.SOLVED)
    story.runs()

    assert (story.loop().state, story.loop().reason) == (LoopState.CLOSED, "solved")
    assert story.ticket().state is TicketState.CLOSED
    assert story.broken_books() == []


def test_not_solved_reopens_the_loop_one_level_up_and_a_second_reply_follows(story: Story) -> None:
    told(story)
    answer(story, Verdict.NOT_SOLVED)
    story.runs()

    assert (story.loop().state, story.loop().round) == (LoopState.OPEN, 2)
    assert (story.ticket().state, story.ticket().level) == (TicketState.OPEN, 1)

    story.runs()
    assert len(story.mails(to="boss@corner.example")) == 1

    story.wait(days=1)
    story.resolves(story.ticket(), "Now we replaced it.")
    story.runs()
    assert "Now we replaced it." in story.mails(to="kim@example.com")[-1]
    assert story.loop().state is LoopState.TOLD
    assert story.broken_books() == []


def test_the_newest_answer_holds_and_one_to_an_earlier_question_changes_nothing(
    story: Story,
) -> None:
    told(story)
    answer(story, Verdict.NOT_SOLVED)
    story.wait(minutes=1)
    answer(story, Verdict.SOLVED)
    story.runs()
    assert story.loop().state is LoopState.CLOSED

    with transaction(story.place.engine) as session:
        loop = session.get_one(Loop, story.loop().id)
        loop.round = 2
        answers.record(
            session,
            loop,
            Verdict.NOT_SOLVED,
            round_asked=1,
            rating=None,
            words=None,
            now=story.now,
        )
    story.runs()
    assert story.loop().state is LoopState.CLOSED


def test_silence_closes_after_a_reminder(story: Story) -> None:
    told(story)
    story.wait(days=6)
    story.runs()
    story.runs()
    assert [m.step for m in story.rows(Message) if m.template == "reminder"] == ["reminder.1"]

    story.wait(days=9)
    story.runs()
    assert (story.loop().state, story.loop().reason) == (LoopState.CLOSED, "silent")


def test_two_issues_in_one_comment_are_two_tickets_one_loop_and_one_reply(story: Story) -> None:
    story.says(f"{LATE} {CHARGED}", rating=1)
    story.runs()
    first, second = story.rows(Ticket)
    assert {first.department, second.department} == {"delivery", "billing"}

    story.wait(days=2)
    story.resolves(first, "The courier was told.")
    story.runs()
    assert story.loop().state is LoopState.OPEN

    story.resolves(second, "The money is back.")
    story.runs()
    (reply,) = [mail for mail in story.mails(to="kim@example.com") if "The money is back." in mail]
    assert "The courier was told." in reply
    assert story.loop().state is LoopState.TOLD


def test_the_same_customers_same_issue_joins_the_open_ticket_and_both_are_answered(
    story: Story,
) -> None:
    story.says(LATE, rating=2)
    story.runs()
    story.wait(days=1)
    story.says("Again: parcel late, courier rude!", rating=1)
    story.runs()
    assert len(story.rows(Ticket)) == 1
    assert len(story.rows(Loop)) == 2

    story.resolves(story.ticket())
    story.wait(days=1)
    story.runs()
    assert {loop.state for loop in story.rows(Loop)} == {LoopState.TOLD}
    assert story.broken_books() == []


def test_another_customers_same_issue_opens_a_ticket_of_its_own(story: Story) -> None:
    story.says(LATE, rating=2)
    story.says(LATE, rating=2, email="bo@example.com")
    story.runs()
    assert len(story.rows(Ticket)) == 2


def test_a_promoter_is_thanked_without_a_ticket(story: Story) -> None:
    story.says("Great and friendly, thanks!", rating=10)
    story.runs()
    assert story.rows(Ticket) == []
    assert (story.loop().state, story.loop().reason) == (LoopState.CLOSED, "thanked")
    assert len(story.mails(to="kim@example.com")) == 1


def test_what_needs_nothing_is_filed_with_the_reason(story: Story) -> None:
    story.says("It is a shop on a corner.", rating=8)
    story.says("", rating=3)
    story.runs()
    filed = {(f.state, f.reason) for f in story.rows(Feedback)}
    assert filed == {(FeedbackState.FILED, "nothing_to_do"), (FeedbackState.FILED, "no_words")}


def test_without_an_address_the_loop_ends_with_the_reason_and_the_ticket_goes_on(
    story: Story,
) -> None:
    story.says(LATE, rating=2, email=None)
    story.runs()
    assert (story.loop().state, story.loop().reason) == (LoopState.COULD_NOT_TELL, "no_address")
    assert story.ticket().state is TicketState.OPEN

    story.resolves(story.ticket())
    assert story.ticket().state is TicketState.CLOSED
    assert story.broken_books() == []


def test_without_consent_nobody_is_written_to(story: Story) -> None:
    story.says(LATE, rating=2, consent=None)
    story.runs()
    story.resolves(story.ticket())
    story.runs()
    assert story.mails(to="kim@example.com") == []
    assert (story.loop().state, story.loop().reason) == (LoopState.COULD_NOT_TELL, "no_consent")


def test_the_same_item_again_changes_nothing(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a")
    story.runs()
    story.says(LATE, rating=2, external_id="a")
    story.runs()
    assert len(story.rows(Feedback)) == len(story.rows(FeedbackVersion)) == 1
    assert len(story.rows(Message)) == 2  # an alert and a receipt


def test_an_edit_is_a_new_version_and_joins_the_open_loop(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a")
    story.runs()
    story.says(f"{LATE} {CHARGED}", rating=2, external_id="a")
    story.runs()
    assert story.rows(Feedback)[0].version == 2
    assert len(story.rows(Loop)) == 1
    assert {ticket.department for ticket in story.rows(Ticket)} == {"delivery", "billing"}


def test_an_edit_of_a_closed_loop_opens_no_second_one(story: Story) -> None:
    told(story)
    answer(story, Verdict.SOLVED)
    story.runs()
    story.says(CHARGED, rating=1, external_id="f1")
    story.runs()
    assert len(story.rows(Loop)) == len(story.rows(Ticket)) == 1
    assert story.rows(Feedback)[0].state is FeedbackState.ROUTED


def test_a_deletion_at_the_source_erases_what_was_derived(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a")
    story.runs()

    story.collects(Page(items=[], cursor="b", deleted=["a", "never seen"]))

    assert story.rows(Statement) == story.rows(Embedding) == []
    assert [version.verbatim for version in story.rows(FeedbackVersion)] == [""]
    assert (story.loop().state, story.loop().reason) == (
        LoopState.NOT_ACTIONABLE,
        "deleted_at_source",
    )
    assert story.ticket().state is TicketState.CLOSED
    assert all(message.content is None for message in story.rows(Message))
    if (database := story.place.settings.home / "voc.db").exists():
        story.place.engine.dispose()  # the last connection takes the write-ahead log along
        assert b"courier was rude" not in database.read_bytes()
    assert story.broken_books() == []


def test_personal_data_is_masked_before_anything_is_stored(story: Story) -> None:
    story.says("Parcel late. Call Kim Lee, kim@example.com or +44 20 7946 0958.", rating=1)
    (version,) = story.rows(FeedbackVersion)
    assert not re.search("Kim|Lee|example|7946", version.verbatim)
    assert set(version.masked) == {"name", "email", "phone"}


def test_a_reassigned_ticket_alerts_the_other_department_and_teaches(story: Story) -> None:
    story.says(LATE, rating=2)
    story.runs()
    with transaction(story.place.engine) as session:
        tickets.reassign(
            session,
            story.ticket().id or 0,
            "billing",
            story.place.company,
            actor="dee@corner.example",
            now=story.now,
        )
    story.runs()
    assert len(story.mails(to="bill@corner.example")) == 1
    assert {label.value for label in story.rows(Label)} == {"billing"}
    assert story.ticket().hand == 2


def test_a_late_ticket_rises_one_level_once(story: Story) -> None:
    story.says(LATE, rating=5)
    story.runs()
    story.wait(days=2)
    story.runs()
    story.wait(days=5)
    story.runs()
    raised = [e for e in story.rows(TicketEvent) if e.kind is TicketEventKind.ESCALATED]
    assert [event.detail for event in raised] == ["level 1"]
    assert len(story.mails(to="boss@corner.example")) == 1


def refuse(session: Session, story: Story, **changes: str) -> None:
    words = {"root_cause": "x", "action_taken": "y"} | changes
    tickets.resolve(session, story.ticket().id or 0, actor="dee", now=story.now, **words)


@pytest.mark.parametrize("words", [{"root_cause": " "}, {"action_taken": ""}])
def test_resolving_demands_a_root_cause_and_an_action(story: Story, words: dict[str, str]) -> None:
    story.says(LATE, rating=2)
    story.runs()
    with pytest.raises(VocError, match="root cause"), transaction(story.place.engine) as session:
        refuse(session, story, **words)


def test_impossible_moves_are_refused_and_change_nothing(story: Story) -> None:
    story.says(LATE, rating=2)
    story.runs()
    story.resolves(story.ticket())
    with (
        pytest.raises(IllegalTransitionError, match="is resolved"),
        transaction(story.place.engine) as session,
    ):
        tickets.accept(session, story.ticket().id or 0, actor="dee", now=story.now)
    with (
        pytest.raises(ConfigurationError, match="use one of: delivery, billing, triage"),
        transaction(story.place.engine) as session,
    ):
        tickets.reassign(session, 1, "legal", story.place.company, actor="dee", now=story.now)
    assert story.broken_books() == []


def test_an_unsubscribed_customer_hears_nothing_more(story: Story) -> None:
    story.says(LATE, rating=2)
    story.runs()
    before = len(story.mails(to="kim@example.com"))
    with transaction(story.place.engine) as session:
        unsubscribe(
            session,
            story.loop().customer_id,
            secret=story.place.secret,
            how="unsubscribe page",
            now=story.now,
        )
    story.resolves(story.ticket())
    story.runs()
    assert len(story.mails(to="kim@example.com")) == before == 1
    assert (story.loop().state, story.loop().reason) == (LoopState.COULD_NOT_TELL, "opted_out")


def test_answers_are_applied_once(story: Story) -> None:
    told(story)
    answer(story, Verdict.NOT_SOLVED)
    story.runs()
    story.runs()
    assert story.loop().round == 2
    assert all(row.applied_at for row in story.rows(Answer))
    assert [m.state for m in story.rows(Message) if m.template == "ticket_reopened"] == [
        MessageState.SENT
    ] * 2


def test_a_ticket_comes_back_whose_customer_waits_for_another_ticket_as_well(story: Story) -> None:
    story.says(LATE, rating=2)
    story.runs()
    story.says(f"{LATE} {CHARGED}", rating=2)
    story.runs()
    shared, _ = story.rows(Ticket)
    story.resolves(shared)
    story.runs()
    with transaction(story.place.engine) as session:
        loop = session.get_one(Loop, 1)
        answers.record(
            session,
            loop,
            Verdict.NOT_SOLVED,
            round_asked=1,
            rating=None,
            words=None,
            now=story.now,
        )
    story.runs()
    story.runs()
    assert [ticket.state for ticket in story.rows(Ticket)] == [TicketState.OPEN] * 2
    assert [m.state for m in story.rows(Message) if m.template == "ticket_reopened"] == [
        MessageState.SENT
    ] * 2


def test_an_answer_proves_that_a_message_in_doubt_arrived(story: Story) -> None:
    told(story)
    with transaction(story.place.engine) as session:
        loop = session.get_one(Loop, 1)
        loop.state, loop.told_at = LoopState.OPEN, None
        (message,) = session.exec(select(Message).where(Message.template == "resolution"))
        message.state, message.sender_id = MessageState.UNKNOWN, None
    answer(story, Verdict.SOLVED)
    story.runs()
    (message,) = [m for m in story.rows(Message) if m.template == "resolution"]
    assert message.state is MessageState.SENT
    assert (story.loop().state, story.loop().reason) == (LoopState.CLOSED, "solved")


def test_a_handle_in_the_text_is_masked(story: Story) -> None:
    identity = RawIdentity(kind=IdentityKind.HANDLE, value="mastodon:@kim@x.social")
    item = RawFeedback(
        external_id="s1",
        verbatim="Parcel late, says @kim@x.social",
        said_at=story.now,
        channel=Channel.SOCIAL,
        identities=(identity,),
    )
    story.collects(Page(items=[item], cursor="s1"))
    assert "kim" not in story.rows(FeedbackVersion)[0].verbatim


def test_a_consent_withdrawn_in_the_same_row_is_obeyed(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a", consent=True)
    story.wait(hours=1)
    story.says(LATE, rating=2, external_id="a", consent=False)
    story.runs()
    assert len(story.rows(FeedbackVersion)) == 1
    assert story.mails(to="kim@example.com") == []


def test_an_address_that_comes_later_is_learnt(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a", email=None)
    story.says(LATE, rating=2, external_id="a", email="kim@example.com")
    story.runs()
    assert len(story.mails(to="kim@example.com")) == 1


def test_an_edit_after_the_reply_was_planned_still_gets_its_reply(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a")
    story.runs()
    story.wait(days=2)
    story.resolves(story.ticket())
    story.says(f"{LATE} {CHARGED}", rating=2, external_id="a")
    story.runs()
    assert story.loop().state is LoopState.OPEN

    (other,) = [t for t in story.rows(Ticket) if t.department == "billing"]
    story.resolves(other, "The money is back.")
    story.runs()
    assert "The money is back." in story.mails(to="kim@example.com")[-1]
    assert story.loop().state is LoopState.TOLD


def test_what_is_edited_while_it_is_read_is_read_again(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a")
    place = story.place
    with transaction(place.engine) as session:
        batch = unread(session, 0, 9, limit=9)
    readings = understand.read(place, understand.models_of(place), batch)
    story.says(CHARGED, rating=2, external_id="a")
    with transaction(place.engine) as session:
        assert store_readings(session, readings, encoder="e", models="m") == 0
    story.runs()
    assert story.ticket().department == "billing"


def test_what_is_erased_while_it_is_read_stays_erased(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a")
    place = story.place
    with transaction(place.engine) as session:
        batch = unread(session, 0, 9, limit=9)
    readings = understand.read(place, understand.models_of(place), batch)
    story.collects(Page(items=[], cursor="b", deleted=["a"]))
    with transaction(place.engine) as session:
        store_readings(session, readings, encoder="e", models="m")
    assert story.rows(Statement) == story.rows(Embedding) == []


def test_the_kill_switch_holds_and_releases(story: Story) -> None:
    story.place.settings.kill_switch.touch()
    story.says(LATE, rating=2)
    story.runs()
    assert story.mails() == []
    story.place.settings.kill_switch.unlink()
    with transaction(story.place.engine) as session:
        company, now = story.place.company, story.now
        assert pending(session, "follow_up", company, kill_switch=False, now=now) == 2
    story.runs()
    assert len(story.mails()) == 2


def test_old_news_is_not_sent(story: Story) -> None:
    story.says(LATE, rating=2)
    story.wait(days=40)
    story.runs()
    story.place.settings.kill_switch.touch()
    story.runs()
    story.resolves(story.ticket())
    story.runs()
    story.wait(days=31)
    story.place.settings.kill_switch.unlink()
    story.runs()
    assert (story.loop().state, story.loop().reason) == (LoopState.COULD_NOT_TELL, "expired")


def test_erasing_one_voice_keeps_the_alert_about_another(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a")
    story.says(LATE, rating=2, external_id="b")
    understand.understand_range.fn(0, 99)
    route.route_range.fn(0, 99, story.now)
    follow_up.render_planned.fn(story.now)
    story.collects(Page(items=[], cursor="c", deleted=["a"]))
    story.runs()
    assert len(story.mails(to="dee@corner.example")) == 1
    assert story.broken_books() == []


def test_an_edit_that_overtakes_a_written_reply_gets_a_reply_of_its_own(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a")
    story.runs()
    story.resolves(story.ticket())
    follow_up.render_planned.fn(story.now)  # frozen, not yet sent
    story.says(f"{LATE} {CHARGED}", rating=2, external_id="a")
    understand.understand_range.fn(0, 99)
    route.route_range.fn(0, 99, story.now)
    (other,) = [t for t in story.rows(Ticket) if t.department == "billing"]
    story.resolves(other, "The money is back.")
    story.runs()
    assert "The money is back." in story.mails(to="kim@example.com")[-1]
    assert (story.loop().state, story.loop().round) == (LoopState.TOLD, 2)
    assert story.broken_books() == []


def test_an_answer_that_overtakes_the_servers_reply_waits_for_it(story: Story) -> None:
    told(story)
    with transaction(story.place.engine) as session:
        loop = session.get_one(Loop, 1)
        loop.state, loop.told_at = LoopState.OPEN, None
        (message,) = session.exec(select(Message).where(Message.template == "resolution"))
        message.state, message.sender_id = MessageState.SENDING, "somebody-alive"
    answer(story, Verdict.NOT_SOLVED)
    close.take_in_answers.fn(story.now)
    assert story.rows(Answer)[0].applied_at is None


def test_an_answer_of_tomorrow_is_not_applied_today(story: Story) -> None:
    told(story)
    story.wait(hours=5)
    answer(story, Verdict.SOLVED)
    story.wait(hours=-5)
    close.take_in_answers.fn(story.now)
    assert story.loop().state is LoopState.TOLD


@pytest.mark.parametrize("is_held", [False, True])
def test_praise_that_becomes_a_complaint_is_not_thanked(story: Story, is_held: bool) -> None:
    story.says("Great and friendly, thanks!", rating=10, external_id="a")
    if is_held:
        story.place.settings.kill_switch.touch()
        story.runs()
        story.place.settings.kill_switch.unlink()
    else:
        understand.understand_range.fn(0, 99)
        route.route_range.fn(0, 99, story.now)
    story.says(LATE, rating=0, external_id="a")
    story.runs()
    assert story.ticket().department == "delivery"
    assert [m.state for m in story.rows(Message) if m.template == "thanks"] == [
        MessageState.CANCELLED
    ]
    assert story.loop().state is LoopState.OPEN


def test_what_was_erased_does_not_come_back_with_an_old_file(story: Story) -> None:
    story.says(LATE, rating=2, external_id="a")
    story.says(CHARGED, rating=2, external_id="a")
    story.collects(Page(items=[], cursor="c", deleted=["a"]))
    story.says(LATE, rating=2, external_id="a")
    story.runs()
    assert {version.verbatim for version in story.rows(FeedbackVersion)} == {""}


def test_one_unreadable_piece_holds_up_nobody(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.says(LATE, rating=2)
    story.says("poison", rating=2)
    read = understand.understand

    def stumble(verbatims: list[str], *args: object, **more: object) -> object:
        if "poison" in verbatims:
            raise ZeroDivisionError
        return read(verbatims, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(understand, "understand", stumble)
    story.runs()
    assert [(f.state, f.reason) for f in story.rows(Feedback)] == [
        (FeedbackState.ROUTED, None),
        (FeedbackState.FILED, "could_not_be_read"),
    ]


def test_a_department_that_left_the_company_file_leaves_its_work_to_triage(story: Story) -> None:
    story.says(LATE, rating=2)
    understand.understand_range.fn(0, 99)
    smaller = story.place.company.model_copy(
        update={"departments": story.place.company.departments[1:]}
    )
    with transaction(story.place.engine) as session:
        route_pieces(session, 0, 99, smaller, now=story.now, limit=9)
    assert story.ticket().department == "triage"


def test_tickets_of_a_department_that_left_the_company_file_are_triages(story: Story) -> None:
    story.says(CHARGED, rating=2)
    story.says(LATE, rating=2, email="lee@example.com")
    story.runs()
    engine, company = story.place.engine, story.place.company
    without = company.model_copy(
        update={"departments": tuple(d for d in company.departments if d.id != "billing")}
    )

    def waiting() -> int:
        with transaction(engine) as session:
            return pending(session, "route", without, kill_switch=False, now=story.now)

    assert waiting() == 1
    story.wait(days=1)
    given = []
    for _ in range(2):
        with transaction(engine) as session:
            given.append(give_strays_to_triage(session, without, now=story.now, limit=9))
    assert given == [1, 0]
    assert waiting() == 0
    left, stayed = story.rows(Ticket)
    assert (left.department, stayed.department) == ("triage", "delivery")
    assert left.because == "its department, billing, left the company file"
    assert (left.hand, left.resolution_due_at > story.now) == (2, True)
    assert story.rows(Label) == []
    story.runs()
    assert len(story.mails(to="tess@")) == 1
    assert story.broken_books() == []


def test_a_ticket_that_was_handed_over_rises_anew(story: Story) -> None:
    story.says(LATE, rating=2)
    story.runs()
    story.wait(days=3)
    story.runs()
    for department in ("billing", "delivery"):
        with transaction(story.place.engine) as session:
            tickets.reassign(
                session, 1, department, story.place.company, actor="dee", now=story.now
            )
    story.wait(days=5)
    story.runs()
    assert len(story.mails(to="boss@corner.example")) == 2


def test_another_secret_than_the_databases_own_is_refused(story: Story) -> None:
    engine = story.place.engine
    check_secret(engine, story.place.secret)
    with pytest.raises(ConfigurationError, match=r"copy secret\.key"):
        check_secret(engine, b"a new one")
