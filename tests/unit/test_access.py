"""Who gets in: passwords, addresses after the sign-in, and what an account is bound to."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.desk.access.notices import is_inside
from voc.passwords import hash_password, is_outdated, is_password
from voc.rules.access import own_path, password_problem, subject_key

DESK = "https://desk.example"


@given(wanted=st.one_of(st.text(), st.text("/desk\\@:.%?#\t\n evil", max_size=20)))
@example(wanted="//evil.example")
@example(wanted="/desk/\\evil.example")
@example(wanted="/desk?next=//evil.example")
def test_after_the_sign_in_everybody_stays_in_the_desk(wanted: str) -> None:
    address = urlsplit(urljoin(DESK, own_path(wanted)))
    assert f"{address.scheme}://{address.netloc}" == DESK
    assert address.path == "/desk" or not own_path(wanted).startswith("/desk?")
    assert own_path(own_path(wanted)) == own_path(wanted)


@pytest.mark.parametrize("path", ["/desk", "/desk/queue", "/desk/audit?actor=a%40b&before=2"])
def test_an_address_of_the_desk_is_kept(path: str) -> None:
    assert own_path(path) == path


@given(password=st.text(min_size=12, max_size=256))
def test_any_long_password_will_do_but_the_address_itself(password: str) -> None:
    assert password_problem(password, "kim@shop.example") is None
    assert password_problem("Kim@Shop.example ", "kim@shop.example")


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 257])
def test_a_password_that_is_too_short_or_too_long_will_not_do(password: str) -> None:
    assert password_problem(password, "kim@shop.example")


def test_a_password_is_the_same_from_every_keyboard() -> None:
    kept = hash_password("Zürich am Morgen")
    assert is_password("Zu\u0308rich am Morgen", kept)
    assert not is_password("Zurich am Morgen", kept)
    assert not is_outdated(kept)


@pytest.mark.parametrize("kept", [None, "", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$AA$AA"])
def test_what_is_not_kept_is_nobodys_password(kept: str | None) -> None:
    assert not is_password("nobody's password", kept)
    assert not is_password("\ud800 a lone surrogate", kept)


def test_the_same_subject_elsewhere_is_somebody_else() -> None:
    assert subject_key("https://a.example", "1") != subject_key("https://b.example", "1")


@pytest.mark.parametrize(
    ("path", "inside"),
    [("/desk", True), ("/desk/queue", True), ("/sign-in/return", True), ("/deskevil", False),
     ("/", False), ("/a/token", False), ("*", False)],
)  # fmt: skip
def test_colleagues_read_notices_of_the_desk_and_customers_theirs(path: str, inside: bool) -> None:
    assert is_inside(path) is inside
