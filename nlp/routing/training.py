"""Learning anew from all labels, and keeping only what is not worse than what there was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nlp.embed import Encoder
from nlp.routing.head import PRECISION, Examples, Figures, Fitted, Head, fit_head
from nlp.routing.model import SubjectModel
from nlp.routing.router import pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A new head beside the descriptions and the head in use; shares between 0 and 1."""

    figures: Figures
    """Of the new head, on labels it had not seen."""
    new_labels: int
    """Labels that the head in use has not seen either; 0 if there is no such head."""
    accuracy_new: float
    """Of the new head on those."""
    accuracy_present: float
    """Of the head in use on those."""
    is_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What refitting gave."""

    content: bytes
    """Of the router that should be in use now; empty if nothing was learned."""
    comparisons: Mapping[str, Comparison]
    """By kind, for those that have labels."""
    skipped: Mapping[str, str]
    """By kind, why nothing was learned."""


def train(
    model: SubjectModel,
    labelled: Mapping[str, Examples],
    *,
    precision: float = PRECISION,
    seed: int = 0,
) -> Trained:
    """Fit a head for each kind and compare it.

    A head is kept if it is right at least as often as the descriptions on labels that it had not
    seen, and as the head in use on labels that neither had seen. Else the head in use stays, as
    long as the company still has its classes.

    Args:
        model: The company's subjects, with the router in use.
        labelled: By kind; distinct texts; labels that are no class any more are left out.
    """
    heads: dict[str, Head] = {}
    comparisons: dict[str, Comparison] = {}
    skipped: dict[str, str] = {}
    for kind, examples in labelled.items():
        present = model.head(kind)
        usable = of_classes(examples, model.classes(kind))
        if len(model.classes(kind)) < 2 or not len(usable.labels):  # noqa: PLR2004
            skipped[kind] = "no labels" if not len(usable.labels) else "fewer than two classes"
            continue
        fitted = fit_head(usable, model.anchors(kind), precision=precision, seed=seed)
        comparisons[kind] = compared(model, kind, usable, fitted)
        if comparisons[kind].is_kept:
            heads[kind] = fitted.head
        elif present is not None:
            heads[kind] = present
    return Trained(
        content=pack(heads, model.encoder.version) if heads else b"",
        comparisons=comparisons,
        skipped=skipped,
    )


def compared(model: SubjectModel, kind: str, labelled: Examples, fitted: Fitted) -> Comparison:
    """The new head beside the one in use, on labels that neither has learned from."""
    figures, present = fitted.head.figures, model.head(kind)
    right = fitted.probabilities.argmax(axis=1) == fitted.gold
    seen = present.has_seen(labelled.texts) if present else np.ones(len(right), bool)
    rows = [row for row, known in enumerate(seen.tolist()) if not known]
    new = now = 0.0
    if rows:
        guesses = model.guesses(kind, labelled.vectors[rows], [labelled.texts[row] for row in rows])
        said = [guess.offers[0][0] for guess in guesses]
        now = float(np.mean([a == labelled.labels[row] for a, row in zip(said, rows, strict=True)]))
        new = float(right[rows].mean())
    return Comparison(
        figures=figures,
        new_labels=len(rows),
        accuracy_new=new,
        accuracy_present=now,
        is_kept=figures.accuracy >= figures.accuracy_descriptions and new >= now,
    )


def of_classes(examples: Examples, classes: tuple[str, ...]) -> Examples:
    """Those whose label the company still has."""
    rows = [row for row, label in enumerate(examples.labels) if label in classes]
    return Examples(
        texts=[examples.texts[row] for row in rows],
        vectors=examples.vectors[rows],
        labels=[examples.labels[row] for row in rows],
    )


def described_classes(
    descriptions: Mapping[str, tuple[str, ...]], encoder: Encoder
) -> dict[str, Examples]:
    """Classes and their texts, embedded: the anchors of `fit_head`."""
    texts = [text for each in descriptions.values() for text in each]
    vectors = encoder.encode(texts)
    anchors, start = {}, 0
    for name, own in descriptions.items():
        end = start + len(own)
        anchors[name] = Examples(texts=own, vectors=vectors[start:end], labels=[name] * len(own))
        start = end
    return anchors
