"""One ticket in the desk: what an owner sees, each deed and its undoing; the books hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session, col, select

from apps.desk.app import create_app
from apps.desk.work.done import Deed
from tests.desk_visitors import sign_in
from tests.factories import SECRET
from tests.story import Story, story_in
from voc.arrivals import Page
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
        self.story.says(text, email=self.email)
        self.story.runs()
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
        found = re.search(r'name="seen" value="([^"]*)"', self.page)
        return found.group(1) if found else ""

    def does(self, deed: Deed, status: int = 303, /, **form: object) -> str:
        """Post a form; where it leads, or the page that says why not. The books hold."""
        answer = self.client.post(
            f"{self.path}/{deed}", data={"csrf": self.csrf, **form}, follow_redirects=False
        )
        assert answer.status_code == status
        assert self.story.broken_books() == []
        return answer.headers.get("location", answer.text)

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

    def replies(self) -> list[Message]:
        """What was planned to tell this customer about what was done."""
        query = select(Message).join(LoopTicket, col(LoopTicket.loop_id) == Message.loop_id)
        query = query.where(
            LoopTicket.ticket_id == self.ticket_id, Message.template == "resolution"
        )
        with self.session() as session:
            return list(session.exec(query))


@pytest.fixture
def owner(story: Story, client: TestClient) -> Owner:
    return Owner(story, client)


def test_the_page_shows_what_was_said_why_it_is_here_and_what_can_be_done(owner: Owner) -> None:
    page = owner.page
    for said in (f"<mark>{LATE}</mark>", "open: nobody has taken it yet", "Opened for Delivery"):
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
    assert where == f"{owner.path}?done=accept"
    assert owner.ticket().owner == DEE
    assert owner.ticket().due_at == owner.ticket().resolution_due_at
    assert f'action="{owner.path}/release"' in owner.client.get(where).text
    owner.does(Deed.RELEASE)
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
    assert owner.ticket().state is TicketState.IN_PROGRESS


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
    assert where == f"/desk/queue?done=hand-over&ticket={owner.ticket_id}"
    with owner.session() as session:
        taught = session.exec(select(Label)).all()
        assert {(label.value, label.actor) for label in taught} == {("billing", DEE)}
    page = owner.client.get(where).text
    assert "The next one like this goes there sooner." in page
    assert f'action="{owner.path}/hand-back"' in page
    owner.story.wait(minutes=1)
    owner.does(Deed.HAND_BACK)
    after = owner.ticket()
    assert after.department == "delivery"
    assert after.resolution_due_at == before.resolution_due_at
    assert after.first_response_due_at == before.first_response_due_at
    with owner.session() as session:
        assert session.exec(select(Label)).all() == []
    owner.story.runs()
    assert owner.story.mails(f"Ticket {owner.ticket_id} for", to=BILL) == []


def test_what_was_worked_on_there_does_not_come_back(owner: Owner) -> None:
    owner.does(Deed.HAND_OVER, department="billing")
    owner.comes(BILL, "billing")
    owner.does(Deed.ACCEPT)
    owner.comes(DEE, "delivery")
    page = owner.client.get(f"/desk/queue?done=hand-over&ticket={owner.ticket_id}").text
    assert "hand-back" not in page
    assert "was worked on since" not in page
    owner.does(Deed.HAND_BACK, 404)
    assert owner.ticket().department == "billing"


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
    assert f'action="{owner.path}/wake"' in page
    assert owner.ticket().due_at == due
    owner.does(Deed.WAKE)
    assert words in owner.client.get("/desk/queue").text


def test_a_snoozed_ticket_that_gets_late_is_raised_and_back(owner: Owner) -> None:
    owner.does(Deed.SNOOZE, until="date", day="2026-04-20")
    owner.story.wait(days=7)
    owner.story.runs()
    assert owner.ticket().level == 1
    assert owner.ticket().snoozed_until is None
    assert owner.story.broken_books() == []


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
    page = owner.client.post(f"{owner.path}/take-back", data={"csrf": owner.csrf})
    assert page.status_code == 409
    assert "is being told just now" in page.text
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
    assert owner.ticket().state is TicketState.OPEN
    where = owner.does(Deed.MERGE, into=other, seen=owner.seen)
    assert where == f"/desk/tickets/{other}?done=merge"
    assert owner.ticket().state is TicketState.CLOSED
    merged = owner.ticket_id
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


def test_each_deed_is_in_the_audit_log_and_in_the_ledger(owner: Owner) -> None:
    owner.does(Deed.ACCEPT)
    with owner.session() as session:
        query = select(AuditEntry).where(AuditEntry.subject == f"ticket:{owner.ticket_id}")
        assert ("accepted", DEE) in [(entry.deed, entry.actor) for entry in session.exec(query)]
    assert owner.events()[-1] == ("accepted", DEE)
