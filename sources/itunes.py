"""Reviews of one app, from the App Store's public feed: the newest 500, newest first.

The feed has no cursor. It is read from its first page on until everything is older than what the
last complete walk saw, less a look-back for reviews that appear late. A page's cursor says how
deep the walk under way has come, so that one that breaks off goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sources.base import Page, RawFeedback, RawIdentity, Rejected
from sources.cells import as_number
from sources.http import OpenService, Service
from sources.items import (
    MAX_ID,
    MAX_NAME,
    ItemError,
    joined_text,
    one_line,
    rating_on,
    web_address,
)
from sources.paginate import PageNumbers
from sources.strictjson import JsonError, parse_json
from sources.times import parse_time
from voc.company.sources import ITunesSource
from voc.errors import SourceFormatError, SourceRefusedError, SourceUnavailableError
from voc.models import Channel, IdentityKind, RatingScale

LOOK_BACK = timedelta(days=7)
_LAST_PAGE = 10
_PAST_THE_END = (400, 404)

# The feed's cache often serves one of these empty while another has the reviews.
_SPELLINGS = (
    "page={page}/id={app}/sortby=mostrecent/json",
    "page={page}/id={app}/sortBy=mostRecent/json",
)
_FIRST_PAGE_ALONE = "id={app}/sortBy=mostRecent/json"

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Walk:
    """How far the feed was read.

    Attributes:
        until: The newest review of the last walk that came to its end.
        newest: The newest review of the walk under way: the next `until`.
        page: The page at which the walk under way goes on. It is read again: reviews that were
            deleted meanwhile move the others up.
    """

    until: datetime = _NEVER
    newest: datetime = _NEVER
    page: int = 1


class ITunes:
    """Reads one app's reviews in one country. An edited review comes again under its id."""

    def __init__(self, config: ITunesSource, *, service: OpenService) -> None:
        self._config = config
        self._service = service

    @property
    def name(self) -> str:
        return self._config.id

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield pages from the newest review back.

        Raises:
            SourceUnavailableError: Also when the feed is empty though it once had reviews.
        """
        with self._service() as service:
            yield from self._walk(service, _load(cursor))

    def _walk(self, service: Service, walk: Walk) -> Iterator[Page]:
        read: set[str] = set()
        for number in PageNumbers(first=walk.page, last=_LAST_PAGE):
            entries = self._entries(service, number, walk)
            fresh = [e for e in entries if not (item_id := _label(e, "id")) or item_id not in read]
            if not fresh:  # past the end, or a cache that repeats a page
                break
            read.update(_label(entry, "id") for entry in fresh)
            times = [_updated(entry) for entry in fresh]
            walk = replace(walk, newest=max(walk.newest, *times), page=number)
            if walk.until > _NEVER and max(times) < walk.until - LOOK_BACK:
                yield self._page(fresh, _finished(walk))
                return
            yield self._page(fresh, walk)
        if walk.newest > _NEVER:
            yield Page(items=[], cursor=_dump(_finished(walk)))

    def parse(self, raw: str) -> RawFeedback | Rejected:
        """Read one quarantined review again."""
        try:
            entry = parse_json(raw)
        except JsonError as exc:
            return Rejected(place=self.name, reason=str(exc), raw=raw)
        return self._read(entry)

    def _entries(self, service: Service, number: int, walk: Walk) -> list[Any]:
        """The entries of a page; none past the end."""
        entries = self._asked(service, number)
        if entries:
            return entries
        if entries is None and number == 1:
            raise SourceRefusedError(self.name, "there is no such app in this country's store")
        if number == 1 and walk.until > _NEVER:
            raise SourceUnavailableError(self.name, "the feed is empty, though it had reviews")
        # An empty page is no proof of the end: what stands behind it would never be read.
        if entries is not None and number < _LAST_PAGE and self._asked(service, number + 1):
            raise SourceUnavailableError(
                self.name, f"page {number} is empty, though page {number + 1} is not"
            )
        return []

    def _asked(self, service: Service, number: int) -> list[Any] | None:
        """The page in the first spelling that has any entries; None if all say it is not there."""
        found = False
        for spelling in (*_SPELLINGS, _FIRST_PAGE_ALONE) if number == 1 else _SPELLINGS:
            path = spelling.format(page=number, app=self._config.app_id)
            reply = service.get(
                f"/{self._config.country}/rss/customerreviews/{path}", absent=_PAST_THE_END
            )
            entries = [] if reply.body is None else self._listed(reply.body)
            if entries:
                return entries
            found = found or reply.body is not None
        return [] if found else None

    def _listed(self, body: Any) -> list[Any]:
        """The feed's entries. One alone comes as an object; the app itself may be among them."""
        feed = body.get("feed") if isinstance(body, dict) else None
        if not isinstance(feed, dict):
            raise SourceFormatError(self.name, "a feed was expected; did Apple change it?")
        entries = feed.get("entry", [])
        listed = entries if isinstance(entries, list) else [entries]
        return [entry for entry in listed if not _is_the_app(entry)]

    def _page(self, entries: list[Any], walk: Walk) -> Page:
        read = [self._read(entry) for entry in entries]
        return Page(
            items=[each for each in read if isinstance(each, RawFeedback)],
            rejected=[each for each in read if isinstance(each, Rejected)],
            cursor=_dump(walk),
        )

    def _read(self, entry: Any) -> RawFeedback | Rejected:
        item_id = _label(entry, "id")
        try:
            return self._feedback(entry, item_id)
        except ItemError as exc:
            place = f"review {item_id}" if item_id else "a review without id"
            return Rejected(place=place[:MAX_ID], reason=str(exc), raw=json.dumps(entry))

    def _feedback(self, entry: Any, item_id: str) -> RawFeedback:
        if not 0 < len(item_id) <= MAX_ID:
            raise ItemError("the review has no id; did Apple change the feed?")
        said_at, stars = parse_time(_label(entry, "updated")), _stars(entry)
        if said_at is None:
            raise ItemError("the time of the review is not readable; did Apple change the feed?")
        if stars is None:
            raise ItemError("the review has no stars; did Apple change the feed?")
        return RawFeedback(
            external_id=item_id,
            verbatim=joined_text(_label(entry, "title"), _label(entry, "content")),
            said_at=said_at,
            channel=Channel.REVIEW,
            rating=rating_on(RatingScale.STARS, stars),
            identities=_reviewer(entry),
            name=one_line(_label(entry, "author", "name"), MAX_NAME),
            country=self._config.country.upper(),
            product=self._config.product,
            url=web_address(_inside(entry, "link", "attributes", "href")),
        )


def _inside(found: Any, *keys: str) -> Any:
    """What stands at this path of objects, or None."""
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _label(entry: Any, *keys: str) -> str:
    """The feed wraps every value: ``{"label": ...}``. Empty if it is not there."""
    value = _inside(entry, *keys, "label")
    return value if isinstance(value, str) else ""


def _stars(entry: Any) -> float | None:
    return as_number(_label(entry, "im:rating"), ".")


def _is_the_app(entry: Any) -> bool:
    """Some feeds begin with the app itself: it has a name and nobody rated it."""
    return isinstance(entry, Mapping) and "im:name" in entry and "im:rating" not in entry


def _updated(entry: Any) -> datetime:
    return parse_time(_label(entry, "updated")) or _NEVER


def _reviewer(entry: Any) -> tuple[RawIdentity, ...]:
    """The reviewer's own number. Nicknames are no identity: two people may share one."""
    number = _label(entry, "author", "uri").rstrip("/").rpartition("/")[2]
    if not number.startswith("id") or not number[2:].isdigit():
        return ()
    return (RawIdentity(kind=IdentityKind.HANDLE, value=f"itunes:{number}"[:MAX_ID]),)


def _finished(walk: Walk) -> Walk:
    return Walk(until=max(walk.until, walk.newest))


def _load(cursor: str | None) -> Walk:
    """What a cursor says. One that we do not understand says nothing: reading again is harmless."""
    try:
        found = json.loads(cursor or "")
        return Walk(
            until=datetime.fromisoformat(found["until"]),
            newest=datetime.fromisoformat(found["newest"]),
            page=min(max(int(found["page"]), 1), _LAST_PAGE),
        )
    except (ValueError, KeyError, TypeError):
        return Walk()


def _dump(walk: Walk) -> str:
    return json.dumps(asdict(walk), default=datetime.isoformat)
