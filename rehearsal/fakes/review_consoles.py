"""Fakes of the consoles in which a company answers reviews: App Store, Google, Google Play."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from rehearsal.fakes.server import Answer, Asked, FakeService

PAGE = 2
LONGEST = {"comment": 4096, "replyText": 350, "responseBody": 5970}
GOOGLE = re.compile(r"/v4/(accounts/[^/]+/locations/[^/]+/reviews/[^/]+)/reply")
PLAY = re.compile(r"/androidpublisher/v3/applications/([^/]+)/reviews/([^/]+):reply")
LIST = re.compile(r"/v1/apps/(\d+)/customerReviews")


@dataclass(frozen=True, slots=True)
class StoreReview:
    """One review as App Store Connect has it."""

    id: str
    created: str
    stars: int


class FakeConsoles(FakeService):
    """All three at one address, with one token.

    Attributes:
        replies: By review what stands below it. A second reply takes the place of the first.
        gone: Reviews that were taken back.
    """

    def __init__(self, token: str = "token") -> None:  # noqa: S107  (a fake's)
        super().__init__()
        self._token = token
        self.replies: dict[str, str] = {}
        self.gone: set[str] = set()
        self.app_store: list[StoreReview] = []

    def respond(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {self._token}":
            return Answer(401, {"error": {"code": 401}})
        path = unquote(asked.path)
        if found := LIST.fullmatch(path):
            return self._listed(asked, found[1])
        sent = json.loads(asked.body or b"{}")
        if (google := GOOGLE.fullmatch(path)) and asked.method == "PUT":
            return self._keep(google[1], "comment", sent["comment"], {"comment": sent["comment"]})
        if (play := PLAY.fullmatch(path)) and asked.method == "POST":
            return self._keep(
                f"{play[1]}/{play[2]}", "replyText", sent["replyText"], {"result": {}}
            )
        if path == "/v1/customerReviewResponses" and asked.method == "POST":
            data = sent["data"]
            review = data["relationships"]["review"]["data"]["id"]
            answer = {"data": {"type": "customerReviewResponses", "id": f"response-{review}"}}
            return self._keep(review, "responseBody", data["attributes"]["responseBody"], answer)
        return Answer(404, {"error": {"code": 404}})

    def _keep(self, review: str, field: str, text: str, answer: dict[str, Any]) -> Answer:
        if review in self.gone:
            return Answer(404, {"error": {"code": 404}})
        if len(text) > LONGEST[field]:
            return Answer(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}})
        self.replies[review] = text
        return Answer(201 if field == "responseBody" else 200, answer)

    def _listed(self, asked: Asked, app: str) -> Answer:
        """Newest first, a few a page."""
        stars = asked.query.get("filter[rating]", "")
        fitting = [r for r in self.app_store if not stars or str(r.stars) == stars]
        fitting.sort(key=lambda review: review.created, reverse=True)
        at = int(asked.query.get("cursor", 0))
        query = urlencode({"cursor": at + PAGE, "filter[rating]": stars})
        more = len(fitting) > at + PAGE
        next_page = f"{self.url}/v1/apps/{app}/customerReviews?{query}" if more else None
        shown = [
            {"id": r.id, "attributes": {"rating": r.stars, "createdDate": r.created}}
            for r in fitting[at : at + PAGE]
        ]
        links = {"self": asked.path, **({"next": next_page} if next_page else {})}
        return Answer(200, {"data": shown, "links": links})
