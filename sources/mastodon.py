"""Public posts with a hashtag, from a Mastodon server (or one that speaks its API).

Ids grow with the time of a post, on the server and for posts that reach it from others, so a late
post stands behind our position: `sources.sweep` reads the last hours again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sources.base import Page, RawFeedback, RawIdentity, Rejected
from sources.http import OpenService, Reply, Service
from sources.items import (
    MAX_ID,
    MAX_NAME,
    ItemError,
    joined_text,
    one_line,
    require_bearable,
    require_something_said,
    web_address,
)
from sources.paginate import id_key, next_min_id
from sources.strictjson import JsonError, parse_json
from sources.sweep import Position, after_new, after_sweep, begin_sweep, changed, vanished
from sources.times import parse_time
from voc.company.sources import MastodonSource
from voc.errors import SourceFormatError
from voc.models import Channel, IdentityKind
from voc.text import html_to_text

PAGE = 40
_GONE = (404, 410)
_HIDDEN = (401, 403)

Status = dict[str, Any]


class Mastodon:
    """Reads every tag: first what is new, then, by the sweep, what came late, changed or went."""

    def __init__(self, config: MastodonSource, *, service: OpenService) -> None:
        self._config = config
        self._service = service
        self._look_back_s = config.look_back_hours * 3600.0

    @property
    def name(self) -> str:
        return self._config.id

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield new posts of each tag from the oldest on, then what the sweep of each tag finds."""
        known = _load(cursor)
        positions = {tag: known.get(tag, Position()) for tag in self._config.tags}
        with self._service() as service:
            for tag in self._config.tags:
                yield from self._new(service, tag, positions)
            for tag in self._config.tags:
                yield from self._swept(service, tag, positions)

    def parse(self, raw: str) -> RawFeedback | Rejected:
        """Read one quarantined post again."""
        try:
            status = parse_json(raw)
        except JsonError as exc:
            return Rejected(place=self.name, reason=str(exc), raw=raw)
        return self._read(status)

    def _new(self, service: Service, tag: str, positions: dict[str, Position]) -> Iterator[Page]:
        while True:
            asked = positions[tag].newest
            reply, found, odd = self._timeline(service, tag, asked)
            newest = next_min_id(asked, found, reply.headers)
            if newest is None:
                if odd:
                    raise SourceFormatError(self.name, "its posts have no id; did its API change?")
                return
            positions[tag] = after_new(positions[tag], _stamps(found), newest, self._look_back_s)
            yield self._page([*found.values(), *odd], [], positions)

    def _swept(self, service: Service, tag: str, positions: dict[str, Position]) -> Iterator[Page]:
        positions[tag] = begin_sweep(positions[tag])
        while (position := positions[tag]).sweep is not None:
            reply, found, _ = self._timeline(service, tag, position.sweep)
            newest = next_min_id(position.sweep, found, reply.headers) or position.mark
            missing = vanished(position, found, end := min(newest, position.mark, key=id_key))
            if len(missing) > PAGE:  # each is asked for; an emptied server is not asked at once
                missing = missing[:PAGE]
                end = missing[-1]
            within = {i: s for i, s in found.items() if id_key(i) <= id_key(end)}
            gone = [item_id for item_id in missing if self._is_gone(service, item_id)]
            news = changed(position, _stamps(within))
            positions[tag] = after_sweep(position, _stamps(within), gone, end, self._look_back_s)
            yield self._page([within[i] for i in within if i in news], gone, positions)

    def _timeline(
        self, service: Service, tag: str, min_id: str
    ) -> tuple[Reply, dict[str, Status], list[Any]]:
        """One page after *min_id*: its posts by id, oldest first, and what has no id."""
        reply = service.get(
            f"/api/v1/timelines/tag/{quote(tag)}", {"min_id": min_id, "limit": PAGE}
        )
        if not isinstance(reply.body, list):
            raise SourceFormatError(self.name, "a list of posts was expected")
        found: dict[str, Status] = {}
        odd: list[Any] = []
        for status in reply.body:
            item_id = status.get("id") if isinstance(status, dict) else None
            if isinstance(item_id, str) and 0 < len(item_id) <= MAX_ID:
                if id_key(item_id) > id_key(min_id):
                    found[item_id] = status
            else:
                odd.append(status)
        return reply, dict(sorted(found.items(), key=lambda entry: id_key(entry[0]))), odd

    def _is_gone(self, service: Service, item_id: str) -> bool:
        """A post may also have lost its hashtag or be hidden from us: that is no deletion."""
        reply = service.get(f"/api/v1/statuses/{quote(item_id)}", absent=(*_GONE, *_HIDDEN))
        return reply.status in _GONE

    def _page(self, statuses: list[Any], gone: list[str], positions: dict[str, Position]) -> Page:
        read = [self._read(status) for status in statuses if _is_for_all(status)]
        return Page(
            items=[each for each in read if isinstance(each, RawFeedback)],
            rejected=[each for each in read if isinstance(each, Rejected)],
            deleted=gone,
            cursor=_dump(positions),
        )

    def _read(self, status: Any) -> RawFeedback | Rejected:
        item_id = status.get("id") if isinstance(status, dict) else None
        try:
            return self._feedback(status)
        except ItemError as exc:
            reason = str(exc)
        except (KeyError, TypeError, AttributeError):
            reason = "the post lacks a field that every post has; did the server's API change?"
        place = f"post {item_id}" if isinstance(item_id, str) else "a post without id"
        return Rejected(place=place[:MAX_ID], reason=reason, raw=json.dumps(status))

    def _feedback(self, status: Status) -> RawFeedback:
        said_at = parse_time(status["created_at"])
        if said_at is None:
            raise ItemError("the time of the post is not readable")
        require_bearable(status["content"])
        verbatim = joined_text(status.get("spoiler_text") or "", html_to_text(status["content"]))
        require_something_said(verbatim, None)
        account = status["account"]
        acct = account["acct"] if "@" in account["acct"] else self._local(account["acct"])
        return RawFeedback(
            external_id=status["id"],
            verbatim=verbatim,
            said_at=said_at,
            channel=Channel.SOCIAL,
            identities=(RawIdentity(kind=IdentityKind.HANDLE, value=f"mastodon:@{acct}"),),
            name=one_line(account.get("display_name") or "", MAX_NAME),
            language=one_line(status.get("language") or "", 16),
            product=self._config.product,
            url=web_address(status.get("url") or status.get("uri")),
        )

    def _local(self, acct: str) -> str:
        """The server leaves its own name away."""
        return f"{acct}@{self._config.server}"


def _is_for_all(status: Any) -> bool:
    """Whether this is a public post of its own. What is odd passes, to be refused by name."""
    if not isinstance(status, dict):
        return True
    return status.get("visibility") == "public" and not status.get("reblog")


def _stamps(found: dict[str, Status]) -> dict[str, tuple[float, float]]:
    return {
        item_id: (_seconds(status.get("created_at")), _seconds(status.get("edited_at")))
        for item_id, status in found.items()
    }


def _seconds(value: Any) -> float:
    moment: datetime | None = parse_time(value) if isinstance(value, str) else None
    return moment.timestamp() if moment else 0.0


def _load(cursor: str | None) -> dict[str, Position]:
    """What a cursor says. One that we do not understand says nothing: reading again is harmless."""
    try:
        tags = json.loads(cursor or "{}")["tags"]
        return {tag: _position(entry) for tag, entry in tags.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _position(entry: dict[str, Any]) -> Position:
    seen = {
        item_id: (float(said), float(edited)) for item_id, (said, edited) in entry["seen"].items()
    }
    return Position(**{**entry, "seen": seen})


def _dump(positions: dict[str, Position]) -> str:
    return json.dumps({"tags": {tag: asdict(each) for tag, each in positions.items()}})
