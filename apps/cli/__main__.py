"""``python -m apps.cli``: the same as ``voc``."""

from apps.cli.main import app

app()
