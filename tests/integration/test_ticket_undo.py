"""Undoing owners' deeds: everything is as it was, and nobody is told what no longer holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from tasks import follow_up
from tests.story import Story, story_in
from voc.actions import outbox, ticket_work, tickets
from voc.actions.ticket_merging import merge
from voc.actions.ticket_undo import TooLateError, take_back, undo, undoable
from voc.models import (
    Label,
    LoopTicket,
    Message,
    MessageState,
    Priority,
    Ticket,
    TicketBefore,
    TicketEventKind,
    TicketState,
)
from voc.rules.queue import SnoozeUntil
from voc.store import comments, listings
from voc.store.database import transaction
from voc.store.events import Happening, append

DEE, BOSS, BILL = "dee@corner.example", "boss@corner.example", "bill@corner.example"
LATE = "My parcel is late again and the courier was rude"
Kind = TicketEventKind


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with story_in(Path(tmp_path_factory.mktemp("undo"))) as story:
        yield story
        assert story.broken_books() == []


@dataclass
class Case:
    """One customer's ticket, and who does what with it."""

    story: Story
    number: int
    id: int = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.says(LATE)

    def says(self, text: str) -> int:
        """The newest ticket after it was routed; the alert about it waits."""
        self.story.says(text, email=self.email)
        self.story.runs()
        return max(ticket.id or 0 for ticket in self.story.rows(Ticket))

    @property
    def email(self) -> str:
        return f"case{self.number}@example.com"

    def does(self, deed: Callable[..., Any], *args: Any, actor: str = DEE, **more: Any) -> None:
        with transaction(self.story.place.engine) as session:
            deed(session, self.id, *args, actor=actor, now=self.story.now, **more)

    def gives(self, to: str, *, actor: str = DEE) -> None:
        self.does(ticket_work.assign, to, self.story.place.company, actor=actor)

    def hands_over(self, department: str = "billing", *, actor: str = DEE) -> None:
        self.does(tickets.reassign, department, self.story.place.company, actor=actor)

    def resolves(self, action: str) -> None:
        self.does(tickets.resolve, root_cause="It was broken.", action_taken=action)

    def session(self) -> Session:
        return Session(self.story.place.engine)

    def values(self) -> dict[str, Any]:
        with self.session() as session:
            return session.get_one(Ticket, self.id).model_dump()

    def ticket(self) -> Ticket:
        with self.session() as session:
            return session.get_one(Ticket, self.id)

    def alerts(self, template: str, to: str) -> list[MessageState]:
        with self.session() as session:
            query = select(Message).where(
                Message.ticket_id == self.id, Message.template == template, Message.recipient == to
            )
            return [alert.state for alert in session.exec(query.order_by(col(Message.id)))]

    def reply(self) -> Message:
        with self.session() as session:
            query = select(Message).join(LoopTicket, col(LoopTicket.loop_id) == Message.loop_id)
            query = query.where(LoopTicket.ticket_id == self.id, Message.template == "resolution")
            return session.exec(query).one()


numbers = count(1)


@pytest.fixture
def case(story: Story) -> Case:
    return Case(story, next(numbers))


def _accepts(case: Case) -> None:
    case.does(tickets.accept)


def _accepts_and_is_raised(case: Case) -> None:
    case.does(tickets.accept)
    _is_raised(case)


def _is_raised(case: Case) -> None:
    case.story.wait(days=20)
    case.story.runs()
    assert case.ticket().level == 1


def _is_put_off(case: Case) -> None:
    case.does(ticket_work.snooze, SnoozeUntil.HOUR, case.story.place.company)


DEEDS: dict[Kind, Callable[[Case], None]] = {
    Kind.ACCEPTED: _accepts,
    Kind.ASSIGNED: lambda case: case.gives(BOSS),
    Kind.RELEASED: lambda case: case.does(ticket_work.release),
    Kind.REASSIGNED: lambda case: case.hands_over(),
}


@pytest.mark.parametrize(
    ("earlier", "deed"),
    [
        (_is_put_off, Kind.ACCEPTED),
        (_is_put_off, Kind.ASSIGNED),
        (_accepts, Kind.ASSIGNED),
        (_accepts, Kind.RELEASED),
        (_accepts_and_is_raised, Kind.REASSIGNED),
        (_is_put_off, Kind.REASSIGNED),
    ],
)
def test_what_is_undone_is_as_it_was_also_if_alerts_have_left(
    case: Case, earlier: Callable[[Case], None], deed: Kind
) -> None:
    earlier(case)
    case.story.wait(minutes=1)
    before = case.values()
    DEEDS[deed](case)
    assert case.values() != before
    case.story.runs()
    case.story.wait(minutes=1)
    case.does(undo)
    assert case.values() == before
    case.story.runs()
    assert case.ticket().level == before["level"]
    with case.session() as session:
        assert session.get(TicketBefore, case.id) is None
        assert session.exec(select(Label).where(col(Label.actor) == DEE)).all() == []


def test_an_undone_hand_over_cannot_be_undone_and_is_nothing_that_was_handed_over(
    case: Case,
) -> None:
    case.hands_over()
    case.does(undo)
    with pytest.raises(TooLateError):
        case.does(undo)
    assert (case.ticket().department, case.ticket().hand) == ("delivery", 1)
    case.hands_over()
    case.story.runs()
    assert case.alerts("ticket_opened", BILL)[-1] is MessageState.SENT
    case.does(undo)
    case.hands_over()
    case.story.runs()
    assert case.alerts("ticket_opened", BILL)[-2:] == [MessageState.SENT] * 2


def test_only_who_did_it_undoes_it_and_not_after_something_else(case: Case) -> None:
    case.hands_over()
    with pytest.raises(TooLateError):
        case.does(undo, actor=BILL)
    with case.session() as session:
        assert undoable(session, case.id, DEE)
    case.does(ticket_work.comment, "Is it ours?", actor=BILL)
    with case.session() as session:
        assert undoable(session, case.id, DEE) is None
    with pytest.raises(TooLateError):
        case.does(undo)
    assert case.ticket().department == "billing"


def test_whoever_has_a_ticket_no_more_gets_no_mail_that_they_do(case: Case) -> None:
    case.gives(BOSS)
    case.hands_over()
    case.story.runs()
    assert case.alerts("ticket_assigned", BOSS) == [MessageState.CANCELLED]
    case.does(undo)  # it is the boss's again, who was never told
    case.story.runs()
    assert case.alerts("ticket_assigned", BOSS) == [MessageState.SENT]


def test_a_gift_that_was_taken_back_at_once_is_not_told(case: Case) -> None:
    case.gives(BOSS)
    case.does(undo)
    case.story.runs()
    assert case.alerts("ticket_assigned", BOSS) == [MessageState.CANCELLED]


def test_each_gift_is_told_once_and_the_second_one_too(case: Case) -> None:
    case.gives(BOSS)
    case.does(ticket_work.release)
    case.gives(BOSS)
    case.story.runs()
    assert case.alerts("ticket_assigned", BOSS) == [MessageState.SENT]
    case.gives(DEE)
    case.gives(BOSS)
    case.story.runs()
    assert case.alerts("ticket_assigned", BOSS) == [MessageState.SENT] * 2


def test_an_alert_that_was_overtaken_before_it_left_is_owed_again(case: Case) -> None:
    case.resolves("We deliver it today.")
    case.story.runs()
    with transaction(case.story.place.engine) as session:
        tickets.reopen(session, case.id, case.story.place.company, now=case.story.now)
    case.hands_over()
    case.story.runs()
    assert case.alerts("ticket_reopened", DEE) == [MessageState.CANCELLED]
    case.does(undo)
    case.story.runs()
    assert case.alerts("ticket_reopened", DEE) == [MessageState.SENT]


def _by_hand(case: Case) -> Callable[[], None]:
    key = case.reply().id or 0
    with transaction(case.story.place.engine) as session:
        outbox.hold(session, key, actor="ops@corner.example", now=case.story.now)

    def release() -> None:
        assert case.reply().state is MessageState.HELD
        with transaction(case.story.place.engine) as session:
            outbox.release(session, key, actor="ops@corner.example", now=case.story.now)

    return release


def _by_switch(case: Case) -> Callable[[], None]:
    switch = case.story.place.settings.kill_switch
    switch.touch()
    follow_up.deliver.fn(100, case.story.now)
    return switch.unlink


@pytest.mark.parametrize("holds", [_by_hand, _by_switch])
def test_words_that_are_taken_back_never_leave_whatever_held_them(
    case: Case, holds: Callable[[Case], Callable[[], None]]
) -> None:
    case.resolves("We refund 500 euros.")
    follow_up.render_planned.fn(case.story.now)
    lets_go = holds(case)
    assert case.reply().state is MessageState.HELD
    case.does(take_back)
    assert (case.reply().content is None) == (case.reply().state is MessageState.HELD)
    case.resolves("We brought the parcel.")
    case.story.runs()
    lets_go()
    case.story.runs()
    assert case.reply().state is MessageState.SENT
    (mail,) = case.story.mails(to=case.email)[-1:]
    assert "We brought the parcel." in mail
    assert "500" not in mail


def test_what_is_held_and_taken_back_is_not_told_when_it_is_released(case: Case) -> None:
    case.resolves("We refund 500 euros.")
    follow_up.render_planned.fn(case.story.now)
    lets_go = _by_hand(case)
    case.does(take_back)
    lets_go()
    case.story.runs()
    assert case.reply().state is MessageState.CANCELLED
    assert case.ticket().state is TicketState.IN_PROGRESS


def _as_others_see_it(case: Case) -> tuple[int, object]:
    """Its version, and all that the API shows of it."""
    with case.session() as session:
        ticket = session.get_one(Ticket, case.id)
        said = [comment.words for comment in comments.of_ticket(session, case.id)]
        shown = ticket.model_dump(), listings.loops_by_ticket(session, case.id), said
        return listings.versions_of(session, [case.id])[case.id], shown


def _is_joined_by_one_of_its_own_loop(case: Case) -> None:
    """A ticket that the same words opened: no loop is new to the one that it joins."""
    with transaction(case.story.place.engine) as session:
        first = session.get_one(Ticket, case.id).model_dump(exclude={"id", "due_at"})
        other = Ticket.model_validate(first | {"priority": Priority.URGENT})
        session.add(other)
        session.flush()
        (loop,) = listings.loops_by_ticket(session, case.id)
        session.add(LoopTicket(loop_id=loop, ticket_id=other.id or 0))
        session.flush()
        events = [Happening(kind=Kind.OPENED, ticket_id=other.id)]
        append(session, events, actor="vocloop", now=case.story.now)
        ticket_work.comment(session, other.id or 0, "No refund.", actor=BILL, now=case.story.now)
        merge(session, other.id or 0, case.id, actor=DEE, now=case.story.now)


def _says_it_again(case: Case) -> None:
    before = case.story.rows(Ticket)
    case.says(f"{LATE}, once more")
    assert len(case.story.rows(Ticket)) == len(before)


CHANGES: dict[str, Callable[[Case], None]] = {
    "commented": lambda case: case.does(ticket_work.comment, "The courier was new."),
    "snoozed": _is_put_off,
    "woken": lambda case: case.does(ticket_work.wake),
    "accepted": _accepts,
    "released": DEEDS[Kind.RELEASED],
    "assigned": DEEDS[Kind.ASSIGNED],
    "undone": lambda case: case.does(undo),
    "joined by one of its own loop": _is_joined_by_one_of_its_own_loop,
    "joined by the same issue": _says_it_again,
    "resolved": lambda case: case.resolves("We brought the parcel."),
    "taken back": lambda case: case.does(take_back),
    "escalated": _is_raised,
    "handed over": DEEDS[Kind.REASSIGNED],
    "merged": lambda case: case.does(merge, case.says("I was charged money, a wrong refund")),
}
"""In an order in which they can happen to one ticket."""


def test_whatever_changes_a_ticket_changes_its_version(case: Case) -> None:
    version, shown = _as_others_see_it(case)
    for name, change in CHANGES.items():
        change(case)
        now, shows = _as_others_see_it(case)
        assert shows != shown, name
        assert now > version, name
        version, shown = now, shows


def test_what_triage_gets_teaches_nothing(case: Case) -> None:
    case.hands_over("triage")
    with case.session() as session:
        assert session.exec(select(Label).where(Label.value == "triage")).all() == []
    case.does(undo)
    assert case.ticket().department == "delivery"
