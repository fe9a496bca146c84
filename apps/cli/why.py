"""``voc why``: why a message does not leave, or a customer hears nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from voc.actions.why import Explanation, MessageShown, Way

app = typer.Typer(no_args_is_help=True, help="Why a message waits, or a customer hears nothing.")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def message(
    message_id: Annotated[int, typer.Argument(help="The number of the message.")],
    as_json: AsJson = False,
) -> None:
    """Every reason that holds a message back, and what stands behind it."""
    from tasks.workplace import workplace
    from voc.actions.why import explain_message
    from voc.store.database import transaction

    place = workplace()
    now = place.clock()
    with transaction(place.engine) as session:
        found = explain_message(
            session,
            message_id,
            company=place.company,
            secret=place.secret,
            kill_switch=place.settings.kill_switch.exists(),
            now=now,
        )
    _tell(found, as_json=as_json)


@app.command()
def customer(
    who: Annotated[str, typer.Argument(help="Their number, or an e-mail address of theirs.")],
    as_json: AsJson = False,
) -> None:
    """Why a customer is not written to just now, and which messages wait. Addresses are masked."""
    from tasks.workplace import workplace
    from voc.actions.why import explain_customer
    from voc.store.database import transaction

    place = workplace()
    now = place.clock()
    with transaction(place.engine) as session:
        found = explain_customer(
            session,
            who,
            company=place.company,
            secret=place.secret,
            kill_switch=place.settings.kill_switch.exists(),
            now=now,
        )
    _tell(found, as_json=as_json)


def _tell(found: Explanation, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False, default=_plain))
        return
    for line in _lines(found):
        typer.echo(line)


def _plain(value: object) -> Any:
    assert isinstance(value, datetime)  # noqa: S101  (all else is plain)
    return value.isoformat()


def _lines(found: Explanation) -> Iterator[str]:
    if found.message:
        yield f"Message {_message(found.message)}"
    else:
        yield f"Customer {found.customer_id}"
    if found.message and not found.ways:
        yield "  It has left, or may have."
    for way in found.ways:
        yield from _way(way)
    if found.customer_id is not None:
        yield from _facts(found)


def _way(way: Way) -> Iterator[str]:
    yield f"  By {way.channel} to {way.address or 'nobody'}:"
    if not way.reasons:
        yield "    nothing is against it now"
    for mark, reason in zip(["->", *["  "] * len(way.reasons)], way.reasons, strict=False):
        until = f", until {_time(reason.until)}" if reason.until else ""
        yield f" {mark} {reason.code}: {reason.sentence}{until}"


def _facts(found: Explanation) -> Iterator[str]:
    yield "  What stands behind it:"
    where = f" in {found.country}" if found.country else ", country unknown"
    for ground in sorted({way.ground for way in found.ways}):
        yield f"    ground{where}: {ground}"
    for said in found.consents:
        word = "agreed" if said.granted else "refused"
        yield f"    {said.purpose}: {word}, {_time(said.at)}, {said.how}"
    if not found.consents:
        yield "    consent: they never said"
    for each in found.suppressions:
        yield f"    suppressed: {each.address}, {each.reason}, {_time(each.at)}, {each.how}"
    for counted in found.counted:
        yield f"    counts against the caps: message {_message(counted)}"
    for way in found.ways[:1]:
        yield f"    on their clock: {_clock(way)}"
        yield f"    held out: {'yes' if way.held_out else 'no'}"
    if found.message and found.message.needs_approval:
        at = found.message.approved_at
        yield f"    approval: {_time(at) if at else 'nobody has approved it'}"
    for unsent in found.unsent:
        yield f"    not left: message {_message(unsent)}"


def _message(shown: MessageShown) -> str:
    merged = f" into message {shown.merged_into}" if shown.merged_into else ""
    reason = f" ({shown.reason}{merged})" if shown.reason else ""
    return f"{shown.id}: {shown.step} of {shown.about}, {shown.state}{reason}, {_time(shown.at)}"


def _clock(way: Way) -> str:
    times = way.local_times
    span = times[0] if len(times) == 1 else f"{times[0]} to {times[-1]}"
    zones = way.zones[0] if len(way.zones) == 1 else f"any of {len(way.zones)} time zones"
    return f"{span} ({zones})"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
