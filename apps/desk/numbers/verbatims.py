"""The words behind the numbers: what customers said in a period."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers.filters import TheFilter, filter_of
from apps.desk.numbers.frame import frame, status_of
from apps.desk.operations.paging import read_spot, written
from voc.store import verbatims
from voc.store.database import reading

router = APIRouter()
HERE = "/desk/verbatims"
DIMENSIONS = ("channel", "touchpoint", "stage", "product", "segment")
PAGE = 25


@router.api_route(HERE, methods=READ)
def show_verbatims(
    desk: TheDesk,
    asked: TheFilter,
    visitor: Visitor = see(WATCHERS),
    of: Annotated[str, Query(max_length=32)] = "",
    after: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """The newest words, of everybody or of those who rated alike."""
    if of and of not in verbatims.GROUPS:
        raise Refusal(404, "not_here")
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        found = verbatims.newest(
            session, chosen.wanted, chosen.span, of, after=read_spot(after), limit=PAGE
        )
        facts = frame(desk, session, chosen, path=HERE, dimensions=DIMENSIONS)
    facts["others"] = [*facts["others"], *([("of", of)] if of else [])]
    return desk.view(
        "numbers/verbatims.html",
        visitor,
        here="/desk/trends",
        status=status_of(chosen),
        verbatims=found.verbatims,
        back_to=found.after.at if found.after else None,
        more=asked.query(of=of, after=written(found.after)) if found.after else None,
        of=of,
        groups=[(code, code.replace("_", " "), asked.query(of=code)) for code in verbatims.GROUPS],
        everybody=asked.query(),
        **facts,
    )
