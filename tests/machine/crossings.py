"""Every tangle once with each of its values, in one shop, in an order that a seed draws.

The search draws what it tries: most of it again, some of it late. These come first and at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from random import Random

from tests.machine.provider import DIES, DOUBTFUL, MEANWHILE, Fate
from tests.machine.tangles import GIVEN_AWAY, Shop
from voc.models import InboundKind, Verdict

Crossing = Callable[[Shop], None]
YES, NO = Verdict.SOLVED, Verdict.NOT_SOLVED
HOUR, DAYS = timedelta(hours=1), timedelta(days=4)
RETURNS = (InboundKind.HARD_BOUNCED, InboundKind.COMPLAINED, InboundKind.DELIVERED)
STATEMENTS = (8, 14, 20, 26)


def play_crossings(seed: int) -> None:
    """Play them all, and check after each.

    Raises:
        AssertionError: A promise was broken.
    """
    order = crossings()
    Random(seed).shuffle(order)
    shop = Shop()
    for crossing in order:
        crossing(shop)
        shop.check()
    shop.teardown()


def crossings() -> list[Crossing]:
    fates = sorted(DIES | DOUBTFUL)
    doubts = [(fate, HOUR) for fate in fates] + [(fate, DAYS) for fate in sorted(DOUBTFUL)]
    put_off = [(Fate.LATER, False), (Fate.LATER, True), (Fate.LATER_AFTER_DATA, False)]
    return [
        *(partial(Shop.something_comes_between_a_claim_and_its_mail, fate=f) for f in MEANWHILE),
        *(partial(Shop.nobody_knows_what_became_of_a_reply, fate=f, wait=w) for f, w in doubts),
        *(partial(Shop.a_reply_is_put_off, fate=f, edits=e) for f, e in put_off),
        *(
            partial(Shop.a_reply_that_may_have_arrived_is_sent_again, fate=f, edits=e)
            for f, e in ((Fate.REPLY_LOST, False), (Fate.MAIL_LOST, True))
        ),
        *(
            partial(Shop.a_customer_says_no_and_then_answers_again, verdict=v, late=late)
            for v, late in ((YES, True), (NO, False))
        ),
        *(
            partial(Shop.a_customer_has_second_thoughts, first=first, then=then)
            for first, then in ((YES, NO), (NO, YES))
        ),
        *(partial(Shop.a_page_breaks_off, whats=["charged", "praise"], at=at) for at in STATEMENTS),
        partial(
            Shop.a_ticket_of_two_loops_is_reopened_while_a_reply_is_in_doubt, fate=Fate.REPLY_LOST
        ),
        *(
            partial(Shop.a_mail_comes_back_and_its_customer_complains_again, kind=kind)
            for kind in RETURNS
        ),
        *(partial(Shop.a_reply_is_taken_back_while_it_is_held, by_hand=b) for b in (True, False)),
        *(
            partial(Shop.a_ticket_is_given_away_before_its_alert_has_left, then=then)
            for then in GIVEN_AWAY
        ),
        partial(Shop.a_customer_complains_again_and_again, whats=["late", "charged", "both"]),
        partial(Shop.a_complaint_that_was_answered_is_deleted, what="both"),
        partial(Shop.a_complaint_waits_for_weeks, weeks=5),
    ]
