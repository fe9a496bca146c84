"""What pydantic says of a company file, in words that help whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from voc.company.document import Finding, Path
from voc.company.fitting import did_you_mean
from voc.company.model import MISFIT
from voc.company.schema import schema_at

_LONGEST_ECHO = 60
_ADVICE = {
    "time_parsing": 'write a time such as "08:30"',
    "time_type": 'write a time in quotes, such as "08:30"',
    "date_from_datetime_parsing": "write a day such as 2026-12-24",
    "bool_parsing": "write true or false",
    "tuple_type": "write a list: [one, two], or one '- item' on each line",
    "frozen_set_type": "write a list: [one, two], or one '- item' on each line",
    "model_type": "write keys with values, indented below it",
    "model_attributes_type": "write keys with values, indented below it",
    "string_type": "write a text; put what looks like a number into quotes",
    "too_short": "needs at least one",
    "none_required": "leave it out",
}


def mistakes(error: ValidationError, content: object) -> list[Finding]:
    """One finding for each place; what only says that parts do not fit is left out."""
    found: dict[Path, list[str]] = {}
    errors: list[Any] = error.errors(include_url=False)
    for each in errors:
        is_told = each["type"] == "too_short" and _is_wrong_below(each["loc"], errors)
        if each["type"] != MISFIT and not is_told:
            path, message = _told(each, content)
            messages = found.setdefault(path, [])
            if message not in messages:
                messages.append(message)
    return [Finding(path, "; or ".join(told)) for path, told in found.items()]


def _is_wrong_below(path: Path, errors: list[Any]) -> bool:
    """A list whose items are wrong is empty for pydantic; they are told already."""
    return any(each["loc"][: len(path)] == path and len(each["loc"]) > len(path) for each in errors)


def _told(error: Any, content: object) -> tuple[Path, str]:
    loc: Path = tuple(error["loc"])
    path, kind = _in_file(loc, content), str(error["type"])
    if kind == "missing":
        key = str(loc[-1])
        return (*path, key), f"{key!r} is missing{_meaning(loc)}"
    if kind == "extra_forbidden":
        known = schema_at(loc[:-1]).get("properties", {})
        return path, f"{str(loc[-1])!r} is not known here; {did_you_mean(str(loc[-1]), known)}"
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return (*path, "kind"), _unknown_kind(error, loc)
    return path, _wrong_value(error, loc, path)


def _in_file(loc: Path, content: object) -> Path:
    """*loc* without the parts that only pydantic has: which member of a union it tried."""
    path: list[int | str] = []
    node: Any = content
    for part in loc:
        if (isinstance(node, Mapping) and part in node) or _is_item(node, part):
            node = node[part]
            path.append(part)
    return tuple(path)


def _is_item(node: object, part: int | str) -> bool:
    return isinstance(node, list) and isinstance(part, int) and part < len(node)


def _meaning(loc: Path) -> str:
    meaning = schema_at(loc).get("description", "")
    return f": {meaning}" if meaning else ""


def _unknown_kind(error: Any, loc: Path) -> str:
    known = schema_at(loc).get("discriminator", {}).get("mapping", {})
    if error["type"] == "union_tag_not_found":
        return f"'kind' is missing; use one of: {', '.join(sorted(known))}"
    tag = str(error["ctx"]["tag"])
    return f"{tag!r} is no kind of source; {did_you_mean(tag, known)}"


def _wrong_value(error: Any, loc: Path, path: Path) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "value_error":
        return message
    if error["type"] == "string_pattern_mismatch":
        message = str(schema_at(loc).get("description") or message)
    advice = _ADVICE.get(str(error["type"])) or message.removeprefix("Input ")
    return f"{_echo(error['input'], path)}{advice}"


def _echo(value: object, path: Path) -> str:
    """What stands there, if it is short; never what may be a secret in the wrong place."""
    if not isinstance(value, str | int | float | bool) or str(path[-1:]).find("token") >= 0:
        return ""
    return f"{value!r}: " if len(str(value)) <= _LONGEST_ECHO else ""
