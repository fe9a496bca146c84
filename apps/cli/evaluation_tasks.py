"""The five evaluations: labelled rows and models in, an outcome out. Prints and stores nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from apps.cli.evaluation_data import NAMELESS, Labelled
from apps.cli.evaluation_report import Outcome
from apps.cli.evaluation_vectors import embed
from nlp.arrays import FloatArray
from nlp.clean import clean
from nlp.evaluation.masking import Marked, evaluate_masking
from nlp.evaluation.routing import RoutingReport, evaluate_routing
from nlp.evaluation.sentiment import evaluate_sentiment
from nlp.evaluation.statements import Sentence, evaluate_statements
from nlp.evaluation.themes import ThemeReport, evaluate_themes
from nlp.mask import mask
from nlp.understand import Models
from voc.errors import ConfigurationError
from voc.text import normalise

L = TypeVar("L")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every evaluation works with."""

    models: Models
    vectors: Path
    """Where the vectors of texts are kept."""


Advance = Callable[[int], None]
SEED = 0
MOST_GROUPS = 20
"""A column of handles has a group a row."""
MASKING_BY = ("vocloop", "phonenumbers", "python-stdnum")
"""Masking has rules and no model: whose versions they change with."""


def as_stored(texts: Sequence[str]) -> list[str]:
    """As a model of ours would see them: in one spelling, personal data masked."""
    return [mask(normalise(text)).text for text in texts]


def measure_sentiment(data: Labelled[str], bench: Bench, advance: Advance) -> Outcome:
    models = bench.models
    found = evaluate_sentiment(
        as_stored(data.texts), data.labels, models, groups=data.groups, advance=advance
    )
    return Outcome(
        task="sentiment",
        data=data,
        model_versions={
            "sentiment": models.reader.sentiment_version,
            "encoder": models.reader.encoder_version,
            "language": models.detector.version,
        },
        metrics=found.metrics,
        details={
            "per_class": found.per_class,
            "confusion": found.confusion,
            "groups": {
                name: {group: {"rows": of.rows, **of.metrics} for group, of in groups.items()}
                for name, groups in found.groups.items()
            },
        },
    )


def measure_masking(data: Labelled[tuple[Marked, ...]], bench: Bench, advance: Advance) -> Outcome:
    found = evaluate_masking(data.texts, data.labels)
    advance(len(data.texts))

    def of_group(rows: Sequence[int]) -> Mapping[str, float]:
        part = data.only(rows)
        return evaluate_masking(part.texts, part.labels).metrics

    return Outcome(
        task="masking",
        data=data,
        model_versions={name: version(name) for name in MASKING_BY},
        metrics=found.metrics,
        details={
            "per_kind": found.kinds,
            "per_kind_of_known_customer": found.known,
            "over_masked_as": found.over_masked,
            "groups": by_group(data.groups, of_group),
        },
    )


def measure_routing(
    data: Labelled[str],
    bench: Bench,
    advance: Advance,
    *,
    train: Labelled[str] | None = None,
    per_class: int | None = None,
    descriptions: Mapping[str, Sequence[str]] | None = None,
) -> Outcome:
    """Each group is asked about alone, too: then it also learns from itself alone.

    Raises:
        ConfigurationError: There are too few rows or labels to learn from.
    """
    words, vectors = _embedded(data, bench, advance)
    taught = (*_embedded(train, bench, advance), train.labels) if train else None

    def evaluated(rows: Sequence[int], advance: Advance) -> RoutingReport:
        labels = [data.labels[row] for row in rows]
        known = {*labels, *(train.labels if train else ())}
        return evaluate_routing(
            [words[row] for row in rows],
            vectors[rows],
            labels,
            encoder=bench.models.reader,
            descriptions={
                name: texts for name, texts in (descriptions or {}).items() if name in known
            },
            per_class=per_class,
            train=taught,
            advance=advance,
        )

    try:
        found = evaluated(range(len(words)), advance)
    except ValueError as exc:
        raise ConfigurationError(f"routing cannot be measured here: {exc}") from None
    return Outcome(
        task="routing",
        data=data,
        model_versions={"encoder": bench.models.reader.encoder_version},
        metrics=found.metrics,
        details={
            "labels_learned": found.labels_learned,
            "train_sha256": train.sha256 if train else None,
            "per_class": found.per_class,
            "groups": by_group(data.groups, lambda rows: evaluated(rows, _ignore).metrics),
        },
    )


def measure_themes(
    data: Labelled[str],
    bench: Bench,
    advance: Advance,
    *,
    group_column: str | None = None,
    brand_names: Sequence[str] = (),
) -> Outcome:
    """Each file is measured alone, too; groups are not, as themes should not follow them.

    A group is whose text it is, so its name is left out of the texts, as a company's names are.
    """
    brands = set(data.groups[group_column]) if group_column else set()
    brand_names = sorted({*brand_names, *brands} - {NAMELESS})
    words, vectors = _embedded(data, bench, advance, brand_names)

    def evaluated(rows: Sequence[int]) -> ThemeReport:
        part = data.only(rows)
        return evaluate_themes(
            [words[row] for row in rows],
            vectors[rows],
            part.labels,
            part.groups[group_column] if group_column else None,
            seed=SEED,
            group_name=group_column or "group",
            stop_words=brand_names,
        )

    found = evaluated(range(len(words)))
    files = {name: of for name, of in data.groups.items() if name == "file"}
    return Outcome(
        task="themes",
        data=data,
        model_versions={
            "encoder": bench.models.reader.encoder_version,
            "vocloop": version("vocloop"),
        },
        metrics=found.metrics,
        details={
            "themes_found": found.rows,
            "groups": by_group(files, lambda rows: evaluated(rows).metrics),
        },
    )


def measure_statements(data: Labelled[Sentence], bench: Bench, advance: Advance) -> Outcome:
    """Spans are marked in the text as it stands, so it is read as it stands.

    Raises:
        ConfigurationError: No text judges two aspects differently.
    """
    reader = bench.models.reader
    try:
        found = evaluate_statements(data.labels, reader, advance=advance)
    except ValueError as exc:
        raise ConfigurationError(f"statements cannot be measured here: {exc}") from None

    def of_group(rows: Sequence[int]) -> Mapping[str, float]:
        return evaluate_statements(data.only(rows).labels, reader, advance=advance).metrics

    return Outcome(
        task="statements",
        data=data,
        model_versions={
            "sentiment": reader.sentiment_version,
            "encoder": reader.encoder_version,
            "vocloop": version("vocloop"),
        },
        metrics=found.metrics,
        details={
            "sentences": found.sentences,
            "mixed": found.mixed,
            "aspects": found.aspects,
            "statements": found.statements,
            "groups": by_group(data.groups, of_group),
        },
    )


def by_group(
    groups: Mapping[str, Sequence[str]], metrics: Callable[[list[int]], Mapping[str, float]]
) -> dict[str, dict[str, Any]]:
    """Each group measured alone: rows and metrics by grouping and group, the largest first.

    One with too few rows to measure has no metrics, nor has what comes after the largest ones.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, names in groups.items():
        rows: dict[str, list[int]] = {}
        for place, group in enumerate(names):
            rows.setdefault(group, []).append(place)
        largest = sorted(rows, key=lambda group: (-len(rows[group]), group))
        found[name] = {group: {"rows": len(rows[group])} for group in largest}
        for group in largest[:MOST_GROUPS]:
            with suppress(ValueError):
                found[name][group] |= metrics(rows[group])
    return found


def _embedded(
    data: Labelled[str], bench: Bench, advance: Advance, brand_names: Sequence[str] = ()
) -> tuple[list[str], FloatArray]:
    """The words that are embedded, and their vectors, shape ``(n, d)``."""
    words = [clean(text, brand_names) for text in as_stored(data.texts)]
    return words, embed(words, bench.models.reader, bench.vectors, advance)


def _ignore(done: int) -> None:
    """Where progress is told by somebody else."""
