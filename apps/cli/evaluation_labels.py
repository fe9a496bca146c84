"""What stands in a label column, as each task understands it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from apps.cli.evaluation_data import UnusableLabelError
from apps.cli.unknown_table import shown_columns
from nlp.evaluation.masking import Marked
from nlp.evaluation.statements import Sentence, sentence_of
from nlp.sentiment import LABELS
from sources.cells import Cell, as_number, as_text
from sources.strictjson import JsonError, parse_json
from voc.text import normalise

L = TypeVar("L")
STARS = (
    "the label is a number; sentiment is measured against words: add a column that says "
    "negative, neutral or positive (of five stars, mostly 1-2, 3 and 4-5)"
)


@dataclass(frozen=True, slots=True)
class LabelKind(Generic[L]):
    """How the labels of a task are read, and what their column is mostly called."""

    parse: Callable[[Cell, str], L]
    names: tuple[str, ...]


def sentiment_label(cell: Cell, text: str) -> str:
    """One of `nlp.sentiment.LABELS`, whatever its case."""
    label = as_text(cell).casefold()
    if label in LABELS:
        return label
    if as_number(cell, ".") is not None:
        raise UnusableLabelError(STARS)
    shown = shown_columns([as_text(cell)])
    raise UnusableLabelError(
        f"the label is none of {', '.join(LABELS)}: {shown}; rewrite it as one of them"
    )


def subject_label(cell: Cell, text: str) -> str:
    """A department, topic, intent or whatever else people sorted texts by."""
    return normalise(as_text(cell))


def marked_spans(cell: Cell, text: str) -> tuple[Marked, ...]:
    """``[[kind, words, start, end], ...]`` or ``[{"kind", "start", "end"}, ...]``, as JSON."""
    spans = tuple(_marked(each) for each in _json_list(cell))
    if not all(0 <= span.start < span.end <= len(text) for span in spans):
        raise UnusableLabelError("a span does not lie inside the text")
    return spans


def judged_aspects(cell: Cell, text: str) -> Sentence:
    """``[[category, polarity], ...]``, or quads as `nlp.evaluation.statements` reads them; JSON."""
    found = _json_list(cell)
    is_quads = bool(found) and all(isinstance(each, str) for each in found)
    try:
        sentence = sentence_of({"text": text, "quads" if is_quads else "categories": found})
    except (ValueError, IndexError, TypeError):
        raise UnusableLabelError("the label is no list of [category, polarity]") from None
    strange = {aspect.polarity for aspect in sentence.aspects} - set(LABELS)
    if strange:
        shown = shown_columns(sorted(strange))
        raise UnusableLabelError(f"a polarity is none of {', '.join(LABELS)}: {shown}")
    return sentence


def _marked(each: Any) -> Marked:
    match each:
        case (
            [str(kind), *_, int(start), int(end)]
            | {"kind": str(kind), "start": int(start), "end": int(end)}
            | {"entity_type": str(kind), "start": int(start), "end": int(end)}
        ):
            return Marked(kind, start, end)
    raise UnusableLabelError("a span is no [kind, words, start, end]")


def _json_list(cell: Cell) -> Sequence[Any]:
    try:
        found = parse_json(as_text(cell))
    except JsonError:
        found = None
    if not isinstance(found, list):
        raise UnusableLabelError("the label is no list in JSON")
    return found


SENTIMENTS = LabelKind(sentiment_label, ("label", "sentiment", "polarity", "gold"))
SUBJECTS = LabelKind(
    subject_label,
    ("label", "department", "topic", "theme", "reason", "category", "intent", "class"),
)
SPANS = LabelKind(marked_spans, ("spans", "entities"))
ASPECTS = LabelKind(judged_aspects, ("quads", "categories", "aspects"))
