"""``voc quarantine``: items that could not be accepted."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from apps.cli.prefect_server import quiet_prefect
from voc.errors import NotFoundError
from voc.settings import get_settings

app = typer.Typer(no_args_is_help=True, help="What could not be accepted: list it, replay it.")
console = Console()


@app.command("list")
def list_items() -> None:
    """Every item that waits: where it stood and what is wrong with it."""
    from tasks.workplace import workplace
    from voc.actions.quarantine import waiting

    items = waiting(workplace().engine)
    table = Table("item", "source", "where", "what is wrong")
    for item in items:
        table.add_row(str(item.id), item.source, escape(item.place), escape(item.reason))
    console.print(table if items else "Nothing is in quarantine.")


@app.command()
def replay(
    ids: Annotated[
        list[int] | None, typer.Argument(help="Numbers of items; all that wait if left out.")
    ] = None,
) -> None:
    """Read items again after the company file or the source was mended."""
    quiet_prefect(get_settings())
    from tasks.collect import replay_quarantine
    from tasks.workplace import workplace

    place = workplace()
    counts = replay_quarantine(place, ids or [], now=place.clock())
    if ids and not counts.total():
        raise NotFoundError("none of these items waits; `voc quarantine list` shows those that do")
    console.print(f"{counts['replayed']} accepted now, {counts['still_wrong']} still wrong.")
    if counts["still_wrong"]:
        raise typer.Exit(1)
