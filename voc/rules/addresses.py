"""Which of a customer's addresses to write to, and how to show one to a colleague."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voc.rules.contact import Why

OF_ONE_ADDRESS = frozenset({Why.BOUNCED, Why.STOPPED})
"""Reasons that silence one address. Any other silences the person, on every channel."""


def choose_address(
    addresses: Sequence[str], suppressed: Mapping[str, str], frozen: str | None
) -> tuple[str | None, str | None]:
    """Which address of one channel to write to, and why not to: (address, reason).

    A customer who opted out with one address has opted out as a person; one that bounced, or
    that said STOP, is just passed over. A message keeps the address it was *frozen* with, while
    it is theirs.

    Args:
        addresses: The customer's on this channel, in the order in which to try them.
        suppressed: By address, of all the customer's on any channel, the reason.
    """
    personal = next((r for r in suppressed.values() if r not in OF_ONE_ADDRESS), None)
    theirs = [address for address in addresses if frozen in {None, address}]
    reachable = [address for address in theirs if address not in suppressed]
    address = next(iter(reachable or theirs), None)
    return address, personal or (suppressed.get(address) if address else None)


def masked(address: str) -> str:
    """An address that its owner would recognise and nobody else could use: ``k***@shop.example``.

    Of a telephone number the last two digits are left.
    """
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}" if at else f"***{address[-2:]}"
