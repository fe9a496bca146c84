"""The audit log: who saw and did what, newest first."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, StreamingResponse

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import REVIEWERS
from apps.desk.desk import Desk, TheDesk
from apps.desk.guards import DESK_HEADERS
from voc.columns import LARGEST
from voc.models import AuditEntry
from voc.spreadsheet import harmless
from voc.store import audit
from voc.store.database import reading

router = APIRouter()

PAGE = 50
CHUNK = 1_000
DEEDS = (
    "signed_in",
    "sign_in_failed",
    "signed_out",
    "saw",
    "unsealed",
    "account_created",
    "account_changed",
    "account_closed",
    "password_link_made",
    "password_set",
    "token_created",
    "token_revoked",
)
"""The most asked for: offered where a deed is typed."""
COLUMNS = ("id", "at", "actor", "deed", "subject", "detail")

Asked = Annotated[str, Query(max_length=255)]


@router.get("/desk/audit")
def show_log(
    *,
    desk: TheDesk,
    visitor: Visitor = see(REVIEWERS),
    actor: Asked = "",
    subject: Asked = "",
    deed: Asked = "",
    before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> HTMLResponse:
    wanted = _wanted(actor, subject, deed)
    with reading(desk.engine) as session:
        rows = audit.entries(session, **wanted, before=before, limit=PAGE + 1)
    asked = {name: value for name, value in wanted.items() if value}
    last = rows[PAGE - 1].id if len(rows) > PAGE else None
    return desk.view(
        "access/audit.html",
        visitor,
        here="/desk/audit",
        entries=rows[:PAGE],
        wanted=wanted,
        deeds=DEEDS,
        is_filtered=bool(asked),
        newest=f"?{urlencode(asked)}" if before else "",
        older=f"?{urlencode({**asked, 'before': last})}" if last else "",
        download=f"?{urlencode(asked)}",
    )


@router.get("/desk/audit.csv")
def download(
    desk: TheDesk,
    visitor: Visitor = see(REVIEWERS),
    actor: Asked = "",
    subject: Asked = "",
    deed: Asked = "",
) -> StreamingResponse:
    visitor.saw("audit")
    lines = _lines(desk, _wanted(actor, subject, deed))
    headers = {**DESK_HEADERS, "Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _wanted(actor: str, subject: str, deed: str) -> dict[str, str]:
    """What is looked for. Addresses are kept in small letters; login names as they are."""
    who = actor.strip()
    who = who.lower() if "@" in who else who
    return {"actor": who, "subject": subject.strip(), "deed": deed.strip()}


def _lines(desk: Desk, wanted: Mapping[str, str]) -> Iterator[str]:
    """The whole log in pieces: it is longer than fits into memory."""
    yield ",".join(COLUMNS) + "\r\n"
    before: int | None = None
    while True:
        with reading(desk.engine) as session:
            rows = audit.entries(session, **wanted, before=before, limit=CHUNK)
        if not rows:
            return
        piece = io.StringIO()
        csv.writer(piece).writerows(_cells(row) for row in rows)
        yield piece.getvalue()
        before = rows[-1].id


def _cells(row: AuditEntry) -> list[object]:
    cells = (row.id, row.at.isoformat(), row.actor, row.deed, row.subject, row.detail)
    return [harmless(cell) for cell in cells]
