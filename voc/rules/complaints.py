"""Words that are a complaint whatever a model thinks of them.

Asked only where the sentiment is not known: a model that was not sure, or a language that it
cannot read. Errs towards silence: what stands here is said by people who want something done.
"""

from __future__ import annotations

import re

_EXPLICIT = (
    # English
    r"complain(?:t|ts|ed|ing)?",
    r"(?:want|demand|give me|owe me|still waiting for|where is) (?:a |my |the )?"
    r"(?:full )?(?:refund|money back|compensation)",
    r"unacceptable|not acceptable|rip[- ]?off|scam(?:med)?|ombudsman|small claims",
    r"never (?:arrived|came|turned up|received|delivered|worked)",
    r"(?:do|does|did|is|was|are|were|has|have)(?:n'?t| not) (?:work|working|worked|arrive|arrived"
    r"|turn up|been delivered|been refunded|been resolved)",
    # German, French, Spanish, Italian, Portuguese, Dutch
    r"beschwer(?:de|en|t)|reklam(?:ation|ieren|iert)|geld zurück|unverschämt(?:heit)?",
    r"réclamation|remboursez|remboursement|inadmissible|arnaque",
    r"reclamación|reclamo|reembolso|devu[eé]lv(?:an|anme)|inaceptable|estafa",
    r"reclamare|rimborso|inaccettabile|truffa",
    r"reclamação|reclamar|inaceitável",
    r"klacht(?:en)?|onacceptabel|oplichting",
)
_COMPLAINT = re.compile(rf"(?<!\w)(?:{'|'.join(_EXPLICIT)})(?!\w)", re.IGNORECASE)
_DENIED = re.compile(r"(?:no|nothing to|can'?t|cannot|never had to|without) $", re.IGNORECASE)
_LOOK_BACK = 20


def is_explicit_complaint(text: str) -> bool:
    """Whether *text* says in so many words that something went wrong or is asked back."""
    return any(
        not _DENIED.search(text[max(0, match.start() - _LOOK_BACK) : match.start()])
        for match in _COMPLAINT.finditer(text.replace("’", "'"))  # noqa: RUF001
    )
