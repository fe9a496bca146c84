"""Who is at the terminal."""

from __future__ import annotations

import getpass
import os


def login_name() -> str:
    """Their login name; their number if they have none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid:{os.getuid()}"
