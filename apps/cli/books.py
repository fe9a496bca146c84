"""``voc books``: does all that came in, and all that left, add up?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

console = Console()


def books(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Count what came in and what left, and compare with the journal; 1 if it does not balance."""
    from tasks.workplace import workplace
    from voc.store.books import books as count
    from voc.store.database import transaction

    place = workplace()
    with transaction(place.engine) as session:
        found = count(session, place.journal, secret=place.secret)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        console.print(f"feedback   {found.ingested} came in: {_list(found.feedback)}")
        console.print(f"messages   {sum(found.messages.values())}: {_list(found.messages)}")
        console.print(
            f"handed over  {found.handed_over} by the journal, {found.gone} left or may have by "
            f"the database; {found.forgotten} before a restore"
        )
        for finding in found.findings:
            console.print(f"[red]does not balance[/red]  {finding}", highlight=False)
    if found.findings:
        raise typer.Exit(1)


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in counts.items()) or "none"
