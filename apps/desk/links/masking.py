"""Customers' words without their personal data; nothing else of them is ever stored."""

from __future__ import annotations

from collections.abc import Sequence

from nlp.mask import Known, mask_by
from voc.actions.collect import Mask
from voc.company.model import Company
from voc.models import IdentityKind


def masked_words(company: Company, words: str, known: Sequence[tuple[str, str]]) -> str | None:
    """*words* masked; None if there are none.

    Args:
        known: Kind and value of what we know of the customer: `voc.store.customers.known_values`.
    """
    known_values = [_as_known(kind, value) for kind, value in known]
    return mask_by(company.company, words, known=known_values).text or None


def masker(company: Company) -> Mask:
    """What masks a verbatim on its way in."""

    def mask(words: str, known: Sequence[tuple[str, str]]) -> tuple[str, dict[str, int]]:
        known_values = [_as_known(kind, value) for kind, value in known]
        masked = mask_by(company.company, words, known=known_values)
        return masked.text, masked.counts

    return mask


def _as_known(kind: str, value: str) -> Known:
    """A handle is an account to the mask; people write it without the name of the platform."""
    if kind == IdentityKind.HANDLE:
        return Known(kind="account", value=value.rpartition(":")[2])
    return Known(kind=kind, value=value)
