"""What the shop has been through before a flow is disturbed."""

from __future__ import annotations

import numpy as np
from sqlmodel import update

from tests.faults.shop import HEAD, STAGES
from tests.mails_in import BOUNCES, arf, block, dsn, plain
from tests.nlp_fakes import DIMENSIONS as ENCODED
from tests.story import Story
from tests.theme_cases import DIMENSIONS, around, says
from voc.actions import answers, tickets
from voc.models import (
    Consent,
    Customer,
    Feedback,
    FeedbackState,
    Identity,
    IdentityKind,
    Loop,
    Message,
    Purpose,
    Ticket,
    TicketState,
    Verdict,
)
from voc.rules.tokens import ReturnPurpose, return_address
from voc.store.database import transaction


def nothing(_story: Story) -> None:
    """A home with a company file, and nothing else."""


def surveys(story: Story) -> None:
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


def words(story: Story) -> None:
    story.says("my parcel was late and the courier was rude. refund is wrong", rating=1)
    story.says("perfect service, thanks", rating=10, email="max@example.com")
    story.says("the courier was terrible but the shop is lovely", rating=4, email="lee@example.com")


def understood(story: Story) -> None:
    words(story)
    STAGES["understand"](story.now)


def owed(story: Story) -> None:
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


def answered(story: Story) -> None:
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


def texted(story: Story) -> None:
    """Two customers agreed to text messages; they are to be told what was done."""
    for who, number in (("kim", "+447400123456"), ("lee", "+447400123457")):
        story.says("my parcel was late", rating=1, email=f"{who}@example.com")
        with transaction(story.place.engine) as session:
            customer = story.rows(Customer)[-1].id or 0
            session.add(
                Identity(customer_id=customer, kind=IdentityKind.PHONE, value=number, at=story.now)
            )
            session.add(
                Consent(
                    customer_id=customer,
                    purpose=Purpose.FOLLOW_UP_SMS,
                    granted=True,
                    how="shop",
                    at=story.now,
                )
            )
    story.wait(hours=3)
    STAGES["understand"](story.now)
    STAGES["route"](story.now)
    for ticket in story.rows(Ticket):
        story.resolves(ticket)


def mails_came(story: Story) -> None:
    """An answer, a bounce, a complaint, and one that nobody can read lie in the letterbox."""
    for who in ("kim", "lee", "ana"):
        story.says("my parcel was late", rating=1, email=f"{who}@example.com")
    _tell(story)
    asked = [m for m in story.rows(Message) if m.template == "resolution"]
    reply, bounce, complaint = (
        return_address("care@corner.example", story.place.secret, purpose, message.id or 0)
        for purpose, message in zip(
            (ReturnPurpose.REPLY, ReturnPurpose.BOUNCE, ReturnPurpose.BOUNCE), asked, strict=True
        )
    )
    mails = (
        plain("No, it is not solved.\n", to=reply),
        dsn(block("failed", "5.1.1"), to=bounce, returned="Subject: Yours\n"),
        arf().replace(BOUNCES.encode(), complaint.encode()),
        plain("Who are you?\n", to="care@corner.example"),
    )
    (folder := story.place.settings.home / "letters").mkdir()
    for number, mail in enumerate(mails, 1):
        (folder / f"{number}.eml").write_bytes(mail)


def waits_for_approval(story: Story) -> None:
    owed(story)
    STAGES["follow_up"](story.now)


def people_wanted(story: Story) -> None:
    """Two tickets wait for owners, and three customers for an answer."""
    for who, text in (("kim", "my parcel was late"), ("lee", "refund is wrong")):
        story.says(text, rating=1, email=f"{who}@example.com")
    story.says("perfect service, thanks", rating=10, email="max@example.com")
    STAGES["understand"](story.now)
    STAGES["route"](story.now)


def wanted_back(story: Story) -> None:
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


def many_words(story: Story) -> None:
    """Three kinds of complaints, enough to find themes in."""
    for kind, text in enumerate(("parcel came late", "refund is missing", "courier was rude")):
        _many_say(story, kind, text)


def _many_say(story: Story, kind: int, text: str) -> None:
    vectors = np.pad(around(kind, 70, seed=kind), ((0, 0), (0, ENCODED - DIMENSIONS)))
    says(story.place.engine, vectors, [f"{text} {n}" for n in range(70)], at=story.now)
    with transaction(story.place.engine) as session:
        session.exec(update(Feedback).values(state=FeedbackState.FILED, reason="nothing to do"))


def themes_and_labels(story: Story) -> None:
    """Themes are known, a new one is in what was said since; people moved tickets elsewhere."""
    many_words(story)
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
