"""What providers tell us by themselves: signed, kept once for ever, in any order.

A provider learns nothing from us: whatever it tells about messages and customers that we do not
know is answered like everything else. Words are masked before they are kept, and never logged.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import Session
from starlette.exceptions import HTTPException

from apps.desk.hooks_call import Call, TheCall
from apps.desk.hooks_feedback import feedback_source, take_feedback
from apps.desk.hooks_slack import hear_slack
from apps.desk.links.masking import masked_words
from apps.desk.signatures import form_of, is_standard, is_twilio
from voc.actions.inbound import Arrived, take_in
from voc.models import IdentityKind, InboundKind, Message, Verdict
from voc.rules.identities import normalise_identity
from voc.rules.inbound_mail import kind_of_failure, meaning_of
from voc.rules.pseudonym import pseudonym
from voc.rules.sms_words import Asks, asks_for
from voc.rules.verdicts import verdict_of
from voc.store import customers
from voc.store import inbound as store
from voc.store.database import transaction
from voc.text import normalise

router = APIRouter(prefix="/hooks")
router.add_api_route("/slack", hear_slack, methods=["POST"])

NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
MAX_WORDS = 5_000
NO_NUL = r"^[^\x00]*$"  # PostgreSQL refuses it in a text: the provider would try for ever
ASKED = {
    Asks.STOP: InboundKind.OPTED_OUT,
    Asks.START: InboundKind.OPTED_IN,
    Asks.HELP: InboundKind.ASKED_FOR_HELP,
}
ASKED_OF_TWILIO = {"STOP": Asks.STOP, "START": Asks.START, "HELP": Asks.HELP}
"""What Twilio itself has understood, where it is told to."""
GONE = {"30005", "30006", "21614"}  # Twilio's codes: no such number; one that takes no texts
OUT_OF_REACH = {"30003", "30008"}
OPTED_OUT = {"21610"}  # they told Twilio STOP before


def _in_utc(moment: datetime) -> datetime:
    """Raises ValueError where there is no such moment: the year 0 begins later in Asia."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


class Report(BaseModel):
    """What a provider of mail tells by a Standard Webhook. Any other field is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = Field(max_length=64)
    occurred_at: Annotated[AwareDatetime, AfterValidator(_in_utc)]
    message_id: str = Field(default="", max_length=255, pattern=NO_NUL)
    provider_id: str = Field(default="", max_length=255, pattern=NO_NUL)
    code: str = Field(default="", max_length=64)
    words: str = Field(default="", max_length=MAX_WORDS, repr=False)


@router.post("/twilio/status")
def note_status(call: TheCall) -> Response:
    """What became of a text message that we handed over."""
    form = _from_twilio(call)
    sid, status, code = (form.get(n, "") for n in ("MessageSid", "MessageStatus", "ErrorCode"))
    for kind in _kinds_of_status(status, code) if sid else ():
        number = form.get("To", "") if kind is InboundKind.OPTED_OUT else ""
        arrived = Arrived(
            provider=store.TWILIO,
            event_id=f"{sid}:{kind}",
            kind=kind,
            occurred_at=call.now,
            provider_id=sid,
            address_hash=pseudonym(call.desk.secret, number) if number else None,
            code=code,
        )
        _keep(call, arrived)
    return Response(status_code=200)


@router.post("/twilio/inbound")
def hear_text(call: TheCall) -> Response:
    """A text message to our number. Twilio itself confirms STOP and answers HELP."""
    form = _from_twilio(call)
    sid, body = form.get("MessageSid", ""), form.get("Body", "")[:MAX_WORDS]
    phone = normalise_identity(IdentityKind.PHONE, form.get("From", ""))
    if not sid or phone is None:
        return _no_reply()
    asked = ASKED_OF_TWILIO.get(form.get("OptOutType", "")) or asks_for(body)
    with transaction(call.desk.engine) as session:
        message = store.newest_text_to(session, phone)
        owner = store.owner_of_phone(session, phone)
        known = _known(session, message)
    kind = ASKED.get(asked, InboundKind.REPLIED)
    may_be_stop = asked is Asks.PERHAPS_STOP
    arrived = Arrived(
        provider=store.TWILIO,
        event_id=sid,
        kind=kind,
        occurred_at=call.now,
        message_id=message.id if message else None,
        customer_id=owner,
        address_hash=pseudonym(call.desk.secret, phone),
        code=asked.value,
        words=masked_words(call.desk.company, body, known),
        verdict=Verdict.UNCLEAR if may_be_stop else verdict_of(body),
    )
    _keep(call, arrived)
    return _no_reply()


@router.post("/{name}")
def hear_provider(name: str, call: TheCall) -> Response:
    """Feedback of a source that pushes it, or what a provider of mail reports of a message."""
    if (source := feedback_source(call.desk, name)) is not None:
        return take_feedback(call, source)
    return _hear_report(name, call)


def _hear_report(name: str, call: Call) -> Response:
    """What a provider of mail reports of a message, or took in as a reply to one."""
    if not is_standard(call.desk.hooks, name, call.body, call.headers):
        raise HTTPException(401)
    report = _report(call.body)
    kind, verdict = _kind_of_report(report), None
    if kind is None:
        return Response(status_code=200)
    with transaction(call.desk.engine) as session:
        message_id = store.by_message_id(session, report.message_id)
        message = session.get(Message, message_id) if message_id else None
        known = _known(session, message)
    words = normalise(report.words)
    if kind is InboundKind.REPLIED:
        kind, verdict = meaning_of(words)
    arrived = Arrived(
        provider=f"hook:{name}",
        event_id=call.headers["webhook-id"],
        kind=kind,
        occurred_at=report.occurred_at,
        message_id=message_id,
        provider_id=report.provider_id or None,
        code=report.code,
        words=masked_words(call.desk.company, words, known),
        verdict=verdict,
    )
    _keep(call, arrived)
    return Response(status_code=200)


def _from_twilio(call: Call) -> dict[str, str]:
    """The fields of a form that Twilio posted.

    Raises:
        HTTPException: 401: it is not signed by Twilio.
    """
    signature = call.headers.get("x-twilio-signature", "")
    if not is_twilio(call.desk.hooks, call.path, call.body, signature):
        raise HTTPException(401)
    return {name: normalise(value) for name, value in form_of(call.body)}


def _no_reply() -> Response:
    return Response(NO_REPLY, media_type="text/xml")


def _keep(call: Call, arrived: Arrived) -> None:
    with transaction(call.desk.engine) as session:
        take_in(session, arrived, secret=call.desk.secret, now=call.now)


def _known(session: Session, message: Message | None) -> list[tuple[str, str]]:
    """What the customer of a message is known by, to be masked in their words."""
    if message is None or message.customer_id is None:
        return []
    return customers.known_values(session, [message.customer_id]).get(message.customer_id, [])


def _kinds_of_status(status: str, code: str) -> tuple[InboundKind, ...]:
    """What a status of Twilio's means; nothing while the message is still on its way."""
    if status == "delivered":
        return (InboundKind.DELIVERED,)
    if status not in {"failed", "undelivered"}:
        return ()
    if code in OPTED_OUT:
        return InboundKind.OPTED_OUT, InboundKind.FAILED
    if code in GONE:
        return (InboundKind.HARD_BOUNCED,)
    return (InboundKind.SOFT_BOUNCED if code in OUT_OF_REACH else InboundKind.FAILED,)


def _report(body: bytes) -> Report:
    """The report in a signed body.

    Raises:
        HTTPException: 422: it is not one; the provider has to be told.
    """
    try:
        found: Any = json.loads(body)
        return Report.model_validate(found)
    except (ValueError, ValidationError, RecursionError):
        raise HTTPException(422) from None


def _kind_of_report(report: Report) -> InboundKind | None:
    """None for what providers report and we do not want to know: opened, clicked."""
    if report.type == "bounced":
        return kind_of_failure(report.code or "5.0.0", "")
    return REPORTS.get(report.type)


REPORTS = {
    kind.value: kind
    for kind in (
        InboundKind.DELIVERED,
        InboundKind.SOFT_BOUNCED,
        InboundKind.HARD_BOUNCED,
        InboundKind.COMPLAINED,
        InboundKind.FAILED,
        InboundKind.REPLIED,
        InboundKind.AUTO_REPLIED,
        InboundKind.OPTED_OUT,
    )
}
