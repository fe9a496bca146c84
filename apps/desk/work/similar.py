"""Resolved tickets like this one, and what helped there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from voc.models import Ticket
from voc.store import ticket_past, ticket_words
from voc.store.ticket_past import Solved

SHOWN = 3
ALIKE = 0.5
"""Cosine below which two issues have little in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """A resolved ticket, and how like this one it is: 0 to 100."""

    id: int
    percent: int
    root_cause: str = field(repr=False)
    action: str = field(repr=False)
    resolved_at: datetime
    came_back: str | None
    """Why, if it was reopened."""


def similar_to(session: Session, ticket: Ticket) -> list[Similar]:
    """The most similar of the department's newest resolved tickets, the most similar first."""
    by_model = ticket_past.vectors_of(session, ticket.id or 0)
    if not by_model:
        return []
    model, vectors = max(by_model.items(), key=lambda pair: len(pair[1]))
    solved = ticket_past.solved_before(session, ticket, model)
    scored = sorted(
        zip(_cosines(vectors, solved), solved, strict=True),
        key=lambda pair: (-pair[0], -pair[1].id),
    )
    alike = [(cosine, each) for cosine, each in scored[:SHOWN] if cosine >= ALIKE]
    why = ticket_words.came_back(session, {each.id: each.round for _, each in alike})
    return [
        Similar(
            id=each.id,
            percent=round(cosine * 100),
            root_cause=each.root_cause,
            action=each.action,
            resolved_at=each.resolved_at,
            came_back=why.get(each.id),
        )
        for cosine, each in alike
    ]


def _cosines(vectors: list[bytes], solved: list[Solved]) -> list[float]:
    """Of each solved ticket the best match between a statement of its and one of ours."""
    import numpy as np  # takes longer to import than the rest of the desk

    def rows(each: Sequence[bytes]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        return np.frombuffer(b"".join(each), dtype="<f4").reshape(len(each), -1)

    ours = rows(vectors).T
    return [float((rows(each.vectors) @ ours).max()) for each in solved]
