"""How the company looks to its customers, as far as it can be read."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from voc.rules.contrast import LEAST, contrast, readable

GROUND = "#e9f2f8"
"""The darkest that words stand on in customers' pages: ``static/desk.css``."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")


def check_colour(colour: str) -> str:
    """Return *colour* in small letters.

    Raises:
        ValueError: It is not written as #rrggbb, or too light to be read.
    """
    colour = colour.casefold()
    if not _COLOUR.fullmatch(colour):
        raise ValueError(f"{colour!r} is no colour; write it as #rrggbb, such as '#00507f'")
    if (found := contrast(colour, GROUND)) < LEAST:
        raise ValueError(
            f"{colour} is too light to be read on customers' pages: its contrast there is "
            f"{found:.2f} and must be {LEAST}; '{readable(colour, GROUND)}' is the same colour, "
            "dark enough"
        )
    return colour


BrandColour = Annotated[str, AfterValidator(check_colour)]
