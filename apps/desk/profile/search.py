"""Finding a customer by exactly one of their handles, or among those who were active lately."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import READERS
from apps.desk.desk import Desk, TheDesk
from apps.desk.links.customers import READ
from apps.desk.operations.paging import read_spot, written
from apps.desk.profile.held import HERE
from voc.actions.profile import LONGEST_SEARCH, find
from voc.store import audit
from voc.store import profile as store
from voc.store.database import reading

router = APIRouter()

PAGE = 25
NOTHING_TYPED = "Type an address, a telephone number, a name with @, an account or a number."
NOT_FOUND = (
    "Nobody is known by exactly that. Write the whole address or number: "
    "parts of it are not looked for."
)


@router.api_route(HERE, methods=READ)
def browse(
    desk: TheDesk,
    visitor: Visitor = see(READERS),
    after: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    with reading(desk.engine) as session:
        return _page(session, desk, visitor, after=after)


@router.post(HERE, response_model=None)
def search(
    desk: TheDesk, visitor: Visitor = do(READERS), who: Annotated[str, Form()] = ""
) -> HTMLResponse | RedirectResponse:
    """A form's, so that no address gets into the address bar, a log or a browser's history."""
    with reading(desk.engine) as session:
        if not who.strip():
            return _page(session, desk, visitor, error=NOTHING_TYPED)
        found = find(session, who, company=desk.company, departments=visitor.departments)
        note_search(visitor, found)
        if len(found) == 1:
            return RedirectResponse(f"{HERE}/{found[0]}", 303)
        if not found:
            return _page(session, desk, visitor, typed=who[:LONGEST_SEARCH], error=NOT_FOUND)
        return _page(session, desk, visitor, typed=who[:LONGEST_SEARCH], found=found)


def note_search(visitor: Visitor, found: Sequence[int]) -> None:
    """In the audit log: that somebody searched, and whom they found. Not by what."""
    subject = f"customer:{found[0]}" if len(found) == 1 else "customers"
    deed = partial(audit.write, actor=visitor.email, deed="searched", subject=subject)
    visitor.afterwards.add(partial(deed, detail=f"found {len(found)}", at=visitor.now))


def _page(
    session: Session,
    desk: Desk,
    visitor: Visitor,
    *,
    after: str = "",
    typed: str = "",
    found: Sequence[int] = (),
    error: str = "",
) -> HTMLResponse:
    seen = visitor.departments
    lines = store.lines(session, found, seen) if found else []
    spot = read_spot(after)
    if not found:
        lines = store.active(session, seen, after=spot, limit=PAGE + 1)
    return desk.view(
        "profile/search.html",
        visitor,
        here=HERE,
        status=422 if error == NOTHING_TYPED else 404 if error else 200,
        lines=lines[:PAGE],
        next=written(lines[PAGE - 1].spot) if len(lines) > PAGE and not found else None,
        is_first=spot is None,
        several=bool(found),
        typed=typed,
        error=error,
        sees_all=seen is None,
    )
