"""The desk's areas, in the order of the navigation, and who finds them there."""

from __future__ import annotations

from dataclasses import dataclass

from apps.desk.access.roles import KEEPERS, READERS, REVIEWERS, WATCHERS
from voc.models import Role


@dataclass(frozen=True, slots=True)
class Area:
    """One entry of the navigation."""

    group: str
    name: str
    path: str
    roles: frozenset[Role]


AREAS = (
    Area("Work", "Queue", "/desk/queue", READERS),
    Area("Work", "Customers", "/desk/customers", READERS),
    Area("Work", "Approvals", "/desk/approvals", READERS),
    Area("Numbers", "Overview", "/desk/overview", WATCHERS),
    Area("Numbers", "Trends", "/desk/trends", WATCHERS),
    Area("Numbers", "Themes", "/desk/themes", WATCHERS),
    Area("Numbers", "Departments", "/desk/departments", WATCHERS),
    Area("Numbers", "Loop leaks", "/desk/leaks", WATCHERS),
    Area("Operations", "Messages", "/desk/messages", WATCHERS),
    Area("Operations", "Sources", "/desk/sources", WATCHERS),
    Area("Operations", "Experiments", "/desk/experiments", WATCHERS),
    Area("Operations", "Models", "/desk/models", WATCHERS),
    Area("Access", "Accounts", "/desk/accounts", KEEPERS),
    Area("Access", "API tokens", "/desk/tokens", KEEPERS),
    Area("Access", "Audit log", "/desk/audit", REVIEWERS),
)


def areas_of(role: Role) -> list[Area]:
    """What somebody with *role* finds in the navigation."""
    return [area for area in AREAS if role in area.roles]
