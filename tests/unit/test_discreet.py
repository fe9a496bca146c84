"""What an error may say: our own words and the system's, never somebody's."""

from __future__ import annotations

import errno
import os

import pytest

from tasks.discreet import discreet
from voc.errors import ConfigurationError, VocError

SECRET = "kim@example.com"


def fail_with(error: Exception) -> str:
    @discreet
    def work() -> None:
        raise error

    with pytest.raises(VocError) as caught:
        work()
    return str(caught.value)


def test_our_own_errors_pass() -> None:
    assert fail_with(ConfigurationError("set VOC_HOME")) == "set VOC_HOME"


def test_of_others_only_type_and_place_are_told() -> None:
    told = fail_with(ValueError(SECRET))
    assert SECRET not in told
    assert told.startswith("unexpected ValueError in tasks/discreet.py, line ")


def test_a_full_disk_is_told_in_the_systems_words_without_the_file() -> None:
    told = fail_with(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), SECRET))
    assert told.startswith("No space left on device in tasks/discreet.py")
    assert SECRET not in told
