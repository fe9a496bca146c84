"""Whose schedule is it? What deploying may change of a schedule, and what belongs to operations.

Three versions of each schedule meet: what our files want, what the server has, and what was
deployed the last time. Only what nobody touched since may be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from apps.cli.deployments import Timing


class Change(StrEnum):
    """What to do with one schedule."""

    ADD = "added"
    MOVE = "moved"
    REMOVE = "removed"
    LEAVE = "unchanged"
    RESPECT = "changed in the UI, kept"


def decide(
    wanted: Mapping[str, Timing],
    found: Mapping[str, Timing | None],
    deployed: Mapping[str, Timing],
) -> dict[str, Change]:
    """What to do with each schedule, by slug. Schedules that we never deployed are not in it.

    Args:
        found: None for a timing that we cannot express, such as an interval.
        deployed: What we deployed the last time; empty on a server that is new to us.
    """
    return {
        slug: _decide(wanted.get(slug), slug in found, found.get(slug), deployed.get(slug))
        for slug in [*wanted, *(slug for slug in deployed if slug not in wanted)]
    }


def _decide(
    wanted: Timing | None, is_there: bool, found: Timing | None, deployed: Timing | None
) -> Change:
    if not is_there:
        if wanted is None:
            return Change.LEAVE
        return Change.ADD if deployed is None else Change.RESPECT  # deleted, or made anew
    if found == wanted:
        return Change.LEAVE
    if found != deployed:
        return Change.RESPECT
    return Change.REMOVE if wanted is None else Change.MOVE
