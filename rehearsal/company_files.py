"""The rehearsal company's files: its voc.yaml, its feedback week by week, and the truth."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

COMPANY = Path(__file__).parent / "company"
INBOX = COMPANY / "inbox"

Truth = Mapping[tuple[str, str], tuple[str, ...]]
"""By (source, external id) the departments that must act; empty when nobody has to."""


def set_up(folder: Path) -> Path:
    """Put the company file into *folder* and return its path."""
    (folder / "inbox").mkdir(parents=True, exist_ok=True)
    target = folder / "voc.yaml"
    if not target.exists() or target.read_bytes() != (COMPANY / "voc.yaml").read_bytes():
        _copy(COMPANY / "voc.yaml", target)
    return target


def drop(week: str, folder: Path) -> None:
    """Let a week's files arrive in the inbox, each whole. Again is harmless."""
    target = folder / "inbox" / week
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted((INBOX / week).iterdir()):
        if not (target / path.name).exists():
            _copy(path, target / path.name)


def _copy(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, draft)
    draft.replace(target)


def read_truth() -> Truth:
    """What a wise reader says of each piece: who must act."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    with (COMPANY / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            departments = found[row["source"], row["external_id"]]
            if row["department"] != "none" and row["department"] not in departments:
                departments.append(row["department"])
    return {key: tuple(departments) for key, departments in found.items()}
