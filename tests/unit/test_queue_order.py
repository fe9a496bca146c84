"""A queue's order: what the database says is what the rule says, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlmodel import Session, SQLModel, create_engine

from tests.factories import NOW, make_customer, make_ticket
from voc.models import Priority, Ticket, TicketState
from voc.rules.queue import Place, SnoozeUntil, before_due, next_promise, wakes_at
from voc.store.database import with_manners
from voc.store.queue import Asked, Whose, counts_of, page_of

BERLIN = ZoneInfo("Europe/Berlin")
hours = st.integers(-3, 3).map(lambda n: NOW + timedelta(hours=n))
tickets = st.lists(
    st.fixed_dictionaries(
        {
            "department": st.sampled_from(["delivery", "billing"]),
            "priority": st.sampled_from(Priority),
            "state": st.sampled_from(TicketState),
            "owner": st.sampled_from([None, "dee@shop.example"]),
            "topic": st.sampled_from([None, "late"]),
            "accepted_at": st.none() | hours,
            "snoozed_until": st.none() | hours,
            "first_response_due_at": hours,
            "resolution_due_at": hours,
        }
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = with_manners(create_engine("sqlite://"))
    SQLModel.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(make_customer())
        session.commit()
    yield engine
    engine.dispose()


def read_through(session: Session, asked: Asked, size: int) -> list[Ticket]:
    """A queue, page after page, by what stands in the address."""
    found: list[Ticket] = []
    after: Place | None = None
    while page := page_of(session, asked, after=after, limit=size):
        found += page
        after = Place.read(str(Place.of(page[-1])))
    return found


def belongs(ticket: Ticket, asked: Asked) -> bool:
    asleep = ticket.snoozed_until is not None and ticket.snoozed_until > asked.now
    mine = {Whose.MINE: asked.me, Whose.UNASSIGNED: None}
    return (
        next_promise(ticket) is not None
        and ticket.department in asked.departments
        and asleep is (asked.whose is Whose.SNOOZED)
        and ticket.owner == mine.get(asked.whose, ticket.owner)
        and ticket.topic == (asked.topic or ticket.topic)
    )


@settings(max_examples=40)
@given(
    rows=tickets,
    whose=st.sampled_from(Whose),
    topic=st.sampled_from([None, "late"]),
    departments=st.sets(st.sampled_from(["delivery", "billing"]), min_size=1),
    size=st.integers(1, 5),
)
def test_pages_from_the_database_are_in_the_order_of_the_rule(
    engine: Engine,
    *,
    rows: list[dict[str, object]],
    whose: Whose,
    topic: str | None,
    departments: set[str],
    size: int,
) -> None:
    asked = Asked(departments=departments, whose=whose, me="dee@shop.example", topic=topic, now=NOW)
    with Session(engine) as session:
        session.execute(delete(Ticket))
        all_of_them = [
            make_ticket(id=number, **row) for number, row in zip(count(1), rows, strict=False)
        ]
        session.add_all(all_of_them)
        session.flush()
        session.expire_all()
        expected = sorted((t for t in all_of_them if belongs(t, asked)), key=Place.of)
        assert [t.id for t in read_through(session, asked, size)] == [t.id for t in expected]
        assert [t.due_at for t in all_of_them] == [next_promise(t) for t in all_of_them]
        if topic is None:
            assert getattr(counts_of(session, asked), whose.value) == len(expected)


def test_what_is_late_leads_and_a_taken_ticket_is_late_only_for_its_resolution() -> None:
    untaken = make_ticket(id=1)
    taken = make_ticket(id=2, accepted_at=NOW, state=TicketState.IN_PROGRESS)
    late = make_ticket(id=3, priority=Priority.LOW, first_response_due_at=NOW - timedelta(hours=1))
    assert [t.id for t in sorted((taken, untaken, late), key=Place.of)] == [3, 1, 2]
    with pytest.raises(ValueError, match="finished"):
        Place.of(make_ticket(state=TicketState.RESOLVED))


def test_of_two_promises_at_one_moment_the_more_urgent_comes_first() -> None:
    rows = [make_ticket(id=i, priority=p) for i, p in enumerate(reversed(Priority), 1)]
    assert [place.rank for place in sorted(map(Place.of, rows))] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x~1~2",
        "2026-03-02T09:00:00~1~2",
        "2026-03-02T09:00:00Z~a",
        "2026-03-02T09:00:00Z~4~1",
        f"2026-03-02T09:00:00Z~0~{10**20}",
        "0001-01-01T00:00:00+05:00~0~1",
    ],
)
def test_a_place_that_nobody_wrote_is_none(text: str) -> None:
    assert Place.read(text) is None


@pytest.mark.parametrize(
    ("until", "day", "expected"),
    [
        (SnoozeUntil.HOUR, None, NOW + timedelta(hours=1)),
        (SnoozeUntil.TOMORROW, None, datetime(2026, 3, 3, 8, tzinfo=UTC)),
        (SnoozeUntil.WEEK, None, datetime(2026, 3, 9, 8, tzinfo=UTC)),
        (SnoozeUntil.DATE, date(2026, 4, 1), datetime(2026, 4, 1, 7, tzinfo=UTC)),  # summer
    ],
)
def test_a_snooze_ends_in_the_morning_on_the_departments_clock(
    until: SnoozeUntil, day: date | None, expected: datetime
) -> None:
    assert wakes_at(until, day, BERLIN, NOW) == expected


@pytest.mark.parametrize("day", [None, date(2026, 3, 2), date(2025, 1, 1), date(2026, 7, 1)])
def test_a_day_that_is_past_or_far_away_is_refused(day: date | None) -> None:
    with pytest.raises(ValueError, match="from tomorrow on"):
        wakes_at(SnoozeUntil.DATE, day, BERLIN, NOW)


def test_a_snooze_ends_when_the_ticket_falls_due_and_what_is_late_cannot_be_put_off() -> None:
    ticket, day = make_ticket(), timedelta(days=1)
    due = ticket.first_response_due_at
    assert before_due(ticket, due + day, due - day) == due
    assert before_due(ticket, due - day / 2, due - day) == due - day / 2
    with pytest.raises(ValueError, match="late"):
        before_due(ticket, due + day, due)
