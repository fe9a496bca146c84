"""What this package raises on purpose."""

from __future__ import annotations


class ModelFileError(Exception):
    """A model's file is missing or is not the one that was released; nothing was loaded.

    Raised before the file is read by any model library. Reinstalling what ships it helps,
    trying again does not.
    """
