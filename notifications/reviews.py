"""The way out to where reviews stand in public: App Store Connect, Google Business, Google Play.

Each keeps one reply to a review, and a second one takes the place of the first. So handing over
twice is handing over once, and a lost reply is simply sent again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from notifications.channel import Capability, ChannelDownError, Envelope
from notifications.posting import NOT_THERE, Poster, Reply, only_looking, provider_id, require_taken
from voc.company.sources import Console
from voc.errors import RefusedError, UnconfirmedError
from voc.rules.public_reply import LONGEST, console_of
from voc.settings import ReviewSettings

PAGES = 20
JSON = {"Content-Type": "application/json"}


class ReviewChannel:
    """Public replies, to the address that `voc.rules.public_reply.reply_address` makes."""

    def __init__(self, settings: ReviewSettings) -> None:
        self._settings = settings
        self._poster = Poster(settings.timeout_s)
        self._found: dict[str, str] = {}

    def route_for(self, recipient: str) -> str:
        return console_of(recipient) or "review"

    def capability_of(self, route: str) -> Capability:
        return Capability.IDEMPOTENT

    def prepare(self, mail: Envelope) -> None:
        """Look at length and login, and find the review where the store names it differently."""
        console = _console(mail)
        if not self._token(console).get_secret_value():
            variable = f"VOC_REVIEWS__{console.upper()}_TOKEN"
            raise ChannelDownError(f"{variable} is not set")
        if len(mail.content.decode()) > LONGEST[console]:
            raise RefusedError(f"longer than the {LONGEST[console]} letters that {console} takes")
        if console == "app_store":
            with only_looking():
                self._app_store_id(mail.recipient)

    def hand_over(self, mail: Envelope) -> str:
        """Put the reply below the review; the App Store says what it calls it."""
        console, text = _console(mail), mail.content.decode()
        _, _, review = mail.recipient.partition(":")
        if console == "google":
            self._ask(console, "PUT", f"/v4/{quote(review)}/reply", {"comment": text})
        elif console == "play":
            app, _, review = review.partition("/")
            path = f"/androidpublisher/v3/applications/{quote(app)}/reviews/{quote(review)}:reply"
            self._ask(console, "POST", path, {"replyText": text})
        else:
            body = _app_store_body(self._app_store_id(mail.recipient), text)
            reply = self._ask(console, "POST", "/v1/customerReviewResponses", body)
            return _id_in(reply)
        return ""

    def look_up(self, route: str, mail: Envelope) -> str | None:
        """Nothing to look up: it may be handed over again."""
        return None

    def close(self) -> None:
        self._poster.close()
        self._found.clear()

    def _app_store_id(self, address: str) -> str:
        """The console's id of a review that is named by its app, moment and stars.

        Raises:
            RefusedError: None fits, or more than one does.
        """
        _, _, review = address.partition(":")
        if not review.startswith("apps/"):
            return review
        if address not in self._found:
            _, app, moment, stars = review.split("/")
            said_at = datetime.fromisoformat(moment)
            fitting = [*self._fitting(app, said_at, int(float(stars)))]
            if len(fitting) != 1:
                raise RefusedError(f"App Store Connect has {len(fitting)} reviews of that moment")
            self._found[address] = fitting[0]
        return self._found[address]

    def _fitting(self, app: str, said_at: datetime, stars: int) -> Iterator[str]:
        """Ids of the app's reviews of that very second, newest first, until they are older."""
        path: str | None = f"/v1/apps/{quote(app)}/customerReviews"
        params = {"sort": "-createdDate", "limit": "200", "filter[rating]": str(stars)}
        for _ in range(PAGES):
            if path is None:
                return
            found = _object(self._ask("app_store", "GET", path, params=params))
            for review_id, created in _reviews_in(found):
                if created == said_at:
                    yield review_id
                if created < said_at:
                    return
            path, params = self._next(found), {}

    def _next(self, found: dict[str, Any]) -> str | None:
        """The next page's path, if it is on the same server: our token goes nowhere else."""
        url = (found.get("links") or {}).get("next") or ""
        parts, own = urlsplit(url), urlsplit(self._settings.app_store_url)
        if parts[:2] != own[:2]:
            return None
        return f"{parts.path}?{parts.query}"

    def _ask(
        self,
        console: Console,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        params: dict[str, str] | None = None,
    ) -> Reply:
        bases = {
            "app_store": self._settings.app_store_url,
            "google": self._settings.google_url,
            "play": self._settings.play_url,
        }
        reply = self._poster.send(
            method,
            f"{bases[console].rstrip('/')}{path}",
            headers={"Authorization": f"Bearer {self._token(console).get_secret_value()}", **JSON},
            params=params or None,
            content=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
        )
        if reply.status in NOT_THERE and method != "GET":
            raise RefusedError(f"HTTP {reply.status}: the review is gone")
        require_taken(reply)
        _object(reply)  # a page that asks for a login is a success to HTTP
        return reply

    def _token(self, console: Console) -> SecretStr:
        tokens = {
            "app_store": self._settings.app_store_token,
            "google": self._settings.google_token,
            "play": self._settings.play_token,
        }
        return tokens[console]


def _console(mail: Envelope) -> Console:
    if (console := console_of(mail.recipient)) is None:
        raise RefusedError("a review of no console that we know")
    return console


def _app_store_body(review: str, text: str) -> dict[str, Any]:
    related = {"review": {"data": {"type": "customerReviews", "id": review}}}
    data = {"type": "customerReviewResponses", "attributes": {"responseBody": text}}
    return {"data": {**data, "relationships": related}}


def _object(reply: Reply) -> dict[str, Any]:
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UnconfirmedError("an answer that is not the console's")
    return found


def _reviews_in(found: dict[str, Any]) -> Iterator[tuple[str, datetime]]:
    """Id and moment of each review of a page of the App Store's list."""
    try:
        for review in found["data"]:
            created = datetime.fromisoformat(review["attributes"]["createdDate"])
            yield str(review["id"]), created.astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        raise UnconfirmedError("a list that is not App Store Connect's") from None


def _id_in(reply: Reply) -> str:
    data = _object(reply).get("data")
    return provider_id(data.get("id")) if isinstance(data, dict) else ""
