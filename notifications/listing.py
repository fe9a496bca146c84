"""The pages on which the local mailbox can be looked at."""

from __future__ import annotations

import tempfile
from html import escape
from pathlib import Path

from notifications.kept import SUFFIXES, as_page, read_kept

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto }}
td, th {{ text-align: left; padding: .25rem 1rem .25rem 0; vertical-align: top }}
td:last-child {{ white-space: nowrap }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""


def write_index(folder: Path, days: list[Path]) -> None:
    """Write the listing of *days*, and of the days there are.

    Beside each message of these days stands a page that a browser can show.
    """
    if not days:
        return
    kinds = set(SUFFIXES.values())
    for day in days:
        kept = [path for path in day.iterdir() if path.suffix in kinds]
        rows = "\n".join(row for _, row in sorted(map(_row, kept)))
        _write_page(day / "index.html", f"Messages of {day.name}", f"<table>\n{rows}\n</table>")
    links = "\n".join(
        f'<li><a href="{escape(day.name)}/index.html">{escape(day.name)}</a></li>'
        for day in sorted(folder.glob("????-??-??"), reverse=True)
    )
    _write_page(folder / "index.html", "Messages that were not sent", f"<ul>\n{links}\n</ul>")


def _row(path: Path) -> tuple[str, str]:
    """A message's moment, to sort by, and its line in the listing.

    The page beside it is written once: a busy day has thousands.
    """
    kept = read_kept(path)
    page = path.with_suffix(".html")
    if not page.exists() and (shown := as_page(path)) is not None:
        if path.suffix == ".eml":
            _write(page, shown)
        else:
            _write_page(page, kept.title, shown)
    return kept.at.isoformat(), (
        f"<tr><td>{kept.at:%H:%M}</td><td>{escape(kept.channel)}</td>"
        f'<td><a href="{page.name}">{escape(kept.title)}</a></td>'
        f'<td><a href="{path.name}">as a file</a></td></tr>'
    )


def _write_page(path: Path, title: str, body: str) -> None:
    _write(path, PAGE.format(title=escape(title), body=body))


def _write(path: Path, text: str) -> None:
    """Replace a file in one step: someone may be reading it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as draft:
        draft.write(text)
    Path(draft.name).replace(path)
