import pytest

from nlp.language import LinguaDetector

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def detector() -> LinguaDetector:
    return LinguaDetector()


@pytest.mark.parametrize(
    "text",
    ["ok", "meh", "Late again", "love it", "rude", "no refund", "Bad", "Terrible app", "LOL",
     "thx", "app crashes", "check in queue", "best ever", "10/10 would recommend", "5 stars",
     "Refund pls"],
)  # fmt: skip
def test_short_english_is_never_called_foreign(detector: LinguaDetector, text: str) -> None:
    assert detector.detect([text])[0] in {None, "en"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The delivery was late and nobody answered the phone", "en"),
        ("@acme #fail https://t.co/x Das Paket kam viel zu spät an", "de"),
        ("Le livreur était très désagréable avec nous", "fr"),
        ("muy malo, no lo recomiendo a nadie", "es"),
        ("配達が遅い", "ja"),
        ("سيء جدا", "ar"),
        ("не работает", "ru"),
    ],
)
def test_what_is_certain_is_named(detector: LinguaDetector, text: str, expected: str) -> None:
    assert detector.detect([text]) == [expected]


@pytest.mark.parametrize(
    "text",
    ["", " ", "👍👍", "@acme https://t.co/x", "[email] [phone]", "10/10", "\u200f\u200b\x01"],
)
def test_without_words_there_is_no_language(text: str) -> None:
    detector = LinguaDetector()

    assert detector.detect([text]) == [None]
    assert not detector.loaded


def test_long_text_is_no_trouble(detector: LinguaDetector) -> None:
    assert detector.detect(["x" * 20_000, "the parcel was late " * 1000])[1] == "en"
