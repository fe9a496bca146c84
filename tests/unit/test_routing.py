from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.company.routing import Routing, RoutingRule, When
from voc.models import Channel, Priority
from voc.rules.routing import Filed, PieceFacts, StatementFacts, decide

RUDE = StatementFacts(
    id=1,
    text="The courier was rude",
    sentiment="negative",
    topic="courier",
    department="delivery",
    probability=0.8,
    offers=[["delivery", 0.8], ["service", 0.1]],
    judge="model:router-1",
)
PIECE = PieceFacts(
    source="nps",
    channel=Channel.SURVEY,
    touchpoint=None,
    rating_share=0.2,
    is_promoter=False,
    customer_value=None,
    statements=[RUDE],
)
ROUTING = Routing()


def piece(*statements: StatementFacts, **changes: Any) -> PieceFacts:
    return replace(PIECE, statements=statements, **changes)


def statement(**changes: Any) -> StatementFacts:
    return replace(RUDE, **changes)


def test_a_complaint_becomes_an_issue_of_the_suggested_department() -> None:
    (issue,) = decide(PIECE, ROUTING, {}).issues
    assert (issue.department, issue.because) == ("delivery", "suggested with 80%")


def test_the_first_rule_that_matches_wins_and_is_named() -> None:
    routing = Routing(
        rules=(
            RoutingRule(name="other", when=When(topic="app"), department="app"),
            RoutingRule(name="rude", when=When(words=("rude",)), department="service"),
            RoutingRule(name="late", when=When(topic="courier"), department="delivery"),
        )
    )
    (issue,) = decide(PIECE, routing, {}).issues
    assert (issue.department, issue.because) == ("service", "rule 'rude'")


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        (When(words=("rud",)), False),
        (When(words=("RUDE",)), True),
        (When(channel=Channel.SOCIAL), False),
        (When(rating_at_most=0.3), True),
        (When(rating_at_most=0.1), False),
        (When(sentiment="positive"), False),
        (When(min_customer_value=10), False),
        (When(source="nps", topic="courier"), True),
        (When(source="nps", topic="app"), False),
    ],
)
def test_all_conditions_of_a_rule_must_hold(when: When, matches: bool) -> None:
    routing = Routing(rules=(RoutingRule(name="r", when=when, department="x"),))
    (issue,) = decide(PIECE, routing, {}).issues
    assert (issue.department == "x") is matches


def test_a_complaint_inside_five_stars_is_an_issue() -> None:
    praise = statement(id=2, sentiment="positive")
    (issue,) = decide(piece(praise, RUDE, rating_share=1.0), ROUTING, {}).issues
    assert issue.statement_ids == (1,)


def test_praise_beside_the_worst_rating_is_irony() -> None:
    decision = decide(piece(statement(sentiment="positive"), rating_share=0.0), ROUTING, {})
    assert decision.issues


def test_the_unsure_go_to_triage_with_their_offers() -> None:
    (issue,) = decide(piece(statement(department=None)), ROUTING, {}).issues
    assert (issue.department, issue.offers) == ("triage", RUDE.offers)


def test_an_unsure_statement_goes_along_with_a_sure_one() -> None:
    (issue,) = decide(piece(RUDE, statement(id=2, department=None)), ROUTING, {}).issues
    assert issue.statement_ids == (1, 2)


def test_a_language_we_cannot_read_goes_to_a_person_unless_the_rating_is_good() -> None:
    unread = statement(sentiment=None, department=None)
    assert decide(piece(unread, rating_share=None), ROUTING, {}).issues
    assert decide(piece(unread, rating_share=0.9), ROUTING, {}).filed is Filed.NOTHING_TO_DO


@pytest.mark.parametrize(
    "words",
    [
        "I want my money back",
        "Still waiting, and it doesn't work",
        "This is a formal complaint.",
        "Ich will mich beschweren: Reklamation",
        "Exijo el reembolso",
    ],
)
def test_an_explicit_complaint_is_an_issue_although_no_model_was_sure(words: str) -> None:
    unsure = statement(sentiment=None, text=words)
    assert decide(piece(unsure, rating_share=0.9), ROUTING, {}).issues


@pytest.mark.parametrize(
    "words",
    [
        "No complaints at all",
        "I can't complain",
        "can't really complain",
        "Zero complaints from me",
        "I don't have any complaints",
        "Never had any complaints",
        "no\ncomplaints",
        "The case works with my old phone",
        "We never received better service",
        "Remboursement très rapide, merci beaucoup !",
        "Reembolso muy rápido, gracias",
        "Rimborso veloce, grazie mille",
        "Geld zurück kam sofort, top",
        "Super, keine Reklamation nötig.",
        "Aucune réclamation, tout est parfait",
        "Geen klachten",
    ],
)
def test_what_only_sounds_like_a_complaint_is_none(words: str) -> None:
    unsure = statement(sentiment=None, text=words)
    assert not decide(piece(unsure, rating_share=0.9), ROUTING, {}).issues


def test_two_departments_are_two_issues() -> None:
    other = statement(id=2, department="billing")
    issues = decide(piece(RUDE, other), ROUTING, {}).issues
    assert [issue.department for issue in issues] == ["delivery", "billing"]


@pytest.mark.parametrize(
    ("severity", "share", "value", "priority"),
    [
        ("low", 0.5, None, Priority.LOW),
        ("normal", 0.5, None, Priority.NORMAL),
        ("normal", 0.2, None, Priority.HIGH),
        ("high", 0.2, None, Priority.URGENT),
        ("normal", 0.5, 900, Priority.HIGH),
        ("high", 0.0, 900, Priority.URGENT),
    ],
)
def test_priority_rises_with_severity_anger_and_value(
    severity: str, share: float, value: float | None, priority: Priority
) -> None:
    routing = Routing(high_customer_value=500)
    facts = piece(RUDE, rating_share=share, customer_value=value)
    (issue,) = decide(facts, routing, {"courier": severity}).issues
    assert issue.priority is priority


@given(
    st.lists(
        st.builds(
            replace,
            st.just(RUDE),
            id=st.integers(1, 99),
            sentiment=st.sampled_from(["negative", "neutral", "positive", None]),
            department=st.sampled_from(["delivery", "billing", None]),
        ),
        unique_by=lambda s: s.id,
    ),
    st.one_of(st.none(), st.floats(0, 1)),
    st.booleans(),
)
def test_every_piece_gets_exactly_one_decision_and_no_statement_two_tickets(
    statements: list[StatementFacts],
    share: float | None,
    promoter: bool,
) -> None:
    facts = piece(*statements, rating_share=share, is_promoter=promoter)
    decision = decide(facts, ROUTING, {})
    assert sum([bool(decision.issues), decision.thanks, decision.filed is not None]) == 1
    taken = [key for issue in decision.issues for key in issue.statement_ids]
    assert len(taken) == len(set(taken))
    assert len({issue.department for issue in decision.issues}) == len(decision.issues)
    negative = {s.id for s in statements if s.sentiment == "negative"}
    assert negative <= set(taken)
