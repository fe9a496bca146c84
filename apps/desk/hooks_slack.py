"""What Slack asks of an app: to prove who it is. Buttons in our alerts are links to our own pages.

Slack also tells the app of a press on such a button. That is acknowledged, and nothing is done:
the link has its own token, its page shows what will be done, and does it on a press there.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from apps.desk.hooks_call import TheCall
from apps.desk.signatures import is_slack

LONGEST_CHALLENGE = 500


def hear_slack(call: TheCall) -> Response:
    """Answer the challenge with which Slack checks an address; take note of all else."""
    if not is_slack(call.desk.hooks, call.body, call.headers, now=datetime.now(UTC)):
        raise HTTPException(401)
    try:
        told: Any = json.loads(call.body)
    except (ValueError, RecursionError):
        return Response(status_code=200)  # a form: somebody pressed a button
    challenge = told.get("challenge") if isinstance(told, dict) else None
    if isinstance(challenge, str) and told.get("type") == "url_verification":
        return JSONResponse({"challenge": challenge[:LONGEST_CHALLENGE]})
    return Response(status_code=200)
