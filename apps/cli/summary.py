"""The table that a run ends with, and where to look next."""

from __future__ import annotations

from rich.columns import Columns
from rich.console import Console
from rich.table import Table

from tasks.models import default_reader
from tasks.workplace import Workplace
from voc.store.database import transaction
from voc.store.summary import Rows, summary


def print_summary(console: Console, place: Workplace, *, is_new: bool) -> None:
    """What is in the books now, in four tables, and where to look."""
    with transaction(place.engine) as session:
        sections = summary(session)
    if not is_new:
        model = "a model was loaded" if default_reader().loaded else "no model was loaded"
        console.print(f"[bold]Nothing new[/bold]: no stage had anything to do, and {model}.")
    console.print(
        Columns([_table(title, rows) for title, rows in sections.items()], padding=(0, 3))
    )
    settings = place.settings
    console.print("Where to look:")
    for what, where in (
        ("the report", settings.reports / "report.html"),
        ("the mails", settings.mailbox / "index.html"),
        ("the database", settings.database),
    ):
        console.print(f"  {what:<13} {where}", soft_wrap=True, highlight=False)
    console.print("  next          voc ticket list --state closed, voc quarantine list, voc verify")


def _table(title: str, rows: Rows) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", show_header=False, box=None
    )
    table.add_column()
    table.add_column(justify="right")
    for what, n in rows:
        table.add_row(what, f"{n:,}")
    return table
