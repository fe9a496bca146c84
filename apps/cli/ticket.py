"""``voc ticket``: what owners can do without a desk."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from apps.cli.login import login_name
from apps.cli.shown import shown
from tasks.workplace import Workplace, workplace
from voc.actions import tickets as actions
from voc.actions.tickets import require_department
from voc.models import Ticket, TicketState
from voc.store.database import transaction
from voc.store.ticket_history import history_of, quotes_of, statements_of
from voc.store.tickets import found, listing

app = typer.Typer(no_args_is_help=True, help="Tickets: list, show, accept, reassign, resolve.")
console = Console()

TicketId = Annotated[int, typer.Argument(help="The number of the ticket.")]
Actor = Annotated[
    str,
    typer.Option("--as", help="Who acts; default: your login name.", default_factory=login_name),
]


@app.command("list")
def list_tickets(
    department: Annotated[str | None, typer.Option(help="Only of this department.")] = None,
    state: Annotated[
        TicketState | None, typer.Option(help="Only in this state; default: unfinished ones.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """Tickets, the most pressing promise first."""
    place = workplace()
    if department:
        require_department(place.company, department)
    with transaction(place.engine) as session:
        rows = listing(session, department=department, state=state, limit=limit)
    table = Table("ticket", "department", "topic", "priority", "state", "level", "owner", "due")
    for t in rows:
        table.add_row(
            str(t.id),
            t.department,
            t.topic or "-",
            t.priority.value,
            t.state.value,
            str(t.level),
            escape(shown(t.owner or "-")),
            _due(place, t),
        )
    console.print(table if rows else "No tickets.")
    if len(rows) == limit:
        console.print(f"The first {limit}; --limit shows more.")


@app.command()
def show(ticket_id: TicketId) -> None:
    """One ticket: what was said (personal data masked), who must act, and what happened."""
    place = workplace()
    with transaction(place.engine) as session:
        ticket = found(session, ticket_id)
        quotes = quotes_of(session, [ticket_id]).get(ticket_id, [])
        statements = statements_of(session, ticket_id)
        events = history_of(session, ticket_id)
    console.print(f"[bold]Ticket {ticket.id}[/bold]: {ticket.department}, {ticket.state.value}")
    console.print(
        f"  why here: {escape(shown(ticket.because))}; priority {ticket.priority.value}; "
        f"{_due(place, ticket)}"
    )
    if ticket.offers:
        offers = ", ".join(f"{name} {float(p):.0%}" for name, p in ticket.offers)
        console.print(f"  departments offered: {offers}")
    for quote in quotes:
        console.print(f'  "{shown(quote)}"', markup=False, highlight=False)
    numbers = ", ".join(map(str, statements))
    console.print(f"  statements: {numbers or 'none any more'} (`voc explain NUMBER`)")
    if ticket.root_cause:
        console.print(f"  root cause: {shown(ticket.root_cause)}", markup=False)
        console.print(f"  action: {shown(ticket.action_taken or '')}", markup=False)
    for event in events:
        moment = event.at.strftime("%Y-%m-%d %H:%M")
        console.print(
            f"  {moment}  {event.kind.value:<10} {escape(shown(event.detail)):<12} "
            f"{escape(shown(event.actor))}"
        )


@app.command()
def accept(ticket_id: TicketId, actor: Actor) -> None:
    """Take a ticket."""
    place = workplace()
    with transaction(place.engine) as session:
        ticket = actions.accept(session, ticket_id, actor=actor, now=place.clock())
    _say(ticket)


@app.command()
def reassign(
    ticket_id: TicketId,
    department: Annotated[str, typer.Argument(help="The department that owns it.")],
    actor: Actor,
) -> None:
    """Hand a ticket to the department that owns it; this teaches the routing."""
    place = workplace()
    with transaction(place.engine) as session:
        ticket = actions.reassign(
            session, ticket_id, department, place.company, actor=actor, now=place.clock()
        )
    _say(ticket)


@app.command()
def resolve(
    ticket_id: TicketId,
    root_cause: Annotated[str, typer.Option("--cause", help="Why it happened.")],
    action_taken: Annotated[
        str, typer.Option("--action", help="What was done; the customer reads it.")
    ],
    actor: Actor,
) -> None:
    """Say that the issue is dealt with. The customer is told when it was the last one."""
    place = workplace()
    with transaction(place.engine) as session:
        ticket = actions.resolve(
            session,
            ticket_id,
            root_cause=root_cause,
            action_taken=action_taken,
            actor=actor,
            now=place.clock(),
        )
    _say(ticket)


def _say(ticket: Ticket) -> None:
    console.print(
        f"Ticket {ticket.id} is {ticket.state.value.replace('_', ' ')}, with {ticket.department}."
    )


def _due(place: Workplace, ticket: Ticket) -> str:
    due = ticket.first_response_due_at if ticket.accepted_at is None else ticket.resolution_due_at
    if ticket.state not in {TicketState.OPEN, TicketState.IN_PROGRESS}:
        return "-"
    late = ", late" if due < place.clock() else ""
    return f"due {due:%Y-%m-%d %H:%M} UTC{late}"
