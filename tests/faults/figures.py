"""The last figures of the long forms, kept in the documentation between two marks."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def keep(name: str, lines: Sequence[str], page: Path = PAGE) -> None:
    """Write *lines* between the marks of *name*, in the place of what stood there."""
    begin, end = f"<!-- figures:{name} -->", f"<!-- /figures:{name} -->"
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no place for {name}")
    body = "\n".join([begin, "", *lines, "", end])
    page.write_text(f"{before}{body}{after}", encoding="utf-8")


def on_which_machine() -> str:
    """Date and machine, in a sentence."""
    today = datetime.now(UTC).date()
    return f"{today}, {os.cpu_count()} cores of {_processor()}, {platform.system()}."


def _processor() -> str:
    try:
        told = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        told = None
    return told[1] if told else platform.machine()
