"""``voc analyze``: what would be understood of a file, without storing anything."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from apps.cli.analysis import NO_TEXT, Analysis, Entry, analyze_rows
from apps.cli.analysis_formats import Blocks, Csv, JsonLines, Writer
from apps.cli.unknown_table import UnknownTable, open_table, shown_columns
from nlp.understand import Models
from rehearsal.company_files import COMPANY
from voc.company import Company, load_company
from voc.settings import get_settings

SOME_UNREAD = 1


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def analyze(
    file: Annotated[Path, typer.Argument(help="CSV, Excel, JSON lines or Parquet.")],
    text_column: Annotated[
        str | None, typer.Option(help="The column that holds the words; guessed if left out.")
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="Blocks to read, or lines for a program.")
    ] = Format.TABLE,
    company: Annotated[
        Path | None,
        typer.Option(help="Whose topics and departments; default: voc.yaml in VOC_HOME or here."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
) -> None:
    """Show what would be understood of each row: statements, sentiment, topic, department.

    Stores and sends nothing. Personal data is masked in what it shows. Ends with 1 if some rows
    could not be read.
    """
    from tasks.models import build_models

    err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    table = open_table(file, text_column)
    whose = _company(company, err)
    _tell(table, err)
    out = _output(sys.stdout, output)
    counts = write_analysis(
        table, whose, build_models(whose), _writer(output, out), out=out, err=err, limit=limit
    )
    if counts["unread"]:
        raise typer.Exit(SOME_UNREAD)


def write_analysis(
    table: UnknownTable,
    company: Company,
    models: Models,
    writer: Writer,
    *,
    out: TextIO,
    err: Console,
    limit: int | None = None,
) -> Counter[str]:
    """Write every row as soon as it is understood, and say at the end how many were not read."""
    counts: Counter[str] = Counter()
    rows = islice(table.rows, limit)
    batches = analyze_rows(rows, table.text_column or "", models, company.company)
    with _progress(table, limit, err) as bar:
        for batch in batches:
            bar.stop()  # where both are one screen, the bar would stand in the middle of the rows
            for entry in batch:
                writer.write(entry)
                counts += _counted(entry)
            out.flush()
            bar.start()
            bar.advance(bar.task_ids[0], len(batch))
    writer.close()
    out.flush()
    err.print(_summary(counts))
    return counts


def _company(given: Path | None, err: Console) -> Company:
    path = given or get_settings().company_file()
    if path is not None:
        return load_company(path)
    company = load_company(COMPANY / "voc.yaml")
    err.print(
        f"topics and departments: those of {company.company.name}, the rehearsal company; "
        "`voc init DIR` starts your own"
    )
    return company


def _tell(table: UnknownTable, err: Console) -> None:
    """What was guessed, so that a wrong guess is seen."""
    if table.text_column is None:
        err.print("no rows below the header")
    elif table.may_lack_header:
        err.print("text column: the first row seems to be no header; add one, or it is not read")
    elif table.is_guessed:
        others = shown_columns([name for name in table.columns if name != table.text_column])
        err.print(f"text column: {shown_columns([table.text_column])} (others: {others})")


def _output(stream: TextIO, output: Format) -> TextIO:
    """The stream, told never to fail on a character: programs get UTF-8, whatever the locale."""
    if isinstance(stream, io.TextIOWrapper):
        is_for_programs = output is not Format.TABLE
        stream.reconfigure(encoding="utf-8" if is_for_programs else None, errors="replace")
    return stream


def _writer(output: Format, out: TextIO) -> Writer:
    match output:
        case Format.JSONL:
            return JsonLines(out)
        case Format.CSV:
            return Csv(out)
        case Format.TABLE:
            return Blocks(Console(file=out, markup=False, emoji=False))


@contextmanager
def _progress(table: UnknownTable, limit: int | None, err: Console) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    shown = err.is_terminal
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        disable=not shown,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        bar.add_task("rows", total=table.count_rows(limit) if shown else None)
        yield bar


def _counted(entry: Entry) -> Counter[str]:
    if not isinstance(entry, Analysis):
        return Counter(unread=1)
    kind = "silent" if entry.note == NO_TEXT else "read"
    return Counter({kind: 1, "statements": len(entry.statements)})


def _summary(counts: Counter[str]) -> str:
    rows = counts["read"] + counts["silent"] + counts["unread"]
    return (
        f"{rows} {'row' if rows == 1 else 'rows'}: "
        f"{counts['read']} with text ({counts['statements']} statements), "
        f"{counts['silent']} without, {counts['unread']} could not be read"
    )
