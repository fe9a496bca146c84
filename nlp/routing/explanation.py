"""Why a statement was sent where it was: the words that carried it, and what it is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.arrays import FloatArray
from nlp.routing.head import Examples
from nlp.routing.model import SubjectModel
from nlp.routing.subjects import Guess
from nlp.routing.words import WORD

WORDS_SHOWN = 5
MOST_WORDS = 60
"""Of a statement: each is left out once, and every copy has to be embedded."""
LEAST_SHARE = 0.005
NEAREST_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A word, and how much less likely the best offer would be without it."""

    word: str
    share: float
    """In [-1, 1]; what speaks against the offer is below 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A labelled statement, or a description or phrase of the company file."""

    text: str
    label: str
    similarity: float
    is_described: bool
    """Whether the company file says it, not a customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    guess: Guess
    is_learned: bool
    """Whether labels had a say, or the descriptions alone."""
    threshold: float
    """The probability from which a value is given."""
    carriers: tuple[Carrier, ...]
    """The words that mattered most, in either direction."""
    nearest: tuple[Neighbour, ...]


def explain(text: str, kind: str, model: SubjectModel, labelled: Examples) -> Explanation:
    """Explain what *model* says of one statement.

    Leaves out one word after the other and looks what changes (occlusion: Zeiler and Fergus 2014,
    Visualizing and understanding convolutional networks), so it holds for whatever the model does.

    Args:
        text: As it is embedded: what `nlp.clean` leaves of it.
        kind: `nlp.routing.router.TOPIC` or `DEPARTMENT`.
        labelled: What people said of other statements; may be empty, shape ``(0, d)``.
    """
    vector = model.encoder.encode([text])
    [guess] = model.guesses(kind, vector, [text])
    head = model.head(kind)
    return Explanation(
        guess=guess,
        is_learned=head is not None and bool(head.mix[1:].any()),
        threshold=model.threshold(kind),
        carriers=carriers(text, kind, model, guess) if guess.offers else (),
        nearest=nearest(text, vector[0], model, kind, labelled),
    )


def carriers(text: str, kind: str, model: SubjectModel, guess: Guess) -> tuple[Carrier, ...]:
    """What the probability of the best offer loses without each word, the largest change first."""
    words = list(dict.fromkeys(found[0].casefold() for found in WORD.finditer(text)))[:MOST_WORDS]
    if len(words) < 2:  # noqa: PLR2004  (without its only word nothing is left to judge)
        return ()
    copies = [without(text, word) for word in words]
    probability = model.probabilities(kind, model.encoder.encode(copies), copies)
    place = model.classes(kind).index(guess.offers[0][0])
    lost = guess.probability - probability[:, place]
    order = np.argsort(-np.abs(lost), kind="stable")[:WORDS_SHOWN]
    return tuple(
        Carrier(word=words[row], share=float(lost[row]))
        for row in order
        if abs(lost[row]) >= LEAST_SHARE
    )


def without(text: str, word: str) -> str:
    """*text* without *word*, whatever its case, wherever it stands alone."""
    left = WORD.sub(lambda found: "" if found[0].casefold() == word else found[0], text)
    return " ".join(left.split())


def nearest(
    text: str, vector: FloatArray, model: SubjectModel, kind: str, labelled: Examples
) -> tuple[Neighbour, ...]:
    """What people labelled, or the company file says, that is most similar; not *text* itself."""
    anchors = model.anchors(kind).values()
    found = [
        Neighbour(text=other, label=label, similarity=float(similarity), is_described=is_described)
        for examples, is_described in [(labelled, False), *((each, True) for each in anchors)]
        for other, label, similarity in _similar(vector, examples)
        if other != text
    ]
    return tuple(sorted(found, key=lambda each: -each.similarity)[:NEAREST_SHOWN])


def _similar(vector: FloatArray, examples: Examples) -> Sequence[tuple[str, str, float]]:
    if not len(examples.labels):
        return []
    similarity = examples.vectors @ vector
    order = np.argsort(-similarity, kind="stable")[: NEAREST_SHOWN + 1]
    return [(examples.texts[row], examples.labels[row], float(similarity[row])) for row in order]
