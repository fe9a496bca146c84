"""A fake of the App Store's public feed of reviews: ten pages of fifty, newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rehearsal.fakes.server import Answer, FakeService

PAGE = 50
LAST_PAGE = 10

_PATH = re.compile(
    r"/(?P<country>[a-z]{2})/rss/customerreviews/(page=(?P<page>\d+)/)?id=(?P<app>\d+)/"
    r"(?P<sort>sort[bB]y=most[rR]ecent)/json"
)


@dataclass(slots=True)
class Review:
    """One review as the store has it."""

    id: str
    title: str
    content: str
    stars: int
    updated: str
    author: str = "kiml"
    author_id: str = "id1"
    hidden: bool = False


class FakeITunes(FakeService):
    """One app in one country. Set the attributes to make it behave as the true one does at times.

    Attributes:
        empty_spellings: Spellings of the address that the cache serves without reviews.
        empty_pages: Pages that the cache serves without reviews.
        repeats: Every page shows the first one again.
        past_the_end: The status beyond the last page.
    """

    def __init__(self, *, app_id: str = "123", country: str = "de") -> None:
        super().__init__()
        self.app_id, self.country = app_id, country
        self.reviews: dict[str, Review] = {}
        self.empty_spellings: set[str] = set()
        self.empty_pages: set[int] = set()
        self.repeats = False
        self.past_the_end = 400

    def add(self, review: Review) -> None:
        """A new review, or an edited one: the same id with a later `updated`."""
        self.reviews[review.id] = review

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        asked = _PATH.fullmatch(path)
        if not asked or asked["app"] != self.app_id or asked["country"] != self.country:
            return Answer(404, {"error": "not found"})
        spelling = asked["sort"].partition("=")[0] + ("" if asked["page"] else " alone")
        page = 1 if self.repeats else int(asked["page"] or 1)
        shown = sorted(
            (r for r in self.reviews.values() if not r.hidden),
            key=lambda r: (r.updated, r.id),
            reverse=True,
        )[(page - 1) * PAGE : page * PAGE]
        if page > LAST_PAGE or (not shown and page > 1):
            return Answer(self.past_the_end, {"error": "CustomerReviews RSS page depth is limited"})
        if spelling in self.empty_spellings or page in self.empty_pages:
            shown = []
        return Answer(200, _feed([self._entry(review) for review in shown]))

    def _entry(self, review: Review) -> dict[str, Any]:
        return {
            "id": {"label": review.id},
            "title": {"label": review.title},
            "content": {"label": review.content, "attributes": {"type": "text"}},
            "im:rating": {"label": str(review.stars)},
            "im:version": {"label": "5.1"},
            "im:voteSum": {"label": "0"},
            "im:voteCount": {"label": "0"},
            "updated": {"label": review.updated},
            "author": {
                "name": {"label": review.author},
                "uri": {
                    "label": f"https://itunes.apple.com/{self.country}/reviews/{review.author_id}"
                },
            },
            "link": {
                "attributes": {
                    "rel": "related",
                    "href": f"https://itunes.apple.com/{self.country}/review?id={self.app_id}",
                }
            },
        }


def _feed(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """One entry comes as an object, not as a list; none leaves the key away."""
    if not entries:
        return {"feed": {}}
    return {"feed": {"entry": entries[0] if len(entries) == 1 else entries}}
