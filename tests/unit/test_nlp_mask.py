import inspect
import re
import string
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.errors import ModelFileError
from nlp.mask import TOKEN, Known, mask
from nlp.masking.names import SpacyNames
from tests.growth import grows_evenly

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
    *("7", "12", "order 8812773", "12 High Street", "name", "email", "passport no ", "NHS "),
    *("943 476 5870", "RCCMNL83S18D969H", "BSN ", "111222333", "2 95 10 99 126 111 93"),
]
unhurried = settings(deadline=None)
"""The first example loads the libraries; how long masking takes is measured below."""
texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))


@unhurried
@given(texts)
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask(text, known=ADA, patterns=[r"A-\d+"]).text

    assert mask(once, known=ADA, patterns=[r"A-\d+"]).text == once


@unhurried
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
        ("see https://shop.test/a?page=2&jwt=ab.cd now", "see [url] now"),
        ("fe80::1ff:fe23:4567:890a", "[ip]"),
    ],
)
def test_it_masks_by_shape(text: str, expected: str | None) -> None:
    masked = mask(text).text

    assert masked == expected if expected else "[card]" not in masked


@pytest.mark.parametrize(
    "text",
    [
        *("AB 12 34 56 C", "ab123456c", "2 95 10 99 126 111 93", "295109912611193", "54362315K"),
        *("54362315-K", "X-2482300W", "RCCMNL83S18D969H", "756.9217.0769.85", "85.07.30-033 28"),
        *("131052-308T", "880320-0016", "15108695088", "390.533.447-05"),
    ],
)
def test_a_national_number_that_is_hardly_chance_needs_no_word(text: str) -> None:
    assert mask(f"it is {text}, thanks").text == "it is [national_id], thanks"


@pytest.mark.parametrize(
    ("cue", "number"),
    [
        *(("NHS number", "943 476 5870"), ("Steuer-ID:", "36 574 261 809")),
        *(("BSN", "111222333"), ("my PESEL is", "44051401359"), ("SVNR", "1237 010180")),
        *(("Personnummer", "8803200016"), ("NIF", "501 964 843"), ("CPR-nr.", "211062-5629")),
        *(("PPS", "6433435F"), ("my SIN is", "123-456-782"), ("Aadhaar", "2341 2341 2346")),
        *(("passport number is", "C01234567"), ("my driver's license", "2270-66-1551")),
        *(("social security number", "536904399"), ("cartao de cidadao", "00000000 0 ZZ4")),
    ],
)
def test_other_national_numbers_need_a_word_before_them(cue: str, number: str) -> None:
    assert mask(f"{cue} {number}.").text == f"{cue} [national_id]."
    assert "[national_id]" not in mask(f"item {number}.").text
    assert "[national_id]" not in mask(f"{cue} was asked for, {'much later ' * 4}{number}").text


@pytest.mark.parametrize(
    "text",
    [
        "AB 123456C part",  # neither all in pairs nor all together
        "54362315A",  # the letter does not fit
        "NHS number 943 476 5871",
        "RCCMNL83S18D969A",
        "passport control took 45 minutes",
        "seat 12345678901 of model X-24823001W",
    ],
)
def test_what_fails_its_checksum_is_no_national_number(text: str) -> None:
    assert "[national_id]" not in mask(text).text


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


letters = st.text(string.ascii_letters + "éüñłß", min_size=3, max_size=9)
digits = st.text(string.digits, min_size=8, max_size=12).filter(lambda text: text[0] != "0")
surroundings = st.sampled_from(["", "it is ", "so (", "\n", "re: ", "12 ", "ok, "])


@st.composite
def rewritten(draw: st.DrawFn, text: str) -> str:
    """As somebody else would type it: other case, accents apart or left out."""
    case = draw(st.sampled_from([str.upper, str.title, str.lower, str.swapcase]))
    form = draw(st.sampled_from(["NFC", "NFD", "bare"]))
    plain = unicodedata.normalize("NFD" if form == "bare" else form, case(text))
    return "".join(c for c in plain if form != "bare" or not unicodedata.combining(c))


@unhurried
@given(st.data(), letters, letters, surroundings)
def test_a_known_name_is_always_found(data: st.DataObject, a: str, b: str, before: str) -> None:
    gap = data.draw(st.sampled_from([" ", "  ", "\n"]))
    written = data.draw(rewritten(f"{a.title()}{gap}{b.title()}"))

    masked = mask(f"{before}{written}.", known=[Known(kind="name", value=f"{a} {b}")])

    assert written not in masked.text
    assert {"name"} <= set(masked.counts)


@unhurried
@given(st.data(), digits, surroundings)
def test_a_known_number_is_always_found(data: st.DataObject, number: str, before: str) -> None:
    gaps = data.draw(
        st.lists(st.sampled_from(["", " ", "-", ".", ") ", "/"]), min_size=12, max_size=12)
    )
    written = "".join(digit + gap for digit, gap in zip(number, gaps, strict=False)).rstrip(" -.)/")

    masked = mask(f"{before}{written} ok", known=[Known(kind="phone", value=number)], regions=())

    assert [c for c in masked.text if c.isdigit()] in ([], [c for c in before if c.isdigit()])


@unhurried
@given(st.data(), letters, letters, st.sampled_from(["email", "account"]), surroundings)
def test_a_known_address_is_always_found(
    data: st.DataObject, user: str, host: str, kind: str, before: str
) -> None:
    value = f"{user}.7@{host}.test" if kind == "email" else f"{user}-{host}7"
    written = data.draw(rewritten(value))

    masked = mask(f"{before}{written}, ok", known=[Known(kind=kind, value=value)])

    assert written not in masked.text
    assert masked.text.endswith("], ok")


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
     "a.", "http://a", "07700 900 12", "756.", "AB 12 34 56 C ", "passport 12 ", "12345      "],
)  # fmt: skip
def test_a_long_text_takes_no_more_than_its_share_whatever_it_is(unit: str) -> None:
    assert grows_evenly(lambda text: mask(text, known=ADA), unit)


def test_every_mask_is_recognised_as_one() -> None:
    text = "ada@shop.test 4111111111111111 10.1.2.3 020 7946 0958 078-05-1120 AC-77812 Ada"

    masked = mask(text, known=ADA)

    assert len(TOKEN.findall(masked.text)) == len(masked.found) == 7


class Greeted:
    """Takes whoever is greeted for a person."""

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        for greeting in re.finditer(r"Dear (\w+)", text):
            yield greeting.span(1)


@unhurried
@given(texts)
def test_masking_with_names_twice_changes_nothing(text: str) -> None:
    once = mask(f"Dear Bob Dear Eve {text}", names=Greeted()).text

    assert once.startswith("Dear [name] Dear [name]")
    assert mask(once, names=Greeted()).text == once


def test_names_of_third_persons_stay_unless_somebody_finds_them() -> None:
    assert mask("Dear Bob, hello").text == "Dear Bob, hello"


def spacy_pipeline(folder: Path) -> Path:
    """A real pipeline that knows one name by rule, saved as an installed one would be."""
    spacy = pytest.importorskip("spacy", reason="spaCy is an extra: people's names")
    pipeline = spacy.blank("en")
    ruler: Any = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "PERSON", "pattern": "Grace Hopper"},
            {"label": "ORG", "pattern": "Remington Rand"},
        ]
    )
    pipeline.to_disk(folder / "names")
    return folder / "names"


def test_a_spacy_pipeline_finds_people_and_nothing_else(tmp_path: Path) -> None:
    names = SpacyNames(spacy_pipeline(tmp_path))

    masked = mask("Grace Hopper of Remington Rand, and Grace Hopper", names=names)

    assert masked.text == "[name] of Remington Rand, and [name]"
    assert masked.counts == {"name": 2}


def test_a_long_text_is_read_in_pieces(tmp_path: Path) -> None:
    names = SpacyNames(spacy_pipeline(tmp_path))
    text = "ok " * 40_000 + "Grace Hopper"

    assert list(names.find(text)) == [(120_000, 120_012)]


def test_a_pipeline_that_is_not_installed_is_named() -> None:
    pytest.importorskip("spacy", reason="spaCy is an extra: people's names")

    with pytest.raises(ModelFileError, match="no pipeline 'no_such_pipeline': install it"):
        mask("Dear Bob", names=SpacyNames("no_such_pipeline"))


def test_without_spacy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)

    with pytest.raises(ModelFileError, match="its extra 'names'"):
        mask("Dear Bob", names=SpacyNames("en_core_web_sm"))


def test_digits_of_every_script_are_digits() -> None:
    assert mask("card ４１１１１１１１１１１１１１１１").text == "card [card]"  # noqa: RUF001
    odd = "my cc \u0660{7}0 \u0660 ZZ\u0664 please".replace("{7}", "\u0660" * 6)
    assert "ZZ" not in mask(odd).text


def test_many_numbers_in_a_row_need_no_deep_stack() -> None:
    """Each is only found once the one before it is masked."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 120)
    try:
        masked = mask("AB123456" * 150, patterns=(r"(?<!\w)[A-Z]{2}\d{6}",))
    finally:
        sys.setrecursionlimit(before)
    assert masked.text == "[order]" * 150
