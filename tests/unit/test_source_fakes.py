"""The fakes stand for the services, not for what our connectors believe of them."""

from __future__ import annotations

import ast
from pathlib import Path

FAKES = Path(__file__).parents[2] / "rehearsal" / "fakes"


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
             for alias in node.names}  # fmt: skip
    return names | {
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }


def test_the_fakes_import_nothing_of_the_connectors() -> None:
    modules = sorted(FAKES.glob("*.py"))
    assert {"itunes.py", "mastodon.py", "server.py"} <= {path.name for path in modules}
    for path in modules:
        ours = {name for name in imported(path) if name.partition(".")[0] in ("sources", "voc")}
        assert not ours, f"{path.name} imports {ours}"
