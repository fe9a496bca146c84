"""The company file as JSON Schema: for editors, and for finding what a misspelt key meant."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from voc.company.document import Path
from voc.company.model import Company

TITLE = "The company file of vocloop, voc.yaml"


@cache
def company_schema() -> dict[str, Any]:
    """The whole schema. The same object each time: do not change it."""
    schema = Company.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": TITLE}


def schema_at(path: Path) -> Mapping[str, Any]:
    """What may stand at *path*, where a part may be the tag of a union; empty if nothing may."""
    node: Mapping[str, Any] = _resolved(company_schema())
    for part in path:
        node = _resolved(_below(node, part))
    return node


def _below(node: Mapping[str, Any], part: int | str) -> Mapping[str, Any]:
    if isinstance(part, int):
        found = node.get("items", {})
    elif part in (tags := node.get("discriminator", {}).get("mapping", {})):
        found = {"$ref": tags[part]}
    else:
        found = node.get("properties", {}).get(part, {})
    return found if isinstance(found, Mapping) else {}


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    target = company_schema()["$defs"][reference.removeprefix("#/$defs/")]
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}
