"""Regular expressions that customers' words are searched with: none of them may run away.

Errs towards refusing: Python cannot stop a search that takes hours, and the words come from
strangers. An upper bound for the ways in which an expression can be tried at one place is a
product over its repeats, so each of them needs an upper bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from math import inf
from typing import Annotated, Any

from pydantic import AfterValidator

MOST_WAYS = 10_000
PROSE = "Thank you, everything was fine and I would come again."

_parser: Any = import_module("re._parser")  # the only one that knows what `re` will do


def check_pattern(pattern: str) -> str:
    """Return *pattern*.

    Raises:
        ValueError: It is no regular expression, can run away, or finds everything or nothing.
    """
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as exc:
        raise ValueError(f"'{pattern}' is no regular expression: {exc}") from None
    if ways(_parser.parse(pattern)) > MOST_WAYS:
        raise ValueError(
            f"'{pattern}' can run away on a long text; give every repeat an upper bound, "
            r"such as \d{1,12} instead of \d+, and let no repeat hold another"
        )
    if compiled.fullmatch(""):
        raise ValueError(f"'{pattern}' fits an empty text; write what an order number looks like")
    if compiled.search(PROSE):
        raise ValueError(f"'{pattern}' fits ordinary words, which would all be masked")
    return pattern


SafePattern = Annotated[str, AfterValidator(check_pattern)]


def ways(parsed: Iterable[tuple[Any, Any]]) -> float:
    """In how many ways a parsed expression can be tried at one place, at most."""
    total = 1.0
    for operation, argument in parsed:
        total = min(total * _ways_of(str(operation), argument), inf)
    return total


def _ways_of(operation: str, argument: Any) -> float:
    match operation:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            fewest, most, inner = argument
            endless = most is _parser.MAXREPEAT
            return inf if endless else _repeated(ways(inner), int(fewest), int(most))
        case "SUBPATTERN" | "ASSERT" | "ASSERT_NOT":
            return ways(argument[-1])
        case "ATOMIC_GROUP":
            return ways(argument)
        case "BRANCH" | "GROUPREF_EXISTS":
            branches = argument[1] if operation == "BRANCH" else argument[1:]
            return sum(ways(branch) for branch in branches if branch is not None)
    return 1.0


def _repeated(inner: float, fewest: int, most: int) -> float:
    if inner <= 1:
        return most - fewest + 1.0
    total = 0.0
    for count in range(fewest, most + 1):
        if count * inner > MOST_WAYS or total > MOST_WAYS:
            return inf
        total += inner**count
    return total
