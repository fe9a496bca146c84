"""The governor: may this message leave now? One rule over everything that leaves.

Pure: the caller brings the facts (`voc.store.contact.facts_for`), the policy and the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voc.company.follow_up import FollowUpPolicy
from voc.models import MessageKind, MessageState
from voc.rules.tokens import digest


class Why(StrEnum):
    """Why we stay silent, or wait. Every one of these is stored with its message."""

    KILL_SWITCH = "kill_switch"
    RESTORED = "restored"  # an older copy of the database; nobody has looked yet
    BY_HAND = "by_hand"  # a person holds it
    NEEDS_APPROVAL = "needs_approval"
    HOLD_OUT = "hold_out"
    OPTED_OUT = "opted_out"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    NO_CONSENT = "no_consent"
    NO_ADDRESS = "no_address"
    EXPIRED = "expired"
    NOT_WANTED = "no_longer_wanted"
    CAP_7_DAYS = "cap_7_days"
    CAP_30_DAYS = "cap_30_days"
    QUIET_HOURS = "quiet_hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """What the governor wants to know about a message and whom it goes to."""

    kind: MessageKind = MessageKind.FOLLOW_UP
    address: str | None
    consent: bool | None = None
    """As the customer last said; None if they never did."""
    suppressed: str | None = None
    held_out: bool = False
    contacted_at: tuple[datetime, ...] = ()
    """When they heard from us in the last 30 days, whatever of; resolutions do not count."""
    exempt: bool = False
    """A resolution: what the customer waits for is not held back by caps."""
    timezone: str = "UTC"
    kill_switch: bool = False
    expires_at: datetime | None = None
    still_wanted: bool = True


@dataclass(frozen=True, slots=True)
class Silence:
    """Why a message does not leave now, and what becomes of it."""

    reason: Why
    state: MessageState
    until: datetime | None = None
    """Given if it only waits: then its state is QUEUED."""


def why_not_contact(facts: ContactFacts, policy: FollowUpPolicy, now: datetime) -> Silence | None:
    """The strongest reason for silence, or None if the message may leave now.

    Caps and quiet hours defer and never drop. Alerts to colleagues know neither, and no
    consent; the kill switch stops them, too.
    """
    return next(_silences(facts, policy, now), None)


def _silences(facts: ContactFacts, policy: FollowUpPolicy, now: datetime) -> Iterator[Silence]:
    """Every reason for silence, the strongest first."""
    is_follow_up = facts.kind is MessageKind.FOLLOW_UP
    if facts.kill_switch:
        yield Silence(Why.KILL_SWITCH, MessageState.HELD)
    if is_follow_up and facts.held_out:
        yield Silence(Why.HOLD_OUT, MessageState.HELD)
    if is_follow_up and (never := _why_never(facts, policy)):
        yield Silence(never, MessageState.SUPPRESSED)
    if facts.expires_at is not None and facts.expires_at <= now:
        yield Silence(Why.EXPIRED, MessageState.EXPIRED)
    if not facts.still_wanted:
        yield Silence(Why.NOT_WANTED, MessageState.CANCELLED)
    if is_follow_up and not facts.exempt and (cap := _cap(facts.contacted_at, policy, now)):
        yield cap
    if is_follow_up and (until := _quiet_until(facts.timezone, policy, now)):
        yield Silence(Why.QUIET_HOURS, MessageState.QUEUED, until)


def is_held_out(secret: bytes, customer_id: int, share: float) -> bool:
    """Whether this customer is never asked, to measure the effect of asking.

    The same customers at every call; a larger *share* only adds to them.
    """
    drawn = int.from_bytes(digest(secret, "hold-out", str(customer_id))[:8])
    return drawn < share * 2**64


def choose_address(
    addresses: Sequence[str], suppressed: Mapping[str, str], frozen: str | None
) -> tuple[str | None, str | None]:
    """Which of a customer's addresses to write to, and why not to: (address, reason).

    A customer who opted out with one address has opted out as a person; one that bounced is
    just passed over. A message keeps the address it was *frozen* with, while it is theirs.

    Args:
        addresses: The customer's, in the order in which to try them.
        suppressed: By address the reason of its suppression.
    """
    for address in addresses:
        if (reason := suppressed.get(address, Why.BOUNCED)) != Why.BOUNCED:
            return address, reason
    theirs = [address for address in addresses if frozen in {None, address}]
    if reachable := [address for address in theirs if address not in suppressed]:
        return reachable[0], None
    return (theirs[0], Why.BOUNCED) if theirs else (None, None)


def _why_never(facts: ContactFacts, policy: FollowUpPolicy) -> Why | None:
    if facts.suppressed is not None:
        known = facts.suppressed in {Why.OPTED_OUT, Why.COMPLAINED, Why.BOUNCED}
        return Why(facts.suppressed) if known else Why.OPTED_OUT
    if not facts.address:
        return Why.NO_ADDRESS
    if facts.consent is False or (facts.consent is None and policy.consent_required):
        return Why.NO_CONSENT
    return None


def _cap(contacted: Sequence[datetime], policy: FollowUpPolicy, now: datetime) -> Silence | None:
    """The cap that holds longest, with the moment at which it gives way."""
    newest_first = sorted(contacted, reverse=True)
    silences = []
    for reason, days, cap in (
        (Why.CAP_7_DAYS, 7, policy.cap_7_days),
        (Why.CAP_30_DAYS, 30, policy.cap_30_days),
    ):
        if len(newest_first) >= cap:
            until = newest_first[cap - 1] + timedelta(days=days)
            if until > now:
                silences.append((until, Silence(reason, MessageState.QUEUED, until)))
    return max(silences, key=lambda pair: pair[0])[1] if silences else None


def _quiet_until(timezone: str, policy: FollowUpPolicy, now: datetime) -> datetime | None:
    """When the quiet hours that it is now for the customer end; None if it is none.

    The clock on the customer's wall decides; where it jumps, an end that it jumps over is the
    moment of the jump's other side.
    """
    begin, end = policy.quiet_from, policy.quiet_until
    if begin is None or end is None:
        return None
    local = now.astimezone(zone(timezone))
    wall = local.time()
    is_quiet = begin <= wall < end if begin <= end else wall >= begin or wall < end
    if not is_quiet:
        return None
    day = local.date() if wall < end else local.date() + timedelta(days=1)
    fold = local.fold if day == local.date() else 0
    ends = datetime.combine(day, end, local.tzinfo).replace(fold=fold)
    return ends.astimezone(now.tzinfo)


def zone(name: str) -> ZoneInfo:
    """The time zone of this name; UTC where a source told us one that does not exist."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
