"""What a source is: something that yields pages of feedback that is new since a cursor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from voc.arrivals import Page, RawFeedback, RawIdentity, RawRating, Rejected

__all__ = ["Page", "RawFeedback", "RawIdentity", "RawRating", "Rejected", "Source"]


class Source(Protocol):
    """A place where customers leave feedback. Holds no state of its own."""

    @property
    def name(self) -> str:
        """Stable and unique; stored beside every piece of feedback."""
        ...

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield pages from *cursor* (inclusive) on; from the start if None.

        The boundary is read again on purpose: two items can share a moment, late ones arrive
        behind it, and edits change what was read. `(source, external_id)` makes it harmless.

        Raises:
            SourceUnavailableError: Worth trying again later.
            SourceRefusedError: Credentials or address are wrong; a person must act.
            SourceFormatError: What came is not understood; it will not get better by itself.
        """
        ...

    def parse(self, raw: str) -> RawFeedback | Rejected:
        """Read one quarantined item (`Rejected.raw`) again."""
        ...
