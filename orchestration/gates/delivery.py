"""The delivery gate: is this file what its contract says?

Judges archived deliveries in order of receipt and keeps what follows: typed raw Parquet of the accepted, a German
report of the rejected. A verdict depends on the archive and the code only, so deleting `raw/`, `control/` and
`rejected/` and judging again gives the same. How a single one is judged is in judgement.py; whether numbers of several
deliveries hold together is the plausibility gate's business.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pandas as pd

from orchestration.feeds.declaration import Feed, load_feeds
from orchestration.feeds.finding import counted
from orchestration.feeds.intake import Delivery, address, deliveries, write_atomic
from orchestration.gates import workers
from orchestration.gates.decisions import load_decisions, now
from orchestration.gates.directory import write_directory, write_parquet, write_schema
from orchestration.gates.engine import great_expectations
from orchestration.gates.findings_table import findings_workbook
from orchestration.gates.judgement import (
    counterparts_of,
    decide,
    has_a_say,
    misnamed,
    predecessor_of,
    prepare,
    same_address,
    still_in_force,
    twin_of,
)
from orchestration.gates.rejection import render_rejection
from orchestration.gates.suites import GateDefect
from orchestration.gates.verdicts import REPORT, TABLE, Verdict, raw_path, verdict_exists, write_verdict
from orchestration.home import Home

PARALLEL_FROM = 6
"""From so many deliveries on, other processes pay."""
Progress = Callable[[str], None]
Outcome = tuple[Delivery, "Verdict | str"]
"""A delivery and its verdict, or the defect of ours that forbade one."""


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
    GateDefects once all others are judged. What the feed is compared with is judged before it.
    """
    declared = load_feeds()[feed] if isinstance(feed, str) else feed
    if declared is not None and declared.compare_with:
        judge(home, declared.compare_with, progress)
    name = declared.name if declared else None
    receipts = [delivery for delivery in deliveries(home) if delivery.feed == name]
    if declared is not None:
        write_schema(home, declared)
    verdicts: list[Verdict] = []
    defects: list[str] = []
    for delivery, outcome in _outcomes(home, declared, receipts):
        if isinstance(outcome, str):
            defects.append(f"{delivery.delivery_id}: {outcome}")
            progress(f"{delivery.file_name}: noch nicht geprüft, weil eine Prüfung selbst fehlerhaft ist")
        else:
            verdicts.append(outcome)
            progress(_line(delivery, outcome))
    if defects:
        raise GateDefects("; ".join(defects))
    return verdicts


def _outcomes(home: Home, feed: Feed | None, receipts: list[Delivery]) -> Iterator[Outcome]:
    """What was started ahead, as it comes; then what is left, here."""
    if feed is not None and (home.root, feed.name) not in _started:
        _start(home, [feed])
    done = set()
    for chain in _started.pop((home.root, feed.name), []) if feed else []:
        for outcome in chain.result():
            done.add(outcome[0].delivery_id)
            yield outcome
    left = [d for d in receipts if d.delivery_id not in done and not verdict_exists(home, d)]
    for pending in _chains(left, receipts, feed):
        yield from _judge_chain(home, feed, pending, receipts)


_started: dict[tuple[Path, str], list[Future[list[Outcome]]]] = {}
"""(installation, feed) → verdicts to come, chain by chain."""


def judge_ahead(home: Home, feeds: Iterable[Feed]) -> None:
    """Start judging all that is pending of these feeds in other processes; `judge` then collects it feed by feed.

    Does nothing where there is so little that the processes would not pay. Feeds that are compared with another wait
    until that one is judged.
    """
    _start(home, [feed for feed in feeds if feed.compare_with is None])


def _start(home: Home, feeds: Iterable[Feed]) -> None:
    feeds, received = list(feeds), deliveries(home)
    for feed in feeds:
        # Of a run that failed before it came to this feed: the archive may have changed since.
        for forgotten in _started.pop((home.root, feed.name), []):
            forgotten.cancel()
    pending = {
        feed.name: [d for d in received if d.feed == feed.name and not verdict_exists(home, d)] for feed in feeds
    }
    if sum(len(chosen) for chosen in pending.values()) < PARALLEL_FROM:
        return
    for feed in feeds:
        receipts = [delivery for delivery in received if delivery.feed == feed.name]
        write_schema(home, feed)
        _started[home.root, feed.name] = [
            workers.submit(_judge_chain, home, feed, chain, receipts)
            for chain in _chains(pending[feed.name], receipts, feed)
        ]


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
    prepared = prepare(path, feeds[feed], delivery)
    if home is None:
        return decide(prepared, feeds[feed], delivery, None, None)
    receipts = [d for d in deliveries(home) if d.feed == feed]
    twin, past = twin_of(home, delivery, receipts), predecessor_of(home, delivery, feeds[feed], receipts)
    waivers = load_decisions(home).waivers_for(delivery)
    counterparts = counterparts_of(home, delivery, feeds[feed])
    return decide(prepared, feeds[feed], delivery, twin, past, waivers, counterparts)


def write_control(home: Home) -> pd.DataFrame:
    """Judge files whose name fits no feed, then write the directory of deliveries; returns it."""
    judge(home, None)
    return write_directory(home)


# --- what is judged side by side ---------------------------------------------------------------------------------


def _chains(chosen: list[Delivery], receipts: list[Delivery], feed: Feed | None) -> list[list[Delivery]]:
    """Deliveries that must be judged one after the other, in order; different chains may be judged side by side.

    A verdict may depend on earlier deliveries of the same bytes, of the same address and, where years are compared, of
    the same deliverer; that on areas also on the Kreis's.
    """
    compares = feed is not None and feed.grain in ("aggregate", "geography")
    known: dict[object, int] = {}
    chains: dict[int, list[Delivery]] = {}
    for number, delivery in enumerate(sorted(receipts, key=lambda d: d.order)):
        deliverer = None if feed is not None and feed.grain == "geography" else delivery.deliverer
        keys = [delivery.sha256, (deliverer, None if compares else delivery.year)]
        joined = sorted({known[key] for key in keys if key in known})
        chain = joined[0] if joined else number
        for other in joined[1:]:
            chains[chain] = sorted([*chains[chain], *chains.pop(other)], key=lambda d: d.order)
            known.update({key: chain for key, place in known.items() if place == other})
        chains.setdefault(chain, []).append(delivery)
        known.update(dict.fromkeys(keys, chain))
    wanted = {delivery.delivery_id for delivery in chosen}
    pending = [[delivery for delivery in chain if delivery.delivery_id in wanted] for chain in chains.values()]
    return [chain for chain in pending if chain]


def _judge_chain(home: Home, feed: Feed | None, chain: list[Delivery], receipts: list[Delivery]) -> list[Outcome]:
    """One after the other; a defect of ours leaves its delivery pending and the others go on.

    Those that it might have a say in wait with it: judged without it, they could get another verdict than in order.
    """
    outcomes: list[Outcome] = []
    waiting: list[Delivery] = []
    for delivery in chain:
        outcome: Verdict | str
        before = [d for d in waiting if same_address(d, delivery) or has_a_say(d, delivery, feed)]
        if before:
            outcome = f"wartet auf die Prüfung von {before[0].delivery_id}"
        else:
            try:
                outcome = _judge_one(home, delivery, feed, receipts)
            except GateDefect as defect:
                outcome = str(defect)
        if isinstance(outcome, str):
            waiting.append(delivery)
        outcomes.append((delivery, outcome))
    return outcomes


def _judge_one(home: Home, delivery: Delivery, feed: Feed | None, receipts: list[Delivery]) -> Verdict:
    decisions = load_decisions(home)
    prepared = prepare(delivery.blob(home), feed, delivery) if feed else None
    past = predecessor_of(home, delivery, feed, receipts) if feed else None
    if feed is None or prepared is None:
        verdict = misnamed(delivery)
    else:
        twin = twin_of(home, delivery, receipts)
        waivers, counterparts = decisions.waivers_for(delivery), counterparts_of(home, delivery, feed)
        verdict = decide(prepared, feed, delivery, twin, past, waivers, counterparts)
    if verdict.accepted and prepared is not None and prepared.raw is not None:
        write_parquet(prepared.raw, raw_path(home, delivery))
        shutil.rmtree(home.rejected / delivery.delivery_id, ignore_errors=True)
    else:
        if feed is not None:
            raw_path(home, delivery).unlink(missing_ok=True)
        _write_reports(home, delivery, verdict, feed, still_in_force(home, delivery, receipts))
    # The report of a rejection also says which delivery of the same address stays in force.
    depends_on_others = any(
        has_a_say(d, delivery, feed) or (not verdict.accepted and same_address(d, delivery))
        for d in receipts
        if d.order < delivery.order
    )
    write_verdict(home, verdict, decisions, depends_on_others)
    return replace(verdict, findings=tuple(replace(finding, details=()) for finding in verdict.findings), drawn=None)


def _write_reports(
    home: Home, delivery: Delivery, verdict: Verdict, feed: Feed | None, in_force: Delivery | None
) -> None:
    """Page and table of findings; the page last, since it says that both are there."""
    folder = home.rejected / delivery.delivery_id
    write_atomic(folder / TABLE, findings_workbook(delivery, verdict, feed))
    write_atomic(folder / REPORT, render_rejection(delivery, verdict, feed, in_force).encode("utf-8"))


def _line(delivery: Delivery, verdict: Verdict) -> str:
    if not verdict.accepted:
        return f"{delivery.file_name}: abgewiesen – {verdict.reason}"
    hints = f", {counted(verdict.n_warnings, 'Hinweis', 'Hinweise')}" if verdict.n_warnings else ""
    return f"{delivery.file_name}: angenommen, {counted(verdict.row_count, 'Zeile', 'Zeilen')}{hints}"
