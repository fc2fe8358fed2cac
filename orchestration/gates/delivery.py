"""The delivery gate: is this file what its contract says?

Judges archived deliveries in order of receipt: read, run the feed's suite, accept (typed raw Parquet) or reject
(German report). A verdict depends on the archive and the code only, so deleting `raw/`, `control/` and `rejected/` and
judging again gives the same. Whether numbers of several deliveries hold together is the plausibility gate's business.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.feeds.declaration import (
    KREIS,
    Deliverer,
    Feed,
    indicator_ids,
    kommunen,
    load_feeds,
    official_population,
)
from orchestration.feeds.finding import Finding, counted, german_number, structural
from orchestration.feeds.intake import Delivery, address, deliveries, write_atomic
from orchestration.feeds.limits import GB, MAX_FILE_BYTES
from orchestration.feeds.reader import gate_frame, raw_rows, raw_schema
from orchestration.feeds.reading_room import read_apart, unreadable
from orchestration.gates import workers
from orchestration.gates.contract import feed_suite
from orchestration.gates.rejection import render_rejection
from orchestration.gates.suites import GateDefect, find
from orchestration.home import Home
from orchestration.source_hash import source_hash

GATE = "delivery"
REPORT = "rueckmeldung.html"
PARALLEL_FROM = 6
"""From so many deliveries on, other processes pay."""
GATE_SOURCES = ("orchestration/feeds", "orchestration/gates", "expectations", "seeds")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """What the gate decided about one delivery. `reason` is German and None when accepted."""

    delivery_id: str
    feed: str | None
    deliverer: str | None
    year: int | None
    accepted: bool
    row_count: int
    reason: str | None
    findings: tuple[Finding, ...]

    @property
    def public_reason(self) -> str | None:
        """The reason as a release may show it: without row numbers."""
        errors = [finding for finding in self.findings if finding.is_error]
        return errors[0].public_message if errors else None

    @property
    def n_errors(self) -> int:
        return sum(finding.is_error for finding in self.findings)

    @property
    def n_warnings(self) -> int:
        return sum(finding.is_warning for finding in self.findings)


class GateDefects(GateDefect):
    """Some deliveries could not be judged because a check itself is broken; they stay pending."""


def judge(
    home: Home,
    feed: Feed | str | None,
    progress: Progress = lambda message: None,
) -> list[Verdict]:
    """Judge what is pending of a feed (None: of files whose name fits no feed), in order of receipt.

    All years: what the archive has taken in belongs to the next release, or to a rejection. A file that cannot be
    read is rejected and the others go on; a defect of a check leaves its delivery pending and is raised as
    GateDefects once all others are judged.
    """
    name = feed.name if isinstance(feed, Feed) else feed
    declared = load_feeds()[name] if name is not None and not isinstance(feed, Feed) else feed
    receipts = [delivery for delivery in deliveries(home) if delivery.feed == name]
    if name is not None:
        _write_schema(home, load_feeds()[name])
    contract = declared if isinstance(declared, Feed) else None
    chosen = [delivery for delivery in receipts if not verdict_exists(home, delivery)]
    in_parallel = contract is not None and (len(chosen) >= PARALLEL_FROM or workers.are_running())
    apart = _independent(chosen, receipts) if in_parallel else []
    in_order = [delivery for delivery in chosen if delivery not in apart]
    verdicts: list[Verdict] = []
    defects: list[str] = []
    for delivery, decide in chain(
        _in_workers(home, contract, apart, receipts), _one_by_one(home, contract, in_order, receipts)
    ):
        try:
            verdict = decide()
        except GateDefect as defect:
            defects.append(f"{delivery.delivery_id}: {defect}")
            progress(f"{delivery.file_name}: nicht prüfbar, die Prüfung selbst ist fehlerhaft")
            continue
        verdicts.append(verdict)
        progress(_line(delivery, verdict))
    if defects:
        raise GateDefects("; ".join(defects))
    return verdicts


def check_file(
    path: Path,
    feed: str | None = None,
    deliverer: str | None = None,
    year: int | None = None,
    home: Home | None = None,
) -> Verdict:
    """The verdict a file would get, without delivering it: nothing is archived or written.

    What is not given is read from the path `…/<deliverer>/<feed>_<year>.<ext>`. With `home`, rules that look at earlier
    deliveries apply too. Raises ValueError (German) when feed, deliverer or year remain unknown.
    """
    told = address(Path(*path.resolve().parts[-2:]))
    feed, deliverer, year = feed or told.feed, deliverer or told.deliverer, year or told.year
    feeds = load_feeds()
    if feed not in feeds or deliverer not in feeds[feed].deliverers or year is None:
        raise ValueError(told.fault or "Lieferart, Lieferant oder Jahr sind nicht bekannt.")
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    delivery = Delivery(
        delivery_id=f"{feed}-{deliverer}-{year}-{sha256[:10]}",
        feed=feed,
        deliverer=deliverer,
        year=year,
        file_name=path.name,
        received="9999",
        sha256=sha256,
        size_bytes=path.stat().st_size,
    )
    receipts = [d for d in deliveries(home) if d.feed == feed] if home else []
    twin = _twin(home, delivery, receipts) if home else None
    return _decide(_prepare(path, feeds[feed], delivery), feeds[feed], delivery, twin)


def verdict_exists(home: Home, delivery: Delivery) -> bool:
    """Whether a delivery is judged and what the verdict produced is there."""
    verdict = load_verdict(home, delivery.delivery_id)
    if verdict is None:
        return False
    product = raw_path(home, delivery) if verdict.accepted else home.rejected / delivery.delivery_id / REPORT
    return product.exists()


def load_verdict(home: Home, delivery_id: str) -> Verdict | None:
    """The stored verdict; None where there is none, or where contracts, suites or readers have changed since."""
    path = _verdict_path(home, delivery_id)
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if record.pop("gate_version", None) != gate_version():
        return None
    return Verdict(**{**record, "findings": tuple(Finding.from_json(f) for f in record["findings"])})


def not_yet_replaced(home: Home, feed: Feed) -> list[Verdict]:
    """Rejections after which the same deliverer has delivered nothing acceptable for that year."""
    latest = {(d.deliverer, d.year): load_verdict(home, d.delivery_id) for d in deliveries(home) if d.feed == feed.name}
    return [verdict for verdict in latest.values() if verdict is not None and not verdict.accepted]


@lru_cache(maxsize=1)
def gate_version() -> str:
    """Changes with everything a verdict depends on besides the archive."""
    return source_hash(GATE_SOURCES)


def raw_path(home: Home, delivery: Delivery) -> Path:
    return (
        home.raw / load_feeds()[str(delivery.feed)].raw_folder / str(delivery.year) / f"{delivery.delivery_id}.parquet"
    )


def accepted_raw(home: Home, feed: str) -> dict[tuple[str, int], Path]:
    """(deliverer, year) → raw Parquet of the delivery in force."""
    in_force: dict[tuple[str, int], Path] = {}
    for delivery in deliveries(home):
        if delivery.feed != feed or delivery.deliverer is None or delivery.year is None:
            continue
        verdict = load_verdict(home, delivery.delivery_id)
        if verdict is not None and verdict.accepted:
            in_force[delivery.deliverer, delivery.year] = raw_path(home, delivery)
    return in_force


# --- one delivery ------------------------------------------------------------------------------------------------


@dataclass
class Prepared:
    """A delivery read, before its suite runs. `frame` and `raw` are None where the structure is broken."""

    findings: list[Finding]
    frame: pd.DataFrame | None = None
    raw: pa.Table | None = None
    headers: dict[str, str] = field(default_factory=dict)
    official: int | None = None


def _read_ahead(home: Home, feed: Feed | None, chosen: list[Delivery]) -> Iterator[tuple[Delivery, Prepared | None]]:
    """Each delivery with its reading, in order; the next one is read while the caller judges this one."""
    if feed is None:
        yield from ((delivery, None) for delivery in chosen)
        return
    with ThreadPoolExecutor(max_workers=1) as pool:

        def start(delivery: Delivery) -> Future[Prepared]:
            return pool.submit(_prepare, delivery.blob(home), feed, delivery)

        following = start(chosen[0]) if chosen else None
        for number, delivery in enumerate(chosen):
            assert following is not None
            prepared = following.result()
            following = start(chosen[number + 1]) if number + 1 < len(chosen) else None
            yield delivery, prepared


def _independent(chosen: list[Delivery], receipts: list[Delivery]) -> list[Delivery]:
    """Deliveries whose verdict and report depend on no other: nobody else has their bytes, or their address."""
    bytes_of = Counter(delivery.sha256 for delivery in receipts)
    address_of = Counter((delivery.deliverer, delivery.year) for delivery in receipts)
    return [d for d in chosen if bytes_of[d.sha256] == 1 and address_of[d.deliverer, d.year] == 1]


Decision = tuple[Delivery, Callable[[], Verdict]]


def _in_workers(home: Home, feed: Feed | None, chosen: list[Delivery], receipts: list[Delivery]) -> list[Decision]:
    """All at once in other processes; each delivery with a call that waits for its verdict."""
    return [(delivery, workers.submit(_judge_apart, home, delivery, feed, receipts).result) for delivery in chosen]


def _judge_apart(home: Home, delivery: Delivery, feed: Feed, receipts: list[Delivery]) -> Verdict:
    prepared = _prepare(delivery.blob(home), feed, delivery)
    return _judge_one(home, delivery, feed, receipts, prepared)


def _one_by_one(home: Home, feed: Feed | None, chosen: list[Delivery], receipts: list[Delivery]) -> Iterator[Decision]:
    """One after the other in this process, in order."""
    for delivery, prepared in _read_ahead(home, feed, chosen):
        yield delivery, partial(_judge_one, home, delivery, feed, receipts, prepared)


def _judge_one(
    home: Home, delivery: Delivery, feed: Feed | None, receipts: list[Delivery], prepared: Prepared | None
) -> Verdict:
    if feed is None or prepared is None:
        verdict = _verdict(delivery, [_misnamed(delivery)], 0)
    else:
        verdict = _decide(prepared, feed, delivery, _twin(home, delivery, receipts))
    if verdict.accepted and prepared is not None and prepared.raw is not None:
        write_parquet(prepared.raw, raw_path(home, delivery))
        shutil.rmtree(home.rejected / delivery.delivery_id, ignore_errors=True)
    else:
        report = render_rejection(delivery, verdict, feed, _in_force(home, delivery, receipts))
        write_atomic(home.rejected / delivery.delivery_id / REPORT, report.encode("utf-8"))
    _write_verdict(home, verdict)
    return verdict


def _prepare(path: Path, feed: Feed, delivery: Delivery) -> Prepared:
    """Read one delivery, apart from this process. What goes wrong there is a fault of the file, the others go on."""
    assert delivery.deliverer is not None and delivery.year is not None
    deliverer = feed.deliverers[delivery.deliverer]
    if not delivery.archived:
        return Prepared([_refused(delivery)])
    if delivery.size_bytes > feed.max_size_mb * 1_000_000:
        return Prepared([_too_large(feed)])
    reading = read_apart(path, feed, deliverer)
    if reading.table is None or any(finding.is_error for finding in reading.findings):
        return Prepared(reading.findings)
    official = official_population().get((deliverer.ags or "", delivery.year))
    try:
        return Prepared(
            findings=reading.findings,
            frame=gate_frame(reading, feed, official),
            raw=raw_rows(reading, feed, delivery.delivery_id, delivery.deliverer, delivery.year),
            headers=reading.headers,
            official=official,
        )
    except Exception as error:
        # The exception's text may quote a cell, its class does not.
        return Prepared([unreadable(type(error).__name__)])


def _decide(prepared: Prepared, feed: Feed, delivery: Delivery, twin: Delivery | None) -> Verdict:
    """Run the feed's suite and draw the conclusion. Raises GateDefect when a check itself is broken."""
    assert delivery.deliverer is not None and delivery.year is not None
    findings = [_identical(twin, feed)] if twin else []
    findings += prepared.findings
    row_count = 0
    if prepared.frame is not None:
        row_count = len(prepared.frame)
        deliverer = feed.deliverers[delivery.deliverer]
        parameters = _parameters(feed, deliverer, delivery.year, row_count, prepared.official)
        suite = feed_suite(feed, deliverer)
        findings += find(suite, prepared.frame, gate=GATE, parameters=parameters, headers=prepared.headers)
    return _verdict(delivery, findings, row_count)


def _parameters(feed: Feed, deliverer: Deliverer, year: int, rows: int, official: int | None) -> dict[str, Any]:
    """What suites may refer to by `$PARAMETER` and texts by name."""
    expected = feed.expected_date(year)
    ags = [place for place, _ in kommunen().values()]
    return {
        "jahr": str(year),
        "lieferant": deliverer.name,
        "ags": [deliverer.ags],
        "stichtag": [pd.Timestamp(expected)] if expected else [],
        "jahresanfang": dt.datetime(year, 1, 1),
        "jahresende": dt.datetime(year, 12, 31),
        "kommunen": ags,
        "kreis": [KREIS],
        "gebiete": [KREIS, *ags],
        "indikatoren": list(indicator_ids()),
        "zeilen": rows,
        "amtlich": official,
    }


def _verdict(delivery: Delivery, findings: list[Finding], row_count: int) -> Verdict:
    addressed = tuple(
        replace(
            finding.fit_to_show(),
            gate=GATE,
            delivery_id=delivery.delivery_id,
            feed=delivery.feed,
            deliverer=delivery.deliverer,
            year=delivery.year,
        )
        for finding in findings
    )
    errors = [finding for finding in addressed if finding.is_error]
    more = f" (und {len(errors) - 1} weitere Fehler)" if len(errors) > 1 else ""
    return Verdict(
        delivery_id=delivery.delivery_id,
        feed=delivery.feed,
        deliverer=delivery.deliverer,
        year=delivery.year,
        accepted=not errors,
        row_count=row_count,
        reason=errors[0].message + more if errors else None,
        findings=addressed,
    )


def _line(delivery: Delivery, verdict: Verdict) -> str:
    if not verdict.accepted:
        return f"{delivery.file_name}: abgewiesen – {verdict.reason}"
    hints = f", {counted(verdict.n_warnings, 'Hinweis', 'Hinweise')}" if verdict.n_warnings else ""
    return f"{delivery.file_name}: angenommen, {verdict.row_count} Zeilen{hints}"


# --- predecessors ------------------------------------------------------------------------------------------------


def _twin(home: Home | None, delivery: Delivery, receipts: list[Delivery]) -> Delivery | None:
    """The first accepted earlier delivery of the same bytes under another year or deliverer."""
    if home is None:
        return None
    for earlier in receipts:
        same_address = (earlier.deliverer, earlier.year) == (delivery.deliverer, delivery.year)
        if earlier.order >= delivery.order or earlier.sha256 != delivery.sha256 or same_address:
            continue
        verdict = load_verdict(home, earlier.delivery_id)
        if verdict is not None and verdict.accepted:
            return earlier
    return None


def _in_force(home: Home, delivery: Delivery, receipts: list[Delivery]) -> Delivery | None:
    """The delivery that stays in force when this one is rejected."""
    if delivery.feed is None:
        return None
    address_of = (delivery.feed, delivery.deliverer, delivery.year)
    earlier = [d for d in receipts if (d.feed, d.deliverer, d.year) == address_of and d.order < delivery.order]
    for candidate in reversed(earlier):
        verdict = load_verdict(home, candidate.delivery_id)
        if verdict is not None and verdict.accepted:
            return candidate
    return None


# --- structural findings -------------------------------------------------------------------------------------------


def _misnamed(delivery: Delivery) -> Finding:
    fault = address(Path(delivery.file_name)).fault or "Der Dateiname passt zu keiner vereinbarten Lieferung."
    return structural("file_name_is_agreed", fault, hint="Bitte umbenennen und in den Ordner des Lieferanten legen")


def _identical(twin: Delivery, feed: Feed) -> Finding:
    who = feed.deliverers[twin.deliverer].name if twin.deliverer in feed.deliverers else twin.deliverer
    return structural(
        "delivery_is_new",
        f"Die Datei ist Byte für Byte dieselbe wie die Lieferung {twin.delivery_id} ({who}, {twin.year})",
        "eine eigene Datei für dieses Jahr und diesen Lieferanten",
        "Bitte den Auszug für das richtige Jahr liefern",
    )


def _too_large(feed: Feed) -> Finding:
    return structural(
        "file_has_sane_size",
        f"Die Datei ist größer als {feed.max_size_mb} MB",
        f"höchstens {feed.max_size_mb} MB",
        "Bitte prüfen, ob die richtige Datei geliefert wurde",
    )


def _refused(delivery: Delivery) -> Finding:
    size = german_number(round(delivery.size_bytes / GB, 1))
    return structural(
        "file_has_sane_size",
        f"Die Datei ist mit {size} GB zu groß für das Archiv; festgehalten ist nur ihre Prüfsumme",
        f"höchstens {german_number(MAX_FILE_BYTES / GB)} GB",
        "Bitte prüfen, ob die richtige Datei geliefert wurde",
    )


# --- files -------------------------------------------------------------------------------------------------------


def _verdict_path(home: Home, delivery_id: str) -> Path:
    return home.control / "verdicts" / f"{delivery_id}.json"


def _write_verdict(home: Home, verdict: Verdict) -> None:
    record = {
        **verdict.__dict__,
        "gate_version": gate_version(),
        "findings": [finding.as_json() for finding in verdict.findings],
    }
    text = json.dumps(record, ensure_ascii=False, indent=1)
    write_atomic(_verdict_path(home, verdict.delivery_id), text.encode("utf-8"))


def _write_schema(home: Home, feed: Feed) -> None:
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


DELIVERY_SCHEMA = pa.schema(
    [
        ("delivery_id", pa.string()),
        ("feed", pa.string()),
        ("deliverer", pa.string()),
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


def write_control(home: Home) -> pd.DataFrame:
    """Write control/delivery.parquet and control/finding_delivery.parquet from receipts and verdicts.

    Also judges files whose name fits no feed, and writes the `_schema.parquet` of every feed. Deliveries that are not
    judged yet are left out. Returns the table of deliveries. The same archive gives the same bytes.
    """
    judge(home, None)
    for feed in load_feeds().values():
        _write_schema(home, feed)
    receipts = deliveries(home)
    verdicts = {d.delivery_id: load_verdict(home, d.delivery_id) for d in receipts}
    latest = {
        (d.feed, d.deliverer, d.year): d.delivery_id
        for d in receipts
        if (verdict := verdicts[d.delivery_id]) is not None and verdict.accepted
    }
    rows: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    for delivery in receipts:
        verdict = verdicts[delivery.delivery_id]
        if verdict is None:
            continue
        rows.append(_directory_row(delivery, verdict, latest))
        is_about_persons = delivery.feed is not None and load_feeds()[delivery.feed].grain == "person"
        findings.extend(
            {**finding.as_json(), "message": finding.public_message if is_about_persons else finding.message}
            for finding in verdict.findings
        )
    table = pa.Table.from_pylist(rows, schema=DELIVERY_SCHEMA)
    write_parquet(table, home.control / "delivery.parquet")
    records = [{name: finding[name] for name in FINDING_SCHEMA.names} for finding in findings]
    write_parquet(pa.Table.from_pylist(records, schema=FINDING_SCHEMA), home.control / "finding_delivery.parquet")
    return table.to_pandas()


def _directory_row(
    delivery: Delivery, verdict: Verdict, latest: dict[tuple[str | None, str | None, int | None], str]
) -> dict[str, Any]:
    in_force = latest.get((delivery.feed, delivery.deliverer, delivery.year)) == delivery.delivery_id
    state = ("accepted" if in_force else "superseded") if verdict.accepted else "rejected"
    received = dt.datetime.fromisoformat(delivery.received).astimezone(dt.UTC).replace(tzinfo=None)
    return {
        "delivery_id": delivery.delivery_id,
        "feed": delivery.feed,
        "deliverer": delivery.deliverer,
        "year": delivery.year,
        "file_name": delivery.file_name,
        "received": received,
        "sha256": delivery.sha256,
        "size_bytes": delivery.size_bytes,
        "row_count": verdict.row_count,
        "state": state,
        "reason": verdict.reason,
        "public_reason": verdict.public_reason,
        "n_errors": verdict.n_errors,
        "n_warnings": verdict.n_warnings,
    }
