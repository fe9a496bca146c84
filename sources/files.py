"""Files that somebody drops into a folder: surveys, reviews and posts that were exported."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from sources.base import Page, RawFeedback, Rejected
from sources.rows import FILE_TIME, TakenBack, read_again, read_row
from sources.tables import Row, format_of, read_table
from voc.company.sources import FileSource
from voc.errors import SourceError, SourceFormatError, SourceRefusedError, SourceUnavailableError

PAGE_ROWS = 500
_MAX_PLACE = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """How far one file was read. Size and time of change only spare us the hash."""

    sha256: str
    size: int
    mtime_ns: int
    rows: int | None
    """Rows read so far; None once it was read to its end."""


class Files:
    """Reads what is new or changed. A file that cannot be read does not stop the others."""

    def __init__(self, config: FileSource, *, folder: Path) -> None:
        self._config = config
        self._folder = folder

    @property
    def name(self) -> str:
        return self._config.id

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield the rows of new and changed files, 500 a page, files in the order of their names.

        A changed file is read again from its top: rows that did not change are known by their id.

        Raises:
            SourceError: The first problem of any file, after all others were read.
        """
        seen = _load(cursor)
        paths = {self._label(path): path for path in self._paths()}
        seen = {label: entry for label, entry in seen.items() if label in paths}
        failures: list[SourceError] = []
        for label, path in sorted(paths.items()):
            try:
                yield from self._file(path, label, seen)
            except SourceError as exc:
                failures.append(exc)
            except PermissionError:
                failures.append(SourceRefusedError(self.name, f"{label}: may not be read"))
            except OSError as exc:
                failures.append(SourceUnavailableError(self.name, f"{label}: {exc.strerror}"))
        if failures:
            raise failures[0]

    def parse(self, raw: str) -> RawFeedback | Rejected:
        """Read one quarantined row again."""
        return read_again(raw, self.name, self._config)

    def _paths(self) -> list[Path]:
        return [path for path in self._folder.glob(self._config.path) if path.is_file()]

    def _label(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _file(self, path: Path, label: str, seen: dict[str, Seen]) -> Iterator[Page]:
        """The pages of one file. *seen* is brought up to date before each is yielded."""
        before, known = _stamp(path), seen.get(label)
        if known and known.rows is None and (known.size, known.mtime_ns) == before:
            return
        sha256 = _sha256(path)
        is_known = known is not None and known.sha256 == sha256
        if known and is_known and known.rows is None:
            seen[label] = Seen(sha256, *before, None)  # touched, not changed
            return
        start = known.rows or 0 if known and is_known else 0
        for page, count in self._pages(path, label, start):
            start += count
            # Size, time and hash are from before: if the file grew meanwhile, it is read again.
            seen[label] = Seen(sha256, *before, start if count == PAGE_ROWS else None)
            yield Page(
                items=page.items,
                rejected=page.rejected,
                deleted=page.deleted,
                cursor=_dump(seen),
            )

    def _pages(self, path: Path, label: str, start: int) -> Iterator[tuple[Page, int]]:
        """Pages from row *start* on, each with its number of rows; the last has less than 500."""
        rows = self._rows(path, label)
        for _ in islice(rows, start):
            pass
        while True:
            found = list(islice(rows, PAGE_ROWS))
            # Of several rows about the same item the last one holds, a withdrawal, too.
            said = {r.external_id: r for r in found if not isinstance(r, Rejected)}.values()
            page = Page(
                items=[each for each in said if isinstance(each, RawFeedback)],
                rejected=[each for each in found if isinstance(each, Rejected)],
                deleted=[each.external_id for each in said if isinstance(each, TakenBack)],
                cursor="",
            )
            yield page, len(found)
            if len(found) < PAGE_ROWS:
                return

    def _rows(self, path: Path, label: str) -> Iterator[RawFeedback | TakenBack | Rejected]:
        config = self._config
        extra = {} if config.columns.said_at else {FILE_TIME: _changed_at(path)}
        repeats: Counter[str] = Counter()
        for row in self._table(path, label):
            if isinstance(row, Rejected):
                yield row
                continue
            read = read_row({**row.cells, **extra}, row.place, config)
            if config.columns.id is None and isinstance(read, RawFeedback):
                read = _nth(read, repeats)
            yield read

    def _table(self, path: Path, label: str) -> Iterator[Row | Rejected]:
        config = self._config
        is_json = format_of(path, config.format) == "jsonl"
        try:
            yield from read_table(
                path,
                format=config.format,
                encoding=config.encoding,
                delimiter=config.delimiter,
                sheet=config.sheet,
                wanted=config.columns.needed if is_json else config.columns.named,
                label=label[-_MAX_PLACE:],
            )
        except SourceFormatError as exc:
            raise SourceFormatError(self.name, f"{label}: {exc.reason}") from exc


def _nth(item: RawFeedback, repeats: Counter[str]) -> RawFeedback:
    """Two customers may say the same: the second of equal rows without id is another item."""
    repeats[item.external_id] += 1
    count = repeats[item.external_id]
    return item if count == 1 else replace(item, external_id=f"{item.external_id}-{count}")


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _changed_at(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load(cursor: str | None) -> dict[str, Seen]:
    """What a cursor says. One that we do not understand says nothing: reading again is harmless."""
    try:
        files: Mapping[str, dict[str, object]] = json.loads(cursor or "{}")["files"]
        return {label: Seen(**entry) for label, entry in files.items()}  # type: ignore[arg-type]
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _dump(seen: Mapping[str, Seen]) -> str:
    return json.dumps({"files": {label: asdict(entry) for label, entry in seen.items()}})
