"""The whole reading of verbatims: split, clean, detect, read, judge.

All distinct statements go through the reader once, together. A vector that is already stored
wins over the one just computed, so that vectors are stable; the sentiment is always today's.
Where there are no words, no model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from nlp.arrays import FloatArray
from nlp.clean import clean, text_hash
from nlp.language import LanguageDetector, is_latin
from nlp.reader import Reader
from nlp.sentiment import LABELS, UNSURE_BELOW
from nlp.split import Span, split
from nlp.topics import NO_GUESS, Guess, SubjectModel

MAX_VERSION = 255

Known = Callable[[Sequence[str]], Mapping[str, FloatArray]]
"""Given hashes, the vectors of those that are stored, each of shape ``(d,)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Everything that has a say, made once a process."""

    detector: LanguageDetector
    reader: Reader
    subjects: SubjectModel

    @property
    def version(self) -> str:
        """Changes whenever any of them does; at most 255 characters."""
        reader = self.reader
        parts = (reader.encoder_version, reader.sentiment_version)
        version = " ".join((*parts, self.subjects.version, self.detector.version))
        return version if len(version) <= MAX_VERSION else f"models@{text_hash(version)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementReading:
    span: Span
    text_hash: str
    """Of what was embedded: the statement's words as `nlp.clean` leaves them."""
    vector: FloatArray | None
    """Shape ``(d,)``; None where there were no words to embed."""
    sentiment: Guess | None
    """None: there were no words. Without offers: the language is not supported."""
    probabilities: tuple[float, float, float] | None
    """In the order of `nlp.sentiment.LABELS`."""
    topic: Guess
    department: Guess


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    language: str | None
    """Of the whole verbatim: statements are too short to tell."""
    statements: tuple[StatementReading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    verbatim: int
    span: Span
    words: str
    key: str
    is_supported: bool


class _Judged(NamedTuple):
    """What the models say of a distinct statement."""

    vector: FloatArray | None
    feeling: FloatArray | None
    topic: Guess
    department: Guess


_SILENT = _Judged(None, None, NO_GUESS, NO_GUESS)


def understand(
    verbatims: Sequence[str],
    models: Models,
    *,
    brand_names: Sequence[str] = (),
    known: Known | None = None,
) -> list[Understanding]:
    """Read *verbatims*, personal data already masked; one understanding each, in order.

    Args:
        brand_names: The company's own names, which must not decide what is similar.
        known: Asked once for the vectors of this call that are already stored.
    """
    languages = models.detector.detect(verbatims)
    statements = [
        statement
        for number, (verbatim, language) in enumerate(zip(verbatims, languages, strict=True))
        for statement in _statements(
            number, verbatim, language, models.reader.languages, brand_names
        )
    ]
    judged = _judged(statements, models, known)
    readings: list[list[StatementReading]] = [[] for _ in verbatims]
    for statement in statements:
        readings[statement.verbatim].append(_reading(statement, judged.get(statement.key)))
    return [
        Understanding(language=language, statements=tuple(read))
        for language, read in zip(languages, readings, strict=True)
    ]


def sentiment_guess(probabilities: FloatArray) -> Guess:
    """The likeliest label, or none below `UNSURE_BELOW`. *probabilities*: shape ``(3,)``."""
    order = np.argsort(-probabilities, kind="stable")
    offers = tuple((LABELS[place], float(probabilities[place])) for place in order)
    label, probability = offers[0]
    value = label if probability >= UNSURE_BELOW else None
    return Guess(value=value, probability=probability, offers=offers)


def _statements(
    number: int,
    verbatim: str,
    language: str | None,
    languages: frozenset[str],
    brand_names: Sequence[str],
) -> Iterable[_Statement]:
    for span in split(verbatim):
        words = clean(verbatim[span.start : span.end], brand_names)
        # Too short to tell is mostly "ok" and "late again": read as a language we know, unless
        # the script already says that it is none.
        supported = language in languages or (language is None and is_latin(words))
        yield _Statement(
            verbatim=number, span=span, words=words, key=text_hash(words), is_supported=supported
        )


def _has_words(statement: _Statement) -> bool:
    return any(character.isalnum() for character in statement.words)


def _judged(
    statements: Sequence[_Statement], models: Models, known: Known | None
) -> dict[str, _Judged]:
    """By hash, every statement that has words; each distinct one judged once."""
    words = {statement.key: statement.words for statement in statements if _has_words(statement)}
    if not words:
        return {}
    read = models.reader.read(list(words.values()))
    stored = known(list(words)) if known else {}
    for row, key in enumerate(words):
        if key in stored:
            read.vectors[row] = stored[key]
    subjects = models.subjects.suggest(read.vectors, list(words.values()))
    return {
        key: _Judged(vector, feeling, *guesses)
        for key, vector, feeling, guesses in zip(
            words, read.vectors, read.probabilities, subjects, strict=True
        )
    }


def _reading(statement: _Statement, judged: _Judged | None) -> StatementReading:
    if judged is None:
        judged = _SILENT
    sentiment, probabilities = None, None
    topic, department = judged.topic, judged.department
    if judged.feeling is not None and statement.is_supported:
        sentiment = sentiment_guess(judged.feeling)
        negative, neutral, positive = judged.feeling.tolist()
        probabilities = (negative, neutral, positive)
    elif judged.feeling is not None:
        sentiment = NO_GUESS
        # The encoder reads English: what it finds alike in other languages is chance.
        topic, department = replace(topic, value=None), replace(department, value=None)
    return StatementReading(
        span=statement.span,
        text_hash=statement.key,
        vector=judged.vector,
        sentiment=sentiment,
        probabilities=probabilities,
        topic=topic,
        department=department,
    )
