"""How much models were asked, week by week, and how often they were not sure enough."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlmodel import Session, col, select

from voc.models import SuggestionCount, SuggestionKind
from voc.store.upsert import insert_new, table_of

Asked = tuple[str, SuggestionKind, str]
"""Week, kind, and the model's version."""


def add(session: Session, counts: Mapping[Asked, tuple[int, int]]) -> None:
    """Add to what was counted: statements asked about, and those of them that got no value.

    Rows are taken in one order, so that of two who add at once neither waits for the other twice.
    """
    keys = ("week", "kind", "model")
    rows = [dict(zip(keys, asked, strict=True)) for asked in sorted(counts)]
    insert_new(session, SuggestionCount, [row | {"asked": 0, "unsure": 0} for row in rows])
    table = table_of(SuggestionCount)
    ours = sa.and_(*(table.c[key] == sa.bindparam(f"the_{key}") for key in keys))
    added = {name: table.c[name] + sa.bindparam(f"more_{name}") for name in ("asked", "unsure")}
    values = [
        {f"the_{key}": value for key, value in row.items()}
        | dict(zip(("more_asked", "more_unsure"), counts[asked], strict=True))
        for row, asked in zip(rows, sorted(counts), strict=True)
    ]
    if values:
        session.connection().execute(sa.update(table).where(ours).values(added), values)


def since(session: Session, week: str) -> list[SuggestionCount]:
    """What was counted from *week* on, the oldest first."""
    query = select(SuggestionCount).where(SuggestionCount.week >= week)
    order = (col(SuggestionCount.week), col(SuggestionCount.kind), col(SuggestionCount.model))
    return list(session.exec(query.order_by(*order)))
