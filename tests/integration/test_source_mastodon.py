"""The Mastodon connector against a server with ties, late posts, edits and deletions."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.fakes.mastodon import EPOCH, FakeMastodon
from rehearsal.fakes.server import Fault, How
from sources.base import Page, RawFeedback, RawIdentity, Rejected, Source
from sources.catalogue import build
from sources.http import Limits
from voc.company.sources import MastodonSource
from voc.errors import ConfigurationError, SourceRefusedError, SourceUnavailableError
from voc.models import Channel, IdentityKind

HOUR = 3600


@pytest.fixture
def fake() -> Iterator[FakeMastodon]:
    with FakeMastodon() as running:
        yield running


def source(fake: FakeMastodon, **changes: Any) -> Source:
    config = MastodonSource.model_validate(
        {
            "kind": "mastodon",
            "id": "fediverse",
            "server": "home.example",
            "tags": ("acme",),
            "base_url": fake.url,
            **changes,
        }
    )
    return build(
        config,
        folder=Path(),
        secret={"VOC_TOKEN": "t0ken"}.get,
        sleep=lambda _: None,
        seed=1,
        limits=Limits(attempts=2, total_s=5),
    )


class Reader:
    """What a collector keeps: the items by id, and the cursor of the last page that it stored."""

    def __init__(self, fake: FakeMastodon, **changes: Any) -> None:
        self.source = source(fake, **changes)
        self.stored: dict[str, RawFeedback] = {}
        self.rejected: list[Rejected] = []
        self.cursor: str | None = None
        self.received = 0

    def run(self, *, pages: int = 10_000) -> None:
        """Read; crash after *pages* stored pages, with one more read and not stored."""
        for page, _ in zip(self.source.fetch(self.cursor), range(pages), strict=False):
            self.store(page)

    def store(self, page: Page) -> None:
        self.received += len(page.items)
        self.stored.update({item.external_id: item for item in page.items})
        self.rejected += page.rejected
        for item_id in page.deleted:
            self.stored.pop(item_id, None)
        self.cursor = page.cursor


def test_a_post_says_who_said_what(fake: FakeMastodon) -> None:
    post = fake.post(5, "@acme still no<br>refund &amp; no reply", spoiler_text="Rant")
    reader = Reader(fake)
    reader.run()
    assert list(reader.stored.values()) == [
        RawFeedback(
            external_id=post.id,
            verbatim="Rant\n\n@acme still no\nrefund & no reply",
            said_at=EPOCH + timedelta(seconds=5),
            channel=Channel.SOCIAL,
            identities=(RawIdentity(kind=IdentityKind.HANDLE, value="mastodon:@kim@x.social"),),
            name="Kim",
            language="en",
            url=f"https://x.social/@kim/{post.id}",
        )
    ]


def test_the_servers_own_people_get_its_name(fake: FakeMastodon) -> None:
    post = fake.post(1, "late", acct="ana")
    reader = Reader(fake)
    reader.run()
    assert reader.stored[post.id].identities[0].value == "mastodon:@ana@home.example"


def test_only_public_posts_of_their_own_are_read(fake: FakeMastodon) -> None:
    for visibility in ("unlisted", "private", "direct"):
        fake.post(1, "not for all", visibility=visibility)
    fake.post(2, "somebody else's", reblog=True)
    public = fake.post(3, "for all")
    reader = Reader(fake)
    reader.run()
    assert list(reader.stored) == [public.id]


def test_many_posts_of_one_second_on_several_tags_are_all_read_once(fake: FakeMastodon) -> None:
    for i in range(130):
        fake.post(7, f"tie {i}", tags=("acme", "acmehelp") if i % 2 else ("acme",))
    other = fake.post(8, "other tag", tags=("acmehelp",))
    reader = Reader(fake, tags=("acme", "acmehelp"))
    reader.run()
    assert set(reader.stored) == set(fake.posts)
    assert other.id in reader.stored


def test_a_second_run_brings_nothing_again_but_what_changed(fake: FakeMastodon) -> None:
    for i in range(100):
        fake.post(i * 60, f"post {i}")
    reader = Reader(fake)
    reader.run()
    reader.received = 0
    reader.run()
    assert reader.received == 0
    fake.edit(list(fake.posts)[50], "edited", 200 * 60)
    reader.run()
    assert reader.received == 1
    assert "edited" in {item.verbatim for item in reader.stored.values()}
    reader.run()
    assert reader.received == 1


def test_a_late_post_behind_our_position_is_found(fake: FakeMastodon) -> None:
    late = fake.post(10 * HOUR, "stuck in a queue", visible=False)
    for hour in range(30):
        fake.post(hour * HOUR + 1, f"post {hour}")
    reader = Reader(fake)
    reader.run()
    late.visible = True
    reader.run()
    assert late.id in reader.stored


def test_a_post_older_than_the_look_back_is_left_alone(fake: FakeMastodon) -> None:
    old = fake.post(HOUR, "old")
    for hour in range(2, 60):
        fake.post(hour * HOUR, f"post {hour}")
    reader = Reader(fake)
    reader.run()
    fake.delete(old.id)
    reader.run()
    assert old.id in reader.stored
    assert len(json.loads(reader.cursor or "")["tags"]["acme"]["seen"]) < 55


def test_a_deleted_post_is_reported_once_it_is_confirmed(fake: FakeMastodon) -> None:
    posts = [fake.post(i * HOUR, f"post {i}") for i in range(10)]
    reader = Reader(fake)
    reader.run()
    fake.delete(posts[3].id)
    fake.delete(posts[9].id)
    reader.run()
    assert set(reader.stored) == set(fake.posts)
    fake.requests.clear()
    reader.run()
    assert not [asked for asked in fake.requests if "/statuses/" in asked]


def test_a_post_that_only_lost_its_tag_is_not_deleted(fake: FakeMastodon) -> None:
    post = fake.post(1, "acme")
    reader = Reader(fake)
    reader.run()
    post.tags = ()
    reader.run()
    assert post.id in reader.stored


def test_a_timeline_that_comes_empty_for_once_erases_nothing(fake: FakeMastodon) -> None:
    for i in range(90):
        fake.post(i, f"post {i}")
    reader = Reader(fake)
    reader.run()
    empty = Fault(How.BODY, body=b"[]")
    fake.misbehave(empty, empty)
    reader.run()
    assert set(reader.stored) == set(fake.posts)
    reader.run()
    assert set(reader.stored) == set(fake.posts)


def test_an_emptied_server_is_not_asked_for_everything_at_once(fake: FakeMastodon) -> None:
    for i in range(90):
        fake.post(i, f"post {i}")
    reader = Reader(fake)
    reader.run()
    fake.posts.clear()
    fake.requests.clear()
    swept = reader.source.fetch(reader.cursor)
    assert [len(page.deleted) for page in swept] == [40, 40, 10]


def test_a_sweep_that_breaks_off_goes_on_where_it_was(fake: FakeMastodon) -> None:
    posts = [fake.post(i, f"post {i}") for i in range(400)]
    reader = Reader(fake)
    reader.run()
    fake.delete(posts[-5].id)
    for _ in range(4):  # the look-back has ten pages, and each run stores three of them
        reader.run(pages=3)
    assert set(reader.stored) == set(fake.posts)


def test_a_server_that_ignores_the_question_does_not_hold_us(fake: FakeMastodon) -> None:
    for i in range(100):
        fake.post(i, f"post {i}")
    fake.ignores_min_id = True
    Reader(fake).run()
    assert len(fake.requests) < 6


def test_an_odd_post_is_refused_and_the_rest_goes_on(fake: FakeMastodon) -> None:
    good = fake.post(2, "late")
    fake.post(1, "x" * 20_000)
    fake.post(3, "")
    reader = Reader(fake)
    reader.run()
    assert list(reader.stored) == [good.id]
    assert {each.reason.split(":")[0].split(";")[0] for each in reader.rejected} == {
        "the text is longer than 10,000 characters",
        "nothing said",
    }
    assert isinstance(reader.source.parse(reader.rejected[0].raw), Rejected)
    assert isinstance(reader.source.parse("[1"), Rejected)
    assert isinstance(reader.source.parse("[1]"), Rejected)
    assert isinstance(reader.source.parse('{"id": "1", "created_at": 3}'), Rejected)


def test_a_token_comes_from_the_environment_and_a_revoked_one_is_for_a_person(
    fake: FakeMastodon,
) -> None:
    fake.token = "t0ken"
    fake.post(1, "late")
    reader = Reader(fake, token_env="VOC_TOKEN")
    reader.run()
    assert len(reader.stored) == 1
    fake.token = "another"
    with pytest.raises(SourceRefusedError, match="credentials"):
        reader.run()
    with pytest.raises(ConfigurationError, match="VOC_OTHER"):
        source(fake, token_env="VOC_OTHER")


def test_a_used_up_quota_is_waited_for_within_our_patience(fake: FakeMastodon) -> None:
    for i in range(100):
        fake.post(i, f"post {i}")
    fake.quota = 2
    reader = Reader(fake)
    with pytest.raises(SourceUnavailableError):
        reader.run()
    assert len(reader.stored) == 80
    fake.quota = None
    reader.run()
    assert set(reader.stored) == set(fake.posts)


@settings(max_examples=25, deadline=None)
@given(
    crashes=st.lists(st.integers(0, 6), min_size=1, max_size=8),
    seed=st.integers(0, 10_000),
)
def test_whatever_crashes_late_edited_and_deleted_the_set_is_complete(
    crashes: list[int], seed: int
) -> None:
    chance = random.Random(seed)
    with FakeMastodon() as fake:
        reader = Reader(fake)
        now = 0.0
        hidden: list[tuple[float, Any]] = []
        for pages in crashes:
            for _ in range(chance.randint(0, 90)):
                now += chance.choice([0, 0, 1, 600])
                is_late = chance.random() < 0.1
                post = fake.post(now, f"post at {now}", visible=not is_late)
                if is_late:
                    hidden.append((now + chance.uniform(0, 12 * HOUR), post))
            for due, post in hidden:
                post.visible = post.visible or due <= now
            for post_id in chance.sample(sorted(fake.posts), k=min(3, len(fake.posts))):
                recent = fake.posts[post_id].created_at > EPOCH + timedelta(seconds=now - 24 * HOUR)
                if recent and fake.posts[post_id].visible:
                    fake.edit(post_id, f"edited at {now}", now) if chance.random() < 0.5 else (
                        fake.delete(post_id)
                    )
                    hidden = [(due, post) for due, post in hidden if post.id in fake.posts]
            reader.run(pages=pages)
        for _, post in hidden:
            post.visible = True
        reader.run()
        reader.run()
        assert set(reader.stored) == set(fake.posts)
        assert {i: item.verbatim for i, item in reader.stored.items()} == {
            i: post.content[3:-4] for i, post in fake.posts.items()
        }
