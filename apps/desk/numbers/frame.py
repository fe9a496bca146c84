"""What all pages of numbers have in common: the filter, how fresh they are, and downloads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fastapi.responses import Response
from sqlmodel import Session

from apps.desk.access.gate import Visitor
from apps.desk.desk import Desk
from apps.desk.guards import DESK_HEADERS
from apps.desk.numbers.charts import monday, sunday
from apps.desk.numbers.filters import PERIODS, Asked, Choice, Filter, choices_for, cleared
from apps.desk.numbers.terms import TERMS
from voc import spreadsheet
from voc.company.model import Company
from voc.store import weekly

LABELS = {
    "channel": "Channel",
    "touchpoint": "Touchpoint",
    "stage": "Journey stage",
    "product": "Product",
    "segment": "Segment",
    "department": "Department",
}


def frame(
    desk: Desk, session: Session, chosen: Filter, *, path: str, dimensions: Sequence[str]
) -> dict[str, Any]:
    """The facts of the filter's form and of the notes at the top."""
    found = weekly.choices(session, chosen.weeks) if "channel" in dimensions else {}
    offered = choices_for(desk.company, found, chosen.value)
    fields = [(name, LABELS[name], offered[name], chosen.value[name]) for name in dimensions]
    return {
        "terms": TERMS,
        "path": path,
        "query": chosen.asked.query(),
        "cleared": cleared(chosen.asked).query(),
        "fields": [each for each in fields if each[2]],
        "others": _carried(chosen.asked, dimensions),
        "periods": [(str(n), name) for n, name in PERIODS.items()],
        "chosen": chosen,
        "in_words": in_words(chosen, fields),
        "counted_at": weekly.counted_at(session),
    }


def in_words(chosen: Filter, fields: Sequence[tuple[str, str, list[Choice], str]]) -> str:
    """What the numbers are about, in one line."""
    weeks = f"{len(chosen.weeks)} weeks" if len(chosen.weeks) > 1 else "1 week"
    period = f"{weeks}, {monday(chosen.weeks[0])} to {sunday(chosen.weeks[-1])}"
    given = [
        f"{name} {dict(all_of).get(value, value)}" for _, name, all_of, value in fields if value
    ]
    return " · ".join([period, *given])


def _carried(asked: Asked, dimensions: Sequence[str]) -> list[tuple[str, str]]:
    """What this page cannot be filtered by, and other pages can."""
    return [(name, value) for name, value in asked.values.items() if name not in dimensions]


def department_name(company: Company, department: str) -> str:
    """What people call it, also if it has left the company file since."""
    names = {each.id: each.name for each in company.departments}
    return names.get(department) or f"{department} (not in the company file)"


def status_of(chosen: Filter) -> int:
    """A page whose dates could not be read is shown all the same, and is no success."""
    return 422 if chosen.problem else 200


def download(
    name: str, header: Sequence[str], rows: Iterable[Sequence[object]], visitor: Visitor
) -> Response:
    """A table as a file for spreadsheets."""
    headers = dict(DESK_HEADERS) | {
        "Content-Disposition": f'attachment; filename="{name}-{visitor.now:%Y-%m-%d}.csv"'
    }
    # The mark tells Excel that it is UTF-8.
    text = "\ufeff" + spreadsheet.table(header, rows)
    return Response(text, headers=headers, media_type="text/csv; charset=utf-8")
