"""Every template in every language, and what customers may put into them."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError
from selectolax.lexbor import LexborHTMLParser as HTMLParser

import notifications
from notifications.contexts import (
    ALERTS,
    FOLLOW_UPS,
    LANGUAGES,
    Action,
    AlertMail,
    FollowUpMail,
    MailContext,
    Reminder,
    Resolution,
    ShortMessage,
)
from notifications.mail import (
    CannotComposeError,
    Letter,
    clean_header,
    compose,
    sender_of,
    wire_address,
)
from notifications.render import (
    Rendered,
    clean,
    render,
    render_line,
    shorten,
    without_links,
)
from notifications.sandbox import render_subject, rendered, templates
from notifications.segments import MOST_SEGMENTS, fit, segments
from notifications.words import language_of
from tests.mail_cases import VALUES, context_of
from voc.company.experiments import Variant
from voc.company.subjects import why_no_subject
from voc.errors import ConfigurationError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ALL = [*product(FOLLOW_UPS.values(), LANGUAGES), *product(ALERTS.values(), ["en"])]
POISON = [
    "{{7*7}}",
    "{% for x in range(9) %}x{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</bdi></blockquote><a href='javascript:alert(1)'>x</a>",
    "hi\r\nBcc: evil@x.test",
    "=?utf-8?q?hi=0D=0ABcc:_evil@x.test?=",
    "\u202egnp.exe \u2066 \u200b",
    "nul \x00 bell \x07 \ud800",
    "<!channel> [x](javascript:alert(1)) =HYPERLINK(1)",
    "\n.\n\r\n.\r\n--=_boundary--",
]


def letter(**changes: object) -> Letter:
    base = Letter(
        sender="Noodles <care@noodles.test>",
        recipient="kim@customer.test",
        message_id="<abc@noodles.test>",
        date=NOW,
        language="en",
        thread="<first@noodles.test>",
        unsubscribe="https://f.test/u/token-u",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def poisoned(kind: type[MailContext], language: str, poison: str) -> MailContext:
    words = {f: clean(poison) for f in ("name", "quote", "because", "owner", "objection")}
    lists = {"quotes": (clean(poison),), "actions": (Action(department="D", text=clean(poison)),)}
    return context_of(kind, language, **words, **lists)


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_every_message_renders_from_the_fields_of_its_context(
    kind: type[MailContext], language: str
) -> None:
    words = render(context_of(kind, language))
    assert words.subject
    assert "\n" not in words.subject
    page = HTMLParser(words.html)
    assert page.css_first("html").attributes["lang"] == language
    assert len(page.css("h1")) == 1
    assert page.css("style, script, img, link") == []
    assert "None" not in words.text + words.html


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_text_and_html_lead_to_the_same_places(kind: type[MailContext], language: str) -> None:
    context = context_of(kind, language)
    words = render(context)
    links = {a.attributes["href"] for a in HTMLParser(words.html).css("a")}
    assert links == set(re.findall(r"https://\S+", words.text))
    urls = {getattr(context, f.name) for f in fields(context) if f.name.endswith("_url")}
    assert links == urls


@pytest.mark.parametrize(("kind", "language"), list(product(FOLLOW_UPS.values(), LANGUAGES)))
def test_a_follow_up_says_who_writes_and_why_and_how_to_stop_it(
    kind: type[FollowUpMail], language: str
) -> None:
    words = render(context_of(kind, language))
    for part in (words.text, HTMLParser(words.html).text()):
        assert "1 Soup Street" in part
        assert "1 March 2026" in part
        assert "Great food but the courier was rude." in part


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_missing_words_leave_no_gap(kind: type[MailContext], language: str) -> None:
    nothing = {"name": None, "quote": "", "quotes": (), "offers": (), "others": ()}
    unsaid = {"objection": None, "refusal": None, "history": (), "words": "", "told": ()}
    words = render(context_of(kind, language, **nothing, **unsaid))
    assert "\n\n\n" not in words.text
    assert HTMLParser(words.html).css("blockquote") == []


@pytest.mark.parametrize(("kind", "language"), list(product((Resolution, Reminder), LANGUAGES)))
def test_another_tone_asks_the_same_in_other_words(kind: type[FollowUpMail], language: str) -> None:
    plain, warm = (render(context_of(kind, language, tone=tone)) for tone in ("plain", "warm"))
    assert warm.text != plain.text
    assert len(warm.text) > len(plain.text)
    links = [re.findall(r"https://\S+", words.text) for words in (plain, warm)]
    assert links[0] == links[1]
    said = HTMLParser(warm.html).text()
    for line in warm.text.splitlines():
        if "https" not in line and ":" not in line:
            assert line.strip(" -") in said


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_colours_can_be_told_apart(kind: type[MailContext], language: str) -> None:
    page = HTMLParser(render(context_of(kind, language)).html)
    seen = 0
    for node in page.css("[style]"):
        style = dict(p.split(":", 1) for p in (node.attributes["style"] or "").split(";") if p)
        colours = {key.strip(): value.strip() for key, value in style.items()}
        if "color" in colours:
            seen += 1
            assert contrast(colours["color"], colours.get("background-color", "#ffffff")) >= 4.5
        if "font-size" in colours:
            assert int(colours["font-size"].removesuffix("px")) >= 16
    assert seen > 2


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_folder_is_complete_and_known() -> None:
    root = Path(notifications.__file__).parent / "templates"
    parts = {"subject.txt", "body.txt", "body.html"}
    for kind, language in ALL:
        folder = root / kind.template / language
        short = {"sms.txt"} if kind in FOLLOW_UPS.values() else set()
        assert {path.name for path in folder.iterdir()} == parts | short
    for language in LANGUAGES:
        assert [p.name for p in (root / "review_reply" / language).iterdir()] == ["review.txt"]
    known = {kind.template for kind, _ in ALL}
    mails = {path.parent.parent.name for path in root.glob("*/*/subject.txt")}
    assert mails == known


def short_message(template: str, language: str, **changes: str) -> ShortMessage:
    values = {"company": "Noodles & Söhne", "quote": str(VALUES["quote"]), "url": SMS_URL}
    return ShortMessage(template=template, language=language, **(values | changes))


def written(words: ShortMessage) -> str:
    return fit(lambda quote: render_line(replace(words, quote=quote), "sms.txt"), words.quote)


SMS_URL = "https://feedback.a-company-with-a-long-name.example.com/a/" + "x" * 32
IN_THREE = list(product(FOLLOW_UPS, LANGUAGES))


@pytest.mark.parametrize(("template", "language"), IN_THREE)
def test_a_text_message_says_who_writes_and_how_to_stop_it(template: str, language: str) -> None:
    for quote in (str(VALUES["quote"]), ""):
        text = written(short_message(template, language, quote=quote))
        assert text.startswith("Noodles & Söhne")
        assert "STOP" in text
        assert SMS_URL in text
        assert quote in text
        assert '""' not in text


@pytest.mark.parametrize(("template", "language"), IN_THREE)
@pytest.mark.parametrize("quote", ["word " * 60, "слово " * 50, "🙂" * 40, "y" * 300])
def test_a_text_message_is_no_longer_than_three_parts(
    template: str, language: str, quote: str
) -> None:
    text = written(short_message(template, language, quote=quote))
    assert segments(text) <= MOST_SEGMENTS
    assert SMS_URL in text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 10, 2),
        ("a" * 306, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
    ],
)
def test_how_many_parts_the_networks_cut_a_text_into(text: str, parts: int) -> None:
    assert segments(text) == parts


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("See https://evil.test/login now", "See […] now"),
        ("see evil.test/login", "see […]"),
        ("www.evil", "[…]"),
        ("javascript:alert(1.0)", "[…]"),
        ("mailto:kim@evil.test", "[…]"),
        ("bücher.example!", "[…]!"),
        ("Late. Again. 3.5 stars, at 10:30", "Late. Again. 3.5 stars, at 10:30"),
        ("Version 2.10.1 is slow", "Version 2.10.1 is slow"),
        ("Note: cold/soggy", "Note: cold/soggy"),
    ],
)
def test_what_would_become_a_link_is_left_out_of_a_quote(said: str, shown: str) -> None:
    assert without_links(said) == shown


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10**10 }}",
        "{{ 9**9**9 }}",
        "{{ company * 3 }}",
        "{{ '%9999999d' % 1 }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ company.ljust(999999) }}",
        "{{ cycler.__init__.__globals__ }}",
    ],
)
def test_a_template_can_neither_reach_out_nor_fill_the_memory(template: str) -> None:
    with pytest.raises(TemplateError):
        rendered(templates().from_string(template), {"company": "Noodles"})


def test_a_subject_line_of_the_company_file_is_words_and_names() -> None:
    line = render_subject("  {{ company }}: is it\nsolved? ", {"company": "{{ x }} & Co"})
    assert line == "{{ x }} & Co: is it solved?"


@pytest.mark.parametrize(
    "template",
    [
        "{{ company | upper }}",
        "{{ company * 2 }}",
        "{{ company.x }}",
        "{{ company() }}",
        "{% if company %}x{% endif %}",
        "{% for c in company %}x{% endfor %}",
        "{% set x = 1 %}",
        "{{ 'x' }}",
        "{{ secret }}",
        "{{ company",
        "{% include 'x' %}",
    ],
)
def test_any_other_subject_line_is_refused_when_the_file_is_read(template: str) -> None:
    assert why_no_subject(template) is not None
    with pytest.raises(TemplateError):
        render_subject(template, {"company": "Noodles"})
    with pytest.raises(ValueError, match=r"braces|known here|readable"):
        Variant(id="a", subject=template)


def test_a_word_that_the_context_lacks_is_an_error_not_a_blank() -> None:
    unwritten = context_of(Resolution, "en", actions=(object(),))
    with pytest.raises(TemplateError):
        render(unwritten)


@pytest.mark.parametrize("poison", POISON)
@pytest.mark.parametrize(
    ("kind", "language"),
    [(Resolution, "de"), *((k, "en") for k in ALERTS.values() if issubclass(k, AlertMail))],
)
def test_customers_words_are_data_in_every_part(
    kind: type[MailContext], language: str, poison: str
) -> None:
    words = render(poisoned(kind, language, poison))
    page = HTMLParser(words.html)
    harmless = HTMLParser(render(poisoned(kind, language, "x")).html)
    tags = [node.tag for node in page.root.traverse()] if page.root else []
    expected = [node.tag for node in harmless.root.traverse()] if harmless.root else []
    assert tags == expected
    assert "49" not in words.text.replace("{{7*7}}", "")
    if "\x00" not in poison and "\u202e" not in poison:
        line = clean(poison).splitlines()[-1]
        assert line in words.text
    mail = message_from_bytes(compose(letter(), words), policy=default)
    assert mail["Bcc"] is None
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("poison", POISON)
def test_no_words_make_a_header(poison: str) -> None:
    words = Rendered(subject=f"About {poison}", text="t\n", html="<p>t</p>")
    content = compose(letter(sender="Noodles <care@noodles.test>"), words)
    head = content.split(b"\r\n\r\n")[0]
    assert b"\nBcc" not in head
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", content)


@given(st.text(max_size=300))
def test_any_words_become_a_mail_with_the_headers_that_were_meant(text: str) -> None:
    words = Rendered(subject=text, text=clean(text) + "\n", html="<p>t</p>")
    mail = message_from_bytes(compose(letter(), words), policy=default)
    assert len(mail.keys()) == 14
    assert [address.addr_spec for address in mail["To"].addresses] == ["kim@customer.test"]


@given(st.text(max_size=200))
def test_a_clean_header_is_one_visible_line(text: str) -> None:
    line = clean_header(text)
    assert "=?" not in line
    assert len(line.splitlines()) <= 1
    assert clean_header(line) == line


def test_the_head_of_a_follow_up() -> None:
    url = "https://feedback.a-company-with-a-long-name.example.com/u/" + "x" * 32
    content = compose(letter(unsubscribe=url), Rendered(subject="S", text="t", html="h"))
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in content
    mail = message_from_bytes(content, policy=default)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Message-ID"] == "<abc@noodles.test>"
    assert mail["In-Reply-To"] == mail["References"] == "<first@noodles.test>"
    assert mail["Date"].datetime == NOW


def test_the_head_of_an_alert_offers_no_unsubscribing() -> None:
    content = compose(
        letter(unsubscribe=None, thread=None), Rendered(subject="S", text="", html="")
    )
    mail = message_from_bytes(content, policy=default)
    assert mail["List-Unsubscribe"] is None
    assert mail["References"] is None


@pytest.mark.parametrize(
    "address",
    ["", "kim", "a@x.test, b@y.test", "kim@x.test\r\nBcc: e@x.test", "kim@", "<a@b.test>"],
)
def test_what_is_no_address_is_not_written_to(address: str) -> None:
    with pytest.raises(CannotComposeError, match="bad address"):
        compose(letter(recipient=address), Rendered(subject="S", text="t", html="h"))


def test_addresses_outside_ascii() -> None:
    assert wire_address("zoë@exämple.test") == "zoë@xn--exmple-cua.test"
    content = compose(letter(recipient="zoë@exämple.test"), Rendered(subject="ß", text="", html=""))
    assert "To: zoë@xn--exmple-cua.test\r\n".encode() in content


def test_a_sender_without_an_address_is_a_mistake_of_the_company_file() -> None:
    with pytest.raises(ConfigurationError, match=r"company\.sender"):
        sender_of("Noodles")


def test_a_senders_name_cannot_smuggle_a_header() -> None:
    sender = sender_of("=?utf-8?q?x=0D=0ABcc?= <care@noodles.test>")
    assert sender.addr_spec == "care@noodles.test"
    assert "=?" not in sender.display_name


@pytest.mark.parametrize(
    ("spoken", "offered", "expected"),
    [
        ("de", ("en", "de"), "de"),
        ("DE_at", ("en", "de"), "de"),
        ("fr", ("en", "de"), "en"),
        (None, ("es", "en"), "es"),
        ("fr", ("fr",), "en"),
    ],
)
def test_the_language_of_a_mail(
    spoken: str | None, offered: tuple[str, ...], expected: str
) -> None:
    assert language_of(spoken, offered) == expected


@given(st.text(max_size=400))
def test_shortening_keeps_to_one_line_and_to_its_length(text: str) -> None:
    short = shorten(text, 50)
    assert len(short) <= 50
    assert len(short.splitlines()) <= 1


def test_shortening_cuts_at_a_word() -> None:
    assert shorten("Great food but the courier was rude.", 20) == "Great food but the…"
    assert shorten("short\nand sweet", 20) == "short and sweet"


def test_emoji_and_joined_letters_survive_cleaning() -> None:
    text = "👩\u200d🍳 می\u200cخواهم"  # noqa: RUF001  (Persian, on purpose)
    assert clean(text) == text


def test_alerts_have_all_of_their_fields_tested() -> None:
    assert {f.name for f in fields(AlertMail)} <= {*VALUES, "language"}
