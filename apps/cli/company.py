"""``voc init`` and ``voc check``: start a company file, and see whether it holds."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from notifications.contexts import LANGUAGES
from sources.tables import format_of, read_table
from voc.company.advice import warnings
from voc.company.document import Finding, read_document
from voc.company.fitting import missing_secrets, unwritten_languages
from voc.company.hooks import why_unheard
from voc.company.load import FILE_NAME, CompanyFileError, load_company
from voc.company.model import Company
from voc.company.reference import schema_text
from voc.company.sources import FileSource, WebhookSource
from voc.errors import ConfigurationError, SourceFormatError
from voc.settings import get_settings

SCHEMA_NAME = "voc.schema.json"
WRONG = 2
_FILES_LOOKED_INTO = 20

console = Console()


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; made if it is not there.")],
) -> None:
    """Write a company file that explains itself, and a sample of feedback to try it on.

    Nothing that is there already is touched: then it says so and writes nothing.
    """
    contents = {**_starter(), SCHEMA_NAME: schema_text().encode()}
    taken = [name for name in contents if (folder / name).exists()]
    if taken:
        raise ConfigurationError(f"{folder / taken[0]} is there already; choose another folder")
    try:
        for name, content in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("xb") as file:
                file.write(content)
    except OSError as exc:
        raise ConfigurationError(f"{folder}: cannot be written ({exc.strerror})") from None
    for name in sorted(contents):
        console.print(f"wrote {folder / name}", soft_wrap=True, highlight=False, markup=False)
    console.print(
        f"""Next:
  cd {shlex.quote(str(folder))}
  voc check                        is the company file right?
  voc analyze inbox/feedback.csv   what would be understood
  voc run                          the main job, once, on this company
Then write your own departments and sources into {FILE_NAME}.""",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


def check(
    file: Annotated[
        Path | None,
        typer.Argument(help="A company file, or its folder. Default: the one `voc run` takes."),
    ] = None,
    *,
    schema: Annotated[bool, typer.Option("--schema", help="Print its JSON Schema.")] = False,
) -> None:
    """Check the company file: every mistake with its line, or what the company is."""
    from apps.cli.company_tables import print_company

    if schema:
        sys.stdout.write(schema_text())
        return
    path = _company_file(file)
    try:
        company = load_company(path, also=_outside)
    except CompanyFileError as exc:
        count = len(exc.problems)
        sys.stderr.write(f"{exc}\n{count} {'mistake' if count == 1 else 'mistakes'}.\n")
        raise typer.Exit(WRONG) from None
    found = {source.id: _files_of(source, path.parent) for source in _file_sources(company)}
    print_company(console, company, path, found, now=datetime.now(UTC))
    document = read_document(path.read_text(encoding="utf-8-sig"))
    for each in _warnings(company, found, path.parent):
        where = f"{path}, line {document.line_of(each.path)}"
        sys.stderr.write(f"warning: {where}: {'.'.join(map(str, each.path))}: {each.message}\n")


def _starter() -> dict[str, bytes]:
    with as_file(files("voc.company") / "starter") as folder:
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _company_file(given: Path | None) -> Path:
    path = given or get_settings().company_file()
    if path is None:
        raise ConfigurationError("no voc.yaml in VOC_HOME or here: `voc init DIR` writes one")
    return path / FILE_NAME if path.is_dir() else path


def _outside(content: object) -> list[Finding]:
    """What the file asks of this machine and of the rest of the product."""
    return [
        *missing_secrets(content, os.environ.get),
        *unwritten_languages(content, LANGUAGES),
    ]


def _file_sources(company: Company) -> list[FileSource]:
    return [source for source in company.sources if isinstance(source, FileSource)]


def _files_of(source: FileSource, folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(source.path) if path.is_file())


def _warnings(company: Company, found: dict[str, list[Path]], folder: Path) -> Iterator[Finding]:
    yield from warnings(company, {name: len(paths) for name, paths in found.items()})
    settings = get_settings()
    known = settings.alert_urls
    for i, webhook in enumerate(company.webhooks):
        if webhook.name not in settings.webhooks:
            variable = f"VOC_WEBHOOKS__{webhook.name.upper()}__URL"
            yield Finding(("webhooks", i, "name"), f"{variable} is not set: its events wait")
    for i, department in enumerate(company.departments):
        for j, room in enumerate(department.alerts):
            if room.name not in known:
                message = f"VOC_ALERT_URLS has no address for {room.name!r}: its alerts wait"
                yield Finding(("departments", i, "alerts", j), message)
    for i, source in enumerate(company.sources):
        if isinstance(source, WebhookSource):
            keys = settings.webhook_secrets.get(source.id, ())
            if reason := why_unheard(company, source.id, keys):
                yield Finding(("sources", i, "id"), reason)
        if isinstance(source, FileSource):
            for path in found[source.id][-_FILES_LOOKED_INTO:]:
                if reason := _why_unreadable(path, source):
                    label = path.relative_to(folder).as_posix()
                    yield Finding(("sources", i, "columns"), f"{label}: {reason}")


def _why_unreadable(path: Path, source: FileSource) -> str | None:
    """What is wrong with the file's header. Its rows are not read."""
    is_json = format_of(path, source.format) == "jsonl"
    try:
        rows = read_table(
            path,
            format=source.format,
            encoding=source.encoding,
            delimiter=source.delimiter,
            sheet=source.sheet,
            wanted=source.columns.needed if is_json else source.columns.named,
        )
        next(rows, None)
    except SourceFormatError as exc:
        return exc.reason
    except OSError as exc:
        return f"cannot be read ({exc.strerror})"
    return None
