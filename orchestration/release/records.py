"""What each published release has told, kept in the archive: `archive/freigaben/<number>-<release id>-<hash>.parquet`.

A release must not give away what an earlier one hid, so its blanks depend on those before it, and a rebuild from the
archive alone has to know them. A record is written before the switch and never changed. A release that is made again
has its own record already: it rests on those before it only, and so comes to the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.gates.directory import write_parquet
from orchestration.home import Home

HASH_LENGTH = 12


class DamagedRecord(ValueError):
    """A record in the archive is no longer what was written."""


@dataclass(frozen=True)
class Record:
    """One published release: its number in order of publication, and the inputs (a hash) that led to it."""

    number: int
    inputs: str
    path: Path


def records(home: Home) -> list[Record]:
    """All of an archive, in order of publication."""
    paths = sorted((home.archive / "freigaben").glob("*.parquet"))
    return [Record(int(path.name.split("-")[0]), _inputs(path), path) for path in paths]


def records_before(home: Home, inputs: str) -> list[Record]:
    """What was published before the release of these inputs; all, if it has not been published."""
    known = records(home)
    own = next((record.number for record in known if record.inputs == inputs), None)
    return [record for record in known if own is None or record.number < own]


def read_records(earlier: Sequence[Record]) -> pd.DataFrame:
    """Columns release (its number), boundary, area_id, year, item, value (NaN: blank)."""
    frames = []
    for record in earlier:
        if _hash(record.path) != record.path.stem.split("-")[-1]:
            raise DamagedRecord(f"archive/freigaben/{record.path.name} ist beschädigt; bitte aus der Sicherung holen.")
        frames.append(pq.read_table(record.path).to_pandas().assign(release=record.number))
    columns = ["release", "boundary", "area_id", "year", "item", "value"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def record_release(home: Home, release_id: str, inputs: str, told: pa.Table) -> None:
    """Keep what a release tells, once: published again, it tells nothing new."""
    if is_recorded(home, inputs):
        return
    known = records(home)
    number = known[-1].number + 1 if known else 1
    folder = home.archive / "freigaben"
    # No name that is looked for: a run killed in between leaves nothing behind that counts.
    partial = folder / "neu.tmp"
    write_parquet(told.replace_schema_metadata({"inputs": inputs}), partial)
    partial.replace(folder / f"{number:04}-{release_id}-{_hash(partial)}.parquet")


def is_recorded(home: Home, inputs: str) -> bool:
    return any(record.inputs == inputs for record in records(home))


def _inputs(path: Path) -> str:
    return bytes((pq.read_schema(path).metadata or {}).get(b"inputs", b"")).decode()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:HASH_LENGTH]
