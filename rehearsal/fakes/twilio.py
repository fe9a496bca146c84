"""A fake of Twilio's API of messages: an account, and the messages that it took."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode

from rehearsal.fakes.server import Answer, Asked, FakeService

PAGE = 2


@dataclass(slots=True)
class TakenSms:
    """One message as the account has it."""

    sid: str
    to: str
    body: str
    form: dict[str, str] = field(default_factory=dict)


class FakeTwilio(FakeService):
    """Takes messages for one account; numbers in `refused` get that error code.

    Attributes:
        taken: What it took, in order. Two with the same body are two texts on a telephone.
    """

    def __init__(self, account: str = "AC123", token: str = "token") -> None:  # noqa: S107 (a fake's)
        super().__init__()
        self.account, self._token = account, token
        self.taken: list[TakenSms] = []
        self.refused: dict[str, int] = {}
        self._numbers = count(1)

    def respond(self, asked: Asked) -> Answer:
        login = b64encode(f"{self.account}:{self._token}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {login}":
            return Answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
        root = f"/2010-04-01/Accounts/{self.account}"
        if asked.path == f"{root}.json":
            return Answer(200, {"sid": self.account, "status": "active"})
        if asked.path != f"{root}/Messages.json":
            return Answer(404, {"code": 20404, "status": 404})
        return self._take(asked) if asked.method == "POST" else self._list(asked, root)

    def _take(self, asked: Asked) -> Answer:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if code := self.refused.get(form["To"]):
            return Answer(400, {"code": code, "message": "no", "status": 400})
        sms = TakenSms(f"SM{next(self._numbers):032d}", form["To"], form["Body"], form)
        self.taken.append(sms)
        return Answer(201, {"sid": sms.sid, "status": "queued", "error_code": None})

    def _list(self, asked: Asked, root: str) -> Answer:
        """Newest first, a few a page."""
        theirs = [sms for sms in reversed(self.taken) if sms.to == asked.query.get("To", sms.to)]
        page = int(asked.query.get("Page", 0))
        shown = theirs[page * PAGE : (page + 1) * PAGE]
        more = len(theirs) > (page + 1) * PAGE
        query = {"To": asked.query.get("To", ""), "Page": str(page + 1)}
        found: dict[str, Any] = {
            "messages": [{"sid": s.sid, "to": s.to, "body": s.body} for s in shown],
            "next_page_uri": f"{root}/Messages.json?{urlencode(query)}" if more else None,
        }
        return Answer(200, found)
