"""What people say of statements and texts: kept, so that it wins and teaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from voc.company.model import Company
from voc.errors import ConfigurationError, NotFoundError
from voc.models import Label, LabelledText, Statement, SuggestionKind
from voc.store import labels
from voc.store.touched import touch_statements

SENTIMENTS = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A text from a file, masked and cleaned as statements are."""

    text: str
    text_hash: str
    value: str


def values_of(company: Company, kind: SuggestionKind) -> tuple[str, ...]:
    """What a label of this kind can say, as the company file names it."""
    match kind:
        case SuggestionKind.DEPARTMENT:
            return tuple(department.id for department in company.departments)
        case SuggestionKind.TOPIC:
            return tuple(topic.id for topic in company.topics)
        case SuggestionKind.SENTIMENT:
            return SENTIMENTS


def spelled(kind: SuggestionKind, value: str) -> str:
    """*value* as it is kept: the words for a sentiment are ours, so their case says nothing."""
    return value.casefold() if kind is SuggestionKind.SENTIMENT else value


def require_value(company: Company, kind: SuggestionKind, value: str) -> None:
    """Refuse what no statement can be.

    Raises:
        ConfigurationError: It names what is possible.
    """
    if value not in (known := values_of(company, kind)):
        choice = ", ".join(known) or "none: the company file names none"
        raise ConfigurationError(f"no {kind.value} {value!r}; use one of: {choice}")


def set_label(
    session: Session,
    statement_id: int,
    kind: SuggestionKind,
    value: str,
    company: Company,
    *,
    actor: str,
    now: datetime,
) -> Label:
    """Say what a statement is. It wins over suggestions and older labels, and it teaches.

    Raises:
        ConfigurationError: The company has no such department or topic.
        NotFoundError: There is no such statement.
    """
    value = spelled(kind, value)
    require_value(company, kind, value)
    if session.get(Statement, statement_id) is None:
        raise NotFoundError(f"there is no statement {statement_id}")
    label = Label(statement_id=statement_id, kind=kind, value=value, actor=actor, at=now)
    session.add(label)
    touch_statements(session, [statement_id])
    return label


def import_labels(
    session: Session, texts: Sequence[Imported], kind: SuggestionKind, *, actor: str, now: datetime
) -> Counter[str]:
    """Keep labelled texts; again is harmless. Of a text that comes twice the last one counts.

    Values are taken as they are: `require_value` comes first.
    """
    last = {each.text_hash: each for each in texts}
    known = labels.imported_values(session, kind, list(last))
    counts: Counter[str] = Counter(repeated=len(texts) - len(last))
    changed = []
    for each in last.values():
        before = known.get(each.text_hash)
        if before == each.value:
            counts["unchanged"] += 1
            continue
        counts["new" if before is None else "changed"] += 1
        changed.append(
            LabelledText(
                text=each.text,
                text_hash=each.text_hash,
                kind=kind,
                value=each.value,
                actor=actor,
                at=now,
            )
        )
    labels.keep_imported(session, changed)
    return counts
