"""What everything passes that customers write: masked by the company's rules, or sealed."""

from __future__ import annotations

from collections.abc import Sequence

from nlp.mask import Known, mask_by
from tasks.workplace import Workplace
from voc.actions import collect
from voc.models import IdentityKind
from voc.rules.sealing import Seal


def door_seal(place: Workplace) -> Seal:
    return Seal(place.secret)


def build_door(place: Workplace) -> collect.Door:
    """What every item passes on its way in, by the company's own rules."""
    about = place.company.company

    def hide(text: str, known: Sequence[tuple[str, str]]) -> tuple[str, dict[str, int]]:
        masked = mask_by(about, text, known=[_known(kind, value) for kind, value in known])
        return masked.text, masked.counts

    return collect.Door(
        mask=hide,
        seal=door_seal(place).close,
        secret=place.secret,
        region=about.phone_regions[0],
    )


def _known(kind: str, value: str) -> Known:
    """What is known of an author, as masking takes it: a handle without its platform."""
    if kind == IdentityKind.HANDLE:
        return Known(kind="account", value=value.partition(":")[2] or value)
    return Known(kind=kind, value=value)
