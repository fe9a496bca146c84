"""What colleagues read where there is no other page for them, and the pages before the sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.routing import Match

from apps.desk.access.gate import SignInFirst, Visitor, visitor_of
from apps.desk.desk import TEMPLATES, Desk
from apps.desk.guards import DESK_HEADERS
from apps.desk.words import WORDS

LOOKS = frozenset({"GET", "HEAD"})
NOTICES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "not_yours": (
            "This is not part of your role",
            "Your account is not meant for this page. If it should be, ask an administrator.",
        ),
        "not_here": (
            "There is nothing here for you",
            "It may have been moved or merged, or another department has it now.",
        ),
        "stale_form": (
            "This form is from before",
            "Nothing was changed. You have signed in anew since it was shown, or it is no form of "
            "ours. Go back, load the page again, and repeat what you did.",
        ),
        "unknown": ("There is no such page", "Perhaps the address was cut short."),
        "password_link": (
            "This link is no longer valid",
            "It works once, and for three days. Ask an administrator for another one.",
        ),
        "not_known": (
            "There is no account for you here",
            "You have signed in elsewhere, but this desk does not know you, or your account is "
            "closed. Ask an administrator.",
        ),
        "no_role": (
            "Your account has no part in this desk",
            "You have signed in elsewhere, but none of your groups has a role here. "
            "Ask an administrator.",
        ),
        "provider": (
            "Signing in did not work",
            "The other side did not confirm who you are, or it took too long. "
            "Go to the sign-in page and try again.",
        ),
    }
)


def is_inside(path: str) -> bool:
    """Whether *path* is for colleagues, not for customers and the holders of links."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first in {"desk", "sign-in", "sign-out"}


def outside(desk: Desk, template: str, *, status: int = 200, **facts: Any) -> HTMLResponse:
    """A page of the desk for somebody who is not signed in."""
    html = TEMPLATES.get_template(f"desk/{template}").render(
        company=desk.company.company, visitor=None, **facts
    )
    return HTMLResponse(html, status, headers=dict(DESK_HEADERS))


def notice(request: Request, desk: Desk, name: str, status: int) -> HTMLResponse:
    """Says in plain words why there is no other page."""
    title, text = NOTICES.get(name) or _shared(desk, name)
    visitor = None if name in {"broken", "busy"} else _visitor(request, desk)  # the database is
    facts = {"headline": title, "text": text}
    if visitor is None:
        return outside(desk, "access/notice.html", status=status, **facts)
    return desk.view("access/notice.html", visitor, status=status, **facts)


def sign_in_first(request: Request, _exc: Exception) -> RedirectResponse:
    """To the sign-in page, and from there to where they wanted to go.

    What a form has sent is lost: they are told so, and come back to where it stood.
    """
    path, query = request.url.path, {}
    if path.startswith("/desk/") and request.method not in LOOKS:
        query = {"done": "expired", "next": _above(request)}
    elif path.startswith("/desk/"):
        asked = f"?{request.url.query}" if request.url.query else ""
        query = {"next": path + asked}
    where = f"?{urlencode(query, safe='/')}" if query else ""
    return RedirectResponse(f"/sign-in{where}", 303)


def _above(request: Request) -> str:
    """The page that a form stood on: the nearest above its own address that can be looked at."""
    path = request.url.path
    while path.startswith("/desk/"):
        look = {**request.scope, "method": "GET", "path": path}
        if any(route.matches(look)[0] is Match.FULL for route in request.app.routes):
            return path
        path = path.rpartition("/")[0]
    return "/desk"


def _visitor(request: Request, desk: Desk) -> Visitor | None:
    try:
        return visitor_of(request, desk)
    except SignInFirst:
        return None


def _shared(desk: Desk, name: str) -> tuple[str, str]:
    words, company = WORDS["en"], desk.company.company.name
    title, text = words[f"notice.{name}.title"], words[f"notice.{name}.text"]
    return title.format(company=company), text.format(company=company)
