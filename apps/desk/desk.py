"""What every page needs: the company, the database, the time, and how to say things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from fastapi import Depends, Request
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Engine
from sqlmodel import Session

from apps.desk.access.audit import Afterwards
from apps.desk.access.door import Door
from apps.desk.areas import areas_of
from apps.desk.assets import address
from apps.desk.guards import DESK_HEADERS, HEADERS, RateLimit, client_of
from apps.desk.links.brand import version
from apps.desk.signatures import HookSecrets
from apps.desk.words import WORDS, choose_language
from voc.columns import LARGEST
from voc.company.model import Company
from voc.models import Customer
from voc.rules.quiet_hours import zone
from voc.rules.tokens import token_hash
from voc.store import links
from voc.store.database import reading
from voc.store.links import FoundLink

if TYPE_CHECKING:
    from apps.desk.access.gate import Visitor

Number = Annotated[int, PathParameter(ge=1, le=LARGEST, examples=[12])]
"""Of a ticket, a customer, a message, in an address."""

TEMPLATES = Environment(
    loader=PackageLoader("apps.desk"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.globals["asset"] = address


def compile_templates() -> None:
    """Once, all of them: else the first visitor of each page waits for it."""
    for name in TEMPLATES.list_templates():
        TEMPLATES.get_template(name)


class Refusal(Exception):  # noqa: N818 (not an error of ours: a page)
    """There is no such page for this visitor; `notice` is what they read instead.

    Tells nobody more than that: not whether a token was ever ours, nor whose.
    """

    def __init__(self, status: int, notice: str, language: str | None = None) -> None:
        super().__init__(status, notice, language)
        self.status = status
        self.notice = notice
        self.language = language


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the pages are made with; one for each app."""

    engine: Engine
    company: Company
    secret: bytes
    clock: Callable[[], datetime]
    report: Path | None
    kill_switch: Path
    """While this file exists, nothing leaves."""
    hooks: HookSecrets
    door: Door
    """How colleagues get in."""
    afterwards: Afterwards
    """What is written when the page has been sent."""
    visits: RateLimit
    """A try for each visit of a link."""
    misses: RateLimit
    """A try for each link that was not ours, by client."""
    refusals: RateLimit
    """A line in the log for each source whose deliveries we refuse."""
    unsealings: RateLimit
    """A try for each customer whose addresses somebody is shown, by account."""

    def language(self, customer: Customer | None) -> str:
        """The language that we write to a customer in."""
        wanted = customer.language if customer else None
        return choose_language(wanted, self.company.follow_up.languages)

    def local(self, moment: datetime, timezone: str | None) -> datetime:
        return moment.astimezone(zone(timezone or self.company.company.timezone))

    def page(
        self, template: str, *, language: str = "en", status: int = 200, **facts: Any
    ) -> HTMLResponse:
        """A page. *facts* are plain values: whatever they say is escaped."""
        about = self.company.company
        words = WORDS[language]

        def say(key: str, **values: object) -> str:
            return words[key].format(company=about.name, **values)

        html = TEMPLATES.get_template(f"links/{template}").render(
            lang=language,
            company=about,
            brand=version(about.brand_color) if about.brand_color else None,
            say=say,
            **facts,
        )
        return HTMLResponse(html, status, headers=dict(HEADERS))

    def view(
        self, template: str, visitor: Visitor, *, status: int = 200, **facts: Any
    ) -> HTMLResponse:
        """A page of somebody who is signed in, under ``templates/desk``. In English.

        Templates get what `page` gives them, and: ``visitor``, ``csrf`` for their forms,
        ``areas`` for the navigation, and the filters ``when`` and ``day`` (in the reader's zone).
        """
        zone_name = visitor.timezone or self.company.company.timezone
        html = TEMPLATES.get_template(f"desk/{template}").render(
            company=self.company.company,
            visitor=visitor,
            csrf=visitor.csrf(self.secret),
            areas=areas_of(visitor.role),
            local=lambda moment: self.local(moment, zone_name),
            now=visitor.now,
            **facts,
        )
        return HTMLResponse(html, status, headers=dict(DESK_HEADERS))

    def notice(
        self, request: Request, name: str, status: int, language: str | None = None
    ) -> HTMLResponse:
        """A page that says in plain words why there is no other."""
        accepted = request.headers.get("accept-language")
        language = language or choose_language(accepted, self.company.follow_up.languages)
        return self.page("notice.html", language=language, status=status, notice=name)


async def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(desk_of)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody with a token, at one moment."""

    desk: Desk
    token: str = field(repr=False)
    now: datetime

    def link(self, session: Session) -> FoundLink:
        """The link with this token.

        Raises:
            Refusal: There is none any more.
        """
        found = links.find(session, self.token, self.now)
        if found is None:
            raise Refusal(404, "unknown")
        return found


def visit_of(token: str, request: Request, desk: TheDesk) -> Visit:
    """Who comes with a token of ours, if they were not here too often.

    It is looked up first. So an unknown one never waits for a writer, and one that is ours works
    however many others came from the same place that were not: behind a proxy that we do not
    know of, all the world comes from one.

    Raises:
        Refusal: It is not ours, or they were.
    """
    # Now, and not inside the page's transaction: the clock may ask the database itself.
    now = desk.clock()
    with reading(desk.engine) as session:
        is_ours = links.find(session, token, now) is not None
    if not is_ours:
        refuse_miss(request, desk, "unknown")
    if not desk.visits.take(token_hash(token)):
        raise Refusal(429, "too_many")
    return Visit(desk=desk, token=token, now=now)


def refuse_miss(request: Request, desk: Desk, notice: str) -> NoReturn:
    """End a visit with a link that was not ours.

    Raises:
        Refusal: Always; who only guesses is told to stop.
    """
    if not desk.misses.take(client_of(request)):
        raise Refusal(429, "too_many")
    raise Refusal(404, notice)


TheVisit = Annotated[Visit, Depends(visit_of)]
