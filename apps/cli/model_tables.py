"""What the tables of ``docs/models`` show: which sets are asked what, and how rows are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from apps.cli.evaluation_data import Labelled
from apps.cli.evaluation_labels import ASPECTS, SENTIMENTS, SPANS, SUBJECTS, LabelKind
from apps.cli.evaluation_report import Outcome
from apps.cli.evaluation_tasks import (
    Advance,
    Bench,
    measure_masking,
    measure_routing,
    measure_sentiment,
    measure_statements,
    measure_themes,
)
from voc.errors import ConfigurationError

HASH_DIGITS = 12
NUMBERS = frozenset({"themes"})
"""Metrics that are no shares."""

Measure = Callable[[Labelled[Any], Bench, Advance], Outcome]
Columns = Mapping[str, str]
"""Heading to metric."""


@dataclass(frozen=True, slots=True)
class Set:
    """A labelled set, and which of its columns are asked."""

    name: str
    label_column: str | None = None
    group_column: str | None = None
    was_learned: bool = False
    """Weights that ship were trained on these very rows: the figure flatters."""

    @property
    def title(self) -> str:
        column = f", {self.label_column}" if self.label_column else ""
        return f"{self.name}{column}{' (trained on)' if self.was_learned else ''}"

    def path(self, folder: Path) -> Path:
        """The file of its development part.

        Raises:
            ConfigurationError: It is not there.
        """
        for end in ("csv", "jsonl"):
            path = folder / self.name / f"dev.{end}"
            if path.exists():
                return path
        raise ConfigurationError(f"VOC_EVAL_DATA has no {self.name}/dev.csv or dev.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: what is measured, and how its rows are written."""

    kind: LabelKind[Any]
    measure: Measure
    sets: Sequence[Set]
    lines: Callable[[Sequence[tuple[Set, Outcome]]], Iterator[str]]


def per_set(columns: Columns) -> Callable[[Sequence[tuple[Set, Outcome]]], Iterator[str]]:
    """A row a set, and below them the mean of the sets."""

    def lines(found: Sequence[tuple[Set, Outcome]]) -> Iterator[str]:
        yield from _head("set", "rows", *columns, "data")
        for each, outcome in found:
            shown = [_figure(name, outcome.metrics.get(name)) for name in columns.values()]
            yield _row(each.title, f"{len(outcome.data.texts):,}", *shown, _short(outcome))
        if len(found) > 1:
            means = [_mean(name, [outcome for _, outcome in found]) for name in columns.values()]
            yield _row("**mean**", "", *means, "")

    return lines


def per_language(found: Sequence[tuple[Set, Outcome]]) -> Iterator[str]:
    """A row a language; over all rows, because most of them are not supported."""
    columns = {"supported": "supported", "accuracy": "accuracy_all", "macro-F1": "macro_f1_all"}
    yield from _head("set", "language", "rows", *columns, "data")
    for each, outcome in found:
        for language, figures in outcome.details["groups"]["language"].items():
            shown = [_figure(name, figures.get(name)) for name in columns.values()]
            yield _row(each.name, language, f"{figures['rows']:,}", *shown, _short(outcome))


def per_kind(found: Sequence[tuple[Set, Outcome]]) -> Iterator[str]:
    """A row a kind of personal data, then what else was masked."""
    yield from _head("set", "kind", "marked", "masked", "data")
    for each, outcome in found:
        details = outcome.details
        for kind, recall in details["per_kind"].items():
            share = _figure("recall", recall.share)
            yield _row(each.name, kind, str(recall.values), share, _short(outcome))
        for kind, recall in details["per_kind_of_known_customer"].items():
            share = _figure("recall", recall.share)
            what = f"{kind} of a known customer"
            yield _row(each.name, what, str(recall.values), share, _short(outcome))
        over = _figure("over_masked", outcome.metrics.get("over_masked"))
        yield _row(each.name, "anything else", "", over, _short(outcome))


UNSEEN = (
    *("airline_tweets", "tweeteval_sentiment", "sst", "apple_tweets", "brand_tweets"),
    *("alexa_reviews", "skytrax_reviews"),
)
"""Domains that no shipped weights were trained on. The open sets have no row of their own: what
is trained on them would be judged by its own homework."""

SORTED = (
    Set("airline_tweets", "reason"),
    Set("clothing_reviews", "department"),
    Set("banking77"),
    Set("bitext_support"),
    Set("app_review_types"),
    Set("cfpb_small"),
)


def _routing(per_class: int | None) -> Table:
    """Learned from all labels of the other folds, from some, or from the labels' names."""
    return Table(
        kind=SUBJECTS,
        measure=partial(measure_routing, per_class=per_class),
        sets=SORTED,
        lines=per_set(
            {
                "accuracy": "accuracy",
                "macro-F1": "macro_f1",
                "in the top three": "top3",
                "surest half": "accuracy_surest_50",
                "ECE": "ece",
                "answered": "answered",
                "right of these": "precision_answered",
            }
        ),
    )


def _themes(data: Labelled[Any], bench: Bench, advance: Advance) -> Outcome:
    group = next((name for name in data.groups if name not in ("file", "language")), None)
    return measure_themes(data, bench, advance, group_column=group)


TABLES: Mapping[str, Table] = {
    "sentiment": Table(
        kind=SENTIMENTS,
        measure=measure_sentiment,
        sets=[Set(name) for name in UNSEEN],
        lines=per_set(
            {
                "macro-F1": "macro_f1",
                "accuracy": "accuracy",
                "macro recall": "macro_recall",
                "negative recall": "recall_negative",
                "ECE": "ece",
                "surest half": "accuracy_surest_50",
                "surest 80 %": "accuracy_surest_80",
                "answered": "answered",
                "right of these": "accuracy_answered",
                "supported": "supported",
            }
        ),
    ),
    "languages": Table(
        kind=SENTIMENTS,
        measure=measure_sentiment,
        sets=[Set("xlmt_multilingual_tweets"), Set("m_absa_multilingual")],
        lines=per_language,
    ),
    "routing": _routing(None),
    "routing_few": _routing(16),
    "routing_described": _routing(0),
    "themes": Table(
        kind=SUBJECTS,
        measure=_themes,
        sets=[
            Set("airline_tweets", "reason", "airline"),
            Set("clothing_reviews", "class"),
            Set("banking77"),
        ],
        lines=per_set(
            {
                "themes": "themes",
                "NMI": "nmi",
                "AMI": "ami",
                "ARI": "ari",
                "NMI with the airline": "nmi_airline",
                "AMI with the airline": "ami_airline",
                "unassigned": "unassigned",
                "ARI in another order": "ari_orders",
                "ARI with another seed": "ari_seeds",
            }
        ),
    ),
    "masking": Table(
        kind=SPANS, measure=measure_masking, sets=[Set("pii_presidio")], lines=per_kind
    ),
    "statements": Table(
        kind=ASPECTS,
        measure=measure_statements,
        sets=[Set("mams_acsa", was_learned=True), Set("acos_restaurant"), Set("acos_laptop")],
        lines=per_set(
            {
                "mixed: accuracy": "accuracy",
                "by the whole sentence": "accuracy_sentence",
                "separated": "separated",
                "right of these": "accuracy_separated",
                "all: accuracy": "accuracy_all",
                "kept together": "kept_together",
            }
        ),
    ),
}


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|" + "---|" * len(cells)]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _short(outcome: Outcome) -> str:
    return f"`{outcome.data.sha256[:HASH_DIGITS]}`"


def _figure(metric: str, value: float | None) -> str:
    if value is None:
        return ""
    if metric == "ece":
        return f"{value:.3f}"
    return f"{value:.0f}" if metric in NUMBERS else f"{100 * value:.1f}"


def _mean(metric: str, outcomes: Sequence[Outcome]) -> str:
    values = [each.metrics[metric] for each in outcomes if metric in each.metrics]
    return f"**{_figure(metric, sum(values) / len(values))}**" if values else ""
