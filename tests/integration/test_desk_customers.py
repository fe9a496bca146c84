"""One customer at the desk: found by exactly what they are known by, seen by whoever may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import col, select

from tests.desk import database, make_client, make_desk
from tests.desk_visitors import sign_in
from tests.factories import (
    NOW,
    SECRET,
    make_answer,
    make_consent,
    make_customer,
    make_feedback,
    make_identity,
    make_loop,
    make_message,
    make_statement,
    make_ticket,
    make_version,
    save,
)
from voc.actions.contact import unsubscribe
from voc.models import AuditEntry, Customer, IdentityKind, LoopTicket, Message, MessageState, Role
from voc.store.database import reading, transaction
from voc.store.profile import active

OWNER, OPERATIONS, AUDITOR = Role.OWNER, Role.OPERATIONS, Role.AUDITOR
MAIL = "kim@customer.example"
PHONE = "+441632960123"
SOFA = "The sofa came two weeks late."
BILL = "And I was charged twice."


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Kim (1) has a case at delivery and one at billing; Lee (2) one at billing; Bo (3) none."""
    with database(tmp_path_factory.mktemp("customers")) as engine:
        with transaction(engine) as session:
            save(session, make_customer(), make_identity(), make_consent())
            save(
                session,
                make_identity(kind=IdentityKind.PHONE, value=PHONE),
                make_identity(kind=IdentityKind.HANDLE, value="mastodon:@kim"),
                make_identity(kind=IdentityKind.ACCOUNT, value="MF-4711"),
                make_customer(id=2, name="Lee"),
                make_identity(customer_id=2, value="lee@customer.example"),
                make_customer(id=3, name="Bo"),
                make_customer(id=4, name="Kim A."),
                make_identity(customer_id=4, value="k@customer.example"),
            )
            for number, (customer, department, words) in enumerate(
                [(1, "delivery", SOFA), (1, "billing", BILL), (2, "billing", "Too dear.")], 1
            ):
                said_at = NOW - timedelta(days=10 - number)
                ids = {"id": number, "customer_id": customer}
                save(
                    session,
                    make_feedback(**ids, external_id=f"r-{number}", said_at=said_at),
                    make_version(id=number, feedback_id=number, verbatim=f"Hello. {words} Bye."),
                    make_loop(**ids, feedback_id=number),
                    make_ticket(**ids, department=department),
                    LoopTicket(loop_id=number, ticket_id=number),
                    make_statement(
                        version_id=number, start=7, end=7 + len(words), ticket_id=number
                    ),
                    make_message(
                        **ids,
                        loop_id=number,
                        subject=f"loop:{number}",
                        recipient=f"customer:{customer}",
                        message_id=f"<{number}@shop.example>",
                        content=mail(f"About {department}", f"Dear Kim, {department} did it."),
                    ),
                    make_answer(loop_id=number, words=f"Thanks, {department}."),
                )
        yield engine


def mail(subject: str, words: str) -> bytes:
    letter = EmailMessage()
    letter["Subject"] = subject
    letter.set_content(words)
    return bytes(letter)


@pytest.fixture(scope="module")
def client(engine: Engine) -> TestClient:
    return make_client(make_desk(engine))


class Desk:
    """The desk as somebody with a role sees it."""

    def __init__(self, client: TestClient, engine: Engine) -> None:
        self.client, self.engine, self.csrf = client, engine, ""

    def enter(self, role: Role, *departments: str) -> Desk:
        self.csrf = sign_in(self.client, self.engine, role, departments)
        return self

    def get(self, path: str = "") -> Any:
        return self.client.get(f"/desk/customers{path}", follow_redirects=False)

    def post(self, path: str = "", **form: str) -> Any:
        data = {"csrf": self.csrf} | form
        return self.client.post(f"/desk/customers{path}", data=data, follow_redirects=False)

    def log(self) -> list[tuple[str, str, str]]:
        with transaction(self.engine) as session:
            rows = session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))
            return [(row.deed, row.subject, row.detail) for row in rows]


@pytest.fixture
def desk(client: TestClient, engine: Engine) -> Desk:
    return Desk(client, engine)


# Finding


@pytest.mark.parametrize(
    "typed",
    [
        "KIM@customer.example ",
        "01632 960123",
        "+44 1632 960 123",
        "mastodon:@Kim",
        "MF-4711",
        "1",
        "#1",
    ],
)
def test_a_customer_is_found_by_whatever_they_are_known_by(desk: Desk, typed: str) -> None:
    answer = desk.enter(OPERATIONS).post(who=typed)
    assert answer.headers["location"] == "/desk/customers/1"
    assert desk.log()[-1] == ("searched", "customer:1", "found 1")


@pytest.mark.parametrize("typed", ["kim", "customer.example", "%", "kim@%", "99", "9" * 30, "é@x"])
def test_parts_are_not_looked_for_and_what_was_typed_is_in_no_log(desk: Desk, typed: str) -> None:
    answer = desk.enter(OPERATIONS).post(who=typed)
    assert answer.status_code == 404
    assert "Nobody is known by exactly that" in answer.text
    assert desk.log()[-1] == ("searched", "customers", "found 0")


def test_an_owner_finds_only_whose_ticket_is_theirs_and_else_what_nobody_finds(desk: Desk) -> None:
    desk.enter(OWNER, "delivery")
    assert desk.post(who=MAIL).status_code == 303
    hidden, unknown = desk.post(who="lee@customer.example"), desk.post(who="no@customer.example")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text.replace("lee@", "no@") == unknown.text
    assert desk.get("/2").status_code == desk.get("/99").status_code == 404
    assert desk.get("/2").text == desk.get("/99").text


def test_the_newest_come_first_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.desk.profile.search.PAGE", 1)
    first = desk.enter(OPERATIONS).get().text
    assert "Lee" in first
    assert "Kim Ade" not in first
    second = desk.get("?" + first.partition("/desk/customers?")[2].partition('"')[0]).text
    assert "Kim Ade" in second
    assert "Lee" not in second
    assert "after=" not in second  # Bo never said anything
    for departments, names in ((("delivery",), {"Kim Ade"}), (("triage",), set())):
        page = desk.enter(OWNER, *departments).get().text
        assert {name for name in ("Kim Ade", "Lee", "Bo<") if name in page} == names


def test_an_empty_search_asks_for_something(desk: Desk) -> None:
    assert desk.enter(OWNER, "delivery").post(who=" ").status_code == 422


# One customer


def test_operations_see_everything_in_one_line_of_time(desk: Desk) -> None:
    page = desk.enter(OPERATIONS).get("/1").text
    for words in (f"<mark>{SOFA}</mark>", f"<mark>{BILL}</mark>", "Our answer: About delivery"):
        assert words in page
    assert "Thanks, billing." in page
    assert "k***@customer.example" in page
    assert "+44 *** 23" in page
    assert "There may be more" not in page
    for secret in (MAIL, PHONE, PHONE[3:], "mastodon:@kim", "4711"):
        assert secret not in page
    assert desk.log()[-1] == ("saw", "customer:1", "")


def test_an_owner_sees_what_is_about_their_tickets_and_is_told_so(desk: Desk) -> None:
    page = desk.enter(OWNER, "delivery").get("/1").text
    assert "There may be more" in page
    assert f"<mark>{SOFA}</mark>" in page
    assert "Ticket 1" in page
    for foreign in (BILL, "Ticket 2", "About billing", "Thanks, billing", "Mails: survey"):
        assert foreign not in page


def test_the_line_of_time_goes_on_without_gaps(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def titles(page: str) -> list[str]:
        return [line for line in page.splitlines() if 'class="row"><strong>' in line]

    whole = titles(desk.enter(OPERATIONS).get("/1").text)
    monkeypatch.setattr("apps.desk.profile.held.PAGE", 2)
    found, query = list[str](), ""
    while True:
        page = desk.get(f"/1{query}").text
        found += titles(page)
        if "before=" not in page:
            break
        query = "?before=" + page.partition("?before=")[2].partition('"')[0]
    assert len(whole) == 9
    assert found == whole
    assert titles(desk.get("/1?before=nonsense").text) == whole[:2]


def test_a_message_is_read_on_demand_by_whoever_sees_its_loop(desk: Desk) -> None:
    page = desk.enter(OWNER, "delivery").get("/1/messages/1").text
    assert "Dear Kim, delivery did it." in page
    for path in ("/1/messages/2", "/1/messages/99", "/2/messages/3"):
        assert desk.get(path).status_code == 404
    assert "billing did it" in desk.enter(AUDITOR).get("/1/messages/2").text


def test_why_we_are_silent_stands_there_with_since_when(desk: Desk, engine: Engine) -> None:
    with transaction(engine) as session:
        unsubscribe(session, 2, secret=SECRET, how="unsubscribe page", now=NOW)
    page = desk.enter(AUDITOR).get("/2").text
    assert "they asked us to stop" in page
    assert "Silent at one address: opted out" in page
    assert "said no" in page


# Addresses in full


def test_addresses_are_shown_once_for_a_purpose_that_is_kept(desk: Desk) -> None:
    page = desk.enter(OWNER, "delivery").post("/1/unseal", purpose="call", words="about the sofa")
    assert MAIL in page.text
    assert PHONE in page.text
    assert page.headers["cache-control"] == "no-store"
    assert ("unsealed", "customer:1", "call: about the sofa") in desk.log()
    assert desk.get("/1/unseal").status_code in {404, 405}


@pytest.mark.parametrize(
    ("purpose", "words"),
    [("", ""), ("fun", "x"), ("other", " "), ("call", "x" * 201), ("call", MAIL)],
)
def test_without_a_purpose_no_address_is_shown(desk: Desk, purpose: str, words: str) -> None:
    before = desk.enter(OPERATIONS).log()
    page = desk.post("/1/unseal", purpose=purpose, words=words)
    assert page.status_code == 422
    assert PHONE not in page.text
    assert desk.log() == [*before, ("saw", "customer:1", "")]  # their page, and no more


def test_auditors_and_other_departments_unseal_nothing(desk: Desk) -> None:
    assert desk.enter(AUDITOR).post("/1/unseal", purpose="call").status_code == 403
    assert desk.enter(OWNER, "triage").post("/1/unseal", purpose="call").status_code == 404
    assert "Show in full" not in desk.enter(AUDITOR).get("/1").text


def test_nobody_unseals_one_after_the_other_all_day(engine: Engine) -> None:
    desk = Desk(make_client(make_desk(engine)), engine).enter(OPERATIONS)
    answers = [desk.post("/1/unseal", purpose="legal").status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]
    noted = sum(deed == "unsealed" and detail == "legal" for deed, _, detail in desk.log())
    assert noted == 20


# Merging


def test_two_are_compared_merged_and_parted_again(desk: Desk, engine: Engine) -> None:
    desk.enter(OPERATIONS)
    to = desk.post("/1/same-as", who="k@customer.example").headers["location"]
    assert to == "/desk/customers/1/merge/4"
    assert ("searched", "customer:4", "found 1") in desk.log()
    assert "whose everything moves" in desk.get("/1/merge/4").text
    assert desk.post("/1/merge/4").headers["location"] == "/desk/customers/1?done=merged"
    page = desk.get("/1?done=merged").text
    assert "They are one customer now." in page
    assert "Merged with customer 4" in page
    assert desk.get("/4").headers["location"] == "/desk/customers/1"
    assert desk.post(who="k@customer.example").headers["location"] == "/desk/customers/1"
    assert desk.post("/1/merge/4").status_code == 409
    assert desk.get("/4/merge/2").headers["location"] == "/desk/customers/1/merge/2"
    number = page.partition("/desk/customers/1/merges/")[2].partition('"')[0]
    assert "Goes back to customer 4" in desk.get(f"/1/merges/{number}").text
    assert desk.get(f"/2/merges/{number}").status_code == 404
    assert desk.post(f"/1/merges/{number}").headers["location"].endswith("done=unmerged")
    assert desk.post(f"/1/merges/{number}").status_code == 409
    assert desk.get("/4").status_code == 200
    with transaction(engine) as session:
        assert session.get_one(Customer, 4).merged_into_id is None


@pytest.mark.parametrize("who", ["1", "nobody@customer.example", ""])
def test_with_nobody_or_themselves_nobody_is_compared(desk: Desk, who: str) -> None:
    answer = desk.enter(OPERATIONS).post("/1/same-as", who=who)
    assert answer.status_code == 422
    assert "Nobody else is known by exactly that." in answer.text
    assert desk.get("/1/merge/1").status_code == 409
    assert desk.get("/1/merge/99").status_code == 404


def test_a_message_on_its_way_is_waited_for(desk: Desk, engine: Engine) -> None:
    with transaction(engine) as session:
        session.get_one(Message, 1).state = MessageState.SENDING
    answer = desk.enter(OPERATIONS).post("/1/merge/2")
    assert answer.status_code == 409
    assert "on its way at this moment" in answer.text
    with transaction(engine) as session:
        session.get_one(Message, 1).state = MessageState.SENT


def test_only_operations_merge(desk: Desk) -> None:
    desk.enter(OWNER, "delivery", "billing")
    for path in ("/1/merge/2", "/1/same-as", "/1/merges/1"):
        assert desk.post(path).status_code == 403
    assert "The same person as" not in desk.get("/2").text
    assert desk.enter(AUDITOR).get("/1/merge/2").status_code == 403


def test_a_form_of_somebody_else_does_nothing(desk: Desk) -> None:
    desk.enter(OPERATIONS)
    desk.csrf = "x"
    for path in ("", "/1/unseal", "/1/same-as", "/1/merge/2"):
        assert desk.post(path, who="1", purpose="call").status_code == 403


# Cost


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(minutes=1)])
def test_one_who_said_very_much_makes_the_list_longer_to_read_but_not_squared(
    tmp_path: Path, apart: timedelta
) -> None:
    def steps(pieces: int) -> int:
        """Of the database's own machine, in hundreds: for a list with one talkative customer."""
        folder = tmp_path / str(pieces)
        folder.mkdir()
        counted = []
        with database(folder) as engine:
            with transaction(engine) as session:
                save(session, make_customer())
                said = (
                    make_feedback(id=n, external_id=f"{n}", said_at=NOW + n * apart)
                    for n in range(1, pieces + 1)
                )
                save(session, *said)
            with reading(engine) as session:
                raw: Any = session.connection().connection.driver_connection
                raw.set_progress_handler(lambda: counted.append(1), 100)
                (only,) = active(session, None, after=None, limit=30)
                raw.set_progress_handler(None, 0)
        assert only.spot.id == pieces
        return len(counted)

    assert steps(400) < 3 * steps(200)
