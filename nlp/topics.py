"""Statements to topics and departments, by what the company says each of them is about.

No labels are needed: a subject is described in a sentence or two and with example phrases, and
a statement belongs where its vector is nearest. Which way it errs: what is not clearly nearer
to one subject than to the others gets no value, only offers, and a person decides.
`docs/models/routing.md` has the measurements behind the constants.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.arrays import FloatArray
from nlp.clean import text_hash
from nlp.embed import Encoder
from nlp.sentiment import softmax

SHARPNESS = 50.0
"""Of the soft maximum over a subject's texts: the nearest decides, near ones help."""
TEMPERATURE = 0.06
MIN_PROBABILITY = 0.5
MIN_SIMILARITY = 0.25
OFFERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A topic, and the department that owns it."""

    id: str
    department: str
    texts: tuple[str, ...]
    """Its description and example phrases, at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a model says, and what it would offer a person."""

    value: str | None
    """None: not sure enough, or not asked."""
    probability: float
    """Of the best offer, whether or not it became the value; 0 if there is none."""
    offers: tuple[tuple[str, float], ...]
    """The three best with their probabilities, best first."""


NO_GUESS = Guess(value=None, probability=0.0, offers=())


class SubjectModel:
    """Judges statements against a company's topics and departments.

    Their texts are embedded with the first statements, once; making one costs nothing.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        departments: Mapping[str, Sequence[str]],
        encoder: Encoder,
    ) -> None:
        """*departments*: id to description and example texts; subjects may name others, too."""
        self._encoder = encoder
        self._topics = {subject.id: tuple(subject.texts) for subject in subjects}
        self._departments = {name: tuple(texts) for name, texts in departments.items()}
        for subject in subjects:
            own = self._departments.get(subject.department, ())
            self._departments[subject.department] = own + tuple(subject.texts)
        self._lock = threading.Lock()
        self._anchors: dict[str, FloatArray] | None = None

    @property
    def version(self) -> str:
        settings = (SHARPNESS, TEMPERATURE, MIN_PROBABILITY, MIN_SIMILARITY)
        said = (sorted(self._topics.items()), sorted(self._departments.items()))
        return f"subjects@{text_hash(repr((self._encoder.version, settings, said)))[:12]}"

    def suggest(self, vectors: FloatArray) -> list[tuple[Guess, Guess]]:
        """Topic and department of each statement.

        Args:
            vectors: Statements, shape ``(n, d)``, rows of length 1.
        """
        if len(vectors) == 0:
            return []
        topics = self._guesses(vectors, self._topics)
        departments = self._guesses(vectors, self._departments)
        return list(zip(topics, departments, strict=True))

    def _guesses(self, vectors: FloatArray, groups: Mapping[str, tuple[str, ...]]) -> list[Guess]:
        described = {name: texts for name, texts in groups.items() if texts}
        if not described:
            return [NO_GUESS] * len(vectors)
        anchors = self._embedded()
        similarity = [
            vectors @ np.vstack([anchors[text] for text in texts]).T for texts in described.values()
        ]
        scores = np.column_stack([soft_maximum(columns) for columns in similarity])
        nearest = np.column_stack([columns.max(axis=1) for columns in similarity]).max(axis=1)
        probabilities = softmax(scores / TEMPERATURE)
        names = list(described)
        return [
            guess(names, row, float(near)) for row, near in zip(probabilities, nearest, strict=True)
        ]

    def _embedded(self) -> dict[str, FloatArray]:
        with self._lock:
            if self._anchors is None:
                groups = [*self._topics.values(), *self._departments.values()]
                texts = list(dict.fromkeys(text for group in groups for text in group))
                self._anchors = dict(zip(texts, self._encoder.encode(texts), strict=True))
            return self._anchors


def soft_maximum(similarity: FloatArray) -> FloatArray:
    """Over a subject's texts, shape ``(n, m)`` to ``(n,)``; more texts are no advantage."""
    # At most exp(50), which float32 holds.
    powers = np.exp(SHARPNESS * similarity).mean(axis=1)
    score: FloatArray = (np.log(powers) / SHARPNESS).astype(np.float32)
    return score


def guess(names: Sequence[str], probabilities: FloatArray, similarity: float) -> Guess:
    """The best of *names*, if it is likely enough and anything at all was similar.

    Args:
        probabilities: Shape ``(k,)``, in the order of *names*; ties go to the earlier name.
        similarity: Of the nearest text, in [-1, 1].
    """
    best = np.argsort(-probabilities, kind="stable")[:OFFERS]
    offers = tuple((names[place], float(probabilities[place])) for place in best)
    value, probability = offers[0]
    sure = probability >= MIN_PROBABILITY and similarity >= MIN_SIMILARITY
    return Guess(value=value if sure else None, probability=probability, offers=offers)
