"""The delivery gate: is this file what its contract says?

Judges archived deliveries in order of receipt: read, run the feed's suite, accept (typed raw Parquet) or reject
(German report). A verdict depends on the archive (deliveries, decisions) and the code only, so deleting `raw/`,
`control/` and `rejected/` and judging again gives the same. Whether numbers of several deliveries hold together is the
plausibility gate's business.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

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
from orchestration.feeds.reader import gate_frame, raw_rows
from orchestration.feeds.reading_room import read_apart, unreadable
from orchestration.gates import workers
from orchestration.gates.contract import feed_suite
from orchestration.gates.decisions import Decision, load_decisions, now, waive
from orchestration.gates.directory import write_directory, write_parquet, write_schema
from orchestration.gates.engine import great_expectations
from orchestration.gates.findings_table import findings_workbook
from orchestration.gates.rejection import render_rejection
from orchestration.gates.suites import SEVERITIES, GateDefect, Suite, expectation_name, find
from orchestration.gates.verdicts import REPORT, TABLE, Verdict, load_verdict, raw_path, verdict_exists, write_verdict
from orchestration.home import Home

GATE = "delivery"
IDENTICAL = "delivery_is_new"
PARALLEL_FROM = 6
"""From so many deliveries on, other processes pay."""
Progress = Callable[[str], None]


class UnknownAddress(ValueError):
    """Feed, deliverer or year of a file are not known; the message is German."""


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
        write_schema(home, load_feeds()[name])
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
    deliveries apply too. Raises UnknownAddress when feed, deliverer or year remain unknown.
    """
    told = address(Path(*path.resolve().parts[-2:]))
    feed, deliverer, year = feed or told.feed, deliverer or told.deliverer, year or told.year
    feeds = load_feeds()
    if feed not in feeds or deliverer not in feeds[feed].deliverers or year is None:
        raise UnknownAddress(told.fault or "Lieferart, Lieferant oder Jahr sind nicht bekannt.")
    # Great Expectations is imported while the file is read.
    threading.Thread(target=great_expectations, daemon=True).start()
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    delivery = Delivery(
        delivery_id=f"{feed}-{deliverer}-{year}-{sha256[:10]}",
        feed=feed,
        deliverer=deliverer,
        year=year,
        file_name=path.name,
        received=now(),
        sha256=sha256,
        size_bytes=path.stat().st_size,
    )
    receipts = [d for d in deliveries(home) if d.feed == feed] if home else []
    twin = _twin(home, delivery, receipts) if home else None
    waivers = load_decisions(home).waivers_for(delivery) if home else ()
    return _decide(_prepare(path, feeds[feed], delivery), feeds[feed], delivery, twin, waivers)


def write_control(home: Home) -> pd.DataFrame:
    """Judge files whose name fits no feed, then write the directory of deliveries; returns it."""
    judge(home, None)
    return write_directory(home)


def waivable_rules(feed: Feed) -> dict[str, str]:
    """Rules that a waiver may be about → a German note (of several columns, the first): all that reject, but those
    marked `"waivable": false` in their suite.

    What readers find (a damaged file, a missing column) is not among them: there is nothing to accept.
    """
    rules = {IDENTICAL: "Die Datei ist nicht Byte für Byte dieselbe wie eine frühere Lieferung."}
    for deliverer in feed.deliverers.values():
        rules.update(_waivable(feed_suite(feed, deliverer)))
    return rules


def _waivable(suite: Suite) -> dict[str, str]:
    rules: dict[str, str] = {}
    for expectation in suite["expectations"]:
        meta, name = expectation.get("meta", {}), expectation_name(expectation)
        if meta.get("waivable", True) and SEVERITIES[expectation.get("severity", "critical")] == "error":
            rules.setdefault(name, meta.get("note", name))
    return rules


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


Judgement = tuple[Delivery, Callable[[], Verdict]]


def _in_workers(home: Home, feed: Feed | None, chosen: list[Delivery], receipts: list[Delivery]) -> list[Judgement]:
    """All at once in other processes; each delivery with a call that waits for its verdict."""
    return [(delivery, workers.submit(_judge_apart, home, delivery, feed, receipts).result) for delivery in chosen]


def _judge_apart(home: Home, delivery: Delivery, feed: Feed, receipts: list[Delivery]) -> Verdict:
    prepared = _prepare(delivery.blob(home), feed, delivery)
    return _judge_one(home, delivery, feed, receipts, prepared)


def _one_by_one(home: Home, feed: Feed | None, chosen: list[Delivery], receipts: list[Delivery]) -> Iterator[Judgement]:
    """One after the other in this process, in order."""
    for delivery, prepared in _read_ahead(home, feed, chosen):
        yield delivery, partial(_judge_one, home, delivery, feed, receipts, prepared)


def _judge_one(
    home: Home, delivery: Delivery, feed: Feed | None, receipts: list[Delivery], prepared: Prepared | None
) -> Verdict:
    decisions = load_decisions(home)
    if feed is None or prepared is None:
        verdict = _verdict(delivery, [_misnamed(delivery)], 0)
    else:
        twin = _twin(home, delivery, receipts)
        verdict = _decide(prepared, feed, delivery, twin, decisions.waivers_for(delivery))
    if verdict.accepted and prepared is not None and prepared.raw is not None:
        write_parquet(prepared.raw, raw_path(home, delivery))
        shutil.rmtree(home.rejected / delivery.delivery_id, ignore_errors=True)
    else:
        _write_reports(home, delivery, verdict, feed, _in_force(home, delivery, receipts))
    depends_on_others = any(d.sha256 == delivery.sha256 and d.order < delivery.order for d in receipts)
    write_verdict(home, verdict, decisions, depends_on_others)
    return replace(verdict, findings=tuple(replace(finding, details=()) for finding in verdict.findings))


def _write_reports(
    home: Home, delivery: Delivery, verdict: Verdict, feed: Feed | None, in_force: Delivery | None
) -> None:
    """Page and table of findings; the page last, since it says that both are there."""
    folder = home.rejected / delivery.delivery_id
    write_atomic(folder / TABLE, findings_workbook(delivery, verdict, feed))
    write_atomic(folder / REPORT, render_rejection(delivery, verdict, feed, in_force).encode("utf-8"))


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


def _decide(
    prepared: Prepared, feed: Feed, delivery: Delivery, twin: Delivery | None, waivers: tuple[Decision, ...] = ()
) -> Verdict:
    """Run the feed's suite and draw the conclusion. Raises GateDefect when a check itself is broken."""
    assert delivery.deliverer is not None and delivery.year is not None
    findings = [_identical(twin, feed)] if twin else []
    findings += prepared.findings
    row_count = 0
    waivable = {IDENTICAL}
    if prepared.frame is not None:
        row_count = len(prepared.frame)
        deliverer = feed.deliverers[delivery.deliverer]
        parameters = _parameters(feed, deliverer, delivery.year, row_count, prepared.official)
        suite = _suite(feed, deliverer)
        findings += find(suite, prepared.frame, gate=GATE, parameters=parameters, headers=prepared.headers)
        waivable |= set(_waivable(suite))
    return _verdict(delivery, waive(findings, waivers, waivable, prepared.headers), row_count)


def _suite(feed: Feed, deliverer: Deliverer) -> Suite:
    try:
        return feed_suite(feed, deliverer)
    except (OSError, ValueError, KeyError) as error:
        raise GateDefect.of(feed.suite, None, type(error).__name__) from error


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
    """The first accepted earlier delivery of the same bytes under another year or deliverer, if not withdrawn."""
    if home is None:
        return None
    withdrawn = load_decisions(home).withdrawals()
    for earlier in receipts:
        same_address = (earlier.deliverer, earlier.year) == (delivery.deliverer, delivery.year)
        if earlier.order >= delivery.order or earlier.sha256 != delivery.sha256 or same_address:
            continue
        verdict = load_verdict(home, earlier.delivery_id)
        if verdict is not None and verdict.accepted and earlier.delivery_id not in withdrawn:
            return earlier
    return None


def _in_force(home: Home, delivery: Delivery, receipts: list[Delivery]) -> Delivery | None:
    """The delivery that stays in force when this one is rejected."""
    if delivery.feed is None:
        return None
    address_of = (delivery.feed, delivery.deliverer, delivery.year)
    earlier = [d for d in receipts if (d.feed, d.deliverer, d.year) == address_of and d.order < delivery.order]
    withdrawn = load_decisions(home).withdrawals()
    for candidate in reversed(earlier):
        verdict = load_verdict(home, candidate.delivery_id)
        if verdict is not None and verdict.accepted and candidate.delivery_id not in withdrawn:
            return candidate
    return None


# --- structural findings -------------------------------------------------------------------------------------------


def _misnamed(delivery: Delivery) -> Finding:
    fault = address(Path(delivery.file_name)).fault or "Der Dateiname passt zu keiner vereinbarten Lieferung."
    return structural("file_name_is_agreed", fault, hint="Bitte umbenennen und in den Ordner des Lieferanten legen")


def _identical(twin: Delivery, feed: Feed) -> Finding:
    who = feed.deliverers[twin.deliverer].name if twin.deliverer in feed.deliverers else twin.deliverer
    return structural(
        IDENTICAL,
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
