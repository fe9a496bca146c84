"""The tables of ``docs/models``, measured anew: ``python -m apps.cli.model_cards``.

Reads the development parts of the labelled sets under VOC_EVAL_DATA and rewrites what stands
between ``<!-- table:NAME -->`` and ``<!-- /table -->``. The same models and data give the same
text, so a second run changes nothing.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer
from rich.console import Console

from apps.cli.evaluate import product_bench, read
from apps.cli.evaluation_data import Labelled
from apps.cli.evaluation_progress import progress
from apps.cli.evaluation_tasks import Bench
from apps.cli.model_tables import TABLES, Table
from voc.errors import ConfigurationError, VocError

DOCS = Path(__file__).parents[2] / "docs" / "models"
_MARKED = re.compile(r"(<!-- table:(\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def model_cards(
    only: Annotated[list[str] | None, typer.Option(help="These tables; else all.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="A seeded sample of so many rows a set.")
    ] = None,
    docs: Annotated[Path, typer.Option(help="The folder of the cards.")] = DOCS,
) -> None:
    """Measure, and rewrite the tables in the cards."""
    cards = {path: path.read_text(encoding="utf-8") for path in sorted(docs.glob("*.md"))}
    marked = {match[2] for text in cards.values() for match in _MARKED.finditer(text)}
    wanted = _wanted(only, marked)
    bench = product_bench()
    written = {name: measured(TABLES[name], bench, _folder(), limit) for name in wanted}
    for path, text in cards.items():
        if (new := rewritten(text, written)) != text:
            path.write_text(new, encoding="utf-8")
            Console(stderr=True).print(f"rewritten: {path.name}")


def measured(table: Table, bench: Bench, folder: Path, limit: int | None) -> list[str]:
    """The lines of a table in Markdown, and below it what it was measured with."""
    found = []
    for each in table.sets:
        data = read([each.path(folder)], table.kind, None, each.label_column, each.group_column)
        data = _sample(data, limit, each.name)
        with progress(each.name, len(data.texts)) as advance:
            found.append((each, table.measure(data, bench, advance)))
    versions = dict(found[0][1].model_versions)
    with_what = ", ".join(f"{name} {version}" for name, version in versions.items())
    which = f"Samples of {limit:,} rows of the" if limit else "The"
    return [
        *table.lines(found),
        "",
        f"{which} development parts, in percent (ECE: 0 is perfect). Measured with {with_what}; "
        "`data` begins the SHA-256 of the file.",
    ]


def rewritten(text: str, tables: Mapping[str, Sequence[str]]) -> str:
    """*text* with these tables between their marks; others stay as they are."""

    def table(match: re.Match[str]) -> str:
        if match[2] not in tables:
            return match[0]
        return match[1] + "\n".join(["", *tables[match[2]], "", ""]) + match[3]

    return _MARKED.sub(table, text)


def _wanted(only: Sequence[str] | None, marked: set[str]) -> list[str]:
    """Raises ConfigurationError for a table that nobody can measure, or that no card has."""
    for name in only or sorted(marked):
        if name not in TABLES:
            raise ConfigurationError(f"there is no table {name}; there are: {', '.join(TABLES)}")
        if name not in marked:
            raise ConfigurationError(f"no card has <!-- table:{name} -->")
    return list(only or sorted(marked))


def _folder() -> Path:
    value = os.environ.get("VOC_EVAL_DATA", "")
    if not value or not Path(value).is_dir():
        raise ConfigurationError("set VOC_EVAL_DATA to the folder of the labelled sets")
    return Path(value)


def _sample(data: Labelled[Any], limit: int | None, name: str) -> Labelled[Any]:
    if limit is None or limit >= len(data.texts):
        return data
    return data.only(sorted(Random(name).sample(range(len(data.texts)), limit)))  # noqa: S311


def main() -> None:
    """Our own errors are one sentence, as those of `voc` are."""
    try:
        typer.run(model_cards)
    except VocError as exc:
        sys.exit(f"model cards: {exc}")


if __name__ == "__main__":
    main()
