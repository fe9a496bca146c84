"""The company's colour on its customers' pages: a stylesheet of its own, no style in a page."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException

from voc.rules.contrast import darkened

if TYPE_CHECKING:
    from apps.desk.desk import Desk

router = APIRouter()

PRESSED = 0.25
"""How much darker a button is under the pointer."""
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def stylesheet(colour: str) -> str:
    """What a brand changes: the names are those of ``static/desk.css``."""
    names = {"navy": colour, "navy-dark": darkened(colour, PRESSED), "blue": colour}
    return ":root { " + " ".join(f"--{name}: {value};" for name, value in names.items()) + " }\n"


@cache
def version(colour: str) -> str:
    """Changes with the stylesheet, so that browsers may keep it for ever."""
    return sha256(stylesheet(colour).encode()).hexdigest()[:16]


@router.get("/brand.css")
def show_stylesheet(request: Request, v: Annotated[str, Query(max_length=64)] = "") -> Response:
    desk: Desk = request.app.state.desk
    colour = desk.company.company.brand_color
    if colour is None:
        raise HTTPException(404)
    is_new = v == version(colour)
    headers = {"Cache-Control": FOR_EVER if is_new else "no-cache"}
    return Response(stylesheet(colour), media_type="text/css", headers=headers)
