"""A fake of a Mastodon server: hashtag timelines with min_id paging, and single posts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rehearsal.fakes.server import Answer, FakeService

_TAG = re.compile(r"/api/v1/timelines/tag/(?P<tag>\w+)")
_STATUS = re.compile(r"/api/v1/statuses/(?P<id>\w+)")
_QUOTA_RESET = "2026-01-07T12:05:00.000Z"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Post:
    """One post as the server has it."""

    id: str
    content: str
    created_at: datetime
    tags: tuple[str, ...] = ("acme",)
    acct: str = "kim@x.social"
    edited_at: datetime | None = None
    visibility: str = "public"
    reblog: bool = False
    visible: bool = True
    spoiler_text: str = ""


class FakeMastodon(FakeService):
    """A server with some posts.

    Attributes:
        ignores_min_id: It shows the same newest page whatever is asked.
        token: If set, every question must bring it.
        quota: Questions that are left before it answers 429; None: no end.
    """

    def __init__(self, *, token: str | None = None) -> None:
        super().__init__()
        self.posts: dict[str, Post] = {}
        self.ignores_min_id = False
        self.token = token
        self.quota: int | None = None

    def post(self, said_s: float, content: str, **details: Any) -> Post:
        """Somebody posts *said_s* seconds after the fake's first day began.

        Ids grow with the time of posting, as on the true server. Those of one second are ties:
        they come one after the other.
        """
        created_at = EPOCH + timedelta(seconds=said_s)
        number = int(created_at.timestamp() * 1000) << 16
        while str(number) in self.posts:
            number += 1
        post = Post(str(number), f"<p>{content}</p>", created_at, **details)
        self.posts[post.id] = post
        return post

    def edit(self, post_id: str, content: str, said_s: float) -> None:
        self.posts[post_id].content = f"<p>{content}</p>"
        self.posts[post_id].edited_at = EPOCH + timedelta(seconds=said_s)

    def delete(self, post_id: str) -> None:
        del self.posts[post_id]

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if self.token and self.seen_headers[-1].get("authorization") != f"Bearer {self.token}":
            return Answer(401, {"error": "The access token is invalid"})
        if self.quota is not None:
            self.quota -= 1
            if self.quota < 0:
                return Answer(429, {"error": "Throttled"}, self._quota_headers())
        if asked := _TAG.fullmatch(path):
            return self._timeline(asked["tag"], query)
        if asked := _STATUS.fullmatch(path):
            post = self.posts.get(asked["id"])
            if post is None or not post.visible:
                return Answer(404, {"error": "Record not found"})
            return Answer(200, _status(post), self._quota_headers())
        return Answer(404, {"error": "not found"})

    def _timeline(self, tag: str, query: dict[str, str]) -> Answer:
        limit = min(int(query.get("limit", "20")), 40)
        posts = sorted(
            (p for p in self.posts.values() if tag in p.tags and p.visible), key=lambda p: int(p.id)
        )
        min_id = query.get("min_id")
        if min_id is not None and not self.ignores_min_id:
            shown = [p for p in posts if int(p.id) > int(min_id)][:limit]
        else:
            shown = posts[-limit:]
        shown.reverse()  # always newest first
        headers = {**self._quota_headers(), **_link(self.url, tag, shown)}
        return Answer(200, [_status(post) for post in shown], headers)

    def _quota_headers(self) -> dict[str, str]:
        left = 299 if self.quota is None else max(self.quota, 0)
        return {
            "X-RateLimit-Limit": "300",
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": _QUOTA_RESET,
        }


def _link(url: str, tag: str, shown: Iterable[Post]) -> dict[str, str]:
    ids = [post.id for post in shown]
    if not ids:
        return {}
    at = f"{url}/api/v1/timelines/tag/{tag}"
    return {"Link": f'<{at}?max_id={ids[-1]}>; rel="next", <{at}?min_id={ids[0]}>; rel="prev"'}


def _status(post: Post) -> dict[str, Any]:
    user = post.acct.partition("@")[0]
    return {
        "id": post.id,
        "created_at": _iso(post.created_at),
        "edited_at": _iso(post.edited_at) if post.edited_at else None,
        "content": post.content,
        "spoiler_text": post.spoiler_text,
        "language": "en",
        "visibility": post.visibility,
        "uri": f"https://x.social/users/{user}/statuses/{post.id}",
        "url": f"https://x.social/@{user}/{post.id}",
        "in_reply_to_id": None,
        "account": {
            "id": "9",
            "acct": post.acct,
            "display_name": user.title(),
            "url": f"https://x.social/@{user}",
        },
        "replies_count": 0,
        "reblogs_count": 0,
        "favourites_count": 1,
        "reblog": {"id": "1"} if post.reblog else None,
    }


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
