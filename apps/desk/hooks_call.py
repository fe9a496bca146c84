"""One request of a provider: its raw bytes are what is signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from apps.desk.desk import Desk, TheDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of a provider, as it came in."""

    desk: Desk
    path: str
    """With its query: what is signed."""
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    now: datetime


async def body_of(request: Request) -> bytes:
    return await request.body()


def call_of(request: Request, desk: TheDesk, body: Annotated[bytes, Depends(body_of)]) -> Call:
    query = f"?{request.url.query}" if request.url.query else ""
    return Call(
        desk=desk,
        path=request.url.path + query,
        headers=request.headers,
        body=body,
        now=desk.clock(),
    )


TheCall = Annotated[Call, Depends(call_of)]
