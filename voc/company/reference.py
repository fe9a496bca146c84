"""The reference of the company file, from the models themselves.

``python -m voc.company.reference`` brings `docs/company-file.md` and the published JSON Schema up
to date; a test fails where they are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from voc.company.model import Company
from voc.company.schema import company_schema

DOCUMENT = Path("docs/company-file.md")
SCHEMA = Path("docs/schema/voc.schema.json")
BEGIN = "<!-- generated: python -m voc.company.reference -->\n"
END = "<!-- end of what is generated -->\n"


def schema_text() -> str:
    """The JSON Schema as it is written everywhere."""
    return json.dumps(company_schema(), indent=2, ensure_ascii=False) + "\n"


def models() -> list[type[BaseModel]]:
    """Every model of the company file, in the order in which a reader meets them."""
    found: dict[type[BaseModel], None] = {}
    _collect(Company, found)
    return list(found)


def document_text() -> str:
    """A section with a table for each model."""
    return "\n".join(_section(model) for model in models())


def fill(document: str, generated: str) -> str:
    """*document* with what stands between the two marks replaced."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{generated}\n{END}{after}"


def _collect(annotation: Any, found: dict[type[BaseModel], None]) -> None:
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    if is_model and annotation not in found:
        found[annotation] = None
        for field in annotation.model_fields.values():
            _collect(field.annotation, found)
    for each in get_args(annotation):
        _collect(each, found)


def _section(model: type[BaseModel]) -> str:
    doc = " ".join((model.__doc__ or "").split())
    rows = "\n".join(_rows(model))
    return f"## {_title(model)}\n\n{doc}\n\n| key | what | default |\n|---|---|---|\n{rows}\n"


def _title(model: type[BaseModel]) -> str:
    where = {
        "Company": "The whole file",
        "About": "`company`",
        "Department": "`departments`",
        "Person": "`owners` and `escalation`",
        "BusinessHours": "`business_hours`",
        "Sla": "`sla`",
        "Topic": "`topics`",
        "Touchpoint": "`touchpoints`",
        "FileSource": "`sources`: `kind: file`",
        "Columns": "`columns` of a file or webhook source",
        "ITunesSource": "`sources`: `kind: itunes`",
        "MastodonSource": "`sources`: `kind: mastodon`",
        "WebhookSource": "`sources`: `kind: webhook`",
        "Routing": "`routing`",
        "RoutingRule": "`routing.rules`",
        "When": "`when` of a rule",
        "FollowUpPolicy": "`follow_up`",
        "Webhook": "`webhooks`",
        "Schedules": "`schedules`",
    }
    return where.get(model.__name__, model.__name__)


def _rows(model: type[BaseModel]) -> Iterator[str]:
    schema = company_schema()
    node = schema if model is Company else schema["$defs"][model.__name__]
    required = node.get("required", [])
    for name, field in node["properties"].items():
        what = " ".join(filter(None, (field.get("description", ""), _choices(field, schema))))
        default = "**needed**" if name in required else _default(field.get("default"))
        yield f"| `{name}` | {_cell(what)} | {_cell(default)} |"


def _choices(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The values of an enumeration, wherever in the field it stands."""
    for node in (field, *field.get("anyOf", ()), field.get("items", {})):
        target = schema["$defs"].get(node.get("$ref", "").removeprefix("#/$defs/"), node)
        if "enum" in target:
            return f"One of: {', '.join(f'`{value}`' for value in target['enum'])}."
    return ""


def _default(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return "as below"
    if value in ([], ""):
        return "none"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")


def main() -> None:
    """Write both documents; run it in the root of the repository."""
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(fill(text, document_text()), encoding="utf-8")
    SCHEMA.parent.mkdir(parents=True, exist_ok=True)
    SCHEMA.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
