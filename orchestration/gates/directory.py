"""The directory of deliveries: which is in force, superseded, withdrawn or rejected, from receipts, verdicts and the
steward's decisions; and the tables under `control/` that tell dbt and the release of it.

Judges nothing. The same archive gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.feeds.declaration import Feed, load_feeds
from orchestration.feeds.intake import Delivery, deliveries
from orchestration.feeds.reader import raw_schema
from orchestration.gates.decisions import BERLIN, CONFIRMATION, Decision, Decisions, german_date, load_decisions
from orchestration.gates.states import ACCEPTED, REJECTED, SUPERSEDED, WITHDRAWN
from orchestration.gates.verdicts import Verdict, load_verdict, raw_path
from orchestration.home import Home

DELIVERY_SCHEMA = pa.schema(
    [
        ("delivery_id", pa.string()),
        ("feed", pa.string()),
        ("feed_title", pa.string()),
        ("deliverer", pa.string()),
        ("deliverer_name", pa.string()),
        ("year", pa.int32()),
        ("file_name", pa.string()),
        ("received", pa.timestamp("us")),
        ("sha256", pa.string()),
        ("size_bytes", pa.int64()),
        ("row_count", pa.int64()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("public_reason", pa.string()),
        ("n_errors", pa.int32()),
        ("n_warnings", pa.int32()),
    ]
)
FINDING_SCHEMA = pa.schema(
    [
        ("gate", pa.string()),
        ("delivery_id", pa.string()),
        ("feed", pa.string()),
        ("deliverer", pa.string()),
        ("year", pa.int32()),
        ("area_id", pa.string()),
        ("expectation", pa.string()),
        ("column_name", pa.string()),
        ("severity", pa.string()),
        ("passed", pa.bool_()),
        ("n_rows", pa.int64()),
        ("found", pa.string()),
        ("expected", pa.string()),
        ("message", pa.string()),
    ]
)
DECISION_SCHEMA = pa.schema(
    [
        ("decision_id", pa.string()),
        ("kind", pa.string()),
        ("decided", pa.timestamp("us")),
        ("delivery_id", pa.string()),
        ("received", pa.timestamp("us")),
    ]
)
"""One row per decision and delivery that it acts on; those that act on none have no delivery."""


def states(
    receipts: list[Delivery], verdicts: Mapping[str, Verdict | None], withdrawn: Mapping[str, Decision]
) -> dict[str, str]:
    """Delivery id → state, for all that is judged: of what is accepted and not withdrawn, the last received counts."""
    result: dict[str, str] = {}
    in_force: dict[tuple[str | None, str | None, int | None], str] = {}
    for delivery in receipts:
        verdict = verdicts[delivery.delivery_id]
        if verdict is None:
            continue
        if not verdict.accepted:
            result[delivery.delivery_id] = REJECTED
        elif delivery.delivery_id in withdrawn:
            result[delivery.delivery_id] = WITHDRAWN
        else:
            address = delivery.feed, delivery.deliverer, delivery.year
            if address in in_force:
                result[in_force[address]] = SUPERSEDED
            in_force[address] = delivery.delivery_id
            result[delivery.delivery_id] = ACCEPTED
    return result


def current_states(home: Home, feed: str | None = None) -> list[tuple[Delivery, Verdict, str]]:
    """Every judged delivery (of one feed) with its state, in order of receipt."""
    decisions = load_decisions(home)
    receipts = [d for d in deliveries(home) if feed in (None, d.feed)]
    verdicts = {d.delivery_id: load_verdict(home, d.delivery_id, decisions) for d in receipts}
    now = states(receipts, verdicts, decisions.withdrawals())
    return [(d, verdict, now[d.delivery_id]) for d in receipts if (verdict := verdicts[d.delivery_id]) is not None]


def accepted_raw(home: Home, feed: str) -> dict[tuple[str, int], Path]:
    """(deliverer, year) → raw Parquet of the delivery in force."""
    return {
        (str(delivery.deliverer), int(delivery.year or 0)): raw_path(home, delivery)
        for delivery, _, state in current_states(home, feed)
        if state == ACCEPTED
    }


def not_yet_replaced(home: Home, feed: Feed) -> list[Verdict]:
    """Rejections after which the same deliverer has delivered nothing acceptable for that year."""
    latest = {
        (delivery.deliverer, delivery.year): verdict
        for delivery, verdict, state in current_states(home, feed.name)
        if state != WITHDRAWN
    }
    return [verdict for verdict in latest.values() if not verdict.accepted]


# --- files -----------------------------------------------------------------------------------------------------------


def write_directory(home: Home) -> pd.DataFrame:
    """Write control/delivery, finding_delivery and decision, and the `_schema.parquet` of every feed.

    Deliveries that are not judged yet are left out. Returns the table of deliveries.
    """
    for feed in load_feeds().values():
        write_schema(home, feed)
    decisions = load_decisions(home)
    withdrawn = decisions.withdrawals()
    rows: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    effects: list[dict[str, Any]] = []
    for delivery, verdict, state in current_states(home):
        withdrawal = withdrawn.get(delivery.delivery_id) if state == WITHDRAWN else None
        rows.append(_directory_row(delivery, verdict, state, withdrawal))
        acting = [*verdict.waivers, *([withdrawal.decision_id] if withdrawal else [])]
        if state == ACCEPTED:
            acting += [
                d.decision_id for d in decisions.all if d.kind == CONFIRMATION and d.delivery_id == delivery.delivery_id
            ]
        on = {"delivery_id": delivery.delivery_id, "received": utc(delivery.received)}
        effects += [{"decision_id": decision_id, **on} for decision_id in acting]
        findings += [{**finding.as_json(), "message": finding.public_message} for finding in verdict.findings]
    effects += _confirmed_streets(decisions, rows)
    table = pa.Table.from_pylist(rows, schema=DELIVERY_SCHEMA)
    records = [{name: finding[name] for name in FINDING_SCHEMA.names} for finding in findings]
    write_parquet(pa.Table.from_pylist(records, schema=FINDING_SCHEMA), home.control / "finding_delivery.parquet")
    write_parquet(_decision_table(decisions, effects), home.control / "decision.parquet")
    write_parquet(table, home.control / "delivery.parquet")
    return table.to_pandas()


def knows_all_decisions(home: Home) -> bool:
    """Whether the tables under `control/` were written after the last decision."""
    path = home.control / "decision.parquet"
    made = {d.decision_id for d in load_decisions(home).all}
    known = set(pq.read_table(path, columns=["decision_id"])["decision_id"].to_pylist()) if path.exists() else set()
    return made == known


def _directory_row(delivery: Delivery, verdict: Verdict, state: str, withdrawal: Decision | None) -> dict[str, Any]:
    taken_back = _taken_back(withdrawal) if withdrawal else None
    feed = load_feeds().get(str(delivery.feed))
    deliverer = feed.deliverers.get(str(delivery.deliverer)) if feed else None
    return {
        "delivery_id": delivery.delivery_id,
        "feed": delivery.feed,
        "feed_title": feed.title if feed else None,
        "deliverer": delivery.deliverer,
        "deliverer_name": deliverer.name if deliverer else delivery.deliverer,
        "year": delivery.year,
        "file_name": delivery.file_name,
        "received": utc(delivery.received),
        "sha256": delivery.sha256,
        "size_bytes": delivery.size_bytes,
        "row_count": verdict.row_count,
        "state": state,
        "reason": taken_back or verdict.reason,
        "public_reason": taken_back or verdict.public_reason,
        "n_errors": verdict.n_errors,
        "n_warnings": verdict.n_warnings,
    }


def _taken_back(withdrawal: Decision) -> str:
    day = dt.datetime.fromisoformat(withdrawal.decided).astimezone(BERLIN).date()
    return f"Zurückgenommen am {german_date(day)}: {withdrawal.reason.rstrip('.')}."


def _confirmed_streets(decisions: Decisions, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A confirmed street acts on every list of addresses in force that may hold one of its Kommune."""
    from orchestration.geography.address_decisions import in_effect
    from orchestration.geography.address_match import matched_feeds

    confirmed = in_effect(decisions)
    if not confirmed:
        return []
    feeds = load_feeds()
    registers = [
        (feeds[row["feed"]].deliverers[row["deliverer"]].ags, row)
        for row in rows
        if row["feed"] in matched_feeds() and row["state"] == ACCEPTED
    ]
    return [
        {"decision_id": decision.decision_id, "delivery_id": row["delivery_id"], "received": row["received"]}
        for decision in confirmed
        for ags, row in registers
        if ags in (None, decision.ags)
    ]


def _decision_table(decisions: Decisions, effects: list[dict[str, Any]]) -> pa.Table:
    acting = {effect["decision_id"] for effect in effects}
    idle = [
        {"decision_id": d.decision_id, "delivery_id": None, "received": None}
        for d in decisions.all
        if d.decision_id not in acting
    ]
    made = {d.decision_id: d for d in decisions.all}
    rows = [
        {**row, "kind": made[row["decision_id"]].kind, "decided": utc(made[row["decision_id"]].decided)}
        for row in [*effects, *idle]
    ]
    rows.sort(key=lambda row: (row["decided"], row["decision_id"], row["delivery_id"] or ""))
    return pa.Table.from_pylist(rows, schema=DECISION_SCHEMA)


def utc(moment: str) -> dt.datetime:
    """ISO with any offset → naive UTC."""
    return dt.datetime.fromisoformat(moment).astimezone(dt.UTC).replace(tzinfo=None)


def write_schema(home: Home, feed: Feed) -> None:
    """The empty Parquet that tells dbt the columns of a feed without deliveries."""
    path = home.raw / feed.raw_folder / "_schema.parquet"
    if not path.exists() or pq.read_schema(path) != raw_schema(feed):
        write_parquet(raw_schema(feed).empty_table(), path)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Atomic, readable by the owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
