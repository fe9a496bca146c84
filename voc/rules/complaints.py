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
    r"never (?:arrived|came|turned up|received|delivered|worked)(?! (?:better|so|such|before))",
    r"(?:do|does|did|is|was|are|were|has|have)(?:n'?t| not) (?:work|working|worked|arrive|arrived"
    r"|turn up|been delivered|been refunded|been resolved)",
    # German, French, Spanish, Italian, Portuguese, Dutch
    r"beschwer(?:de|en|t)|reklam(?:ation|ieren|iert)|unverschämt(?:heit)?",
    r"(?:will|möchte|verlange) (?:ich )?(?:mein )?geld zurück",
    r"réclamation|remboursez|inadmissible|arnaque",
    r"(?:veux|exige|demande|attends) (?:un |mon |le )?remboursement",
    r"reclamación|reclamo|devu[eé]lv(?:an|anme)|inaceptable|estafa",
    r"(?:quiero|exijo|espero) (?:un |mi |el )?reembolso",
    r"reclamare|inaccettabile|truffa",
    r"(?:voglio|chiedo|pretendo|aspetto) (?:un |il |il mio )?rimborso",
    r"reclamação|reclamar|inaceitável",
    r"klacht(?:en)?|onacceptabel|oplichting",
)
_COMPLAINT = re.compile(rf"(?<!\w)(?:{'|'.join(_EXPLICIT)})(?!\w)", re.IGNORECASE)
_DENIED = re.compile(
    r"(?<!\w)(?:no|not a(?: single)?|zero|never(?: had)?(?: any| a| to)?|nothing to"
    r"|without(?: any)?|(?:can'?t|cannot|couldn'?t)(?: really)?"
    r"|(?:don'?t|didn'?t)(?: really)? (?:have )?(?:any |a )?"
    r"|keine[rn]?|ohne|aucune?|pas de|sans|sin|ning[uú]na?|nessuna?|nessun|senza|sem|nenhuma?"
    r"|geen|zonder)\s*$",
    re.IGNORECASE,
)
"""Right before it: then it is what did not happen."""
_LOOK_BACK = 30


def is_explicit_complaint(text: str) -> bool:
    """Whether *text* says in so many words that something went wrong or is asked back."""
    plain = text.replace("’", "'")  # noqa: RUF001
    return any(
        not _DENIED.search(plain[max(0, match.start() - _LOOK_BACK) : match.start()])
        for match in _COMPLAINT.finditer(plain)
    )
