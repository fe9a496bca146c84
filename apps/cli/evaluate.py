"""``voc evaluate``: how good the models are on labelled files, in figures that can be checked."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from apps.cli import evaluation_tasks as tasks_of
from apps.cli.evaluation_data import Labelled, Wanted, read_labelled
from apps.cli.evaluation_labels import (
    ASPECTS,
    SENTIMENTS,
    SPANS,
    SUBJECTS,
    LabelKind,
)
from apps.cli.evaluation_progress import progress
from apps.cli.evaluation_report import Bound, Outcome, missed, print_outcome, to_json
from apps.cli.evaluation_tasks import Bench
from nlp.runtime.cache import user_folder
from rehearsal.company_files import COMPANY
from voc.company import load_company
from voc.errors import ConfigurationError
from voc.settings import get_settings

MISSED = 1
L = TypeVar("L")
_BOUND = re.compile(r"(\w+)=([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")

app = typer.Typer(no_args_is_help=True, help="Measure the models on labelled files.")

Files = Annotated[list[Path], typer.Argument(help="CSV, Excel, JSON lines or Parquet.")]
TextName = Annotated[
    str | None,
    typer.Option("--text-column", metavar="NAME", help="The words; guessed if left out."),
]
LabelName = Annotated[
    str | None,
    typer.Option("--label-column", metavar="NAME", help="What people said; guessed if left out."),
]
GroupName = Annotated[
    str | None,
    typer.Option("--group-column", metavar="NAME", help="Figures for each value of it, too."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")]
Least = Annotated[
    list[str] | None,
    typer.Option("--min", metavar="METRIC=VALUE", help="End with 1 if it is less."),
]
Most = Annotated[
    list[str] | None,
    typer.Option("--max", metavar="METRIC=VALUE", help="End with 1 if it is more."),
]


@app.command()
def sentiment(
    files: Files,
    *,
    text_column: TextName = None,
    label_column: LabelName = None,
    group_column: GroupName = None,
    as_json: AsJson = False,
    least: Least = None,
    most: Most = None,
) -> None:
    """How well negative, neutral and positive texts are told apart."""
    bounds = _bounds(least, most)
    data = read(files, SENTIMENTS, text_column, label_column, group_column)
    with _working(), progress("texts", len(data.texts)) as advance:
        outcome = tasks_of.measure_sentiment(data, product_bench(), advance)
    _finish(outcome, bounds, as_json=as_json)


@app.command()
def routing(
    files: Files,
    *,
    text_column: TextName = None,
    label_column: LabelName = None,
    group_column: GroupName = None,
    train: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Learn from these rows; default: from other folds."),
    ] = None,
    per_class: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Learn from N rows of each label only; 0: descriptions alone."
        ),
    ] = None,
    company: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Whose departments and topics describe the labels."),
    ] = None,
    as_json: AsJson = False,
    least: Least = None,
    most: Most = None,
) -> None:
    """How well texts are sent to the department, topic or reason that people chose."""
    bounds = _bounds(least, most)
    data = read(files, SUBJECTS, text_column, label_column, group_column)
    taught = read([train], SUBJECTS, text_column, label_column, None) if train is not None else None
    total = 2 * len(data.texts) + (len(taught.texts) if taught else 0)  # embedded, and asked
    with _working(), progress("texts", total) as advance:
        outcome = tasks_of.measure_routing(
            data,
            product_bench(),
            advance,
            train=taught,
            per_class=per_class,
            descriptions=_descriptions(company),
        )
    _finish(outcome, bounds, as_json=as_json)


@app.command()
def themes(
    files: Files,
    *,
    text_column: TextName = None,
    label_column: LabelName = None,
    group_column: GroupName = None,
    company: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Whose names are left out before texts are compared."),
    ] = None,
    as_json: AsJson = False,
    least: Least = None,
    most: Most = None,
) -> None:
    """How well the themes that are found agree with what people sorted texts by."""
    bounds = _bounds(least, most)
    data = read(files, SUBJECTS, text_column, label_column, group_column)
    with _working(), progress("texts", len(data.texts)) as advance:
        outcome = tasks_of.measure_themes(
            data,
            product_bench(),
            advance,
            group_column=group_column,
            brand_names=load_company(company).company.brand_names if company else (),
        )
    _finish(outcome, bounds, as_json=as_json)


@app.command()
def masking(
    files: Files,
    *,
    text_column: TextName = None,
    label_column: LabelName = None,
    group_column: GroupName = None,
    as_json: AsJson = False,
    least: Least = None,
    most: Most = None,
) -> None:
    """How much of the marked personal data is masked, and how much else."""
    bounds = _bounds(least, most)
    data = read(files, SPANS, text_column, label_column, group_column)
    with _working(), progress("texts", len(data.texts)) as advance:
        outcome = tasks_of.measure_masking(data, product_bench(), advance)
    _finish(outcome, bounds, as_json=as_json)


@app.command()
def statements(
    files: Files,
    *,
    text_column: TextName = None,
    label_column: LabelName = None,
    group_column: GroupName = None,
    as_json: AsJson = False,
    least: Least = None,
    most: Most = None,
) -> None:
    """How well texts are split, and each statement judged, against categories with polarity."""
    bounds = _bounds(least, most)
    data = read(files, ASPECTS, text_column, label_column, group_column)
    with _working(), progress("texts", None) as advance:  # how many statements is seen as we go
        outcome = tasks_of.measure_statements(data, product_bench(), advance)
    _finish(outcome, bounds, as_json=as_json)


def read(
    paths: Sequence[Path],
    kind: LabelKind[L],
    text_column: str | None,
    label_column: str | None,
    group_column: str | None,
) -> Labelled[L]:
    wanted = Wanted(
        parse=kind.parse,
        label_names=kind.names,
        text_column=text_column,
        label_column=label_column,
        group_column=group_column,
    )
    return read_labelled(paths, wanted)


def product_bench() -> Bench:
    """The models of the product. Whose topics they know does not matter: no label is of these."""
    from tasks.models import build_models

    home = get_settings().home
    # Where only files are measured there may be no home, and none is made.
    folder = home / "models" if home.is_dir() else user_folder()
    return Bench(
        models=build_models(load_company(COMPANY / "voc.yaml")), vectors=folder / "vectors"
    )


def _descriptions(path: Path | None) -> dict[str, list[str]]:
    """What a company says of each department and topic, by its id."""
    if path is None:
        return {}
    company = load_company(path)
    said = {each.id: [each.description, *each.examples] for each in company.topics}
    for each in company.departments:
        said.setdefault(each.id, []).extend((each.description, *each.examples))
    return said


@contextmanager
def _working() -> Iterator[None]:
    """Whatever a library prints meanwhile must not stand before our JSON."""
    with redirect_stdout(sys.stderr):
        yield


def _bounds(least: Sequence[str] | None, most: Sequence[str] | None) -> list[Bound]:
    return [_bound(each, is_least=True) for each in least or ()] + [
        _bound(each, is_least=False) for each in most or ()
    ]


def _bound(said: str, *, is_least: bool) -> Bound:
    match = _BOUND.fullmatch(said)
    if match is None:
        option = "--min" if is_least else "--max"
        raise ConfigurationError(f"{option} {said}: write METRIC=VALUE, such as macro_f1=0.6")
    return Bound(metric=match[1], value=float(match[2]), is_least=is_least)


def _finish(outcome: Outcome, bounds: Sequence[Bound], *, as_json: bool) -> None:
    if as_json:
        typer.echo(to_json(outcome))
    else:
        print_outcome(Console(), outcome)
    failed = missed(outcome, bounds)
    for sentence in failed:
        typer.echo(f"voc: {sentence}", err=True)
    if failed:
        raise typer.Exit(MISSED)
