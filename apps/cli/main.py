"""The commands, put together; and how errors look."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from apps.cli import (
    analyze,
    answers,
    approval,
    books,
    company,
    deploy,
    desk,
    evaluate,
    experiment,
    explain,
    label,
    outbox,
    quarantine,
    receipt,
    run,
    theme,
    ticket,
    up,
    verify,
    why,
)
from nlp.errors import ModelFileError
from rehearsal.company_files import set_up
from voc.errors import ConfigurationError, VocError
from voc.settings import get_settings

WRONG_USE = 2
FAILED = 1


class _OneSentenceErrors(TyperGroup):
    """Our own errors are one sentence on stderr, never a traceback; exit codes tell them apart."""

    def invoke(self, ctx: Any) -> Any:
        try:
            _refresh_rehearsal()
            return super().invoke(ctx)
        except ConfigurationError as exc:
            sys.stderr.write(f"voc: {exc}\n")
            raise typer.Exit(WRONG_USE) from None
        except (VocError, ModelFileError) as exc:
            sys.stderr.write(f"voc: {exc}\n")
            raise typer.Exit(FAILED) from None


def _refresh_rehearsal() -> None:
    """A rehearsal that was played by an earlier version gets this version's company file."""
    settings = get_settings()
    if settings.company_file() is None and settings.rehearsal.exists():
        set_up(settings.rehearsal)


app = typer.Typer(
    cls=_OneSentenceErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="vocloop: collect what customers say, get it to who can act, and answer the customer.",
)
app.command()(run.run)
app.command()(analyze.analyze)
app.command()(company.init)
app.command()(company.check)
app.command()(verify.verify)
app.command()(books.books)
app.command()(receipt.receipt)
app.command()(up.up)
app.command()(deploy.deploy)
app.add_typer(evaluate.app, name="evaluate")
app.command()(explain.explain)
app.add_typer(desk.app, name="desk")
app.add_typer(ticket.app, name="ticket")
app.add_typer(label.app, name="label")
app.add_typer(theme.app, name="theme")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(outbox.app, name="outbox")
app.add_typer(answers.app, name="answers")
app.add_typer(why.app, name="why")
app.add_typer(approval.app, name="approval")
app.add_typer(experiment.app, name="experiment")
