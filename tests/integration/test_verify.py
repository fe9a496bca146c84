"""Each check of the books, with the one row corrupted that it must name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, create_engine, text
from sqlmodel import Session, col, select

from tests.story import COMPANY, Story, story_in
from voc.actions import answers, approval
from voc.actions.contact import unsubscribe
from voc.journal import Head
from voc.models import (
    ChainHead,
    Loop,
    Message,
    Ticket,
    TicketEvent,
    TicketEventKind,
    Verdict,
)
from voc.rules import chain, merkle
from voc.rules.books import Finding
from voc.store.database import transaction
from voc.store.events import Happening, append, hashes
from voc.store.upsert import table_of
from voc.store.verify import CHECKS, event_chain, verify


@dataclass
class Books:
    """A company's database in the middle of its life, and what is anchored of its ledger."""

    engine: Engine
    heads: list[Head]

    @contextmanager
    def changed(self, *statements: str, **values: object) -> Iterator[Session]:
        """The database changed past us; nothing of it stays."""
        with Session(self.engine) as session:
            for statement in statements:
                session.connection().execute(text(statement), values)
            yield session
            session.rollback()

    def found(self, *statements: str, **values: object) -> Finding | None:
        """What the check of the ledger says, with all that is anchored."""
        with self.changed(*statements, **values) as session:
            return event_chain(session, self.heads)

    def events(self) -> list[TicketEvent]:
        with Session(self.engine) as session:
            return list(session.exec(select(TicketEvent).order_by(col(TicketEvent.id))))


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """Kim's loop was reopened and is solved, Bo's is open and Bo opted out, Pat was thanked."""
    home = tmp_path_factory.mktemp("books")
    approving = COMPANY.replace(
        "cap_30_days: 99", "cap_30_days: 99, approval: {messages: [thanks]}"
    )
    with story_in(home, approving) as story:
        live(story)
        heads = list(story.place.journal.heads())
    engine = create_engine(f"sqlite:///{home / 'voc.db'}")
    with engine.begin() as connection:
        for verb in ("update", "delete"):
            connection.execute(text(f"drop trigger ticketevent_no_{verb}"))
    yield Books(engine, heads)
    engine.dispose()


def live(story: Story) -> None:
    story.says("The parcel came late. The courier was rude.", rating=2)
    story.runs()
    for verdict in (Verdict.NOT_SOLVED, Verdict.SOLVED):
        story.wait(days=2)
        story.resolves(story.rows(Ticket)[0])
        story.runs()
        with transaction(story.place.engine) as session:
            loop = session.get_one(Loop, 1)
            answers.record(
                session,
                loop,
                verdict,
                round_asked=loop.round,
                rating=None,
                words=None,
                now=story.now,
            )
        story.runs()
    bo = story.says("I was charged the wrong money.", rating=2, email="bo@example.com")
    story.says("Everything was perfect.", rating=10, email="pat@example.com")
    story.runs()
    story.says("I was charged the wrong money twice.", email="bo@example.com", external_id=bo)
    with transaction(story.place.engine) as session:
        waiting = session.exec(select(Message).where(Message.template == "thanks")).one()
        approval.approve(session, waiting.id or 0, seen=None, actor="tess", now=story.now)
    story.runs()
    with transaction(story.place.engine) as session:
        unsubscribe(session, 2, secret=story.place.secret, how="test", now=story.now)
    story.runs()
    assert story.broken_books() == []


SENT_AGAIN = """
insert into ticketevent (loop_id, message_id, kind, actor, detail, at, previous_hash, hash)
select loop_id, {message}, kind, actor, detail, at, previous_hash, 'new'
from ticketevent where id = 4
"""
CORRUPTIONS = [
    ("update ticketevent set detail = 'x' where id = 2", "event chain", "ticketevent 2"),
    (
        "update ticket set state = 'in_progress' where id = 1",
        "tickets follow their events",
        "ticket 1",
    ),
    ("update loop set state = 'told' where id = 2", "loops follow their events", "loop 2"),
    (
        "update feedback set state = 'filed', reason = null where id = 2",
        "feedback is in one state",
        "feedback 2",
    ),
    (
        "update feedbackversion set number = 7 where feedback_id = 1",
        "feedback is in one state",
        "feedback 1",
    ),
    (
        'update statement set "end" = 999 where id = 2',
        "statements lie in their verbatim",
        "statement 2",
    ),
    (
        "update statement set start = 1 where id = 2",
        "statements lie in their verbatim",
        "statement 2",
    ),
    (
        "update feedbackversion set content_hash = '0' where feedback_id = 2 and number = 2",
        "words are those of the ledger",
        "feedback 2",
    ),
    (
        "update loop set feedback_id = 9 where id = 2",
        "words are those of the ledger",
        "ticketevent 25",
    ),
    ("delete from loopticket where loop_id = 2", "loops have what they need", "loop 2"),
    ("update loop set reason = null where id = 1", "loops have what they need", "loop 1"),
    ("update message set state = 'failed' where id = 6", "closed loops were told", "loop 1"),
    ("delete from ticketevent where id = 10", "told loops had a message", "ticketevent 11"),
    (
        "update ticket set state = 'resolved', root_cause = null where id = 1",
        "resolved tickets say why",
        "ticket 1",
    ),
    ("update ticket set state = 'closed' where id = 2", "resolved tickets say why", "ticket 2"),
    ("update message set message_id = null where id = 2", "messages are whole", "message 2"),
    (
        "update message set state = 'queued' where id = 2",
        "messages follow their events",
        "message 2",
    ),
    ("update message set state = 'sent' where id = 5", "messages follow their events", "message 5"),
    ("delete from message where id = 7", "messages follow their events", "ticketevent 30"),
    (SENT_AGAIN.format(message=3), "messages follow their events", "ticketevent 44"),
    (
        "update ticketevent set message_id = 2 where id = 9",
        "messages follow their events",
        "ticketevent 9",
    ),
    (SENT_AGAIN.format(message=8), "nothing left after an opt out", "ticketevent 44"),
    (
        "delete from ticketevent where id = 35",
        "approved messages left as approved",
        "ticketevent 38",
    ),
    (
        "update ticketevent set detail = 'thanks x' where id = 35",
        "approved messages left as approved",
        "ticketevent 38",
    ),
    (
        "update message set content = x'00' where id = 9",
        "approved messages left as approved",
        "message 9",
    ),
    (
        "update message set needs_approval = false where id = 9;"
        "delete from ticketevent where id = 35",
        "approved messages left as approved",
        "ticketevent 38",
    ),
    ("delete from loop where id = 2", "loops follow their events", "ticketevent 25"),
    ("delete from ticket where id = 2", "tickets follow their events", "ticket 2"),
    (
        "update ticketevent set detail = 'unclear by page to round 1' where id = 13;"
        "update answer set judged_by = 'x' where id = 1",
        "answers follow their events",
        "answer 1",
    ),
    (
        "update ticketevent set kind = 'judged', detail = 'solved', loop_id = 1 where id = 19",
        "answers follow their events",
        "ticketevent 19",
    ),
    (
        "update answer set verdict = 'unclear' where id = 1",
        "answers follow their events",
        "answer 1",
    ),
    ("delete from answer where id = 2", "answers follow their events", "ticketevent 23"),
    ("delete from ticketevent where id = 23", "answers follow their events", "answer 2"),
    (
        "update ticketevent set kind = 'escalated' where kind = 'answered'",
        "answers follow their events",
        "answer 1",
    ),
    (
        "delete from ticketevent where id = 13",
        "customers decide about their loops",
        "ticketevent 14",
    ),
    (
        "delete from ticketevent where id = 23",
        "customers decide about their loops",
        "ticketevent 24",
    ),
]


@pytest.mark.parametrize(("statement", "check", "row"), CORRUPTIONS)
def test_a_corrupted_row_is_named(books: Books, statement: str, check: str, row: str) -> None:
    with books.changed(*statement.split(";")) as session:
        finding = CHECKS[check](session)
    assert finding is not None
    assert (finding.check, finding.row) == (check, row)


def test_every_check_has_a_corruption_that_it_finds() -> None:
    assert {check for _, check, _ in CORRUPTIONS} == set(CHECKS)


@pytest.mark.parametrize("table", ["ticket", "loop", "message", "feedback"])
def test_a_value_that_cannot_be_read_is_a_finding_and_no_crash(books: Books, table: str) -> None:
    with books.changed("update table set state = 'nonsense'".replace("table", table)) as session:
        findings = [str(finding) for finding in verify(session).values() if finding]
    assert findings
    assert "nonsense" not in "".join(findings)


def test_each_changed_field_of_each_event_is_found_at_that_event(books: Books) -> None:
    changes = {
        "ticket_id": "77",
        "loop_id": "77",
        "message_id": "coalesce(message_id, 0) + 1",
        "kind": "'nonsense'",
        "actor": "actor || '.'",
        "detail": "detail || ' '",
        "at": "'then'",
        "previous_hash": "upper(previous_hash) || '0'",
        "hash": "'0' || id",
    }
    for event in books.events():
        for field, value in changes.items():
            change = "update ticketevent set x = y where id = :id"
            finding = books.found(change.replace("x = y", f"{field} = {value}"), id=event.id)
            assert finding is not None, field
            assert finding.row == f"ticketevent {event.id}", field


def test_a_deleted_event_is_found_at_the_next_one_and_a_cut_end_at_the_last(books: Books) -> None:
    ids = [event.id for event in books.events()]
    for deleted, following in pairwise(ids):
        finding = books.found("delete from ticketevent where id = :id", id=deleted)
        assert finding is not None
        assert finding.row == f"ticketevent {following}"
        assert "one is missing" in finding.problem
    cut = books.found("delete from ticketevent where id > :id", id=ids[-3])
    assert cut is not None
    assert cut.row == f"ticketevent {ids[-3]}"
    assert cut.problem == "is the end, number 41; the journal knows 43: they were cut off"


def test_two_events_that_change_places_are_found_at_the_first(books: Books) -> None:
    for event in books.events()[:-1]:
        key = event.id or 0
        move = "update ticketevent set id = :to where id = :from"
        swap = [
            move.replace(":from", origin).replace(":to", to)
            for origin, to in ((":key", "999"), (":next", ":key"), ("999", ":next"))
        ]
        finding = books.found(*swap, key=key, next=key + 1)
        assert finding is not None
        assert finding.row == f"ticketevent {key}"


def test_an_inserted_event_is_found_there(books: Books) -> None:
    finding = books.found(SENT_AGAIN.format(message=3))
    assert finding is not None
    assert finding.row == "ticketevent 44"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("update chainhead set length = 42", "expects 42 events, there are 43"),
        ("update chainhead set hash = 'x'", "does not hold the hash of the newest event"),
        ("update chainhead set frontier = '[\"00\"]'", "does not hold the tree over the events"),
        ("update chainhead set frontier = 'no list'", "holds a frontier that cannot be read"),
        ("delete from chainhead", "is missing"),
    ],
)
def test_a_changed_head_is_found(books: Books, change: str, problem: str) -> None:
    assert books.found(change) == Finding("event chain", "chainhead 1", problem)


def forged(session: Session, since: int) -> None:
    """All events from *since* on written anew, hashes and head as well, as who can would."""
    events = list(session.exec(select(TicketEvent).order_by(col(TicketEvent.id))))
    previous, hashes = chain.GENESIS, []
    for event in events:
        detail = event.detail + "!" if event.id == since else event.detail
        content: chain.Content = {
            "ticket_id": event.ticket_id,
            "loop_id": event.loop_id,
            "message_id": event.message_id,
            "kind": event.kind,
            "actor": event.actor,
            "detail": detail,
            "at": event.at,
        }
        link = chain.link(previous, **content)
        row = {"detail": detail, "previous_hash": previous, "hash": link}
        table = table_of(TicketEvent)
        session.execute(sa.update(table).where(table.c.id == event.id).values(**row))
        previous = link
        hashes.append(link)
    head = session.get_one(ChainHead, 1)
    head.hash, head.frontier = previous, merkle.frontier_of(hashes)
    session.flush()


def test_a_forged_ledger_is_found_only_because_its_head_is_kept_elsewhere(books: Books) -> None:
    vouched = sorted({head.length for head in books.heads})
    for since in (1, vouched[3], vouched[3] + 1, 43):
        with books.changed() as session:
            forged(session, since)
            assert event_chain(session) is None
            finding = event_chain(session, books.heads)
        first = max((length for length in vouched if length < since), default=0) + 1
        assert finding is not None
        assert finding.row == f"ticketevent {first}"
        assert "anchored" in finding.problem


def test_a_replaced_database_is_found(books: Books) -> None:
    gone = books.found("delete from ticketevent", "delete from chainhead")
    assert gone == Finding(
        "event chain",
        "chainhead 1",
        "is the end, number 0; the journal knows 43: they were cut off",
    )


def test_a_ledger_from_before_gets_its_tree_at_the_next_event(books: Books) -> None:
    with books.changed("update chainhead set frontier = '[]'") as session:
        assert event_chain(session, books.heads) is None
        happened = Happening(kind=TicketEventKind.ESCALATED, ticket_id=1, detail="level 1")
        append(session, [happened, happened], actor="vocloop", now=books.events()[-1].at)
        assert event_chain(session, books.heads) is None
        assert (
            merkle.root(session.get_one(ChainHead, 1).frontier)
            == merkle.Tree(session.exec(hashes()).all()).root
        )


def test_what_an_earlier_version_left_is_taken_as_it_stands(books: Books) -> None:
    with books.changed(
        "delete from ticketevent where kind like 'message_%'",
        "delete from ticketevent where kind in ('decided', 'answered', 'opted_out')",
        "update ticketevent set detail = 'issue' where kind = 'loop_opened'",
        "update message set needs_approval = false",
    ) as session:
        broken = [name for name, finding in verify(session).items() if finding]
    assert broken == ["event chain"]


def test_each_step_of_a_loop_is_in_the_ledger_without_words_or_addresses(books: Books) -> None:
    events = books.events()
    kinds = [event.kind.value for event in events if event.loop_id == 3 or event.message_id == 9]
    assert kinds == [
        "loop_opened",
        "message_ended",
        "message_queued",
        "message_approved",
        "message_sending",
        "message_sent",
        "loop_told",
        "loop_closed",
    ]
    said = " ".join(event.detail for event in events).casefold()
    assert not [
        word for word in ("parcel came", "courier", "perfect", "example.com") if word in said
    ]
    assert "reason=suggested" in said
    assert "by=model:subjects@" in said
    assert "edited feedback=2 version=2" in said


def test_the_database_itself_refuses_to_change_events(story: Story) -> None:
    story.says("The parcel came late.", rating=2)
    story.runs()
    for statement in ("update ticketevent set detail = 'x'", "delete from ticketevent"):
        with (
            pytest.raises(Exception, match="append-only"),
            transaction(story.place.engine) as session,
        ):
            session.connection().execute(text(statement))


@pytest.fixture
def database_url() -> str:
    """SQLite: what is corrupted here is the same rows on both."""
    return ""
