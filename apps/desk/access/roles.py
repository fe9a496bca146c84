"""Who is meant by what: groups of roles that pages are for."""

from __future__ import annotations

from voc.models import Role

EVERYBODY = frozenset(Role)
READERS = frozenset({Role.OWNER, Role.OPERATIONS, Role.AUDITOR})
"""Those who may read customers' words: owners only in their departments."""
WORKERS = frozenset({Role.OWNER, Role.OPERATIONS})
WATCHERS = frozenset({Role.OPERATIONS, Role.AUDITOR})
KEEPERS = frozenset({Role.ADMINISTRATOR})
REVIEWERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Those who read the audit log."""
OPERATIONS = frozenset({Role.OPERATIONS})
