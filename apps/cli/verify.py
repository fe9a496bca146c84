"""``voc verify``: do the books balance?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from voc.rules.books import Finding

console = Console()


def verify(
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs: each check, and its finding or null.")
    ] = False,
) -> None:
    """Check the ledger and the books; name the first bad row of each check that fails."""
    from apps.cli.evaluation_progress import progress
    from tasks.workplace import workplace
    from voc.store.database import transaction
    from voc.store.events import length
    from voc.store.verify import verify as check_all

    place = workplace()
    with (
        transaction(place.engine) as session,
        progress("Events read", length(session)) as advance,
    ):
        findings = check_all(session, place.journal.heads(), advance)
    if as_json:
        typer.echo(json.dumps({name: _said(found) for name, found in findings.items()}, indent=2))
    else:
        _show(findings)
    if any(findings.values()):
        raise typer.Exit(1)


def _said(finding: Finding | None) -> dict[str, str] | None:
    return None if finding is None else {"row": finding.row, "problem": finding.problem}


def _show(findings: Mapping[str, Finding | None]) -> None:
    for name, finding in findings.items():
        mark = "[green]ok[/green]    " if finding is None else "[red]broken[/red]"
        told = "" if finding is None else escape(f": {finding.row} {finding.problem}")
        console.print(f"{mark} {name}{told}", highlight=False, soft_wrap=True)
