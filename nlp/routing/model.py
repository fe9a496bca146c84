"""The model that suggests topic and department of a statement."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nlp.arrays import FloatArray
from nlp.clean import text_hash
from nlp.embed import Encoder
from nlp.routing.head import Examples, Head
from nlp.routing.router import DEPARTMENT, TOPIC, Router
from nlp.routing.subjects import (
    MIN_PROBABILITY,
    MIN_SIMILARITY,
    NO_GUESS,
    SHARPNESS,
    TEMPERATURE,
    Anchors,
    Described,
    Guess,
    Subject,
    departments_of,
    described,
    guess,
)
from nlp.sentiment import softmax


class _Judged(NamedTuple):
    probabilities: FloatArray  # (n, k)
    nearest: FloatArray  # (n,): the similarity to the nearest of what is known


class SubjectModel:
    """Judges statements against a company's topics and departments.

    Their texts are embedded with the first statements, once; making one costs nothing. What was
    learned from labels comes in as a `Router`; a class that it does not know yet is judged by its
    description, and one that the company no longer has is left out.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        departments: Mapping[str, Sequence[str]],
        encoder: Encoder,
        router: Router | None = None,
    ) -> None:
        """*departments*: id to description and example texts; subjects may name others, too."""
        self.encoder = encoder
        # A router that learned on another encoder's vectors would read noise.
        self.router = router if router and router.encoder == encoder.version else None
        groups = {
            TOPIC: {subject.id: tuple(subject.texts) for subject in subjects},
            DEPARTMENT: departments_of(subjects, departments),
        }
        self._groups: dict[str, Anchors] = {
            kind: {name: texts for name, texts in group.items() if texts}
            for kind, group in groups.items()
        }
        self._lock = threading.Lock()
        self._embedded: dict[str, FloatArray] = {}

    def with_router(self, router: Router | None) -> SubjectModel:
        """The same subjects, judged with what another router has learned."""
        other = SubjectModel([], {}, self.encoder, router)
        # Shared, not copied: whoever is asked first embeds the descriptions for all.
        other._groups, other._embedded, other._lock = self._groups, self._embedded, self._lock
        return other

    @property
    def version(self) -> str:
        settings = (SHARPNESS, TEMPERATURE, MIN_PROBABILITY, MIN_SIMILARITY)
        said = [sorted(self._groups[kind].items()) for kind in (TOPIC, DEPARTMENT)]
        subjects = f"subjects@{text_hash(repr((self.encoder.version, settings, said)))[:12]}"
        return f"{self.router.version} {subjects}" if self.router else subjects

    def suggest(self, vectors: FloatArray, texts: Sequence[str]) -> list[tuple[Guess, Guess]]:
        """Topic and department of each statement.

        Args:
            vectors: Statements, shape ``(n, d)``, rows of length 1.
            texts: The same statements, as they were embedded.
        """
        if len(vectors) == 0:
            return []
        topics = self.guesses(TOPIC, vectors, texts)
        departments = self.guesses(DEPARTMENT, vectors, texts)
        return list(zip(topics, departments, strict=True))

    def guesses(self, kind: str, vectors: FloatArray, texts: Sequence[str]) -> list[Guess]:
        """What each of ``n`` statements is of one *kind*, `TOPIC` or `DEPARTMENT`."""
        names = self.classes(kind)
        if not names or not len(vectors):
            return [NO_GUESS] * len(vectors)
        judged, threshold = self._judged(kind, vectors, texts), self.threshold(kind)
        return [
            guess(names, row, float(similarity), threshold=threshold)
            for row, similarity in zip(judged.probabilities, judged.nearest, strict=True)
        ]

    def probabilities(self, kind: str, vectors: FloatArray, texts: Sequence[str]) -> FloatArray:
        """Shape ``(n, k)``, in the order of `classes`, rows sum to 1."""
        return self._judged(kind, vectors, texts).probabilities

    def threshold(self, kind: str) -> float:
        """The probability from which the best guess becomes the value."""
        head = self.head(kind)
        return head.threshold if head else MIN_PROBABILITY

    def classes(self, kind: str) -> tuple[str, ...]:
        """What there is to choose from."""
        return tuple(self._groups[kind])

    def _judged(self, kind: str, vectors: FloatArray, texts: Sequence[str]) -> _Judged:
        by_description = described(vectors, [a.vectors for a in self.anchors(kind).values()])
        head = self.head(kind)
        if head is None:
            return _Judged(softmax(by_description.logits), by_description.nearest)
        rows = learned_probabilities(head, self.classes(kind), texts, vectors, by_description)
        return _Judged(rows, np.maximum(by_description.nearest, head.nearest(vectors)))

    def head(self, kind: str) -> Head | None:
        """What was learned of this *kind*, if it still tells two of its subjects apart."""
        head = self.router.heads.get(kind) if self.router else None
        shared = set(head.classes) & set(self._groups[kind]) if head else ()
        return head if len(shared) > 1 else None

    def anchors(self, kind: str) -> dict[str, Examples]:
        """The texts of each subject of one *kind*, with their vectors."""
        embedded = self._vectors()
        return {
            name: Examples(
                texts=texts,
                vectors=np.vstack([embedded[text] for text in texts]),
                labels=[name] * len(texts),
            )
            for name, texts in self._groups[kind].items()
        }

    def _vectors(self) -> dict[str, FloatArray]:
        with self._lock:
            if not self._embedded:
                groups = [texts for group in self._groups.values() for texts in group.values()]
                texts = list(dict.fromkeys(text for group in groups for text in group))
                self._embedded.update(zip(texts, self.encoder.encode(texts), strict=True))
            return self._embedded


def learned_probabilities(
    head: Head,
    names: Sequence[str],
    texts: Sequence[str],
    vectors: FloatArray,
    by_description: Described,
) -> FloatArray:
    """Shape ``(n, k)``, in the order of *names*, rows sum to 1.

    A name that the head never learned keeps the probability that its description gives it; the
    head shares out the rest.

    Args:
        by_description: Over all *names*.
    """
    here = [place for place, name in enumerate(names) if name in head.classes]
    there = [head.classes.index(names[place]) for place in here]
    shared = Described(logits=by_description.logits[:, here], nearest=by_description.nearest)
    learned = softmax(head.of(there).logits(texts, vectors, shared))
    rows: FloatArray = softmax(by_description.logits)
    unknown = np.ones(len(names), dtype=bool)
    unknown[here] = False
    rows[:, here] = learned * (1 - rows[:, unknown].sum(axis=1, keepdims=True))
    return rows
