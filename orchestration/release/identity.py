"""Which release the present deliveries, decisions and code give: the same input always gives the same id.

Knows nothing of tables. Timestamps come from deliveries and decisions, never from the clock, so that a rebuild from the
archive gives the same bytes. A release also rests on those published before it (`records.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.gates.decisions import WITHDRAWAL
from orchestration.home import Home
from orchestration.release.records import Record, records_before
from orchestration.source_hash import source_hash
from orchestration.sql import literal

CODE_FOLDERS = ("orchestration", "models", "seeds", "dbt_project", "expectations")
VERSION = "0.1.0"


@dataclass(frozen=True)
class ReleaseIdentity:
    """What a release is made of; `created` is the newest receipt or decision that it rests on (UTC).

    `inputs`: hash over deliveries, decisions and code; `earlier`: the releases published before it, whose blanks stay.
    `input_hash` is of both.
    """

    release_id: str
    created: datetime
    year: int
    code_version: str
    input_hash: str
    inputs: str
    earlier: tuple[Record, ...]


def identify(home: Home) -> ReleaseIdentity | None:
    """The release that `control/delivery.parquet` leads to; None while no delivery is in force."""
    delivery = home.control / "delivery.parquet"
    if not delivery.exists():
        return None
    rows = duckdb.execute(
        "select delivery_id, sha256, received, year from read_parquet(?) where state = 'accepted' order by delivery_id",
        [str(delivery)],
    ).fetchall()
    if not rows:
        return None
    code = source_hash(CODE_FOLDERS)
    digest = hashlib.sha256(code.encode())
    for delivery_id, sha256, received, _ in rows:
        digest.update(f"{delivery_id} {sha256} {received.isoformat()}\n".encode())
    created, decisions = _effective(home, max(row[2] for row in rows))
    for decision_id in decisions:
        digest.update(f"{decision_id}\n".encode())
    inputs = digest.hexdigest()
    earlier = records_before(home, inputs)
    for record in earlier:
        digest.update(f"{record.path.name}\n".encode())
    year = max(row[3] for row in rows)
    return ReleaseIdentity(
        release_id=f"{year}-{digest.hexdigest()[:12]}",
        created=created,
        year=year,
        code_version=f"{VERSION}+{code[:12]}",
        input_hash=digest.hexdigest(),
        inputs=inputs,
        earlier=tuple(earlier),
    )


def _effective(home: Home, newest_receipt: datetime) -> tuple[datetime, list[str]]:
    """Moment until which the release knows of things, and the decisions (ids) that change something known by then.

    A decision on a delivery that came later than everything else here belongs to a later release. Which one counts
    depends on the moment and the moment on what counts, so this goes on until nothing is added.
    """
    path = home.control / "decision.parquet"
    if not path.exists():
        return newest_receipt, []
    rows = duckdb.execute(
        "select decision_id, decided, kind, received from read_parquet(?) where delivery_id is not null", [str(path)]
    ).fetchall()
    created = max([newest_receipt, *(decided for _, decided, kind, _ in rows if kind == WITHDRAWAL)])
    while True:
        effective = {(decision_id, decided) for decision_id, decided, _, received in rows if received <= created}
        until = max([created, *(decided for _, decided in effective)])
        if until == created:
            return created, sorted(decision_id for decision_id, _ in effective)
        created = until


def write_identity(home: Home, identity: ReleaseIdentity) -> Path:
    """`control/release.parquet`, one row, for the mart meta_release."""
    target = home.control / "release.parquet"
    partial = target.with_suffix(".part")
    duckdb.execute(
        "copy (select $1::varchar as release_id, $2::timestamp as created, $3::int as year,"
        " $4::varchar as code_version, $5::varchar as input_hash, $6::int as release_number)"
        f" to {literal(partial)} (format parquet)",
        [
            identity.release_id,
            identity.created,
            identity.year,
            identity.code_version,
            identity.input_hash,
            len(identity.earlier) + 1,
        ],
    )
    partial.replace(target)
    return target
