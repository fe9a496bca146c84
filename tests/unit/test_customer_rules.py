"""What is decided about customers: who may be one, whose no holds, what is shown of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.company.brand import GROUND, check_colour
from voc.models import IdentityKind
from voc.rules.contrast import LEAST, WHITE, contrast, darkened, luminance, readable
from voc.rules.customer_merges import Refused, Side, stricter, why_not_merge, why_not_undo
from voc.rules.identities import masked_handle, normalise_identity, possible_handles
from voc.rules.same_person import SamePerson
from voc.rules.unsealing import NoPurposeError, read_purpose

said = st.sampled_from([None, True, False])
colours = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
EMAIL, PHONE, HANDLE, ACCOUNT = IdentityKind


# Merging


@given(said, said)
def test_a_no_of_either_is_a_no_whoever_is_asked_first(
    one: bool | None, other: bool | None
) -> None:
    both = stricter(one, other)
    assert both == stricter(other, one)
    assert (both is False) == (False in {one, other})
    assert stricter(one, None) is one


def side(number: int = 1, *, into: int | None = None, on_the_way: bool = False) -> Side:
    return Side(id=number, merged_into=into, on_the_way=on_the_way)


@pytest.mark.parametrize(
    ("kept", "merged", "why"),
    [
        (side(), side(2), None),
        (side(), side(), Refused.SAME),
        (side(into=3), side(2), Refused.MERGED),
        (side(), side(2, into=1), Refused.MERGED),
        (side(on_the_way=True), side(2), Refused.ON_THE_WAY),
        (side(), side(2, on_the_way=True), Refused.ON_THE_WAY),
    ],
)
def test_two_are_merged_who_are_two_and_nobody_elses(
    kept: Side, merged: Side, why: Refused | None
) -> None:
    assert why_not_merge(kept, merged) is why


def test_a_merge_is_undone_once_and_before_those_that_it_is_part_of() -> None:
    assert why_not_undo(side(), is_undone=False) is None
    assert why_not_undo(side(), is_undone=True) is Refused.UNDONE
    assert why_not_undo(side(into=2), is_undone=False) is Refused.LATER_MERGE
    assert why_not_undo(side(on_the_way=True), is_undone=False) is Refused.ON_THE_WAY


def test_one_person_has_all_numbers_that_were_merged_and_not_parted() -> None:
    people = SamePerson()
    people.merge(1, 2)
    people.merge(2, 3)
    assert people.of(1) == people.of(3) == {1, 2, 3}
    assert people.of(4) == {4}
    people.part(2)
    assert people.of(1) == {1, 2}
    assert people.of(3) == {3}


# Handles


@given(st.emails())
def test_a_masked_address_names_nobody(address: str) -> None:
    value = normalise_identity(EMAIL, address)
    if value is None:
        return
    masked = masked_handle(EMAIL, value)
    local, _, domain = value.rpartition("@")
    assert masked == f"{local[0]}***@{domain}"


@pytest.mark.parametrize(
    ("kind", "value", "masked"),
    [
        (PHONE, "+4930123412", "+49 *** 12"),
        (HANDLE, "mastodon:@kim", "mastodon:@k***"),
        (HANDLE, "itunes:12345", "itunes:12***"),
        (ACCOUNT, "MF-4711", "*** 11"),
        (ACCOUNT, "47", "***"),
    ],
)
def test_a_masked_handle_is_known_again_by_its_owner(
    kind: IdentityKind, value: str, masked: str
) -> None:
    assert masked_handle(kind, value) == masked


def test_what_is_typed_may_mean_handles_of_several_kinds_and_regions() -> None:
    found = possible_handles("01632 960123", regions=["GB", "DE"], platforms=["mastodon"])
    assert (PHONE, "+441632960123") in found
    assert any(kind is PHONE and value.startswith("+49") for kind, value in found)
    assert (ACCOUNT, "01632 960123") in found
    names = possible_handles(" @Kim ", regions=["GB"], platforms=["mastodon", "itunes"])
    assert [v for k, v in names if k is HANDLE] == ["mastodon:@kim", "itunes:@kim"]
    assert possible_handles("", regions=["GB"], platforms=["x"]) == []


# Unsealing


def test_a_purpose_is_a_code_and_words_without_addresses() -> None:
    assert read_purpose("call", "") == "call"
    assert read_purpose("other", " the  courier\nasks ") == "other: the courier asks"
    for words in ("ticket 104233", "Ticket #104233", "claim of 2026-03-02, due 2026-04-02"):
        assert read_purpose("legal", words) == f"legal: {words}"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "why not"),
        ("other", " "),
        ("call", "x" * 201),
        ("call", "kim@customer.example"),
        ("call", "call +44 1632 960-123"),
        *(("call", dash.join(["0171", "23", "45", "67"])) for dash in "-\u2010\u2013\u2014\uff0d"),
        ("call", "2026-03-02-1234"),
    ],
)
def test_a_purpose_that_does_not_say_why_or_says_too_much_is_none(code: str, words: str) -> None:
    with pytest.raises(NoPurposeError):
        read_purpose(code, words)


# Colours


@given(colours, colours)
def test_contrast_is_the_same_from_both_sides(one: str, other: str) -> None:
    assert 1 <= contrast(one, other) <= 21
    assert contrast(one, other) == contrast(other, one)


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", WHITE) == pytest.approx(21)
    assert contrast("#767676", WHITE) == pytest.approx(4.54, abs=0.005)
    assert contrast("#0072b2", WHITE) == pytest.approx(5.19, abs=0.005)


@given(colours)
def test_what_is_darkened_until_it_can_be_read_is_a_brand_colour(colour: str) -> None:
    dark = readable(colour, GROUND)
    assert contrast(dark, WHITE) >= LEAST
    assert check_colour(dark.upper()) == dark
    assert contrast(darkened(dark, 0.25), WHITE) >= LEAST


def test_a_brand_colour_can_be_read_on_every_ground_of_customers_pages() -> None:
    """Words of the brand's colour may stand on any of them."""
    style = Path("apps/desk/static/desk.css").read_text(encoding="utf-8")
    grounds = dict(re.findall(r"--((?:\w+-)?ground): (#\w{6});", style))
    assert {"ground", "note-ground"} <= set(grounds)
    assert min(map(luminance, grounds.values())) == luminance(GROUND)


@pytest.mark.parametrize("colour", ["#ffcc00", "red", "#fff", "#12345", "#1234567", "#00507g"])
def test_another_colour_is_refused_with_advice(colour: str) -> None:
    with pytest.raises(ValueError, match=r"#[0-9a-f]{6}"):
        check_colour(colour)
