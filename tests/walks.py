"""Walking through the desk as somebody does who follows every link."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Page
from starlette.routing import compile_path

LINKS = "links => links.map(a => a.getAttribute('href'))"


@dataclass
class Walk:
    """Where somebody came by following links, and what they found there."""

    page: Page
    site: str
    routes: Iterable[str]
    """The paths of pages, with parameters, in the router's order."""
    look: Callable[[Page], list[str]]
    """What is wrong with a page."""
    seen: set[str] = field(default_factory=set)
    """The routes of which a page was looked at."""
    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._patterns = [(compile_path(path)[0], path) for path in self.routes]
        self.page.on("console", lambda said: self._says(said.type, said.text))
        self.page.on("pageerror", lambda error: self._says("error", str(error)))

    def go(self, *starts: str) -> None:
        """Look at all of *starts*, and then at one page of each route that a link leads to."""
        waiting = deque(dict.fromkeys(starts))
        while waiting:
            address = waiting.popleft()
            route = self.route_of(address)
            if route and (route not in self.seen or address in starts):
                self.seen.add(route)
                links = self._visit(address)
                waiting.extend(each for each in links if each not in starts)

    def route_of(self, address: str) -> str | None:
        """The route that an address of ours belongs to; None: it is no page of theirs."""
        parts = urlsplit(address)
        if parts.netloc or parts.scheme or parts.path.endswith((".csv", "/html")):
            return None
        return next((path for rx, path in self._patterns if rx.match(parts.path)), None)

    def _visit(self, address: str) -> list[str]:
        answer = self.page.goto(self.site + address)
        if answer is None or not answer.ok:
            self.found.append(f"{address}: {answer and answer.status}")
            return []
        links: list[str] = self.page.locator("a[href]").evaluate_all(LINKS)
        self.found += [f"{address}: {wrong}" for wrong in self.look(self.page)]
        return links

    def _says(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.found.append(f"{urlsplit(self.page.url).path}: the browser says: {text}")
