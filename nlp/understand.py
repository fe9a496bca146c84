"""The whole reading of verbatims: split, clean, detect, embed, judge.

Each distinct statement is embedded at most once, and not at all if its vector is already
stored. Where there is nothing to embed, no model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nlp.arrays import FloatArray
from nlp.clean import clean, text_hash
from nlp.embed import Encoder
from nlp.language import LanguageDetector, is_latin
from nlp.sentiment import LABELS, UNSURE_BELOW, SentimentModel
from nlp.split import Span, split
from nlp.topics import NO_GUESS, Guess, SubjectModel

MAX_VERSION = 255

Known = Callable[[Sequence[str]], Mapping[str, FloatArray]]
"""Given hashes, the vectors of those that are stored, each of shape ``(d,)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Everything that has a say, made once a process."""

    detector: LanguageDetector
    encoder: Encoder
    sentiment: SentimentModel
    subjects: SubjectModel

    @property
    def version(self) -> str:
        """Changes whenever any of them does; at most 255 characters."""
        parts = (self.encoder, self.sentiment, self.subjects, self.detector)
        version = " ".join(part.version for part in parts)
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
        for statement in _statements(number, verbatim, language, models.sentiment, brand_names)
    ]
    vectors = _vectors(statements, models.encoder, known)
    readings: list[list[StatementReading]] = [[] for _ in verbatims]
    for statement, reading in zip(statements, _judged(statements, vectors, models), strict=True):
        readings[statement.verbatim].append(reading)
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
    sentiment: SentimentModel,
    brand_names: Sequence[str],
) -> Iterable[_Statement]:
    for span in split(verbatim):
        words = clean(verbatim[span.start : span.end], brand_names)
        # Too short to tell is mostly "ok" and "late again": read as a language we know, unless
        # the script already says that it is none.
        supported = language in sentiment.languages or (language is None and is_latin(words))
        yield _Statement(
            verbatim=number, span=span, words=words, key=text_hash(words), is_supported=supported
        )


def _vectors(
    statements: Sequence[_Statement], encoder: Encoder, known: Known | None
) -> dict[str, FloatArray]:
    """By hash, every statement that has words; each distinct one embedded once at most."""
    words = {statement.key: statement.words for statement in statements if _has_words(statement)}
    if not words:
        return {}
    vectors = dict(known(list(words))) if known else {}
    missing = [key for key in words if key not in vectors]
    if missing:
        encoded = encoder.encode([words[key] for key in missing])
        vectors.update(zip(missing, encoded, strict=True))
    return vectors


def _has_words(statement: _Statement) -> bool:
    return any(character.isalnum() for character in statement.words)


def _judged(
    statements: Sequence[_Statement], vectors: Mapping[str, FloatArray], models: Models
) -> list[StatementReading]:
    """Each distinct statement is judged once, too."""
    by_key = {statement.key: statement for statement in statements if statement.key in vectors}
    rows = np.stack([vectors[key] for key in by_key]) if by_key else np.empty((0, 0), np.float32)
    words = [statement.words for statement in by_key.values()]
    feelings = (
        dict(zip(by_key, models.sentiment.predict(words, rows), strict=True)) if words else {}
    )
    subjects = dict(zip(by_key, models.subjects.suggest(rows), strict=True))
    return [
        _reading(
            statement,
            vectors.get(statement.key),
            feelings.get(statement.key),
            *subjects.get(statement.key, (NO_GUESS, NO_GUESS)),
        )
        for statement in statements
    ]


def _reading(
    statement: _Statement,
    vector: FloatArray | None,
    feeling: FloatArray | None,
    topic: Guess,
    department: Guess,
) -> StatementReading:
    sentiment, probabilities = None, None
    if feeling is not None and statement.is_supported:
        sentiment = sentiment_guess(feeling)
        probabilities = (float(feeling[0]), float(feeling[1]), float(feeling[2]))
    elif feeling is not None:
        sentiment = NO_GUESS
        # The encoder reads English: what it finds alike in other languages is chance.
        topic, department = replace(topic, value=None), replace(department, value=None)
    return StatementReading(
        span=statement.span,
        text_hash=statement.key,
        vector=vector,
        sentiment=sentiment,
        probabilities=probabilities,
        topic=topic,
        department=department,
    )
