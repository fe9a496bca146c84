"""The flows that are disturbed, with what they find and how they reach the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.faults import past
from tests.faults.shop import STAGES
from tests.faults.world import World, by_mail, by_text, with_letterbox
from tests.story import Story
from voc.actions import approval, tickets
from voc.actions.contact import unsubscribe
from voc.arrivals import Page
from voc.models import Customer, Message, MessageState, Ticket, TicketState
from voc.store.database import transaction

Do = Callable[[Story], object]


def _alone(_world: World) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow, and what it finds."""

    before: Do
    """What has happened until now. Undisturbed, with the local mailbox."""
    run: Do
    opens: bool = False
    """Opening the database is part of it."""
    single_threaded: bool = True
    """Its libraries start no threads."""
    settings: Callable[[World], Mapping[str, str]] = _alone
    """How it reaches the world at the run. Before, mails go to the local mailbox."""
    policy: str = ""
    """More of the company's follow-up policy."""
    posts: tuple[str, str] = ("none", "none")
    """Which posts there are before and at the run, for a source over HTTP."""
    senders_die_in: tuple[str, ...] = ()
    """Senders that died before the run, by what they were doing."""


def _stage(name: str) -> Do:
    return lambda story: STAGES[name](story.now)


def _erase(story: Story) -> None:
    story.collects(Page(items=[], deleted=["kim", "lee"], cursor="gone"))


def _first_start(story: Story) -> None:
    assert story.place.secret
    story.place.engine.dispose()


def _approve_all(story: Story) -> None:
    """A person lets all go that waits for them; then it leaves."""
    waiting = [m for m in story.rows(Message) if m.needs_approval]
    for message in waiting:
        if message.state is MessageState.HELD:
            with transaction(story.place.engine) as session:
                approval.approve(
                    session, message.id or 0, seen=None, actor="boss@corner.example", now=story.now
                )
    STAGES["follow_up"](story.now)


def _people_act(story: Story) -> None:
    """An owner resolves, one hands over, a customer unsubscribes; each tries again if told no."""
    place, (first, second) = story.place, story.rows(Ticket)
    if first.state is TicketState.OPEN:
        story.resolves(first)
    if second.department == "billing":
        with transaction(place.engine) as session:
            tickets.reassign(
                session,
                second.id or 0,
                "delivery",
                place.company,
                actor="bill@corner.example",
                now=story.now,
            )
    last = story.rows(Customer)[-1].id or 0
    with transaction(place.engine) as session:
        unsubscribe(session, last, secret=place.secret, how="unsubscribe page", now=story.now)


FLOWS = {
    "start": Flow(before=past.nothing, run=_first_start, opens=True),
    "collect_files": Flow(before=past.surveys, run=_stage("collect")),
    "collect_posts": Flow(
        before=_stage("collect"), run=_stage("collect"), posts=("some", "changed")
    ),
    "understand": Flow(before=past.words, run=_stage("understand")),
    "route": Flow(before=past.understood, run=_stage("route")),
    "follow_up": Flow(before=past.owed, run=_stage("follow_up"), settings=by_mail),
    "follow_up_mailbox": Flow(before=past.owed, run=_stage("follow_up")),
    "recover": Flow(
        before=past.owed,
        run=_stage("follow_up"),
        settings=by_mail,
        senders_die_in=("prepare", "hand_over"),
    ),
    "text_messages": Flow(
        before=past.texted,
        run=_stage("follow_up"),
        settings=by_text,
        policy="channels: [sms, email]",
    ),
    "approve": Flow(
        before=past.waits_for_approval,
        run=_approve_all,
        settings=by_mail,
        policy="approval: {messages: [resolution, thanks], approvers: [boss@corner.example]}",
    ),
    "read_mail": Flow(before=past.mails_came, run=_stage("close"), settings=with_letterbox),
    "close": Flow(before=past.answered, run=_stage("close")),
    "people": Flow(before=past.people_wanted, run=_people_act),
    "erase": Flow(before=past.wanted_back, run=_erase),
    "measure": Flow(before=past.answered, run=_stage("measure"), single_threaded=False),
    "themes": Flow(before=past.many_words, run=_stage("themes")),
    "learn": Flow(before=past.themes_and_labels, run=_stage("learn"), single_threaded=False),
}
