"""The API's documentation as a page of ours: made from the OpenAPI document, without a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.desk.api.problems import KINDS
from apps.desk.desk import TEMPLATES, Desk

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A parameter or a field."""

    name: str
    type: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked."""

    method: str
    path: str
    summary: str
    about: str
    parameters: tuple[Row, ...]
    body: str | None
    answers: tuple[tuple[str, str, str | None], ...]
    """Status, what it means, and the name of what is answered."""


def docs_page(desk: Desk, document: Schema) -> str:
    """The whole page. It shows what anybody may know: it holds no customer's data."""
    return TEMPLATES.get_template("api/docs.html").render(
        company=desk.company.company,
        visitor=None,
        about=document["info"]["description"],
        operations=list(_operations(document)),
        shapes=list(_shapes(document)),
        problems=sorted(KINDS.items()),
    )


def _operations(document: Schema) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {})
            yield Operation(
                method=method.upper(),
                path=f"{document['servers'][0]['url']}{path}",
                summary=operation["summary"],
                about=operation.get("description", ""),
                parameters=tuple(
                    Row(
                        name=each["name"],
                        type=_type(each["schema"]),
                        required=each.get("required", False),
                        about=each.get("description", ""),
                    )
                    for each in operation.get("parameters", ())
                ),
                body=_named(body),
                answers=tuple(
                    (status, answer["description"], _named(answer.get("content", {})))
                    for status, answer in sorted(operation["responses"].items())
                ),
            )


def _shapes(document: Schema) -> Iterator[tuple[str, str, tuple[Row, ...]]]:
    for name, schema in sorted(document["components"]["schemas"].items()):
        fields = schema.get("properties", {})
        rows = tuple(
            Row(
                name=field,
                type=_type(about),
                required=field in schema.get("required", ()),
                about=about.get("description", ""),
            )
            for field, about in fields.items()
        )
        values = " · ".join(map(str, schema.get("enum", ())))
        yield name, schema.get("description") or values, rows


def _named(content: Schema) -> str | None:
    """The name of the schema of the first media type."""
    for media in content.values():
        reference: str = media.get("schema", {}).get("$ref", "")
        return reference.rpartition("/")[2] or None
    return None


def _type(schema: Schema) -> str:
    """A schema in a few words."""
    if reference := schema.get("$ref"):
        return str(reference.rpartition("/")[2])
    if options := schema.get("anyOf"):
        return " or ".join(_type(option) for option in options)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "anything"))
