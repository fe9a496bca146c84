"""Each check of the books, with the one row corrupted that it must name."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.story import Story
from voc.store.database import transaction
from voc.store.verify import CHECKS

CORRUPTIONS = [
    ("update ticketevent set detail = 'other' where id = 2", "event chain", "ticketevent 2"),
    ("delete from ticketevent where id = 2", "event chain", "ticketevent 3"),
    (
        "delete from ticketevent where id = (select max(id) from ticketevent)",
        "event chain",
        "chainhead 1",
    ),
    ("delete from chainhead", "event chain", "chainhead 1"),
    (
        "update ticket set state = 'resolved' where id = 1",
        "tickets follow their events",
        "ticket 1",
    ),
    (
        "update feedback set state = 'filed', reason = null where id = 2",
        "feedback is in one state",
        "feedback 2",
    ),
    (
        "update feedbackversion set number = 7 where feedback_id = 2",
        "feedback is in one state",
        "feedback 2",
    ),
    (
        'update statement set "end" = 9999 where id = 2',
        "statements lie in their verbatim",
        "statement 2",
    ),
    (
        "update statement set start = 1 where id = 2",
        "statements lie in their verbatim",
        "statement 2",
    ),
    ("update loop set state = 'told' where id = 2", "loops follow their events", "loop 2"),
    ("delete from loopticket where loop_id = 2", "loops have what they need", "loop 2"),
    ("update loop set reason = null where id = 1", "loops have what they need", "loop 1"),
    (
        "update message set state = 'cancelled' where template = 'resolution'",
        "closed loops were told",
        "loop 1",
    ),
    (
        "update ticket set state = 'resolved', root_cause = null where id = 1",
        "resolved tickets say why",
        "ticket 1",
    ),
    ("update ticket set state = 'closed' where id = 2", "resolved tickets say why", "ticket 2"),
    ("update message set message_id = null where id = 2", "messages are whole", "message 2"),
]


@pytest.fixture
def database_url() -> str:
    """SQLite: what is corrupted here is the same rows on both."""
    return ""


@pytest.fixture
def balanced(story: Story) -> Story:
    """A closed loop and an open one; the books balance."""
    story.says("The parcel came late. The courier was rude.", rating=2)
    story.runs()
    story.resolves(story.ticket())
    story.wait(days=2)
    story.runs()
    story.wait(days=20)
    story.runs()
    story.says("I was charged the wrong money.", rating=2, email="bo@example.com")
    story.runs()
    assert story.broken_books() == []
    return story


def corrupt(story: Story, statement: str) -> None:
    with transaction(story.place.engine) as session:
        connection = session.connection()
        for verb in ("update", "delete"):
            connection.execute(text(f"drop trigger if exists ticketevent_no_{verb}"))
        connection.execute(text("pragma defer_foreign_keys = on"))
        connection.execute(text(statement))


@pytest.mark.parametrize(("statement", "check", "row"), CORRUPTIONS)
def test_a_corrupted_row_is_named(balanced: Story, statement: str, check: str, row: str) -> None:
    corrupt(balanced, statement)
    with transaction(balanced.place.engine) as session:
        finding = CHECKS[check](session)
    assert finding is not None
    assert finding.row == row


def test_every_check_has_a_corruption_that_it_finds() -> None:
    assert {check for _, check, _ in CORRUPTIONS} == set(CHECKS)


def test_the_database_itself_refuses_to_change_events(balanced: Story) -> None:
    for statement in ("update ticketevent set detail = 'x'", "delete from ticketevent"):
        with (
            pytest.raises(Exception, match="append-only"),
            transaction(balanced.place.engine) as session,
        ):
            session.connection().execute(text(statement))
