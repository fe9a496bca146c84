"""Names of the checks that `voc verify` makes, and what a finding says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """The first row that breaks a check."""

    check: str
    row: str
    """Table and key: ``ticketevent 17``."""
    problem: str

    def __str__(self) -> str:
        return f"{self.check}: {self.row}: {self.problem}"
