"""One ticket in the desk: what an owner sees, each deed and its undoing; the books hold."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session, col, select

from apps.desk.app import create_app
from apps.desk.work.done import Deed, moves_of, version_of
from tests.desk_visitors import sign_in
from tests.factories import SECRET
from tests.story import Story, story_in
from voc.actions import loops
from voc.arrivals import Page
from voc.company.experiments import Experiment, Variant
from voc.models import (
    AuditEntry,
    Label,
    LoopTicket,
    Message,
    MessageState,
    Role,
    Statement,
    Ticket,
    TicketEvent,
    TicketState,
)
from voc.store import tickets as store
from voc.store.database import transaction

DEE, BILL = "dee@corner.example", "bill@corner.example"
REASON = {"root_cause": "The depot was closed.", "action_taken": "We deliver it today."}
LATE = "My parcel is late again and the courier was rude"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with story_in(Path(tmp_path_factory.mktemp("ticket"))) as story:
        yield story


@pytest.fixture(scope="module")
def client(story: Story) -> TestClient:
    app = create_app(
        engine=story.place.engine,
        company=story.place.company,
        secret=SECRET,
        clock=lambda: story.now,
        report=None,
        kill_switch=story.place.settings.home / "KILL_SWITCH",
    )
    return TestClient(app)


class Owner:
    """A colleague at the desk, with one customer's ticket before them."""

    numbers = count(1)

    def __init__(self, story: Story, client: TestClient, text: str = LATE) -> None:
        self.story, self.client = story, client
        self.email = f"kim{next(self.numbers)}@example.com"
        self.ticket_id = self.says(text)
        self.comes(DEE, "delivery")

    def says(self, text: str) -> int:
        """The customer says something; the newest ticket after it was routed."""
        self.feedback = self.story.says(text, email=self.email)
        self.story.routes()
        return max(ticket.id or 0 for ticket in self.story.rows(Ticket))

    def comes(self, email: str, *departments: str, role: Role = Role.OWNER) -> None:
        engine = self.story.place.engine
        self.csrf = sign_in(self.client, engine, role, departments, email, now=self.story.now)

    @property
    def path(self) -> str:
        return f"/desk/tickets/{self.ticket_id}"

    @property
    def page(self) -> str:
        return self.client.get(self.path).text

    @property
    def seen(self) -> str:
        """What the forms of the ticket's page bring back."""
        return form_of(self.page, f"{self.path}/")["seen"]

    def does(self, deed: Deed, status: int = 303, /, **form: object) -> str:
        """Post a form of the ticket as it is; where it leads, or why not."""
        with self.session() as session:
            now = version_of(moves_of(session, self.ticket_id, deed))
        data = {"csrf": self.csrf, "seen": now} | form
        answer = self.client.post(f"{self.path}/{deed}", data=data, follow_redirects=False)
        assert answer.status_code == status
        return answer.headers.get("location", answer.text)

    def undoes(self, where: str) -> None:
        """Press "Undo" on the page that a deed led to."""
        page = self.client.get(where).text
        banner = page[page.index('role="status"') :]
        form = form_of(banner, "/desk/")
        action = re.findall(r'action="([^"]+)"', banner)[0]
        assert self.client.post(action, data=form, follow_redirects=False).status_code == 303

    def session(self) -> Session:
        return Session(self.story.place.engine)

    def ticket(self) -> Ticket:
        with self.session() as session:
            return session.get_one(Ticket, self.ticket_id)

    def events(self) -> list[tuple[str, str]]:
        query = select(TicketEvent).where(TicketEvent.ticket_id == self.ticket_id)
        with self.session() as session:
            found = session.exec(query.order_by(col(TicketEvent.id)))
            return [(event.kind.value, event.actor) for event in found]

    def taught(self) -> set[tuple[str, str]]:
        """Which department the ticket's words are said to belong to, and by whom."""
        query = select(Label.value, Label.actor).join(Statement)
        with self.session() as session:
            return set(session.exec(query.where(Statement.ticket_id == self.ticket_id)))

    def replies(self) -> list[Message]:
        """What was planned to tell this customer about what was done."""
        query = select(Message).join(LoopTicket, col(LoopTicket.loop_id) == Message.loop_id)
        query = query.where(
            LoopTicket.ticket_id == self.ticket_id, Message.template == "resolution"
        )
        with self.session() as session:
            return list(session.exec(query))


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the first form that goes to an address that begins like this."""
    found = re.search(rf'<form method="post" action="{action}.*?</form>', page, re.DOTALL)
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', found[0] if found else "")
    return {name: html.unescape(value) for name, value in fields}


@pytest.fixture
def owner(story: Story, client: TestClient) -> Iterator[Owner]:
    """Whatever they do, the books hold."""
    yield Owner(story, client)
    assert story.broken_books() == []


def test_the_page_shows_what_was_said_why_it_is_here_and_what_can_be_done(owner: Owner) -> None:
    page = owner.page
    for said in (LATE, "open: nobody has taken it yet", "Opened for Delivery"):
        assert said in page
    for deed in ("accept", "resolve", "snooze", "hand-over", "assign", "comment"):
        assert f'action="{owner.path}/{deed}' in page
    assert "take-back" not in page
    with owner.session() as session:
        seen = session.exec(
            select(AuditEntry).where(AuditEntry.subject == f"ticket:{owner.ticket_id}")
        )
        assert [(entry.actor, entry.deed) for entry in seen] == [(DEE, "saw")]


def test_another_departments_ticket_is_not_there_whatever_is_asked_of_it(owner: Owner) -> None:
    owner.comes(BILL, "billing")
    assert owner.client.get(owner.path).status_code == 404
    assert owner.client.get(f"{owner.path}/merge?into={owner.ticket_id}").status_code == 404
    for deed in Deed:
        owner.does(deed, 404, department="billing", owner=BILL, words="x", until="hour", **REASON)
    preview = owner.client.post(f"{owner.path}/preview", data={"csrf": owner.csrf, **REASON})
    assert preview.status_code == 404


def test_an_auditor_reads_and_finds_nothing_to_press(owner: Owner) -> None:
    owner.comes("audit@corner.example", role=Role.AUDITOR)
    assert LATE in owner.page
    assert f'action="{owner.path}' not in owner.page
    owner.does(Deed.ACCEPT, 403)


def test_a_form_of_somebody_else_does_nothing(owner: Owner) -> None:
    owner.csrf = "0" * 64
    owner.does(Deed.ACCEPT, 403)
    assert owner.ticket().state is TicketState.OPEN


def test_accepting_can_be_undone_and_the_first_promise_runs_on(owner: Owner) -> None:
    due = owner.ticket().due_at
    where = owner.does(Deed.ACCEPT)
    assert where.startswith(f"{owner.path}?done=accept&at=")
    assert owner.ticket().owner == DEE
    assert owner.ticket().due_at == owner.ticket().resolution_due_at
    owner.undoes(where)
    assert (owner.ticket().state, owner.ticket().owner) == (TicketState.OPEN, None)
    assert owner.ticket().due_at == due


def test_whoever_is_second_reads_who_has_it_and_loses_nothing_typed(owner: Owner) -> None:
    seen = owner.seen
    owner.does(Deed.ACCEPT)
    page = owner.does(Deed.RESOLVE, 409, seen=seen, **REASON)
    assert "Somebody was faster" in page
    assert DEE in page
    assert REASON["action_taken"] in page
    owner.does(Deed.ACCEPT, 409)
    owner.does(Deed.RELEASE, 409, seen="")
    assert owner.ticket().state is TicketState.IN_PROGRESS


@pytest.mark.parametrize("what", ["said again", "edited", "put off", "merged"])
def test_what_came_meanwhile_is_read_before_anything_is_done(owner: Owner, what: str) -> None:
    seen, mine, new = owner.seen, owner.ticket_id, f"{LATE}, and now it is broken, too"
    if what == "said again":
        assert owner.says(new) == mine
    elif what == "edited":
        owner.story.says(new, email=owner.email, external_id=owner.feedback)
        owner.story.routes()
    elif what == "put off":
        owner.does(Deed.SNOOZE, until="hour")
    else:
        other = two_tickets(owner)
        owner.ticket_id = other
        owner.does(Deed.MERGE, into=mine)
        owner.ticket_id = mine
    page = owner.does(Deed.RESOLVE, 409, seen=seen, **REASON)
    assert REASON["action_taken"] in page
    assert what not in {"said again", "edited"} or new in page


def test_a_comment_and_that_it_is_late_are_in_nobodys_way(owner: Owner) -> None:
    seen = owner.seen
    owner.does(Deed.COMMENT, words="I know the courier.")
    owner.story.wait(days=7)
    owner.story.runs()
    owner.comes(DEE, "delivery")
    assert owner.ticket().level == 1
    owner.does(Deed.RESOLVE, seen=seen, **REASON)


def test_whose_ticket_was_handed_over_meanwhile_keeps_what_they_typed(owner: Owner) -> None:
    seen = owner.seen
    owner.comes("lee@corner.example", "delivery")
    owner.does(Deed.HAND_OVER, department="billing")
    owner.comes(DEE, "delivery")
    pages = [owner.does(Deed.RESOLVE, 409, seen=seen, **REASON)]
    preview = owner.client.post(f"{owner.path}/preview", data={"csrf": owner.csrf, **REASON})
    assert preview.status_code == 409
    for page in (*pages, preview.text):
        assert "was handed over to Billing by lee@corner.example" in page
        assert REASON["root_cause"] in page
        assert REASON["action_taken"] in page
        assert LATE not in page
    assert owner.client.get(owner.path).status_code == 404
    owner.comes("tess@corner.example", "triage")
    owner.does(Deed.RESOLVE, 404, seen=seen, **REASON)


def test_what_was_typed_for_a_ticket_that_is_resolved_by_now_is_still_there(owner: Owner) -> None:
    seen = owner.seen
    owner.does(Deed.RESOLVE, root_cause="Fog.", action_taken="We drove at noon.")
    page = owner.does(Deed.RESOLVE, 409, seen=seen, **REASON)
    assert REASON["action_taken"] in page
    assert "We drove at noon." in page


@pytest.mark.parametrize(
    ("deed", "form"),
    [
        (Deed.ACCEPT, {}),
        (Deed.ASSIGN, {"owner": "boss@corner.example"}),
        (Deed.COMMENT, {"words": "Only once."}),
        (Deed.SNOOZE, {"until": "hour"}),
        (Deed.HAND_OVER, {"department": "billing"}),
        (Deed.RESOLVE, REASON),
    ],
)
def test_a_form_that_is_sent_twice_is_done_once_and_says_so(
    owner: Owner, deed: Deed, form: dict[str, str]
) -> None:
    sent = form | form_of(owner.page, f"{owner.path}/{deed}")
    where = owner.does(deed, **sent)
    events = owner.events()
    assert owner.does(deed, **sent) == where
    assert owner.events() == events
    assert 'role="status"' in owner.client.get(where).text


def test_undoing_twice_undoes_once(owner: Owner) -> None:
    undo = form_of(owner.client.get(owner.does(Deed.ACCEPT)).text, f"{owner.path}/undo")
    owner.does(Deed.UNDO, **undo)
    owner.does(Deed.UNDO, **undo)
    assert owner.events()[-2:] == [("accepted", DEE), ("released", DEE)]


def test_a_page_says_what_was_done_until_something_else_has_happened(owner: Owner) -> None:
    where = owner.does(Deed.ASSIGN, owner="boss@corner.example")
    undo = form_of(owner.client.get(where).text, f"{owner.path}/undo")
    assert "has a new owner" in owner.client.get(where).text
    owner.comes("lee@corner.example", "delivery")
    assert 'role="status"' not in owner.client.get(where).text
    owner.does(Deed.RELEASE)
    owner.comes(DEE, "delivery")
    assert 'role="status"' not in owner.client.get(where).text
    owner.does(Deed.UNDO, 409, seen=undo["seen"])
    assert owner.ticket().owner is None


def test_a_colleague_gets_the_ticket_and_a_mail_with_links_that_work(owner: Owner) -> None:
    lee = "lee@corner.example"
    owner.comes(lee, "delivery")  # has an account, and is not in the company file
    owner.comes(DEE, "delivery")
    assert f'value="{lee}"' in owner.page
    owner.does(Deed.ASSIGN, owner=lee)
    assert owner.ticket().owner == lee
    owner.story.runs()
    (mail,) = owner.story.mails(f"Ticket {owner.ticket_id} of Delivery is yours", to=lee)
    link = re.search(r"It is resolved: \S+(/t/\S+)", mail)
    assert link
    assert "Resolve this ticket" in owner.client.get(link.group(1)).text
    assert "is nobody of Delivery" in owner.does(Deed.ASSIGN, 422, owner=BILL)


def test_handing_over_teaches_and_says_so_and_undoing_it_unteaches(owner: Owner) -> None:
    before = owner.ticket()
    where = owner.does(Deed.HAND_OVER, department="billing", seen=owner.seen)
    assert where.startswith(f"/desk/queue?done=hand-over&ticket={owner.ticket_id}&at=")
    assert owner.taught() == {("billing", DEE)}
    page = owner.client.get(where).text
    assert "The next one like this goes there sooner." in page
    owner.story.wait(minutes=1)
    owner.undoes(where)
    after = owner.ticket()
    assert after.department == "delivery"
    assert after.resolution_due_at == before.resolution_due_at
    assert after.first_response_due_at == before.first_response_due_at
    assert owner.taught() == set()
    owner.story.runs()
    assert owner.story.mails(f"Ticket {owner.ticket_id} for", to=BILL) == []


def test_what_was_worked_on_there_does_not_come_back(owner: Owner) -> None:
    where = owner.does(Deed.HAND_OVER, department="billing")
    undo = form_of(owner.client.get(where).text, f"{owner.path}/undo")
    owner.comes(BILL, "billing")
    owner.does(Deed.ACCEPT)
    owner.comes(DEE, "delivery")
    page = owner.client.get(where).text
    assert 'role="status"' not in page
    page = owner.does(Deed.UNDO, 409, seen=undo["seen"])
    assert "was handed over to Billing by you" in page
    assert LATE not in page
    assert owner.ticket().department == "billing"


def test_triage_looks_and_teaches_nothing(owner: Owner) -> None:
    page = owner.client.get(owner.does(Deed.HAND_OVER, department="triage")).text
    assert "Triage will look; the router learns nothing." in page
    assert owner.taught() == set()


def test_not_ours_needs_a_department_that_there_is(owner: Owner) -> None:
    page = owner.does(Deed.HAND_OVER, 422, department="nobody")
    assert "Choose the department that owns this." in page
    assert owner.ticket().department == "delivery"


def test_a_comment_is_for_colleagues_and_not_in_the_ledger(owner: Owner) -> None:
    owner.does(Deed.COMMENT, words="<b>The courier</b> was new.")
    assert "&lt;b&gt;The courier&lt;/b&gt; was new." in owner.page
    assert owner.events()[-1] == ("commented", DEE)
    assert owner.ticket().state is TicketState.OPEN
    owner.does(Deed.COMMENT, 422, words="  ")


def test_who_wrote_a_comment_can_take_it_away(owner: Owner) -> None:
    owner.does(Deed.COMMENT, words="Kim is my neighbour.")
    comment = form_of(owner.page, f"{owner.path}/remove-comment")
    owner.comes("lee@corner.example", "delivery")
    assert "remove-comment" not in owner.page
    owner.does(Deed.REMOVE_COMMENT, 422, comment=comment["comment"])
    owner.comes(DEE, "delivery")
    where = owner.does(Deed.REMOVE_COMMENT, comment=comment["comment"])
    page = owner.client.get(where).text
    assert "Your comment is gone." in page
    assert "Kim is my neighbour." not in page
    assert owner.events()[-1] == ("comment_removed", DEE)


def test_a_comment_goes_with_the_words_that_it_is_about(owner: Owner) -> None:
    key = owner.story.says("My late parcel, the second time", email="gone@example.com")
    owner.story.runs()
    owner.ticket_id = max(ticket.id or 0 for ticket in owner.story.rows(Ticket))
    owner.does(Deed.COMMENT, words="Gone is known to us.")
    owner.story.collects(Page(items=[], cursor="gone", deleted=[key]))
    assert "Gone is known to us." not in owner.page
    assert owner.story.broken_books() == []


@pytest.mark.parametrize("until", ["hour", "tomorrow", "week"])
def test_a_snoozed_ticket_leaves_the_queue_and_comes_back_by_itself(
    owner: Owner, until: str
) -> None:
    due, words = owner.ticket().due_at, f'href="{owner.path}" data-step'
    where = owner.does(Deed.SNOOZE, until=until)
    page = owner.client.get(where).text
    assert words not in page
    assert owner.ticket().due_at == due
    owner.undoes(where)
    assert words in owner.client.get("/desk/queue").text


def test_a_snoozed_ticket_that_gets_late_is_raised_and_back(owner: Owner) -> None:
    owner.does(Deed.SNOOZE, until="date", day="2026-04-20")
    owner.story.wait(days=7)
    owner.story.runs()
    assert owner.ticket().level == 1
    assert owner.ticket().snoozed_until is None
    assert owner.story.broken_books() == []


def test_what_is_late_cannot_be_put_off_and_what_is_put_off_comes_back_when_due(
    owner: Owner,
) -> None:
    owner.does(Deed.SNOOZE, until="date", day="2026-05-20")
    assert owner.ticket().snoozed_until == owner.ticket().due_at
    owner.story.wait(days=7)
    owner.comes(DEE, "delivery")
    assert f'href="{owner.path}" data-step' in owner.client.get("/desk/queue").text
    assert f'action="{owner.path}/snooze"' not in owner.page
    assert "what is late cannot be put off" in owner.does(Deed.SNOOZE, 422, until="hour")


@pytest.mark.parametrize("form", [{}, {"until": "date"}, {"until": "date", "day": "2020-01-01"}])
def test_a_snooze_needs_a_day_that_there_is(owner: Owner, form: dict[str, str]) -> None:
    assert 'id="day-wrong"' in owner.does(Deed.SNOOZE, 422, **form)
    assert owner.ticket().snoozed_until is None


def test_the_preview_is_what_the_customer_gets_and_saves_nothing(owner: Owner) -> None:
    form = {"csrf": owner.csrf, **REASON}
    page = owner.client.post(f"{owner.path}/preview", data=form)
    assert page.status_code == 200
    (shown,) = re.findall(r'<div class="letter" dir="auto">(.*?)</div>', page.text, re.DOTALL)
    assert owner.ticket().state is TicketState.OPEN
    assert owner.replies() == []
    assert REASON["root_cause"] in page.text  # still in the form
    owner.does(Deed.RESOLVE, **REASON)
    owner.story.runs()
    (mail,) = (
        owner.story.mails("What we did", to=owner.email) or owner.story.mails(to=owner.email)[-1:]
    )
    said = [line for line in mail.splitlines() if line.strip() and "http" not in line]
    assert [line for line in said if line.replace("'", "&#39;") not in shown] == []


def test_without_an_action_there_is_nothing_to_preview_or_to_resolve(owner: Owner) -> None:
    form = {"csrf": owner.csrf, "root_cause": "x"}
    assert owner.client.post(f"{owner.path}/preview", data=form).status_code == 422
    assert "Say what was done about it." in owner.does(Deed.RESOLVE, 422, root_cause="x")


TWO = "My parcel is late again. I was charged money for it, the refund is wrong"


def test_a_draft_of_another_department_is_not_in_the_preview(
    story: Story, client: TestClient
) -> None:
    owner = Owner(story, client, TWO)
    mine = owner.ticket_id
    owner.comes("both@corner.example", "delivery", "billing")
    owner.ticket_id = mine - 1
    owner.does(Deed.RESOLVE, root_cause="x", action_taken="We send 500 EUR.")
    owner.does(Deed.TAKE_BACK)
    owner.ticket_id = mine
    page = owner.client.post(f"{owner.path}/preview", data={"csrf": owner.csrf, **REASON}).text
    (shown,) = re.findall(r'<div class="letter" dir="auto">(.*?)</div>', page, re.DOTALL)
    assert REASON["action_taken"] in shown
    assert "500 EUR" not in shown


def test_what_cannot_be_resolved_is_not_previewed(owner: Owner) -> None:
    form = {"csrf": owner.csrf, "root_cause": "x", "action_taken": "y" * 3_000}
    page = owner.client.post(f"{owner.path}/preview", data=form)
    assert page.status_code == 422
    assert "This has 3,000 characters" in page.text
    assert 'class="letter"' not in page.text


def test_the_preview_is_in_the_words_of_the_customers_variant(owner: Owner) -> None:
    variant = Variant(id="hello", subject="Hello from {{ company }}")
    trial = Experiment(
        id="trial", variants=(variant,), hold_out=0.1, outcome="came_back", begins=date(2026, 1, 1)
    )
    desk = owner.client.app.state.desk  # type: ignore[attr-defined]
    company = desk.company.model_copy(update={"experiments": (trial,)})
    owner.client.app.state.desk = replace(desk, company=company)  # type: ignore[attr-defined]
    page = owner.client.post(f"{owner.path}/preview", data={"csrf": owner.csrf, **REASON}).text
    owner.client.app.state.desk = desk  # type: ignore[attr-defined]
    assert "trial:hello" in page
    assert "Hello from Corner Shop" in page


def test_who_resolves_for_nobody_is_told_so_before(owner: Owner) -> None:
    with transaction(owner.story.place.engine) as session:
        for loop in store.loops_of(session, owner.ticket_id):
            loops.give_up(session, loop, reason="no_address", now=owner.story.now)
    assert 'data-ask="No customer of it can be told' in owner.page
    assert "closed at once" in owner.client.get(owner.does(Deed.RESOLVE, **REASON)).text
    assert owner.ticket().state is TicketState.CLOSED


def test_a_resolution_can_be_taken_back_until_the_customer_was_told(owner: Owner) -> None:
    owner.does(Deed.RESOLVE, seen=owner.seen, **REASON)
    assert [message.state for message in owner.replies()] == [MessageState.PLANNED]
    owner.does(Deed.TAKE_BACK)
    assert [message.state for message in owner.replies()] == [MessageState.CANCELLED]
    assert owner.ticket().state is TicketState.IN_PROGRESS
    assert REASON["root_cause"] in owner.page  # as a draft
    owner.story.runs()
    assert owner.replies()[0].state is MessageState.CANCELLED
    owner.does(Deed.RESOLVE, root_cause="Y", action_taken="We sent a new one by bicycle.")
    owner.story.runs()
    assert [message.state for message in owner.replies()] == [MessageState.SENT]
    assert "We sent a new one by bicycle." in owner.story.mails(to=owner.email)[-1]
    assert "is not possible" not in owner.does(Deed.TAKE_BACK, 409)
    assert owner.ticket().state is TicketState.CLOSED


def test_what_is_being_sent_just_now_cannot_be_taken_back(owner: Owner) -> None:
    owner.does(Deed.RESOLVE, **REASON)
    (reply,) = owner.replies()
    with transaction(owner.story.place.engine) as session:
        session.get_one(Message, reply.id).state = MessageState.CLAIMED
    assert "is being told just now" in owner.does(Deed.TAKE_BACK, 409)
    assert owner.ticket().state is TicketState.RESOLVED
    with transaction(owner.story.place.engine) as session:
        session.get_one(Message, reply.id).state = MessageState.PLANNED


def two_tickets(owner: Owner) -> int:
    """A second ticket of the same customer that turns out to be the same issue."""
    other = owner.says("I was charged money for it, the refund is wrong")
    assert other != owner.ticket_id
    owner.comes("both@corner.example", "delivery", "billing")
    return other


def test_merging_asks_first_and_then_tells_the_customer_once(owner: Owner) -> None:
    other = two_tickets(owner)
    owner.does(Deed.COMMENT, words="The same as the other.")
    assert f'href="{owner.path}/merge?into={other}"' in owner.page
    asked = owner.client.get(f"{owner.path}/merge?into={other}").text
    assert "This cannot be undone." in asked
    with owner.session() as session:
        seen = select(AuditEntry.subject).where(AuditEntry.deed == "saw")
        assert {f"ticket:{n}" for n in (owner.ticket_id, other)} <= set(session.exec(seen))
    assert owner.ticket().state is TicketState.OPEN
    where = owner.does(Deed.MERGE, into=other, seen=owner.seen)
    assert where.startswith(f"/desk/tickets/{other}?done=merge&at=")
    assert "The other ticket is part of this one now." in owner.client.get(where).text
    assert owner.ticket().state is TicketState.CLOSED
    merged, page = owner.ticket_id, owner.page
    assert f'They are at <a href="/desk/tickets/{other}">' in page
    assert "were deleted" not in page
    assert f'action="{owner.path}/comment"' not in page
    owner.does(Deed.COMMENT, 409, words="Here?")
    owner.ticket_id = other
    assert "The same as the other." in owner.page
    with owner.session() as session:
        loops = session.exec(select(LoopTicket).where(LoopTicket.ticket_id == other)).all()
        assert len(loops) == 2
        said = session.exec(select(Statement).where(Statement.ticket_id == merged)).all()
        assert said == []
    owner.does(Deed.RESOLVE, **REASON)
    owner.story.runs()
    told = owner.replies()
    assert {message.state for message in told} <= {MessageState.SENT, MessageState.CANCELLED}
    assert owner.ticket().state is TicketState.CLOSED
    assert len({message.loop_id for message in told}) == 2  # each loop once, none twice
    owner.story.runs()
    assert len(owner.replies()) == 2
    assert owner.story.broken_books() == []


def test_only_two_unfinished_tickets_of_one_customer_can_be_merged(
    story: Story, client: TestClient
) -> None:
    somebody, owner = Owner(story, client), Owner(story, client)
    for into in (somebody.ticket_id, owner.ticket_id):
        assert owner.client.get(f"{owner.path}/merge?into={into}").status_code == 404
        assert 'id="into-wrong"' in owner.does(Deed.MERGE, 422, into=into)
    other = two_tickets(owner)
    first, owner.ticket_id = owner.ticket_id, other
    owner.does(Deed.RESOLVE, **REASON)
    owner.ticket_id = first
    owner.does(Deed.MERGE, 422, into=other)
    assert owner.ticket().state is TicketState.OPEN


def test_what_helped_before_and_what_the_customer_said_before_is_shown(owner: Owner) -> None:
    owner.does(Deed.RESOLVE, root_cause="Fog.", action_taken="We drove at noon.")
    owner.story.runs()
    again = Owner(owner.story, owner.client)
    assert "We drove at noon." in again.page
    assert f'href="{owner.path}"' in again.page
    owner.ticket_id = owner.says("The courier lost my parcel, so late")
    owner.comes(DEE, "delivery")
    assert "told, no answer yet" in owner.page
    owner.ticket_id = two_tickets(owner)
    owner.comes(BILL, "billing")
    assert "told, no answer yet" in owner.page  # that it was, and not what was said
    assert "The courier lost" not in owner.page


def test_the_history_names_colleagues_as_they_are_written(owner: Owner) -> None:
    anna = "anna_lee@corner.example"
    owner.comes(anna, "delivery")
    owner.comes(DEE, "delivery")
    owner.does(Deed.ASSIGN, owner=anna)
    owner.does(Deed.HAND_OVER, department="billing")
    owner.story.runs()
    owner.comes(BILL, "billing")
    assert f"Given to {anna}" in owner.page
    assert "Message ended" not in owner.page


def test_each_deed_is_in_the_audit_log_and_in_the_ledger(owner: Owner) -> None:
    owner.does(Deed.ACCEPT)
    with owner.session() as session:
        query = select(AuditEntry).where(AuditEntry.subject == f"ticket:{owner.ticket_id}")
        assert ("accepted", DEE) in [(entry.deed, entry.actor) for entry in session.exec(query)]
    assert owner.events()[-1] == ("accepted", DEE)
