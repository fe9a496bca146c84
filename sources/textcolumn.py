"""Which column of an unknown table holds what the customers said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sources.cells import Cells, as_text

_NAMES = (
    "verbatim", "comment", "review", "feedback", "text", "message", "content", "body", "tweet",
    "answer", "response", "description", "opinion", "kommentar", "comentario", "commentaire",
)  # fmt: skip
_NO_PROSE = re.compile(r"(https?://\S+|\S+@\S+|[\d\s.,:;/+TZ-]*)")
_SHORTEST = 8
_BONUS = 3.0
"""How many times longer another column must be to win over one with a telling name."""


def guess_text_column(columns: Sequence[str], sample: Sequence[Cells]) -> str:
    """The column with the most prose, in characters a row; a telling name counts threefold.

    Links, addresses, dates and numbers are no prose. Ties go to the first column.

    Raises:
        ValueError: There is no column.
    """
    if not columns:
        raise ValueError("the table has no columns")
    return max(columns, key=lambda column: _score(column, sample))


def _score(column: str, sample: Sequence[Cells]) -> float:
    words = set(re.split(r"[^a-z]+", column.casefold()))
    texts = [as_text(cells.get(column)) for cells in sample]
    prose = [text for text in texts if not _NO_PROSE.fullmatch(text)]
    length = sum(map(len, prose)) / max(len(texts), 1)
    is_named = bool(words & set(_NAMES)) and not words & {"id", "date", "count", "language"}
    if is_named:
        return max(length, _SHORTEST) * _BONUS
    return length
