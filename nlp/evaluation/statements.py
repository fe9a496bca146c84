"""How well the statements of a sentence keep apart what is said of different aspects.

On sentences that judge two aspects differently ("the food was great but the waiter rude"), one
sentiment for the sentence must be wrong about one of them. Here each labelled aspect is looked
up in the statement it is about, and that statement's sentiment is compared with its label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlp.arrays import FloatArray, IntArray
from nlp.aspects import aspect_clauses
from nlp.clean import clean
from nlp.evaluation.measures import accuracy, recalls
from nlp.reader import Reader
from nlp.sentiment import LABELS
from nlp.split import Span, split

BLOCK = 256
"""Texts that are read at once, so that progress can be told."""
_NO_TERM = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """What somebody marked: an aspect and how it is judged."""

    category: str
    polarity: str
    """One of `nlp.sentiment.LABELS`."""
    term: Span | None = None
    """Where in the text it is named, if it is."""
    opinion: Span | None = None
    """The words that judge it, if they are marked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    text: str
    aspects: tuple[Aspect, ...]

    @property
    def is_mixed(self) -> bool:
        return len({aspect.polarity for aspect in self.aspects}) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementReport:
    metrics: dict[str, float]
    """On mixed sentences, forced choice: ``accuracy`` of the statement an aspect is about,
    ``accuracy_sentence`` of the whole sentence, ``recall_LABEL`` of the statements.

    Of the cuts alone: ``separated``, the share of aspects whose statement holds none of another
    polarity; ``accuracy_separated``, the accuracy of those; ``ceiling``, what a perfect sentiment
    of each statement could reach.

    On every sentence: ``accuracy_all``, ``accuracy_all_sentence``; ``kept_together``, how often an
    aspect and the words that judge it, both marked, stand in one statement: the price of cuts."""
    sentences: int
    mixed: int
    aspects: int
    """Of the mixed sentences."""
    statements: int
    """Of the mixed sentences."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What was said of the aspects of some sentences, each shape ``(a,)``."""

    gold: IntArray
    by_statement: IntArray
    by_sentence: IntArray
    is_separated: IntArray
    is_commonest: IntArray
    """Whether most aspects of its statement are judged alike; ties go to the first."""


def evaluate_statements(
    sentences: Sequence[Sentence],
    reader: Reader,
    *,
    descriptions: Mapping[str, str] | None = None,
    advance: Callable[[int], None] = lambda texts: None,
) -> StatementReport:
    """Split each sentence, judge its statements, and compare with what people marked.

    An aspect that is named in the text is looked up where it is named, any other in the
    statement nearest to its description (`nlp.aspects`).

    Args:
        descriptions: What a category is in words; left out, its name is read as words.
        advance: Told how many more texts were read: a sentence and its statements are texts.

    Raises:
        ValueError: No sentence has aspects of two polarities, or a polarity is none of ours.
    """
    sentences = [sentence for sentence in sentences if sentence.aspects]
    spans = [split(sentence.text) for sentence in sentences]
    read = _Reading(sentences, spans, reader, advance)
    categories = sorted({aspect.category for each in sentences for aspect in each.aspects})
    words = [(descriptions or {}).get(category, described(category)) for category in categories]
    vectors = reader.encode(words)
    told = [
        _told(sentence, read, cut, categories, vectors)
        for sentence, cut in zip(sentences, spans, strict=True)
    ]
    mixed = [place for place, sentence in enumerate(sentences) if sentence.is_mixed]
    return StatementReport(
        metrics=_metrics(_together([told[place] for place in mixed]), _together(told))
        | _kept_together(sentences, spans),
        sentences=len(sentences),
        mixed=len(mixed),
        aspects=sum(len(sentences[place].aspects) for place in mixed),
        statements=sum(len(spans[place]) for place in mixed),
    )


def sentence_of(row: Mapping[str, Any]) -> Sentence:
    """A row of a labelled set: ``text``, ``categories`` as pairs, and ``quads`` where they are.

    A quad is "FROM,TO CATEGORY POLARITY FROM,TO" in words of the text: the aspect's term, then
    the opinion's; -1,-1 where it is not named; the polarity a place in `LABELS`.
    """
    text = str(row["text"])
    quads = row.get("quads")
    if not quads:
        pairs = dict.fromkeys(
            (str(category), str(polarity)) for category, polarity in row["categories"]
        )
        aspects = [Aspect(category=category, polarity=polarity) for category, polarity in pairs]
    else:
        words = _word_spans(text)
        aspects = [_aspect_of(str(quad).split(), words) for quad in quads]
    return Sentence(text=text, aspects=tuple(aspects))


def described(category: str) -> str:
    """Say "FOOD#STYLE_OPTIONS" as words: "the food style options"."""
    words = category.lower().replace("#", " ").replace("_", " ").split()
    return " ".join(["the", *(word for word in words if word != "general")])


def _aspect_of(quad: Sequence[str], words: Sequence[Span]) -> Aspect:
    term, category, polarity, opinion = quad
    if int(polarity) not in range(len(LABELS)):
        raise ValueError("a quad has a polarity that is none")
    return Aspect(
        category=category,
        polarity=LABELS[int(polarity)],
        term=_named(term, words),
        opinion=_named(opinion, words),
    )


def _named(range_of_words: str, words: Sequence[Span]) -> Span | None:
    first, end = map(int, range_of_words.split(","))
    if first == _NO_TERM:
        return None
    if not 0 <= first < end <= len(words):
        raise ValueError("a quad names words that are not there")
    return Span(words[first].start, words[end - 1].end)


def _word_spans(text: str) -> list[Span]:
    spans = []
    reached = 0
    for word in text.split():
        start = text.index(word, reached)
        reached = start + len(word)
        spans.append(Span(start, reached))
    return spans


class _Reading:
    """Vectors and answers of every sentence and statement, each distinct text read once."""

    def __init__(
        self,
        sentences: Sequence[Sentence],
        spans: Sequence[Sequence[Span]],
        reader: Reader,
        advance: Callable[[int], None],
    ) -> None:
        pieces = [
            clean(piece)
            for sentence, cut in zip(sentences, spans, strict=True)
            for piece in (sentence.text, *(sentence.text[start:end] for start, end in cut))
        ]
        words = list(dict.fromkeys(pieces))
        self._rows = {each: row for row, each in enumerate(words)}
        vectors, answers = [], []
        for start in range(0, len(words), BLOCK):
            block = words[start : start + BLOCK]
            said = reader.read(block)
            vectors.append(said.vectors)
            answers.append(said.probabilities.argmax(axis=1))
            advance(len(block))
        self._vectors = np.vstack(vectors) if vectors else np.zeros((0, 0), np.float32)
        self._answers = np.concatenate(answers) if answers else np.zeros(0, np.int64)

    def vector(self, text: str) -> FloatArray:
        row: FloatArray = self._vectors[self._rows[clean(text)]]
        return row

    def answer(self, text: str) -> int:
        return int(self._answers[self._rows[clean(text)]])


def _told(
    sentence: Sentence,
    read: _Reading,
    spans: Sequence[Span],
    categories: Sequence[str],
    vectors: FloatArray,
) -> _Told:
    pieces = [sentence.text[start:end] for start, end in spans]
    nearest = aspect_clauses(np.stack([read.vector(piece) for piece in pieces]), vectors).places
    places = [
        int(nearest[categories.index(aspect.category)])
        if aspect.term is None
        else _place_of(aspect.term, spans)
        for aspect in sentence.aspects
    ]
    polarities: dict[int, Counter[str]] = {place: Counter() for place in places}
    for place, aspect in zip(places, sentence.aspects, strict=True):
        polarities[place][aspect.polarity] += 1
    return _Told(
        gold=np.array([LABELS.index(aspect.polarity) for aspect in sentence.aspects], np.int64),
        by_statement=np.array([read.answer(pieces[place]) for place in places], np.int64),
        by_sentence=np.full(len(places), read.answer(sentence.text), np.int64),
        is_separated=np.array([len(polarities[place]) == 1 for place in places], np.int64),
        is_commonest=np.array(
            [
                polarities[place].most_common(1)[0][0] == aspect.polarity
                for place, aspect in zip(places, sentence.aspects, strict=True)
            ],
            np.int64,
        ),
    )


def _place_of(term: Span, spans: Sequence[Span]) -> int:
    return next(place for place, span in enumerate(spans) if term.start < span.end)


def _together(told: Sequence[_Told]) -> _Told:
    if not told:
        raise ValueError("no sentence judges two aspects differently: there is nothing to measure")
    return _Told(
        *(
            np.concatenate([getattr(each, name) for each in told])
            for name in ("gold", "by_statement", "by_sentence", "is_separated", "is_commonest")
        )
    )


def _metrics(mixed: _Told, every: _Told) -> dict[str, float]:
    apart = mixed.is_separated == 1
    found = recalls(mixed.by_statement, mixed.gold, len(LABELS))
    return {
        "accuracy": accuracy(mixed.by_statement, mixed.gold),
        "accuracy_sentence": accuracy(mixed.by_sentence, mixed.gold),
        "accuracy_all": accuracy(every.by_statement, every.gold),
        "accuracy_all_sentence": accuracy(every.by_sentence, every.gold),
        **{
            f"recall_{label}": float(share)
            for label, share in zip(LABELS, found, strict=True)
            if not np.isnan(share)
        },
        "ceiling": float(mixed.is_commonest.mean()),
        "separated": float(apart.mean()),
        **(
            {"accuracy_separated": accuracy(mixed.by_statement[apart], mixed.gold[apart])}
            if apart.any()
            else {}
        ),
    }


def _kept_together(
    sentences: Sequence[Sentence], spans: Sequence[Sequence[Span]]
) -> dict[str, float]:
    kept = Counter(_is_kept(sentences, spans))
    return {"kept_together": kept[True] / kept.total()} if kept else {}


def _is_kept(sentences: Sequence[Sentence], spans: Sequence[Sequence[Span]]) -> Iterator[bool]:
    for sentence, cut in zip(sentences, spans, strict=True):
        for aspect in sentence.aspects:
            if aspect.term and aspect.opinion:
                yield _place_of(aspect.term, cut) == _place_of(aspect.opinion, cut)
