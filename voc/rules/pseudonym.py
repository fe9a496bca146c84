"""An address that can be recognised but not read: what a `Suppression` is filed under."""

from __future__ import annotations

import unicodedata

from voc.rules.tokens import digest


def pseudonym(secret: bytes, address: str) -> str:
    """The keyed hash of an address; every spelling of it gives the same one. 64 hex digits."""
    plain = unicodedata.normalize("NFKC", address).strip().casefold()
    # Case folding can undo the normal form (U+0345), so the normal form comes last, too.
    return digest(secret, "address", unicodedata.normalize("NFKC", plain)).hex()
