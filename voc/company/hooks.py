"""What others push has to be signed: whether the secret for it is there, and is one."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from voc.company.model import Company
from voc.company.sources import WebhookSource
from voc.targets import SHORTEST_KEY, is_standard_key

SLACK = "slack"


def why_unheard(company: Company, name: str, keys: Sequence[SecretStr]) -> str | None:
    """Why nothing that is sent to /hooks/NAME can be believed; None if it can.

    Args:
        keys: What VOC_WEBHOOK_SECRETS holds under that name.
    """
    if not keys:
        return f"VOC_WEBHOOK_SECRETS has no secret for {name!r}: what it sends is refused"
    is_weak = not all(is_standard_key(key.get_secret_value()) for key in keys)
    if is_weak and _signs_as_standard(company, name):
        return (
            f"VOC_WEBHOOK_SECRETS: the secret for {name!r} must be whsec_ and {SHORTEST_KEY} "
            "bytes or more in base64, as Standard Webhooks has it"
        )
    return None


def _signs_as_standard(company: Company, name: str) -> bool:
    """Slack and Typeform sign in ways of their own."""
    pushes = (source for source in company.sources if isinstance(source, WebhookSource))
    return name != SLACK and all(s.provider == "standard" for s in pushes if s.id == name)
