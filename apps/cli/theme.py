"""``voc theme``: what many customers say alike."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from apps.cli.login import login_name
from apps.cli.shown import shown
from tasks.workplace import workplace
from voc.actions import themes as actions
from voc.models import Theme, ThemeEvent, ThemeEventKind, ThemeState
from voc.store import theme_figures
from voc.store.database import transaction
from voc.store.theme_figures import Standing, ThemeFigures
from voc.store.themes import found

app = typer.Typer(no_args_is_help=True, help="Themes: list, show, name, promote to a topic.")
console = Console()

QUOTES = 5
OTHER = {
    ThemeEventKind.BORN: "out of theme {}",
    ThemeEventKind.SPLIT: "into theme {}, too",
    ThemeEventKind.MERGED: "into theme {}",
}
"""What the other theme of an event is to it."""

ThemeId = Annotated[int, typer.Argument(help="The number of the theme.")]
Actor = Annotated[
    str,
    typer.Option("--as", help="Who acts; default: your login name.", default_factory=login_name),
]


@app.command("list")
def list_themes(
    retired: Annotated[
        bool, typer.Option("--retired", help="Also those that take in nothing new.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """Themes, the largest first; below them what fits none."""
    place = workplace()
    with transaction(place.engine) as session:
        rows = theme_figures.listing(session, now=place.clock(), retired=retired)
        standing = theme_figures.standing(session)
    if rows:
        console.print(_table(rows[:limit], standing))
    else:
        console.print("No themes yet: `learn` finds the first in 40 statements, the loop in 200.")
    if len(rows) > limit:
        console.print(f"The first {limit} of {len(rows)}; --limit shows more.")
    _print_standing(standing)


@app.command()
def show(theme_id: ThemeId) -> None:
    """One theme: what is typical of it (personal data masked), how it feels, how it came about."""
    place = workplace()
    with transaction(place.engine) as session:
        theme = found(session, theme_id)
        quotes = theme_figures.quotes(session, theme, limit=QUOTES)
        felt = theme_figures.sentiments(session, theme_id)
        events = theme_figures.lineage(session, theme_id)
    console.print(f"[bold]Theme {theme.id}[/bold]: {escape(called(theme))}, {theme.state.value}")
    console.print(f"  words: {shown(', '.join(theme.words)) or '-'}", markup=False, highlight=False)
    if theme.topic:
        console.print(f"  topic: {theme.topic}", markup=False)
    mix = ", ".join(
        f"{label or 'unsure'} {n / felt.total():.0%}" for label, n in felt.most_common()
    )
    console.print(f"  feels: {mix or '-'}")
    for quote in quotes:
        console.print(f'  "{shown(quote)}"', markup=False, highlight=False)
    for event in events:
        console.print(f"  {_told(event)}", markup=False, highlight=False)


@app.command()
def name(
    theme_id: ThemeId,
    words: Annotated[str, typer.Argument(help="What to call it.")],
    actor: Actor,
) -> None:
    """Give a theme the name that people know it by; it keeps it."""
    place = workplace()
    with transaction(place.engine) as session:
        theme = actions.name(session, theme_id, words, actor=actor, now=place.clock())
    console.print(f"Theme {theme.id} is called {theme.name}.", markup=False, highlight=False)


@app.command()
def promote(
    theme_id: ThemeId,
    topic: Annotated[str, typer.Argument(help="The id of a topic in the company file.")],
    actor: Actor,
) -> None:
    """Say that a theme belongs to a topic that people own."""
    place = workplace()
    with transaction(place.engine) as session:
        theme = actions.promote(
            session, theme_id, topic, place.company, actor=actor, now=place.clock()
        )
    console.print(f"Theme {theme.id} belongs to {theme.topic}.", markup=False, highlight=False)


def called(theme: Theme) -> str:
    """The name that a person gave it, else its words."""
    return shown(theme.name or ", ".join(theme.words)) or "(no words)"


def _table(rows: list[ThemeFigures], standing: Standing) -> Table:
    table = Table("theme", "what", "topic", "statements", "share", "7 days", "change", "newest")
    for row in rows:
        gone = " (retired)" if row.theme.state is ThemeState.RETIRED else ""
        table.add_row(
            str(row.theme.id),
            escape(called(row.theme) + gone),
            escape(row.theme.topic or "-"),
            f"{row.size:,}",
            f"{row.size / standing.total:.1%}" if standing.total else "-",
            f"{row.this_week:,}",
            f"{row.this_week - row.last_week:+,}",
            f"{row.newest:%Y-%m-%d}" if row.newest else "-",
        )
    return table


def _print_standing(standing: Standing) -> None:
    console.print(
        f"{standing.total:,} statements: {standing.in_themes:,} in themes, "
        f"{standing.waiting:,} wait for one, {standing.unassigned:,} fit none, "
        f"{standing.in_retired:,} in retired ones, {standing.not_placed:,} new. "
        f"Unassigned: {standing.unassigned_share:.1%}.",
        highlight=False,
    )


def _told(event: ThemeEvent) -> str:
    other = OTHER.get(event.kind, "").format(event.other_id) if event.other_id else ""
    parts = (f"{event.at:%Y-%m-%d %H:%M}", f"{event.kind.value:<9}", other)
    told = (*parts, shown(event.detail), shown(event.actor))
    return "  ".join(part for part in told if part)
