"""Every fault case has its proof: the table of docs/faults.md against the tests that there are."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = 88
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
COMMAND = re.compile(r"`make (\w+)`")


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall((ROOT / "docs" / "faults.md").read_text(encoding="utf-8"))


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_each_case_stands_there_once_and_in_order() -> None:
    assert [int(number) for number, *_ in rows()] == list(range(1, CASES + 1))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_case_names_tests_that_exist_or_says_why_there_is_none(
    row: tuple[str, str, str, str],
) -> None:
    proof = row[3]
    tests = TEST.findall(proof)
    for path, name in tests:
        assert name in functions_of(path), f"{path} has no {name}"
        assert name.startswith("test_")
    for target in COMMAND.findall(proof):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert tests or proof.startswith("Not produced: "), proof
