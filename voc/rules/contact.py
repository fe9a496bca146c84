"""The governor: may this message leave now? One rule over everything that leaves.

Pure: the caller brings the facts (`voc.store.contact.facts_for`), the policy and the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from voc.company.follow_up import FollowUpPolicy, Ground
from voc.models import DeliveryChannel, MessageKind, MessageState
from voc.rules.quiet_hours import Span, first_allowed
from voc.rules.tokens import digest


class Why(StrEnum):
    """Why we stay silent, or wait. Every one of these is stored with its message."""

    KILL_SWITCH = "kill_switch"
    RESTORED = "restored"  # an older copy of the database; nobody has looked yet
    BY_HAND = "by_hand"  # a person holds it
    HOLD_OUT = "hold_out"
    OPTED_OUT = "opted_out"
    COMPLAINED = "complained"
    STOPPED = "stopped"  # STOP by SMS: this number only, until START
    BOUNCED = "bounced"
    COUNTRY = "country"  # the policy says never
    NO_ADDRESS = "no_address"
    NO_CONSENT = "no_consent"
    NO_HOUR = "no_hour"  # on some clock that may be theirs it is always quiet
    EXPIRED = "expired"
    NOT_WANTED = "no_longer_wanted"
    NEEDS_APPROVAL = "needs_approval"
    CAP_7_DAYS = "cap_7_days"
    CAP_30_DAYS = "cap_30_days"
    QUIET_HOURS = "quiet_hours"
    VARIANT_HOUR = "variant_hour"  # its variant of an experiment goes out later in the day


SUPPRESSIONS = frozenset({Why.OPTED_OUT, Why.COMPLAINED, Why.STOPPED, Why.BOUNCED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """What the governor wants to know about a message and whom it goes to."""

    kind: MessageKind = MessageKind.FOLLOW_UP
    channel: DeliveryChannel = DeliveryChannel.EMAIL
    address: str | None
    consent: bool | None = None
    """To this channel, as the customer last said; None if they never did."""
    country: str | None = None
    suppressed: str | None = None
    held_out: bool = False
    contacted_at: tuple[datetime, ...] = ()
    """When they heard from us in the last 30 days, by any channel; resolutions do not count."""
    exempt: bool = False
    """A resolution: what the customer waits for is not held back by caps."""
    zones: tuple[str, ...] = ("UTC",)
    """Theirs; or, if we do not know it, every one that may be."""
    not_before_hour: int | None = None
    """Of its variant, on the customer's clock."""
    kill_switch: bool = False
    restored: bool = False
    by_hand: bool = False
    written: bool = True
    """Its bytes are frozen: there is something to approve."""
    needs_approval: bool = False
    approved: bool = False
    """Just these bytes were."""
    expires_at: datetime | None = None
    still_wanted: bool = True

    @property
    def is_contact(self) -> bool:
        """Whether it is written to a customer. What stands in public below a review is not."""
        return self.kind is MessageKind.FOLLOW_UP and self.channel is not DeliveryChannel.REVIEW

    @property
    def waits_for_approval(self) -> bool:
        """Whether a person has to read it first. Every public reply has to be read."""
        needed = self.needs_approval or self.channel is DeliveryChannel.REVIEW
        return needed and self.written and not self.approved


@dataclass(frozen=True, slots=True)
class Silence:
    """Why a message does not leave now, and what becomes of it."""

    reason: Why
    state: MessageState
    until: datetime | None = None
    """Given if it only waits: then its state is QUEUED."""


def why_not_contact(facts: ContactFacts, policy: FollowUpPolicy, now: datetime) -> Silence | None:
    """The strongest reason for silence, or None if the message may leave now.

    Caps and quiet hours defer and never drop. Alerts to colleagues and public replies know
    neither, and no consent.
    """
    return next(silences(facts, policy, now), None)


def silences(facts: ContactFacts, policy: FollowUpPolicy, now: datetime) -> Iterator[Silence]:
    """Every reason for silence that holds, the strongest first."""
    if facts.kill_switch:
        yield Silence(Why.KILL_SWITCH, MessageState.HELD)
    if facts.restored:
        yield Silence(Why.RESTORED, MessageState.HELD)
    if facts.by_hand:
        yield Silence(Why.BY_HAND, MessageState.HELD)
    if facts.is_contact:
        if facts.held_out:
            yield Silence(Why.HOLD_OUT, MessageState.HELD)
        yield from (Silence(never, MessageState.SUPPRESSED) for never in _never(facts, policy, now))
    if facts.expires_at is not None and facts.expires_at <= now:
        yield Silence(Why.EXPIRED, MessageState.EXPIRED)
    if not facts.still_wanted:
        yield Silence(Why.NOT_WANTED, MessageState.CANCELLED)
    if facts.waits_for_approval:
        yield Silence(Why.NEEDS_APPROVAL, MessageState.HELD)
    if facts.is_contact:
        if not facts.exempt:
            yield from _caps(facts.contacted_at, policy, now)
        yield from _hours(facts, policy, now)


def choose_way(ways: Sequence[ContactFacts], policy: FollowUpPolicy, now: datetime) -> ContactFacts:
    """Of one message's facts by each channel those of the first that is not shut for good.

    If all are: of the first with an address, so that its reason is told.
    """

    def is_shut(facts: ContactFacts) -> bool:
        return any(s.state is MessageState.SUPPRESSED for s in silences(facts, policy, now))

    open_ones = (facts for facts in ways if not is_shut(facts))
    addressed = (facts for facts in ways if facts.address)
    return next(open_ones, None) or next(addressed, None) or ways[0]


def ground_of(country: str | None, policy: FollowUpPolicy) -> Ground:
    """What we may write on in this country: a consent, no refusal, or nothing."""
    otherwise: Ground = "consent" if policy.consent_required else "opt_out"
    return policy.countries.get((country or "").upper(), otherwise)


def is_held_out(secret: bytes, customer_id: int, share: float) -> bool:
    """Whether this customer is never asked, to measure the effect of asking.

    The same customers at every call; a larger *share* only adds to them.
    """
    drawn = int.from_bytes(digest(secret, "hold-out", str(customer_id))[:8])
    return drawn < share * 2**64


def _never(facts: ContactFacts, policy: FollowUpPolicy, now: datetime) -> Iterator[Why]:
    """Why this customer is not written to by this channel, today or tomorrow."""
    ground = ground_of(facts.country, policy)
    if facts.suppressed is not None:
        known = facts.suppressed in SUPPRESSIONS
        yield Why(facts.suppressed) if known else Why.OPTED_OUT
    if ground == "never":
        yield Why.COUNTRY
    if not facts.address:
        yield Why.NO_ADDRESS
    if facts.consent is False or (facts.consent is None and ground == "consent"):
        yield Why.NO_CONSENT
    span = policy.quiet_hours(facts.channel)
    if span and first_allowed(facts.zones, (span,), now) is None:
        yield Why.NO_HOUR


def _caps(contacted: Sequence[datetime], policy: FollowUpPolicy, now: datetime) -> list[Silence]:
    """The caps that are full, each with the moment at which it gives way; the longest first."""
    newest_first = sorted(contacted, reverse=True)
    full = []
    for reason, days, cap in (
        (Why.CAP_7_DAYS, 7, policy.cap_7_days),
        (Why.CAP_30_DAYS, 30, policy.cap_30_days),
    ):
        if len(newest_first) >= cap:
            until = newest_first[cap - 1] + timedelta(days=days)
            if until > now:
                full.append((until, Silence(reason, MessageState.QUEUED, until)))
    return [silence for _, silence in sorted(full, key=lambda pair: pair[0], reverse=True)]


def _hours(facts: ContactFacts, policy: FollowUpPolicy, now: datetime) -> Iterator[Silence]:
    """That it is quiet, or too early for the variant: a wish that yields where it cannot be met."""
    span = policy.quiet_hours(facts.channel)
    spans: tuple[Span, ...] = (span,) if span else ()
    if (until := first_allowed(facts.zones, spans, now)) and until > now:
        yield Silence(Why.QUIET_HOURS, MessageState.QUEUED, until)
    if facts.not_before_hour:
        spans += ((time(0), time(facts.not_before_hour)),)
        if (until := first_allowed(facts.zones, spans, now)) and until > now:
            yield Silence(Why.VARIANT_HOUR, MessageState.QUEUED, until)
