"""Every word that any template may use, for tests of templates and cards."""

from __future__ import annotations

from dataclasses import fields

from notifications.contexts import Action, MailContext, Offer, Past, Told

VALUES: dict[str, object] = {
    "company": "Noodles & Söhne",
    "postal_address": "1 Soup Street",
    "name": "Kim",
    "quote": "Great food but the courier was rude.",
    "said_on": "1 March 2026",
    "others": (Told(quote="And the soup was cold.", said_on="2 March 2026"),),
    "unsubscribe_url": "https://f.test/u/token-u",
    "actions": (Action(department="Logistics", text="We spoke with the courier."),),
    "solved_url": "https://f.test/a/token-a?verdict=solved",
    "not_solved_url": "https://f.test/a/token-a?verdict=not_solved",
    "ticket": 12,
    "department": "Logistics",
    "because": "rule 'couriers'",
    "priority": "high",
    "quotes": ("The courier was rude.",),
    "first_response_due": "Mon 2 Mar 2026, 18:00 (Europe/Berlin)",
    "resolution_due": "Wed 4 Mar 2026, 12:00 (Europe/Berlin)",
    "offers": (Offer(department="Kitchen", percent=12),),
    "owner": None,
    "level": 1,
    "objection": "It happened again.",
    "refusal": "It does not say when the parcel comes.",
    "tone": "plain",
    "history": (
        Past(on="1 March 2026", what="resolved by Ola; root cause: rain"),
        Past(on="2 March 2026", what="the customer answered: not solved", words="Wet again."),
    ),
    "words": "Well, the courier came, but the noodles did not.",
    "replied_on": "2 March 2026",
    "told": ("We spoke with the courier.",),
    "judge_url": "https://f.test/j/token-5",
    "message": 17,
    "what": "a message about loop 5",
    "approve_url": "https://f.test/p/token-4",
    "accept_url": "https://f.test/t/token-1",
    "reassign_url": "https://f.test/t/token-2",
    "resolve_url": "https://f.test/t/token-3",
}


def context_of(kind: type[MailContext], language: str, **changes: object) -> MailContext:
    values = VALUES | {"language": language} | changes
    return kind(**{f.name: values[f.name] for f in fields(kind)})  # type: ignore[arg-type]
