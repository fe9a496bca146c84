"""``voc verify``: do the books balance?"""

from __future__ import annotations

import typer
from rich.console import Console

console = Console()


def verify() -> None:
    """Check the event chain and the books; name the first bad row of each check that fails."""
    from tasks.workplace import workplace
    from voc.store.database import transaction
    from voc.store.verify import verify as check_all

    with transaction(workplace().engine) as session:
        findings = check_all(session)
    for name, finding in findings.items():
        mark = "[green]ok[/green]    " if finding is None else "[red]broken[/red]"
        told = "" if finding is None else f": {finding.row} {finding.problem}"
        console.print(f"{mark} {name}{told}", highlight=False)
    if any(findings.values()):
        raise typer.Exit(1)
