"""What needs an answer, and which department owns it. Every decision says why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from voc.company.model import TRIAGE
from voc.company.routing import Routing, RoutingRule, When
from voc.models import Channel, Priority
from voc.rules.complaints import is_explicit_complaint

Offers = list[list[str | float]]
UNSURE_KEPT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFacts:
    """One statement, as the models or a person read it."""

    id: int
    text: str
    sentiment: str | None
    """None: unsure, or a language that is not supported."""
    topic: str | None
    department: str | None
    """None: no department was sure enough."""
    probability: float
    offers: Offers
    judge: str
    """Who read the department, or could not: ``model:VERSION``, ``person`` or ``nobody``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceFacts:
    """One piece of feedback with its statements."""

    source: str
    channel: Channel
    touchpoint: str | None
    rating_share: float | None
    """0 is the worst end of its scale, 1 the best; None without a rating."""
    is_promoter: bool
    customer_value: float | None
    statements: Sequence[StatementFacts]


class Filed(StrEnum):
    """Why a piece of feedback needs nothing from us."""

    NO_WORDS = "no_words"
    NOTHING_TO_DO = "nothing_to_do"


PERSON = "person"


class Reason(StrEnum):
    """What decided on the department of an issue."""

    RULE = "rule"
    SUGGESTED = "suggested"
    LABELLED = "labelled"  # by a person
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What becomes a ticket: one department's statements of one piece."""

    department: str
    because: str
    """In words, for the owner."""
    reason: Reason
    by: str
    """The rule, the version of the model, or ``person``."""
    probability: float | None
    """None: a rule or a person is sure."""
    topic: str | None
    priority: Priority
    statement_ids: tuple[int, ...]
    offers: Offers


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What happens to a piece: issues, or a thanks, or a reason to file it."""

    issues: tuple[Issue, ...] = ()
    thanks: bool = False
    filed: Filed | None = None


def decide(piece: PieceFacts, routing: Routing, severities: dict[str, str]) -> Decision:
    """What a piece of feedback needs.

    Ratings inform but never overwrite: a complaint inside five stars is an issue, and a bad
    rating makes everything that is not praise one. Where the sentiment is not known (no model was
    sure, or none reads the language), rating and rules decide: a bad rating or an explicit
    complaint needs an answer, and with no rating at all a person looks at it.

    Args:
        severities: Of each topic: low, normal or high.
    """
    if not piece.statements:
        if piece.is_promoter:
            return Decision(thanks=True)
        return Decision(filed=Filed.NO_WORDS)
    needing = [s for s in piece.statements if _needs_answer(s, piece, routing)]
    if not needing and _is_bad(piece, routing):
        needing = list(piece.statements)  # praise beside the worst rating is irony
    if needing:
        return Decision(issues=tuple(_issues(needing, piece, routing, severities)))
    if piece.is_promoter:
        return Decision(thanks=True)
    return Decision(filed=Filed.NOTHING_TO_DO)


def _is_bad(piece: PieceFacts, routing: Routing) -> bool:
    return piece.rating_share is not None and piece.rating_share <= routing.bad_rating_at_most


def _needs_answer(statement: StatementFacts, piece: PieceFacts, routing: Routing) -> bool:
    if statement.sentiment is None:
        unrated = piece.rating_share is None
        return unrated or _is_bad(piece, routing) or is_explicit_complaint(statement.text)
    if statement.sentiment in routing.act_on:
        return True
    return _is_bad(piece, routing) and statement.sentiment != "positive"


def _issues(
    statements: Sequence[StatementFacts],
    piece: PieceFacts,
    routing: Routing,
    severities: dict[str, str],
) -> list[Issue]:
    """One issue a department. Unsure statements go along with a sure one of the same piece."""
    owners: dict[str, list[tuple[StatementFacts, RoutingRule | None]]] = {}
    unsure: list[StatementFacts] = []
    for statement in statements:
        rule = first_match(statement, piece, routing.rules)
        department = rule.department if rule else statement.department
        if department is None or department == TRIAGE:
            unsure.append(statement)
        else:
            owners.setdefault(department, []).append((statement, rule))
    if not owners:
        return [_triage(unsure, piece, routing, severities)]
    issues = [_issue(d, found, piece, routing, severities) for d, found in owners.items()]
    if unsure:
        first = issues[0]
        ids = tuple(sorted({*first.statement_ids, *(s.id for s in unsure)}))
        issues[0] = replace(first, statement_ids=ids)
    return issues


def _issue(
    department: str,
    found: Sequence[tuple[StatementFacts, RoutingRule | None]],
    piece: PieceFacts,
    routing: Routing,
    severities: dict[str, str],
) -> Issue:
    surest, rule = max(found, key=lambda pair: (pair[1] is not None, pair[0].probability))
    because, reason = _why(surest, rule)
    return Issue(
        department=department,
        because=because,
        reason=reason,
        by=f"rule:{rule.name}" if rule else surest.judge,
        probability=surest.probability if reason is Reason.SUGGESTED else None,
        topic=surest.topic,
        priority=_priority(surest, rule, piece, routing, severities),
        statement_ids=tuple(s.id for s, _ in found),
        offers=surest.offers,
    )


def _why(surest: StatementFacts, rule: RoutingRule | None) -> tuple[str, Reason]:
    if rule:
        return f"rule {rule.name!r}", Reason.RULE
    if surest.judge == PERSON:
        return "labelled by a person", Reason.LABELLED
    return f"suggested with {surest.probability:.0%}", Reason.SUGGESTED


def _triage(
    unsure: Sequence[StatementFacts],
    piece: PieceFacts,
    routing: Routing,
    severities: dict[str, str],
) -> Issue:
    surest = max(unsure, key=lambda s: s.probability)
    return Issue(
        department=TRIAGE,
        because="no department is sure enough",
        reason=Reason.UNSURE,
        by=surest.judge,
        probability=surest.probability,
        topic=None,
        priority=_priority(surest, None, piece, routing, severities),
        statement_ids=tuple(s.id for s in unsure),
        offers=surest.offers[:UNSURE_KEPT],
    )


def first_match(
    statement: StatementFacts, piece: PieceFacts, rules: Sequence[RoutingRule]
) -> RoutingRule | None:
    """The first rule whose conditions all hold; their order is the policy."""
    return next((rule for rule in rules if _matches(rule.when, statement, piece)), None)


def _matches(when: When, statement: StatementFacts, piece: PieceFacts) -> bool:
    share, value = piece.rating_share, piece.customer_value
    return (
        when.topic in {None, statement.topic}
        and when.source in {None, piece.source}
        and when.channel in {None, piece.channel}
        and when.touchpoint in {None, piece.touchpoint}
        and when.sentiment in {None, statement.sentiment}
        and (when.rating_at_most is None or (share is not None and share <= when.rating_at_most))
        and (when.min_customer_value is None or (value or 0) >= when.min_customer_value)
        and (not when.words or _has_word(statement.text, when.words))
    )


def _has_word(text: str, words: Sequence[str]) -> bool:
    pattern = "|".join(re.escape(word) for word in words)
    return re.search(rf"(?<!\w)(?:{pattern})(?!\w)", text, re.IGNORECASE) is not None


RANKS = (Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.URGENT)
WORST_RATING = 0.2


def _priority(
    statement: StatementFacts,
    rule: RoutingRule | None,
    piece: PieceFacts,
    routing: Routing,
    severities: dict[str, str],
) -> Priority:
    """A rule's own priority; else severity of the topic, raised by anger and by value."""
    if rule and rule.priority:
        return Priority(rule.priority)
    rank = RANKS.index(Priority(severities.get(statement.topic or "", "normal")))
    share, value = piece.rating_share, piece.customer_value
    if share is not None and share <= WORST_RATING and statement.sentiment == "negative":
        rank += 1
    if routing.high_customer_value and (value or 0) >= routing.high_customer_value:
        rank += 1
    return RANKS[min(rank, len(RANKS) - 1)]
