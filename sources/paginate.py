"""The ways in which services cut long lists into pages. Each knows when to stop by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx


@dataclass(frozen=True, slots=True)
class PageNumbers:
    """``page=1``, ``page=2``, ... up to the last that the service has."""

    last: int
    first: int = 1

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))


def from_link_header(headers: httpx.Headers, rel: str, param: str) -> str | None:
    """One parameter of the page that the ``Link`` header offers, or None.

    Only the parameter is taken, not the address: it is the service's word against our
    configuration where to connect to.
    """
    for link in httpx.Response(200, headers=headers).links.values():
        if link.get("rel") == rel:
            return next(iter(parse_qs(urlsplit(link.get("url", "")).query).get(param, [])), None)
    return None


def id_key(item_id: str) -> tuple[int, str]:
    """Sorts ids by age: numbers by size, and others (all of one length) by their letters."""
    return len(item_id), item_id


def next_min_id(asked: str, ids: Iterable[str], headers: httpx.Headers) -> str | None:
    """The ``min_id`` of the page after one that holds *ids*, or None at the end.

    Ascending: a page holds what comes directly after *asked*. A short page is not the end, because
    services filter after they cut; nor is an empty one that offers another in its ``Link``. A page
    without anything newer comes from a service that ignores the question: it ends the walk
    instead of repeating it for ever.
    """
    offered = from_link_header(headers, "prev", "min_id") or asked
    newest = max(ids, key=id_key, default=offered)
    return newest if id_key(newest) > id_key(asked) else None
