"""What we would understand of each row of a table. Stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from nlp.arrays import FloatArray
from nlp.mask import Masked, mask_by
from nlp.topics import NO_GUESS, Guess
from nlp.understand import Models, StatementReading, Understanding, sentiment_guess, understand
from nlp.whole import read_whole
from sources.base import Rejected
from sources.items import MAX_TEXT
from sources.tables import Row
from voc.company.model import About
from voc.text import normalise

BATCH_ROWS = 64
LONGEST_TEXT = 10 * MAX_TEXT
"""Characters. What is longer is no comment of a customer, and would hold up all others."""

NO_TEXT = "no text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One statement, and what the models say of it."""

    start: int
    end: int
    text: str
    sentiment: Guess | None
    """None: there were no words. Without offers: the language is not supported."""
    probabilities: tuple[float, float, float] | None
    topic: Guess
    department: Guess


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One row that was read. All text in it is masked."""

    row: int
    place: str
    text: str
    masked: Mapping[str, int]
    language: str | None
    sentiment: Guess | None
    """Of the whole: its words in one piece, and the sum of its statements (`nlp.whole`)."""
    probabilities: tuple[float, float, float] | None
    statements: tuple[Judged, ...]
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """One row that could not be read, and why."""

    row: int
    place: str
    problem: str


Entry = Analysis | Unread


def analyze_rows(
    rows: Iterable[Row | Rejected], text_column: str, models: Models, about: About
) -> Iterator[list[Entry]]:
    """Every row in order, in batches."""
    numbered = enumerate(rows, 1)
    while batch := list(islice(numbered, BATCH_ROWS)):
        yield _analyzed(batch, text_column, models, about)


def _analyzed(
    batch: Sequence[tuple[int, Row | Rejected]], text_column: str, models: Models, about: About
) -> list[Entry]:
    texts: dict[int, Masked] = {}
    entries: dict[int, Entry] = {}
    for number, row in batch:
        text = row.text(text_column) if isinstance(row, Row) else ""
        if problem := _problem(row, text):
            entries[number] = Unread(row=number, place=row.place, problem=problem)
        else:
            texts[number] = mask_by(about, normalise(text))
    verbatims = [masked.text for masked in texts.values()]
    understood = understand(verbatims, models, brand_names=about.brand_names)
    wholes = read_whole(verbatims, models.reader, brand_names=about.brand_names)
    places = {number: row.place for number, row in batch}
    for (number, masked), found, whole in zip(texts.items(), understood, wholes, strict=True):
        entries[number] = _analysis(number, places[number], masked, found, whole)
    return [entries[number] for number in sorted(entries)]


def _problem(row: Row | Rejected, text: str) -> str | None:
    if isinstance(row, Rejected):
        return row.reason
    if len(text) > LONGEST_TEXT:
        return f"the text is longer than {LONGEST_TEXT:,} characters; split it"
    return None


def _analysis(
    row: int, place: str, masked: Masked, found: Understanding, whole: FloatArray
) -> Analysis:
    statements = tuple(_judged(masked.text, each) for each in found.statements)
    is_judged = any(each.probabilities is not None for each in statements)
    return Analysis(
        row=row,
        place=place,
        text=masked.text,
        masked=masked.counts,
        language=found.language,
        sentiment=sentiment_guess(whole) if is_judged else None,
        probabilities=(float(whole[0]), float(whole[1]), float(whole[2])) if is_judged else None,
        statements=statements,
        note=_note(masked.text, found.language, statements),
    )


def _judged(text: str, reading: StatementReading) -> Judged:
    start, end = reading.span
    return Judged(
        start=start,
        end=end,
        text=" ".join(text[start:end].split()),
        sentiment=reading.sentiment,
        probabilities=reading.probabilities,
        topic=reading.topic,
        department=reading.department,
    )


def _note(text: str, language: str | None, statements: Sequence[Judged]) -> str | None:
    if not text:
        return NO_TEXT
    if len(text) > MAX_TEXT:
        return f"longer than {MAX_TEXT:,} characters: `voc run` would put it into quarantine"
    if any(each.sentiment == NO_GUESS for each in statements):
        return f"sentiment is not supported in {language or 'this script'}"
    return None
