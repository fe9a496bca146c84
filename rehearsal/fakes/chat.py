"""Fakes of chat rooms that take alerts by a webhook: Slack's and Teams'."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.fakes.server import Answer, Asked, FakeService

SLACK_HEADER, SLACK_TEXT, TEAMS_BYTES = 150, 3000, 28_000


class FakeSlack(FakeService):
    """Incoming webhooks: one a room, named by the last part of its path.

    Attributes:
        posted: What each room shows, in order.
        gone: Rooms that were archived.
    """

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.gone: set[str] = set()

    def respond(self, asked: Asked) -> Answer:
        room = asked.path.rpartition("/")[2]
        if asked.method != "POST" or not asked.path.startswith("/services/"):
            return Answer(404, b"no_service")
        if room in self.gone:
            return Answer(410, b"channel_is_archived")
        try:
            message = json.loads(asked.body)
        except ValueError:
            return Answer(400, b"invalid_payload")
        if not message.get("text"):
            return Answer(400, b"no_text")
        if not all(_slack_takes(block) for block in message.get("blocks", ())):
            return Answer(400, b"invalid_blocks")
        self.posted.append((room, message))
        return Answer(200, b"ok")


class FakeTeams(FakeService):
    """A workflow that waits for a webhook. It accepts, and never says more."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[dict[str, Any]] = []

    def respond(self, asked: Asked) -> Answer:
        if len(asked.body) > TEAMS_BYTES:
            return Answer(413, {"error": {"code": "RequestEntityTooLarge"}})
        try:
            message = json.loads(asked.body)
            card = message["attachments"][0]["content"]
        except (ValueError, KeyError, IndexError):
            return Answer(400, {"error": {"code": "TriggerInputSchemaMismatch"}})
        if card.get("type") != "AdaptiveCard" or float(card["version"]) > 1.4:  # noqa: PLR2004
            return Answer(400, {"error": {"code": "InvalidCard"}})
        self.posted.append(message)
        return Answer(202, b"")


def _slack_takes(block: dict[str, Any]) -> bool:
    """Whether a block keeps to the limits that Slack has."""
    if block["type"] == "actions":
        return all(len(each["text"]["text"]) <= 75 for each in block["elements"])  # noqa: PLR2004
    limit = SLACK_HEADER if block["type"] == "header" else SLACK_TEXT
    return 0 < len(block["text"]["text"]) <= limit
