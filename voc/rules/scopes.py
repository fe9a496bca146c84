"""What a token of the API may do."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One permission of a token; each operation of the API asks for exactly one."""

    TICKETS_READ = "tickets:read"
    TICKETS_WRITE = "tickets:write"
    FEEDBACK_READ = "feedback:read"
    CUSTOMERS_READ = "customers:read"
    NUMBERS_READ = "numbers:read"
    WEBHOOKS_READ = "webhooks:read"
