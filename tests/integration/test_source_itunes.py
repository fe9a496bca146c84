"""The App Store connector against a feed that behaves, and does not, like the true one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.fakes.itunes import FakeITunes, Review
from rehearsal.fakes.server import LOGIN_PAGE, Fault, How
from sources.base import Page, RawFeedback, RawIdentity, RawRating, Rejected, Source
from sources.catalogue import build
from sources.http import Limits
from voc.company.sources import ITunesSource
from voc.errors import SourceFormatError, SourceRefusedError, SourceUnavailableError
from voc.models import Channel, IdentityKind, RatingScale

START = datetime(2026, 1, 1, tzinfo=UTC)
PACIFIC = "-07:00"


@pytest.fixture
def fake() -> Iterator[FakeITunes]:
    with FakeITunes() as running:
        yield running


def source(fake: FakeITunes, **limits: Any) -> Source:
    config = ITunesSource(
        kind="itunes", id="app-store", app_id="123", country="de", base_url=fake.url
    )
    return build(
        config,
        folder=Path(),
        secret=lambda _: None,
        sleep=lambda _: None,
        seed=1,
        limits=Limits(**{"attempts": 2, "total_s": 5, **limits}),
    )


def review(number: int, hours: float, **details: Any) -> Review:
    updated = (START + timedelta(hours=hours)).isoformat()
    return Review(
        **{
            "id": str(number),
            "title": "Crashes",
            "content": f"Crashes when I pay, {number}",
            "stars": 2,
            "updated": updated,
            **details,
        }
    )


def fill(fake: FakeITunes, count: int) -> None:
    for i in range(count):
        fake.add(review(i, i))


def read(fake: FakeITunes, cursor: str | None = None) -> tuple[list[str], str | None]:
    found: list[str] = []
    for page in source(fake).fetch(cursor):
        found += [item.external_id for item in page.items]
        cursor = page.cursor
    return found, cursor


def test_a_review_says_who_gave_how_many_stars(fake: FakeITunes) -> None:
    fake.add(review(1, 0, updated="2026-10-03T02:10:20-07:00"))
    pages: list[Page] = list(source(fake).fetch(None))
    assert pages[0].items == [
        RawFeedback(
            external_id="1",
            verbatim="Crashes\n\nCrashes when I pay, 1",
            said_at=datetime(2026, 10, 3, 9, 10, 20, tzinfo=UTC),
            channel=Channel.REVIEW,
            rating=RawRating(value=2, scale=RatingScale.STARS),
            identities=(RawIdentity(kind=IdentityKind.HANDLE, value="itunes:id1"),),
            name="kiml",
            country="DE",
            url="https://itunes.apple.com/de/review?id=123",
        )
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 50, 51, 120, 500, 700])
@pytest.mark.parametrize("past_the_end", [400, 404, 200])
def test_every_review_that_the_feed_shows_is_read(
    fake: FakeITunes, count: int, past_the_end: int
) -> None:
    fake.past_the_end = past_the_end
    fill(fake, count)
    if past_the_end == 200:
        fake.answer = _empty_past_the_end(fake)  # type: ignore[method-assign]
    found, _ = read(fake)
    assert sorted(map(int, found)) == list(range(max(0, count - 500), count))


def _empty_past_the_end(fake: FakeITunes) -> Any:
    true_answer = fake.answer

    def answer(path: str, query: dict[str, str]) -> Any:
        found = true_answer(path, query)
        if found.body == {"error": "CustomerReviews RSS page depth is limited"}:
            return type(found)(200, {"feed": {}})
        return found

    return answer


def test_a_second_run_stops_at_what_it_knows_and_looks_back_a_week(fake: FakeITunes) -> None:
    fill(fake, 500)
    _, cursor = read(fake)
    fake.add(review(1000, 501))
    fake.requests.clear()
    found, _ = read(fake, cursor)
    assert "1000" in found
    assert 168 <= len(found) <= 250
    assert len(fake.requests) == 5


@pytest.mark.parametrize("empty", [{"sortby"}, {"sortby", "sortBy"}])
def test_another_spelling_is_tried_where_one_is_served_empty(
    fake: FakeITunes, empty: set[str]
) -> None:
    fill(fake, 30)
    fake.empty_spellings = empty
    assert len(read(fake)[0]) == 30


def test_a_feed_that_lost_all_reviews_is_not_believed(fake: FakeITunes) -> None:
    fill(fake, 30)
    _, cursor = read(fake)
    fake.empty_pages = {1}
    with pytest.raises(SourceUnavailableError, match="though it had reviews"):
        read(fake, cursor)


def test_an_empty_page_in_the_middle_is_not_the_end(fake: FakeITunes) -> None:
    fill(fake, 200)
    fake.empty_pages = {2}
    reading = source(fake).fetch(None)
    cursor = next(reading).cursor
    with pytest.raises(SourceUnavailableError, match="page 2 is empty, though page 3 is not"):
        next(reading)
    fake.empty_pages = set()
    found, _ = read(fake, cursor)
    assert set(map(int, found)) >= set(range(150))


def test_a_cache_that_repeats_one_page_does_not_hold_us(fake: FakeITunes) -> None:
    fill(fake, 50)
    fake.repeats = True
    assert len(read(fake)[0]) == 50
    assert len(fake.requests) == 2


def test_an_edited_review_comes_again_and_a_late_one_too(fake: FakeITunes) -> None:
    fill(fake, 300)
    fake.reviews["250"].hidden = True
    _, cursor = read(fake)
    fake.add(review(5, 301, content="Now it works", stars=5))
    fake.reviews["250"].hidden = False
    pages = list(source(fake).fetch(cursor))
    items = {item.external_id: item for page in pages for item in page.items}
    assert items["5"].verbatim == "Crashes\n\nNow it works"
    assert items["5"].rating == RawRating(value=5, scale=RatingScale.STARS)
    assert "250" in items


def test_a_review_that_is_not_understood_is_refused_and_can_be_read_later(
    fake: FakeITunes,
) -> None:
    fake.add(review(1, 0))
    fake.add(review(2, 1, stars=9))
    fake.add(review(3, 2, updated="yesterday"))
    fake.add(review(4, 3, content="x" * 20_000))
    asked = source(fake)
    (page, *_) = asked.fetch(None)
    assert [item.external_id for item in page.items] == ["1"]
    assert {each.place for each in page.rejected} == {"review 2", "review 3", "review 4"}
    again = asked.parse(page.rejected[0].raw)
    assert isinstance(again, Rejected)
    assert isinstance(asked.parse("{"), Rejected)
    fixed = page.rejected[0].raw.replace('"9"', '"4"').replace("yesterday", "2026-01-01T00:00:00Z")
    assert isinstance(asked.parse(fixed.replace("x" * 20_000, "x")), RawFeedback)


def test_reviews_deleted_while_we_were_away_do_not_hide_others(fake: FakeITunes) -> None:
    fill(fake, 120)
    reading = source(fake).fetch(None)
    first, second = next(reading), next(reading)
    for number in range(110, 120):
        fake.reviews[str(number)].hidden = True
    found, _ = read(fake, second.cursor)
    known = [item.external_id for page in (first, second) for item in page.items]
    assert set(map(int, known + found)) == set(range(120))


def test_an_app_that_is_not_there_is_for_a_person(fake: FakeITunes) -> None:
    fake.app_id = "999"
    with pytest.raises(SourceRefusedError, match="no such app"):
        read(fake)


def test_a_login_page_moves_no_cursor(fake: FakeITunes) -> None:
    fill(fake, 120)
    fake.misbehave(None, Fault(How.BODY, body=LOGIN_PAGE, media="text/html"))
    reading = source(fake).fetch(None)
    cursor = next(reading).cursor
    with pytest.raises(SourceFormatError):
        next(reading)
    assert set(read(fake, cursor)[0]) >= {str(i) for i in range(70)}


@settings(max_examples=25, deadline=None)
@given(
    crashes=st.lists(st.integers(0, 4), max_size=6),
    arrivals=st.lists(st.integers(0, 40), min_size=6, max_size=6),
)
def test_whatever_crashes_between_pages_nothing_is_lost(
    crashes: list[int], arrivals: list[int]
) -> None:
    with FakeITunes() as fake:
        fill(fake, 120)
        stored: set[str] = set()
        cursor: str | None = None
        for pages_before_crash, new in zip([*crashes, 99], [*arrivals, 0], strict=False):
            for page, _ in zip(source(fake).fetch(cursor), range(pages_before_crash), strict=False):
                stored.update(item.external_id for item in page.items)
                cursor = page.cursor
            for _ in range(new):
                number = len(fake.reviews)
                fake.add(review(number, number))
        stored.update(read(fake, cursor)[0])
        stored.update(read(fake, read(fake, cursor)[1])[0])
        assert stored == set(fake.reviews)
