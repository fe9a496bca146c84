"""JSON as the standard has it: no NaN, no endless nesting, no numbers of a thousand digits."""

from __future__ import annotations

import json
import math
from typing import Any


class JsonError(ValueError):
    """It is no JSON that we accept. Its text says why, without the content."""


def parse_json(text: str | bytes) -> Any:
    """The value that *text* holds.

    Raises:
        JsonError: It is broken, cut off, or holds what no database can.
    """
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except JsonError:
        raise
    except UnicodeDecodeError:
        raise JsonError("the text is not UTF-8") from None
    except RecursionError:
        raise JsonError("lists or objects are nested too deeply") from None
    except json.JSONDecodeError as exc:
        raise JsonError(f"no valid JSON at character {exc.pos + 1}") from None
    except ValueError:  # Python refuses whole numbers of more than 4,300 digits
        raise JsonError("a number is too long") from None


def _refuse(_constant: str) -> float:
    raise JsonError("NaN and Infinity are no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise JsonError("a number is too large")
    return number
