"""Styles, the script and pictures: browsers keep them until they change."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from apps.desk.links.brand import FOR_EVER

FOLDER = Path(__file__).parent / "static"
PREFIX = "/static"


@cache
def address(name: str) -> str:
    """Where a page finds the file. It changes with the file, and so may be kept for ever."""
    content = (FOLDER / name).read_bytes()
    return f"{PREFIX}/{name}?v={sha256(content).hexdigest()[:16]}"


class Assets(StaticFiles):
    """The files, each with how long it may be kept."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)  # raises if there is no such file
        asked = f"{PREFIX}/{path}?{scope['query_string'].decode('ascii', 'replace')}"
        response.headers["Cache-Control"] = FOR_EVER if asked == address(path) else "no-cache"
        return response
