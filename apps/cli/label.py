"""``voc label``: what people know, taught to the routing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from apps.cli.login import login_name
from apps.cli.prefect_server import quiet_prefect
from apps.cli.shown import shown
from apps.cli.unknown_table import open_table, shown_columns
from nlp.routing.training import Comparison
from sources.base import Rejected
from sources.tables import Row
from voc.actions import labels as actions
from voc.company import Company
from voc.errors import ConfigurationError
from voc.models import SuggestionKind
from voc.progress import listen
from voc.settings import get_settings
from voc.store.database import transaction
from voc.store.review import unsure_of
from voc.text import normalise

app = typer.Typer(no_args_is_help=True, help="Labels: import, correct, and learn from them.")
console = Console(highlight=False, soft_wrap=True)

PROBLEMS_SHOWN = 5
NAME = re.compile(r"[\w-]{1,40}")
"""What looks like an id; anything else may be a customer's words, and is not repeated."""

Actor = Annotated[
    str,
    typer.Option("--as", help="Who says so; default: your login name.", default_factory=login_name),
]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, Excel, JSON lines or Parquet.")],
    actor: Actor,
    kind: Annotated[
        SuggestionKind, typer.Option(help="What the labels are about.")
    ] = SuggestionKind.DEPARTMENT,
    text_column: Annotated[
        str | None, typer.Option(help="The column that holds the words; guessed if left out.")
    ] = None,
    label_column: Annotated[
        str, typer.Option(help="The column that holds ids of the company file.")
    ] = "label",
) -> None:
    """Take in texts that are labelled already. Personal data in them is masked; again is harmless.

    Nothing is imported if a label is not in the company file.
    """
    quiet_prefect(get_settings())
    from tasks.labels import LabelledWords, import_texts
    from tasks.models import build_models
    from tasks.workplace import workplace

    place = workplace()
    rows = _read(file, text_column, label_column, kind, place.company)
    with _bar():
        counts = import_texts(
            place,
            [LabelledWords(text=text, value=value) for text, value in rows],
            kind,
            build_models(place.company).subjects.encoder,
            actor=actor,
            now=place.clock(),
        )
    console.print(
        f"{len(rows)} labelled texts: {counts['new']} new, {counts['changed']} changed, "
        f"{counts['unchanged']} known already, {counts['repeated']} twice in the file, "
        f"{counts['without_words']} without words."
    )
    console.print("`voc label refit` learns from them.")


@app.command()
def forget(
    file: Annotated[Path, typer.Argument(help="The file that was imported, or a part of it.")],
    text_column: Annotated[
        str | None, typer.Option(help="The column that holds the words; guessed if left out.")
    ] = None,
) -> None:
    """Erase imported texts, whatever their labels. `voc label refit` unlearns them."""
    quiet_prefect(get_settings())
    from tasks.labels import forget_texts
    from tasks.workplace import workplace

    table = open_table(file, text_column)
    rows = list(table.rows)
    for row in rows:
        if isinstance(row, Rejected):  # whose words would stay
            raise ConfigurationError(f"nothing was erased: {row.place}: {row.reason}")
    texts = [row.text(table.text_column or "") for row in rows if isinstance(row, Row)]
    erased = forget_texts(workplace(), texts)
    console.print(f"{len(texts)} texts in the file: {erased} labels erased.")
    if erased:
        console.print("`voc label refit` unlearns them.")


@app.command("set")
def set_label(
    statement_id: Annotated[int, typer.Argument(help="The number of the statement.")],
    kind: Annotated[SuggestionKind, typer.Argument(help="What was wrong.")],
    value: Annotated[str, typer.Argument(help="What is right: an id, or a sentiment.")],
    actor: Actor,
) -> None:
    """Correct what a model says of one statement. It wins at once, and it teaches."""
    from tasks.workplace import workplace

    place = workplace()
    with transaction(place.engine) as session:
        label = actions.set_label(
            session, statement_id, kind, value, place.company, actor=actor, now=place.clock()
        )
        console.print(f"Statement {statement_id}: {kind.value} is {label.value}.")


@app.command()
def review(
    kind: Annotated[
        SuggestionKind, typer.Option(help="What the models were not sure of.")
    ] = SuggestionKind.SENTIMENT,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20,
) -> None:
    """List what no model was sure of, with what it would have said. A person's word teaches."""
    from tasks.workplace import workplace

    with transaction(workplace().engine) as session:
        found = unsure_of(session, kind, limit=limit)
    for each in found:
        perhaps = ", ".join(f"{name} {float(share):.0%}" for name, share in each.offers)
        console.print(f"{each.statement_id:>6}  {perhaps}")
        console.print(f'        "{shown(each.words)}"', markup=False)
    if found:
        console.print(f"Say what is right: voc label set NUMBER {kind.value} VALUE")
    else:
        console.print(f"The models were sure of every {kind.value}, or a person was.")


@app.command()
def refit(
    again: Annotated[
        bool,
        typer.Option("--again", help="Even if nothing is new, and whatever is in use now."),
    ] = False,
) -> None:
    """Learn from all labels, if there are new ones. What would be worse is not used."""
    quiet_prefect(get_settings())
    from tasks.learn_router import refit_router
    from tasks.models import build_models
    from tasks.workplace import workplace

    place = workplace()
    subjects = build_models(place.company).subjects
    with _bar():
        found = refit_router(place, subjects, now=place.clock(), again=again)
    if not found.is_needed:
        console.print("Nothing was labelled or described anew; `--again` learns all the same.")
    for kind, why in found.skipped.items():
        console.print(f"{kind}: nothing learned, {why}.")
    for kind, comparison in found.comparisons.items():
        for line in told(kind, comparison):
            console.print(line)
    console.print(f"In use: {found.version or 'the descriptions alone'}.")


def told(kind: str, comparison: Comparison) -> Iterable[str]:
    """What a refit found of one kind, in plain language."""
    figures = comparison.figures
    yield f"{kind}, learned from {figures.labels} labels; on labels that were held back:"
    yield (
        f"  right {figures.accuracy:.1%} (descriptions alone {figures.accuracy_descriptions:.1%}), "
        f"among the first three {figures.top3:.1%}"
    )
    yield f"  sure of {figures.answered:.1%}, and right in {figures.precision:.1%} of these"
    if comparison.new_labels:
        yield (
            f"  on {comparison.new_labels} labels that are new since the last time: right "
            f"{comparison.accuracy_new:.1%}, what was in use {comparison.accuracy_present:.1%}"
        )
    if not comparison.is_kept:
        yield "  not better: what was in use stays"


@contextmanager
def _bar() -> Iterator[None]:
    """How far the embedding has come; only on a terminal."""
    err = Console(stderr=True)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        shown = bar.add_task("texts", total=None)
        stop = listen(lambda _stage, done, total: bar.update(shown, completed=done, total=total))
        try:
            yield
        finally:
            stop()


def _read(
    file: Path, text_column: str | None, label_column: str, kind: SuggestionKind, company: Company
) -> list[tuple[str, str]]:
    """Text and label of each row that has both.

    Raises:
        ConfigurationError: A row is broken, or its label is not in the company file.
    """
    table = open_table(file, text_column)
    rows = list(table.rows)
    if not rows:
        raise ConfigurationError(f"{file.name} has no rows below the header")
    if table.columns and label_column not in table.columns:
        raise ConfigurationError(
            f"{file.name} has no column {label_column!r}; "
            f"--label-column names one of: {shown_columns(table.columns)}"
        )
    if table.text_column == label_column:
        raise ConfigurationError(
            f"{file.name}: {label_column!r} cannot be both text and label; "
            "name the words with --text-column"
        )
    known = actions.values_of(company, kind)
    found, problems = [], []
    for row in rows:
        if problem := _problem(row, label_column, kind, known):
            problems.append(problem)
        elif isinstance(row, Row):
            text, value = row.text(table.text_column or ""), _value(row, label_column, kind)
            if text and value:
                found.append((text, value))
    if problems:
        more = len(problems) - PROBLEMS_SHOWN
        shown = "; ".join(problems[:PROBLEMS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        choice = ", ".join(known) or "none in the company file"
        raise ConfigurationError(f"nothing was imported: {shown}. Labels can be: {choice}")
    return found


def _problem(
    row: Row | Rejected, label_column: str, kind: SuggestionKind, known: Iterable[str]
) -> str | None:
    if isinstance(row, Rejected):
        return f"{row.place}: {row.reason}"
    value = _value(row, label_column, kind)
    if not value or value in known:
        return None
    if NAME.fullmatch(value):
        return f"{row.place}: no {value!r}"
    return f"{row.place}: no label, but {len(value)} characters"


def _value(row: Row, label_column: str, kind: SuggestionKind) -> str:
    """The label as it is compared and kept."""
    return actions.spelled(kind, " ".join(normalise(row.text(label_column)).split()))
