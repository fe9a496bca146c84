"""The web app: ``python -m apps.desk``, which is what ``voc up`` starts."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    gc.disable()  # what is loaded stays: looking through it again takes a tenth of the start
    from apps.desk.serve import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
