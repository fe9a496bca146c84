import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.mask import TOKEN, Known, mask

ADA = (
    Known(kind="name", value="Ada Müller-Rose"),
    Known(kind="email", value="ada@shop.test"),
    Known(kind="phone", value="+44 7700 900123"),
    Known(kind="account", value="AC-77812"),
    Known(kind="address", value="12 High Street, Leeds, LS1 4AB"),
)
PIECES = [
    *("Ada", "rose", "Müller", "[email]", "[name]", "[", "]", " ", "@", ".", "-", "+44", "(020)"),
    *("ada@shop.test", "4111 1111 1111 1111", "4111", "GB82 WEST 1234 5698 7654 32", "10.1.2.3"),
    *("2001:db8::1", "078-05-1120", "020 7946 0958", "https://a:b@shop.test/x", "A-1", "ok", "\n"),
    *("7", "12", "order 8812773", "12 High Street", "name", "email"),
]
texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))


@given(texts)
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask(text, known=ADA, patterns=[r"A-\d+"]).text

    assert mask(once, known=ADA, patterns=[r"A-\d+"]).text == once


@given(texts)
def test_what_was_found_is_what_was_replaced(text: str) -> None:
    masked = mask(text, known=ADA)

    rebuilt, kept = "", 0
    for found in masked.found:
        assert kept <= found.start < found.end <= len(text)
        rebuilt += f"{text[kept : found.start]}[{found.kind}]"
        kept = found.end
    assert masked.text == rebuilt + text[kept:]
    assert sum(masked.counts.values()) == len(masked.found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to Ada.B+x@shop.co.uk!", "write to [email]!"),
        ("ada (at) shop.test", "[email]"),
        ("card 4111-1111-1111-1111 123", "card [card] 123"),
        ("4111 1111 1111 1112", None),
        ("IBAN GB82 WEST 1234 5698 7654 32 thanks", "IBAN [iban] thanks"),
        ("de89370400440532013000", "[iban]"),
        ("FR14 2004 1010 0505 0001 3M02 606.", "[iban]."),
        ("SSN 078-05-1120", "SSN [ssn]"),
        ("from 10.1.2.3 and 2001:db8::ff00:42:8329", "from [ip] and [ip]"),
        ("call 020 7946 0958 now", "call [phone] now"),
        ("call +49 30 901820", "call [phone]"),
        ("(415) 555-2671 x", "[phone] x"),
        ("https://bob:secret@shop.test/a", "[url]"),
        ("https://shop.test/reset?token=abc1", "[url]"),
    ],
)
def test_it_masks_by_shape(text: str, expected: str | None) -> None:
    masked = mask(text).text

    assert masked == expected if expected else "[card]" not in masked


@pytest.mark.parametrize(
    "text",
    [
        "I paid 1,234.56 EUR on 2026-03-02 at 11:34:35, order late",
        "open from 0830-0930, version 4.0.2.1, room 12345",
        "https://shop.test/products/12 is broken, score 10/10",
        "$1 000 000 and 1500000 euros, 24.5 - 32 kg in 2019-2021",
        "std::vector at 12:30:45, flight BA 2490, seat 32A",
        "great food but the courier was rude 😀 مرحبا ありがとう",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ADA MULLER-ROSE was here", "[name] was here"),
        ("thanks, ada", "thanks, [name]"),
        ("Mu\u0308ller's parcel", "[name]'s parcel"),
        ("a rose for Rose", "a rose for [name]"),
        ("adamant", "adamant"),
        ("ADA@shop.test", "[email]"),
        ("07700 900 123 or 0044 7700-900123", "[phone] or [phone]"),
        ("account ac-77812 please", "account [account] please"),
        ("come to 12 high street", "come to [address]"),
        ("Leeds is nice", "Leeds is nice"),
    ],
)
def test_what_the_record_says_is_found_however_it_is_written(text: str, expected: str) -> None:
    assert mask(text, known=ADA).text == expected


@pytest.mark.parametrize("name", ["Will", "Mark", "May Hope", "Van Long"])
def test_a_name_that_is_a_word_is_masked_only_as_a_name(name: str) -> None:
    known = [Known(kind="name", value=name)]
    first = name.rpartition(" ")[2]

    assert mask(f"it is {first.lower()} be", known=known).text == f"it is {first.lower()} be"
    assert mask(f"I am {first}.", known=known).text == "I am [name]."


def test_names_are_found_where_no_spaces_are_written() -> None:
    assert mask("田中です", known=[Known(kind="name", value="田中")]).text == "[name]です"


def test_a_name_inside_an_address_leaves_no_tail() -> None:
    known = [Known(kind="name", value="Ada")]

    assert mask("ada.smith@shop.test", known=known).text == "[email]"


def test_order_numbers_are_the_companys_own() -> None:
    masked = mask("order VX-1234 and VX-99", patterns=[r"\bVX-\d{4}\b"])

    assert masked.text == "order [order] and VX-99"
    assert masked.counts == {"order": 1}


@pytest.mark.parametrize("value", ["", " ", "-", "X", "\u0301"])
def test_an_empty_record_masks_nothing(value: str) -> None:
    known = [Known(kind=kind, value=value) for kind in ("name", "email", "phone", "address")]

    assert mask("X - marks the spot", known=known).text == "X - marks the spot"


@pytest.mark.parametrize(
    "unit",
    ["a", "1 ", "1", "a@", "4111 ", "GB82 ", "1.2.3.4 ", "f:", "+44 ", "020 7946 0958 ", "ada ",
     "a.", "http://a", "07700 900 12"],
)  # fmt: skip
def test_twenty_thousand_characters_are_quick_whatever_they_are(unit: str) -> None:
    text = (unit * 20_000)[:20_000]
    started = time.process_time()

    mask(text, known=ADA)

    assert time.process_time() - started < 10


def test_every_mask_is_recognised_as_one() -> None:
    text = "ada@shop.test 4111111111111111 10.1.2.3 020 7946 0958 078-05-1120 AC-77812 Ada"

    masked = mask(text, known=ADA)

    assert len(TOKEN.findall(masked.text)) == len(masked.found) == 7
