"""Colours that can be read on each other: the formula of WCAG 2.2."""

from __future__ import annotations

LEAST = 4.5
"""The contrast that text needs (success criterion 1.4.3, level AA)."""
WHITE = "#ffffff"
LINEAR_UNTIL = 0.04045
"""Below this share of light a screen's colours grow evenly: IEC 61966-2-1."""


def contrast(one: str, other: str) -> float:
    """How far apart two colours are, from 1 (the same) to 21 (black and white).

    Args:
        one: As #rrggbb, like the other.
    """
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """How bright a colour looks, from 0 to 1."""
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def darkened(colour: str, share: float) -> str:
    """The same colour with *share* (0 to 1) of its light taken away, as it is mixed on screens."""
    parts = (round(int(colour[i : i + 2], 16) * (1 - share)) for i in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in parts)


def readable(colour: str, ground: str = WHITE) -> str:
    """The colour, darkened as little as makes it readable on *ground*."""
    steps = (darkened(colour, step / 50) for step in range(51))
    return next(each for each in steps if contrast(each, ground) >= LEAST)


def _linear(part: float) -> float:
    return part / 12.92 if part <= LINEAR_UNTIL else ((part + 0.055) / 1.055) ** 2.4
