"""The text of a company file: what it says, and on which line it says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path = tuple[int | str, ...]

_TAB_INDENT = re.compile(r" *\t\s*\S")


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: where in the document, and what would be right."""

    path: Path
    message: str


class NotYamlError(ValueError):
    """The text is no YAML. Each problem is a line, from 1, and what is wrong there."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values, and the nodes that know their lines."""

    content: Any
    root: Node | None

    def line_of(self, path: Path) -> int:
        """The line, from 1, of the deepest part of *path* that the file has."""
        node, line = self.root, 0
        for part in path:
            if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line
            elif isinstance(node, MappingNode) and (pair := _pair(node, part)):
                line, node = pair[0].start_mark.line, pair[1]
            else:
                break
        return int(line) + 1

    def duplicates(self) -> Iterator[tuple[int, str]]:
        """Keys that stand twice in one place, with their lines: YAML would keep only one."""
        waiting, seen = [self.root] if self.root else [], set[int]()
        while waiting:
            node = waiting.pop()
            if id(node) in seen:  # an alias, or a node that holds itself
                continue
            seen.add(id(node))
            if isinstance(node, SequenceNode):
                waiting += node.value
            elif isinstance(node, MappingNode):
                yield from _repeated(node)
                waiting += [value for _, value in node.value]


def read_document(text: str) -> Document:
    """Read one YAML document.

    Raises:
        NotYamlError: It is not YAML, or not one that holds plain values.
    """
    try:
        yaml = YAML(typ="safe", pure=True)
        root: Node | None = yaml.compose(text)
        yaml = YAML(typ="safe", pure=True)
        yaml.allow_duplicate_keys = True  # `duplicates` finds all of them, not only the first
        return Document(content=yaml.load(text), root=root)
    except MarkedYAMLError as exc:
        raise NotYamlError(_syntax_problems(text, exc)) from None
    except YAMLError:
        line, character = _unprintable(text)
        message = f"a character that nobody sees ({character!a}) stands here; remove it"
        raise NotYamlError([(line, message)]) from None
    except RecursionError:
        message = "something is nested far too deeply"
        raise NotYamlError([(1, message)]) from None


def _pair(node: MappingNode, key: int | str) -> tuple[Node, Node] | None:
    return next((pair for pair in node.value if pair[0].value == str(key)), None)


def _repeated(node: MappingNode) -> Iterator[tuple[int, str]]:
    first: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if isinstance(key, ScalarNode) and first.setdefault(key.value, line) != line:
            yield line, f"{key.value!r} stands in line {first[key.value]} already; keep one of them"


def _syntax_problems(text: str, error: MarkedYAMLError) -> list[tuple[int, str]]:
    if "'\\t'" in str(error.problem):
        lines = [i for i, line in enumerate(text.splitlines(), 1) if _TAB_INDENT.match(line)]
        if lines:
            return [(line, "a tab stands before the text; indent with spaces") for line in lines]
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    return [(line, f"not YAML: {error.problem or error.context}{_advice(str(error.problem))}")]


def _advice(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return '; put a text that holds ": " into quotes, and check the indentation'
    if "cannot start any token" in problem:
        return "; put the text into quotes"
    if "block end" in problem:
        return "; check that this line is indented like its neighbours"
    return ""


def _unprintable(text: str) -> tuple[int, str]:
    for number, line in enumerate(text.split("\n"), 1):
        for character in line:
            if not character.isprintable() and character not in "\t\r\x85\ufeff":
                return number, character
    return 1, ""
