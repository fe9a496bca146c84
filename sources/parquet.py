"""Parquet files, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sources.cells import Broken, Named
from sources.jsonlines import flat_cells
from sources.strictjson import JsonError
from voc.errors import SourceFormatError

_BATCH = 500


def parquet_columns(path: Path, label: str) -> list[str]:
    """The names of the columns; members of structs with a dot.

    Raises:
        SourceFormatError: It is no Parquet file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            return [str(name).removesuffix(".list.element") for name in _leaves(file)]
    except (pa.ArrowInvalid, OSError) as exc:
        raise SourceFormatError(label, "it is no whole Parquet file; export it again") from exc


def _leaves(file: object) -> list[str]:
    schema = file.schema  # type: ignore[attr-defined]  # pyarrow has no types
    return [schema.column(i).path for i in range(len(schema))]


def read_parquet(path: Path, label: str) -> Iterator[Named | Broken]:
    """Every row, with the names and types that the file itself gives.

    Raises:
        SourceFormatError: It is no Parquet file, or one that is broken inside.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield _named(number, row)
    except (pa.ArrowException, OSError) as exc:
        raise SourceFormatError(
            label, f"the Parquet file is broken after row {number}; export it again"
        ) from exc


def _named(number: int, row: dict[str, object]) -> Named | Broken:
    try:
        return Named(number, flat_cells(row))
    except (JsonError, TypeError, ValueError):
        return Broken(number, repr(row), "the row holds lists or structs that are no plain values")
