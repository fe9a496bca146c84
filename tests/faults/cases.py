"""The flows that are disturbed: what the shop has been through before, and what runs then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import Pipe
from threading import Event

import numpy as np
from sqlmodel import update

from rehearsal.fakes.mastodon import FakeMastodon
from tests.faults import children
from tests.faults.shop import HEAD, STAGES
from tests.story import START, Story
from tests.nlp_fakes import DIMENSIONS as ENCODED
from tests.theme_cases import DIMENSIONS, around, says
from voc.actions import answers, tickets
from voc.arrivals import Page
from voc.models import Feedback, FeedbackState, Loop, Ticket, TicketState, Verdict
from voc.store.database import transaction

MONDAY = START + timedelta(days=7)
"""When the disturbed stage runs."""
Do = Callable[[Story], object]


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
    by_mail: bool = False
    """Mails go to a mail server."""
    posts: tuple[str, str] = ("none", "none")
    """Which posts there are before and at the run, for a source over HTTP."""
    senders_die_in: tuple[str, ...] = ()
    """Senders that died before the run, by what they were doing."""


def _stage(name: str) -> Do:
    return lambda story: STAGES[name](story.now)


def _nothing(_story: Story) -> None:
    """A home with a company file, and nothing else."""


def _first_start(story: Story) -> None:
    assert story.place.secret
    assert story.place.engine


def _surveys(story: Story) -> None:
    """One file was read, a second one has an edit, a withdrawal, new rows and a wrong one."""
    inbox = story.place.folder / "inbox"
    (inbox / "1.csv").write_text(
        f"{HEAD}1,my parcel was late,ana@example.com,yes,1\n"
        "2,perfect thanks,max@example.com,yes,10\n"
    )
    STAGES["collect"](story.now)
    (inbox / "2.csv").write_text(
        f"{HEAD}1,my parcel was very late,ana@example.com,yes,0\n"
        "2,perfect thanks,max@example.com,no,10\n"
        "3,refund is wrong call 020 7946 0018,lee@example.com,yes,3\n"
        "4,broken,kim@example.com,yes,99\n"
    )


def _words(story: Story) -> None:
    story.says("my parcel was late and the courier was rude. refund is wrong", rating=1)
    story.says("perfect service, thanks", rating=10, email="max@example.com")
    story.says("the courier was terrible but the shop is lovely", rating=4, email="lee@example.com")


def _understood(story: Story) -> None:
    _words(story)
    STAGES["understand"](story.now)


def _owed(story: Story) -> None:
    """A reminder, an escalation, an alert, a receipt, thanks and a resolution fall due."""
    story.says("my parcel was late", rating=1)
    _tell(story)
    story.wait(days=4)
    for who in ("lee", "tom"):
        story.says("refund is wrong", rating=2, email=f"{who}@example.com")
    story.runs()
    story.wait(days=3)
    tom = story.rows(Ticket)[-1]
    story.resolves(tom, "We paid it back.")
    story.says("courier was rude", rating=3, email="ana@example.com")
    story.says("perfect service, thanks", rating=10, email="max@example.com")
    STAGES["understand"](story.now)
    STAGES["route"](story.now)


def _tell(story: Story) -> None:
    """All that was said is routed, resolved, and the customers are told."""
    story.runs()
    for ticket in story.rows(Ticket):
        if ticket.state in {TicketState.OPEN, TicketState.IN_PROGRESS}:
            story.resolves(ticket)
    story.wait(hours=25)
    story.runs()


def _answered(story: Story) -> None:
    """One says solved, one not solved, one nothing for weeks; one cannot be told."""
    said = ("solved", "not", "silent")
    for who in said:
        story.says("my parcel was late", rating=1, email=f"{who}@example.com")
    story.says("refund is wrong", rating=1, email="never@example.com", consent=False)
    _tell(story)
    story.wait(days=15)
    solved, not_solved, *_ = story.rows(Loop)
    with transaction(story.place.engine) as session:
        for loop, verdict in ((solved, Verdict.SOLVED), (not_solved, Verdict.NOT_SOLVED)):
            answers.record(
                session, loop, verdict, round_asked=1, rating=4, words="it is", now=story.now
            )


def _wanted_back(story: Story) -> None:
    """A customer was told and answered; another reply about the same ticket waits."""
    for who in ("kim", "lee"):
        story.says("my parcel was late", rating=1, email=f"{who}@example.com", external_id=who)
    story.runs()
    story.resolves(story.rows(Ticket)[0])
    STAGES["follow_up"](story.now)
    with transaction(story.place.engine) as session:
        answers.record(
            session,
            story.rows(Loop)[0],
            Verdict.NOT_SOLVED,
            round_asked=1,
            rating=1,
            words="no",
            now=story.now,
        )
    story.says("courier was rude", rating=1, email="kim@example.com", external_id="again")
    STAGES["understand"](story.now)
    STAGES["route"](story.now)


def _erase(story: Story) -> None:
    story.collects(Page(items=[], deleted=["kim", "lee"], cursor="gone"))


def _many_words(story: Story) -> None:
    """Three kinds of complaints, enough to find themes in."""
    for kind, text in enumerate(("parcel came late", "refund is missing", "courier was rude")):
        _many_say(story, kind, text)


def _many_say(story: Story, kind: int, text: str) -> None:
    vectors = np.pad(around(kind, 70, seed=kind), ((0, 0), (0, ENCODED - DIMENSIONS)))
    says(story.place.engine, vectors, [f"{text} {n}" for n in range(70)], at=story.now)
    with transaction(story.place.engine) as session:
        session.exec(update(Feedback).values(state=FeedbackState.FILED, reason="nothing to do"))


def _themes_and_labels(story: Story) -> None:
    """Themes are known, a new one is in what was said since; people moved tickets elsewhere."""
    _many_words(story)
    STAGES["themes"](story.now)
    _many_say(story, 4, "website is slow")
    things = ("desk", "lamp", "sofa", "shelf", "chair", "table", "bench", "bed", "stool", "couch")
    for thing in things:
        text = f"courier assembly of {thing} was broken"
        story.says(text, rating=1, email=f"{thing}@example.com")
    STAGES["understand"](story.now)
    STAGES["route"](story.now)
    for ticket in story.rows(Ticket):
        with transaction(story.place.engine) as session:
            tickets.reassign(
                session,
                ticket.id or 0,
                "billing",
                story.place.company,
                actor="dee@corner.example",
                now=story.now,
            )


FLOWS = {
    "start": Flow(before=_nothing, run=_first_start, opens=True),
    "collect_files": Flow(before=_surveys, run=_stage("collect")),
    "collect_posts": Flow(before=_stage("collect"), run=_stage("collect"), posts=("some", "changed")),
    "understand": Flow(before=_words, run=_stage("understand")),
    "route": Flow(before=_understood, run=_stage("route")),
    "follow_up": Flow(before=_owed, run=_stage("follow_up"), by_mail=True),
    "follow_up_mailbox": Flow(before=_owed, run=_stage("follow_up")),
    "recover": Flow(
        before=_owed,
        run=_stage("follow_up"),
        by_mail=True,
        senders_die_in=("prepare", "hand_over"),
    ),
    "close": Flow(before=_answered, run=_stage("close")),
    "erase": Flow(before=_wanted_back, run=_erase),
    "measure": Flow(before=_answered, run=_stage("measure"), single_threaded=False),
    "themes": Flow(before=_many_words, run=_stage("themes")),
    "learn": Flow(before=_themes_and_labels, run=_stage("learn"), single_threaded=False),
}


@contextmanager
def posts() -> Iterator[dict[str, str]]:
    """Where there are no posts, some, and the same after people wrote, edited and deleted."""
    ours, theirs = Pipe()

    def serve() -> None:
        with FakeMastodon() as none, FakeMastodon() as some, FakeMastodon() as changed:
            for fake in (some, changed):
                first = fake.post(1, "my parcel was late")
                fake.post(2, "courier was rude", acct="lee@x.social")
                third = fake.post(3, "refund is wrong", acct="ana@x.social")
            changed.edit(first.id, "my parcel was very late", 50)
            changed.delete(third.id)
            changed.post(60, "perfect, thanks", acct="max@x.social")
            theirs.send({"none": none.url, "some": some.url, "changed": changed.url})
            Event().wait()

    with children.alive(serve):
        yield ours.recv()
