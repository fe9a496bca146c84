"""What a benchmark found, as a table for people and as an object for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIBRARIES = (
    *("onnxruntime", "tokenizers", "numpy", "sqlalchemy"),
    *("torch", "transformers", "sentence-transformers"),
)
BEGIN, END = "<!-- table:bench -->", "<!-- /table:bench -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that was measured."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    how: str = ""
    """On what, and what was counted."""

    @property
    def is_met(self) -> bool | None:
        """Whether it is what was aimed at; None: nothing was."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def aim(self) -> str:
        if self.is_met is None:
            return ""
        bound, sign = (
            (self.at_most, "at most") if self.at_least is None else (self.at_least, "at least")
        )
        return f"{sign} {bound:g}: {'met' if self.is_met else '**missed**'}"


def as_object(figures: Sequence[Figure]) -> dict[str, Any]:
    rows = [asdict(figure) | {"is_met": figure.is_met} for figure in figures]
    return {"machine": machine(), "figures": rows}


def as_table(figures: Sequence[Figure]) -> str:
    """Markdown, the machine's line first."""
    head = ["| what | figure | aim | how |", "|---|---|---|---|"]
    rows = [f"| {f.name} | {_number(f)} | {f.aim} | {f.how} |" for f in figures]
    return "\n".join([machine(), "", *head, *rows])


def with_table(document: str, table: str) -> str:
    """*document* with *table* between its two marks.

    Raises:
        ValueError: A mark is missing.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no {BEGIN} and {END} to write between")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def machine() -> str:
    """What it was measured on: processor, cores, instructions for int8, versions."""
    flags = _cpuinfo("flags").split()
    vnni = "with VNNI" if {"avx512_vnni", "avx_vnni"} & set(flags) else "without VNNI"
    model = _cpuinfo("model name") or platform.processor() or platform.machine()
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    cores = f"{os.cpu_count()} cores, one used"
    return f"{model}, {vnni}, {cores}; Python {platform.python_version()}, {versions}."


def _cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _number(figure: Figure) -> str:
    whole = len(str(int(abs(figure.value))))  # three digits say all that was measured
    return f"{figure.value:,.{max(0, 3 - whole)}f} {figure.unit}".strip()
