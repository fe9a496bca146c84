"""The desk's messages and approvals: what operations sees of them, and what it can do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import col, delete, select

from tests.desk import database, kill_switch_of, make_client, make_desk
from tests.desk_visitors import sign_in
from tests.factories import (
    APPROVER,
    NOW,
    make_answer,
    make_company,
    make_message,
    make_ticket,
    save,
    save_told_loop,
    save_waiting_reply,
)
from voc.actions.approval import fingerprint
from voc.models import (
    Account,
    Answer,
    AuditEntry,
    Breaker,
    DeskSession,
    Installation,
    Loop,
    LoopState,
    LoopTicket,
    Message,
    MessageState,
    Quarantine,
    Role,
    Ticket,
    Verdict,
)
from voc.store.database import transaction
from voc.store.messages import write_anew

Is = MessageState
CONTENT = (
    b"Subject: What we did\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"We sent it. http://127.0.0.1/a/abcdefghijklmnopqrstuvwxyz234567\r\n"
)
TOKEN = "abcdefghijklmnopqrstuvwxyz234567"
ADDRESS = "kim@customer.example"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, TestClient]]:
    with database(tmp_path_factory.mktemp("desk")) as engine:
        yield engine, make_client(make_desk(engine))


@pytest.fixture
def engine(shop: tuple[Engine, TestClient]) -> Iterator[Engine]:
    """The module's database; whatever a test puts into it goes again."""
    engine, _ = shop
    kept = {Account.__tablename__, DeskSession.__tablename__}
    yield engine
    with transaction(engine) as session:
        session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table in reversed(Message.metadata.sorted_tables):
            if table.name not in kept:
                session.execute(delete(table))
    kill_switch_of(engine).unlink(missing_ok=True)


@pytest.fixture
def client(shop: tuple[Engine, TestClient], engine: Engine) -> TestClient:
    return shop[1]


def fill(engine: Engine, state: MessageState, reason: str | None = None, **changes: object) -> None:
    """A told loop whose message, number 1, is in *state*."""
    with transaction(engine) as session:
        save_told_loop(session, state=LoopState.OPEN)
        message = session.get_one(Message, 1)
        message.state, message.reason, message.content = state, reason, CONTENT
        for name, value in changes.items():
            setattr(message, name, value)


def state_of(engine: Engine) -> tuple[MessageState, str | None]:
    with transaction(engine) as session:
        message = session.get_one(Message, 1)
        return message.state, message.reason


def audited(engine: Engine) -> list[tuple[str, str, str]]:
    """What was done, less what was only looked at."""
    with transaction(engine) as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.deed != "saw"))
        return [(entry.actor, entry.deed, entry.subject) for entry in entries]


def test_messages_in_doubt_come_first_and_addresses_are_masked(
    engine: Engine, client: TestClient
) -> None:
    fill(engine, Is.UNKNOWN, "timeout")
    with transaction(engine) as session:
        dead = {"id": 7, "step": "reminder.1", "message_id": "<7@shop.example>"}
        save(session, make_message(state=Is.DEAD, reason="tried too often", **dead))
    sign_in(client, engine, Role.OPERATIONS)
    page = client.get("/desk/messages").text
    assert page.index("In doubt</h2>") < page.index("Given up</h2>")
    assert "k***@customer.example" in page
    assert ADDRESS not in page


def test_what_nobody_found_out_about_is_not_among_what_was_not_sent(
    engine: Engine, client: TestClient
) -> None:
    fill(engine, Is.ABANDONED, "nobody could tell")
    sign_in(client, engine, Role.OPERATIONS)
    for path, is_there in {"": True, "?show=abandoned": True, "?show=silent": False}.items():
        page = client.get(f"/desk/messages{path}").text
        assert ('href="/desk/messages/1"' in page) is is_there
    assert "It arrived" in client.get("/desk/messages/1").text


def test_what_waits_is_listed_by_when_it_is_due(engine: Engine, client: TestClient) -> None:
    fill(engine, Is.QUEUED, settled_at=None)
    sign_in(client, engine, Role.OPERATIONS)
    assert ">Due</th>" in client.get("/desk/messages?show=waiting").text


def test_an_empty_desk_says_that_nobody_is_needed(engine: Engine, client: TestClient) -> None:
    sign_in(client, engine, Role.AUDITOR)
    assert "No message needs anybody." in client.get("/desk/messages").text
    for pile in (
        "unknown",
        "approval",
        "held",
        "dead",
        "waiting",
        "back",
        "left",
        "silent",
        "abandoned",
    ):
        assert client.get(f"/desk/messages?show={pile}").status_code == 200
    assert client.get("/desk/messages?show=nothing").status_code == 404


@pytest.mark.parametrize("show", ["left", "unknown"])
def test_a_long_pile_is_read_page_by_page_and_no_message_is_missed(
    engine: Engine, client: TestClient, show: str
) -> None:
    state = Is.SENT if show == "left" else Is.UNKNOWN
    with transaction(engine) as session:
        save_told_loop(session)
        for number in range(2, 113):
            at = NOW - timedelta(minutes=number // 3)  # several at one moment
            key = {"id": number, "step": f"s.{number}", "message_id": f"<{number}@x>"}
            save(session, make_message(state=state, settled_at=at, **key))
    sign_in(client, engine, Role.OPERATIONS)
    seen: list[int] = []
    address: str | None = f"/desk/messages?show={show}"
    while address:
        page = client.get(address).text
        seen += [int(part.split('"')[0]) for part in page.split('href="/desk/messages/')[1:]]
        rest = page.partition(f'href="/desk/messages?show={show}&amp;after=')[2]
        address = f"/desk/messages?show={show}&after={rest.split(chr(34))[0]}" if rest else None
    assert sorted(seen) == sorted({*seen})
    assert {*range(2, 113)} <= {*seen}


@pytest.mark.parametrize("after", ["x", "1-", "-1", "9" * 40 + "-1", "1-" + "9" * 40, "²-1"])
def test_whatever_stands_in_the_address_a_list_begins_at_its_beginning(
    engine: Engine, client: TestClient, after: str
) -> None:
    sign_in(client, engine, Role.OPERATIONS)
    assert client.get("/desk/messages", params={"show": "left", "after": after}).status_code == 200


def test_a_message_shows_its_words_but_no_token_and_no_address(
    engine: Engine, client: TestClient
) -> None:
    fill(engine, Is.SENT)
    sign_in(client, engine, Role.AUDITOR)
    page = client.get("/desk/messages/1").text
    assert "We sent it." in page
    assert TOKEN not in page
    assert ADDRESS not in page
    assert client.get("/desk/messages/99").status_code == 404


def test_a_message_that_waits_says_why(engine: Engine, client: TestClient) -> None:
    fill(engine, Is.QUEUED, settled_at=None)
    kill_switch_of(engine).touch()
    sign_in(client, engine, Role.OPERATIONS)
    page = client.get("/desk/messages/1").text
    assert "the kill switch is on: nothing leaves" in page


@pytest.mark.parametrize(
    ("word", "became"), [("arrived", Is.SENT), ("again", Is.QUEUED), ("leave", Is.ABANDONED)]
)
def test_a_message_in_doubt_is_settled_after_a_question(
    engine: Engine, client: TestClient, word: str, became: MessageState
) -> None:
    fill(engine, Is.UNKNOWN, "timeout")
    csrf = sign_in(client, engine, Role.OPERATIONS)
    asked = client.get(f"/desk/messages/1/{word}")
    assert asked.status_code == 200
    assert state_of(engine)[0] is Is.UNKNOWN
    done = client.post(f"/desk/messages/1/{word}", data={"csrf": csrf})
    assert done.status_code == 200
    assert 'role="status"' in done.text
    assert state_of(engine)[0] is became
    assert audited(engine) == [("operations@shop.example", f"message_{word}", "message:1")]


def test_it_arrived_tells_the_loop(engine: Engine, client: TestClient) -> None:
    fill(engine, Is.UNKNOWN, "timeout")
    csrf = sign_in(client, engine, Role.OPERATIONS)
    client.post("/desk/messages/1/arrived", data={"csrf": csrf})
    with transaction(engine) as session:
        assert session.get_one(Loop, 1).state is LoopState.TOLD


def test_what_waits_can_be_held_and_released(engine: Engine, client: TestClient) -> None:
    fill(engine, Is.QUEUED, settled_at=None)
    csrf = sign_in(client, engine, Role.OPERATIONS)
    client.post("/desk/messages/1/hold", data={"csrf": csrf})
    assert state_of(engine) == (Is.HELD, "by_hand")
    client.post("/desk/messages/1/release", data={"csrf": csrf})
    assert state_of(engine) == (Is.QUEUED, "released")


@pytest.mark.parametrize("word", ["again", "hold"])
def test_a_deed_that_comes_too_late_does_nothing_and_says_so(
    engine: Engine, client: TestClient, word: str
) -> None:
    fill(engine, Is.SENT)
    csrf = sign_in(client, engine, Role.OPERATIONS)
    assert client.get(f"/desk/messages/1/{word}").status_code == 409
    late = client.post(f"/desk/messages/1/{word}", data={"csrf": csrf})
    assert late.status_code == 409
    assert "Nothing was done" in late.text
    assert state_of(engine)[0] is Is.SENT
    assert audited(engine) == []


def test_an_auditor_sees_and_does_nothing(engine: Engine, client: TestClient) -> None:
    fill(engine, Is.UNKNOWN, "timeout")
    csrf = sign_in(client, engine, Role.AUDITOR)
    assert "Send again" not in client.get("/desk/messages/1").text
    assert client.get("/desk/messages/1/again").status_code == 403
    assert client.post("/desk/messages/1/again", data={"csrf": csrf}).status_code == 403
    assert client.post("/desk/kill-switch/on", data={"csrf": csrf}).status_code == 403
    assert not kill_switch_of(engine).exists()


def test_the_kill_switch_asks_stops_everything_and_is_lifted(
    engine: Engine, client: TestClient
) -> None:
    csrf = sign_in(client, engine, Role.OPERATIONS)
    assert "Stop everything that leaves?" in client.get("/desk/kill-switch/on").text
    assert not kill_switch_of(engine).exists()
    page = client.post("/desk/kill-switch/on", data={"csrf": csrf}).text
    assert kill_switch_of(engine).exists()
    assert "The kill switch is on: nothing leaves" in page
    assert "Set by operations@shop.example, <time" in page
    first = kill_switch_of(engine).read_text(encoding="utf-8")
    other = sign_in(client, engine, Role.OPERATIONS, email="second@shop.example")
    client.post("/desk/kill-switch/on", data={"csrf": other})
    assert kill_switch_of(engine).read_text(encoding="utf-8") == first
    csrf = sign_in(client, engine, Role.OPERATIONS)
    client.post("/desk/kill-switch/off", data={"csrf": csrf})
    assert not kill_switch_of(engine).exists()
    deeds = [deed for _, deed, _ in audited(engine)]
    assert deeds == ["switch_set", "switch_set", "switch_lifted"]
    assert client.get("/desk/kill-switch/sideways").status_code == 404


@pytest.mark.parametrize("text", ["", "Ola, in a hurry", "Ola 2026-03-02", "Ola 2026-03-02 09:00"])
def test_a_kill_switch_that_somebody_wrote_is_on_whatever_it_says(
    engine: Engine, client: TestClient, text: str
) -> None:
    kill_switch_of(engine).write_text(text, encoding="utf-8")
    sign_in(client, engine, Role.OPERATIONS)
    page = client.get("/desk/messages").text
    assert (f"Set by {text}." if text else "Nobody wrote down who set it.") in page


def test_a_restored_database_and_a_silent_provider_are_said_loudly(
    engine: Engine, client: TestClient
) -> None:
    with transaction(engine) as session:
        save(session, Installation(secret_digest="0" * 64, restored_at=NOW))
        broken = Breaker(
            provider="smtp",
            failures=3,
            open_until=NOW + timedelta(minutes=5),
            reason="421 busy",
            changed_at=NOW,
        )
        save(session, broken)
    sign_in(client, engine, Role.OPERATIONS)
    page = client.get("/desk/messages").text
    assert "voc outbox reconcile --done" in page
    assert "421 busy" in page


def waiting(engine: Engine) -> str:
    """A reply waits for approval, as number 1; its fingerprint."""
    with transaction(engine) as session:
        save_waiting_reply(session, CONTENT)
        return fingerprint(session.get_one(Message, 1))


def test_an_approver_reads_and_approves_just_these_bytes(
    engine: Engine, client: TestClient
) -> None:
    seen = waiting(engine)
    csrf = sign_in(client, engine, Role.OPERATIONS, email=APPROVER)
    assert "/desk/approvals/1" in client.get("/desk/approvals").text
    page = client.get("/desk/approvals/1").text
    assert "We sent it." in page
    assert TOKEN not in page
    assert seen in page
    form = {"csrf": csrf, "deed": "approve", "seen": seen}
    assert "Approved" in client.post("/desk/approvals/1", data=form).text
    assert state_of(engine)[0] is Is.QUEUED
    assert audited(engine) == [(APPROVER, "message_approved", "message:1")]


def test_refusing_needs_a_reason_and_sends_the_ticket_back(
    engine: Engine, client: TestClient
) -> None:
    seen = waiting(engine)
    csrf = sign_in(client, engine, Role.OPERATIONS, email=APPROVER)
    form = {"csrf": csrf, "deed": "refuse", "seen": seen}
    missing = client.post("/desk/approvals/1", data={**form, "why": " "})
    assert missing.status_code == 422
    assert "Say why" in missing.text
    client.post("/desk/approvals/1", data={**form, "why": "Too curt."})
    with transaction(engine) as session:
        assert session.get_one(Message, 1).refusal == "Too curt."
        assert session.get_one(Ticket, 1).state == "open"


def test_other_words_than_those_read_decide_nothing(engine: Engine, client: TestClient) -> None:
    waiting(engine)
    csrf = sign_in(client, engine, Role.OPERATIONS, email=APPROVER)
    form = {"csrf": csrf, "deed": "approve", "seen": "0" * 12}
    assert client.post("/desk/approvals/1", data=form).status_code == 409
    assert state_of(engine)[0] is Is.HELD


def test_who_reads_while_it_is_written_anew_learns_so(engine: Engine) -> None:
    seen = waiting(engine)
    approval = {"approvers": [APPROVER], "messages": ["resolution"]}
    company = make_company(follow_up={"approval": approval})
    client = make_client(make_desk(engine, company=company))
    csrf = sign_in(client, engine, Role.OPERATIONS, email=APPROVER)
    with transaction(engine) as session:
        write_anew(session, session.get_one(Message, 1), now=NOW, not_before=NOW)
    form = {"csrf": csrf, "deed": "approve", "seen": seen}
    late = client.post("/desk/approvals/1", data=form)
    assert late.status_code == 409
    assert "It is being written anew." in late.text
    with transaction(engine) as session:
        message = session.get_one(Message, 1)
        message.state, message.reason = Is.HELD, "needs_approval"
        message.needs_approval, message.content = True, CONTENT + b"More.\r\n"
    late = client.post("/desk/approvals/1", data=form)
    assert late.status_code == 409
    assert "Please read this one." in late.text
    assert state_of(engine)[0] is Is.HELD


def test_where_there_are_approvers_only_they_decide(engine: Engine, client: TestClient) -> None:
    seen = waiting(engine)
    csrf = sign_in(client, engine, Role.OPERATIONS)
    page = client.get("/desk/approvals/1").text
    assert f"{APPROVER} may decide" in page
    form = {"csrf": csrf, "deed": "approve", "seen": seen}
    assert client.post("/desk/approvals/1", data=form).status_code == 403
    assert state_of(engine)[0] is Is.HELD


def test_an_owner_reads_no_message_that_waits_unless_they_approve(
    engine: Engine, client: TestClient
) -> None:
    waiting(engine)
    sign_in(client, engine, Role.OWNER, ["delivery"])
    assert "/desk/approvals/1" not in client.get("/desk/approvals").text
    assert client.get("/desk/approvals/1").status_code == 404
    assert client.get("/desk/approvals/1/html").status_code == 404
    sign_in(client, engine, Role.OWNER, ["billing"], email=APPROVER)
    assert client.get("/desk/approvals/1").status_code == 200


def unclear(engine: Engine) -> None:
    with transaction(engine) as session:
        save_told_loop(session)
        save(session, make_answer(id=1, verdict=Verdict.UNCLEAR, words="Well, sort of."))


@pytest.mark.parametrize("verdict", ["solved", "not_solved"])
def test_an_unclear_reply_is_judged_and_takes_effect(
    engine: Engine, client: TestClient, verdict: str
) -> None:
    unclear(engine)
    csrf = sign_in(client, engine, Role.OPERATIONS)
    assert "/desk/replies/1" in client.get("/desk/approvals").text
    assert "Well, sort of." in client.get("/desk/replies/1").text
    assert client.post("/desk/replies/1", data={"csrf": csrf}).status_code == 422
    assert (
        client.post("/desk/replies/1", data={"csrf": csrf, "verdict": verdict}).status_code == 200
    )
    with transaction(engine) as session:
        answer = session.get_one(Answer, 1)
        assert (answer.verdict, answer.judged_by) == (verdict, "operations@shop.example")
        assert session.get_one(Loop, 1).state is (
            LoopState.CLOSED if verdict == "solved" else LoopState.OPEN
        )
    again = client.post("/desk/replies/1", data={"csrf": csrf, "verdict": verdict})
    assert again.status_code == 409


def test_owners_judge_replies_about_their_tickets_and_see_no_others(
    engine: Engine, client: TestClient
) -> None:
    unclear(engine)
    csrf = sign_in(client, engine, Role.OWNER, ["billing"])
    assert "/desk/replies/1" not in client.get("/desk/approvals").text
    assert client.get("/desk/replies/1").status_code == 404
    form = {"csrf": csrf, "verdict": "solved"}
    assert client.post("/desk/replies/1", data=form).status_code == 404
    csrf = sign_in(client, engine, Role.OWNER, ["delivery"])
    assert "/desk/replies/1" in client.get("/desk/approvals").text
    assert client.post("/desk/replies/1", data={**form, "csrf": csrf}).status_code == 200


@pytest.mark.parametrize("departments", [["gone"], [], ["gone", "billing"]])
def test_what_nobodys_department_is_asked_about_is_triages_to_judge(
    engine: Engine, client: TestClient, departments: list[str]
) -> None:
    """Their list shows what their page answers; nobody else's shows it."""
    unclear(engine)
    with transaction(engine) as session:
        session.execute(delete(LoopTicket))
        for number, department in enumerate(departments, start=50):
            ticket = make_ticket(id=number, department=department)
            save(session, ticket, LoopTicket(loop_id=1, ticket_id=number))
    for own in ("triage", "billing", "delivery"):
        may = own == "triage" or own in departments
        csrf = sign_in(client, engine, Role.OWNER, [own])
        assert ("/desk/replies/1" in client.get("/desk/approvals").text) is may
        assert (client.get("/desk/replies/1").status_code == 200) is may
    csrf = sign_in(client, engine, Role.OWNER, ["triage"])
    form = {"csrf": csrf, "verdict": "solved"}
    assert client.post("/desk/replies/1", data=form).status_code == 200


def test_a_group_in_quarantine_is_marked_for_the_next_collecting_or_not_after_all(
    engine: Engine, client: TestClient
) -> None:
    with transaction(engine) as session:
        for number, reason in enumerate(["no id", "no id", "no words"]):
            item = Quarantine(
                source="nps",
                place=f"nps.csv line {number}",
                reason=reason,
                raw_hash=f"{number}",
                raw_encrypted=b"",
                at=NOW,
            )
            save(session, item)
    group = {"source": "nps", "reason": "no id"}

    def marked() -> list[bool]:
        with transaction(engine) as session:
            return list(session.exec(select(Quarantine.again).order_by(col(Quarantine.id))))

    sign_in(client, engine, Role.AUDITOR)
    assert "Try all" not in client.get("/desk/quarantine", params=group).text
    csrf = sign_in(client, engine, Role.OPERATIONS)
    assert "tried again with" not in client.get("/desk/quarantine", params=group).text
    page = client.post("/desk/quarantine", data={"csrf": csrf, **group, "again": "true"}).text
    assert "2 items are tried again with the next collecting" in page
    assert marked() == [True, True, False]
    page = client.post("/desk/quarantine", data={"csrf": csrf, **group, "again": "false"}).text
    assert "tried again with" not in page
    assert marked() == [False] * 3
    who = "operations@shop.example"
    assert audited(engine) == [
        (who, "quarantine_again", "source:nps"),
        (who, "quarantine_not_again", "source:nps"),
    ]


def test_a_form_from_elsewhere_does_nothing(engine: Engine, client: TestClient) -> None:
    fill(engine, Is.UNKNOWN, "timeout")
    sign_in(client, engine, Role.OPERATIONS)
    assert client.post("/desk/messages/1/again", data={"csrf": "x"}).status_code == 403
    assert state_of(engine)[0] is Is.UNKNOWN
