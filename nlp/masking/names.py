"""Names of third persons, found by a model that the company installs: an extra, off by default.

No such model ships: a small one misses names and takes products for people, and a large one
costs more than everything else together. What the customer's own record says is found without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

from nlp.errors import ModelFileError

PERSON_LABELS = frozenset({"PERSON", "PER"})
LONGEST = 100_000
"""Characters that are shown to a pipeline at once: spaCy refuses a million."""


class PersonNames(Protocol):
    """Whatever finds the names of people. The same text must always give the same answer."""

    def find(self, text: str) -> Iterable[tuple[int, int]]:
        """Start and end of each name; not empty, inside *text*."""
        ...


class SpacyNames:
    """An installed spaCy pipeline. Loads on the first text."""

    def __init__(self, pipeline: str | Path, labels: frozenset[str] = PERSON_LABELS) -> None:
        self.pipeline = pipeline
        self._labels = labels

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Every entity with one of the labels.

        Raises:
            ModelFileError: spaCy or the pipeline is not installed.
        """
        for start in range(0, len(text), LONGEST):
            for entity in self._load(text[start : start + LONGEST]).ents:
                if entity.label_ in self._labels:
                    yield start + entity.start_char, start + entity.end_char

    @cached_property
    def _load(self) -> Any:
        try:
            import spacy
        except ImportError as error:
            raise ModelFileError(
                "finding people's names needs spaCy: install vocloop with its extra 'names'"
            ) from error
        try:
            return spacy.load(self.pipeline)
        except OSError as error:
            raise ModelFileError(
                f"spaCy has no pipeline {str(self.pipeline)!r}:"
                " install it (python -m spacy download NAME), or name one that is installed"
            ) from error


@cache
def person_names(pipeline: str | None) -> PersonNames | None:
    """The process's finder by the name of its pipeline; None for None."""
    return SpacyNames(pipeline) if pipeline else None
