"""How one delivery is judged: read it, run its suite, see it beside earlier ones, come to a verdict.

Nothing here chooses what is judged, or when, or stores a verdict (delivery.py, verdicts.py). A verdict depends on the
archive (deliveries, decisions) and the code only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.feeds.cells import PLACES, Reading
from orchestration.feeds.declaration import (
    KREIS,
    ON_CHANGE,
    Deliverer,
    Feed,
    indicator_ids,
    kommunen,
    load_feeds,
    official_population,
)
from orchestration.feeds.finding import Finding, counted, german_number, structural
from orchestration.feeds.intake import Delivery, address, deliveries
from orchestration.feeds.limits import GB, MAX_FILE_BYTES
from orchestration.feeds.reader import gate_frame, raw_rows
from orchestration.feeds.reading_room import read_apart, unreadable
from orchestration.gates import residents, street_rules
from orchestration.gates.area_map import draw
from orchestration.gates.contract import feed_suite
from orchestration.gates.decisions import Decision, load_decisions, waive
from orchestration.gates.predecessor import COMPARISONS, compare
from orchestration.gates.suites import SEVERITIES, GateDefect, Suite, expectation_name, find, load_suite
from orchestration.gates.verdicts import Verdict, load_verdict, raw_path
from orchestration.geography import tolerances
from orchestration.home import Home

if TYPE_CHECKING:
    from orchestration.geography.places import Place

GATE = "delivery"
IDENTICAL = "delivery_is_new"
LISTS = {"einwohner": residents, "adressen": street_rules}
"""Feed → how lists that are compared with it are."""
LONGEST_STEP_YEARS = 2
"""Years that lie further apart are not compared."""


@dataclass
class Prepared:
    """A delivery read, before its suite runs. `frame` and `raw` are None where the structure is broken. `places`: where
    areas are."""

    findings: list[Finding]
    frame: pd.DataFrame | None = None
    raw: pa.Table | None = None
    headers: dict[str, str] = field(default_factory=dict)
    official: int | None = None
    places: list[Place] = field(default_factory=list)


def prepare(path: Path, feed: Feed, delivery: Delivery) -> Prepared:
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
            places=_places(reading),
        )
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        raise GateDefect.of(feed.name, None, type(error).__name__) from error
    except Exception as error:
        # The exception's text may quote a cell, its class does not.
        return Prepared([unreadable(type(error).__name__)])


def _places(reading: Reading) -> list[Place]:
    if reading.table is None or PLACES not in reading.table.column_names:
        return []
    from orchestration.geography.places import from_column

    return from_column(reading.table[PLACES])


def misnamed(delivery: Delivery) -> Verdict:
    """The verdict on a file whose name fits no feed."""
    return _verdict(delivery, [_misnamed(delivery)], 0)


def decide(
    prepared: Prepared,
    feed: Feed,
    delivery: Delivery,
    twin: Delivery | None,
    past: Path | None,
    waivers: tuple[Decision, ...] = (),
    counterparts: Sequence[Path] | None = None,
) -> Verdict:
    """Run the feed's suite, compare with the year before (`past`, its raw Parquet) and draw the conclusion.

    `counterparts`: raw Parquet of the feed that this one is compared with; None: do not compare. Raises GateDefect when
    a check itself is broken.
    """
    assert delivery.deliverer is not None and delivery.year is not None
    findings = [_identical(twin, feed)] if twin else []
    findings += prepared.findings
    row_count = 0
    waivable = {IDENTICAL}
    drawn = None
    if prepared.frame is not None and prepared.raw is not None:
        frame, row_count = prepared.frame, len(prepared.frame)
        deliverer = feed.deliverers[delivery.deliverer]
        parameters = _parameters(feed, deliverer, delivery.year, row_count, prepared.official)
        if feed.grain == "geography":
            frame, places = _areas_beside(prepared, feed, counterparts or ())
            parameters["bisherige"] = _ids_before(frame, feed, past)
        suite = _suite(feed, deliverer)
        findings += find(suite, frame, gate=GATE, parameters=parameters, headers=prepared.headers)
        waivable |= set(_waivable(suite))
        if feed.grain == "aggregate" and past is not None:
            findings += compare(prepared.raw, pq.read_table(past))
            waivable |= set(comparison_rules(feed))
        if feed.compare_with in LISTS and counterparts is not None:
            findings += LISTS[feed.compare_with].hold_against(prepared.raw, counterparts, prepared.headers)
            waivable |= set(comparison_rules(feed))
    findings = waive(findings, waivers, waivable, prepared.headers)
    if prepared.raw is not None and feed.grain == "geography" and any(f.is_error for f in findings):
        drawn = draw(prepared.raw, places)
    return _verdict(delivery, findings, row_count, drawn)


def _areas_beside(prepared: Prepared, feed: Feed, counterparts: Sequence[Path]) -> tuple[pd.DataFrame, list[Place]]:
    """The frame of areas with what is measured beside official areas and borders, and all places."""
    assert prepared.frame is not None and prepared.raw is not None
    from orchestration.gates import borders

    frame = borders.beside_official(prepared.frame)
    if feed.compare_with is None:
        return frame, prepared.places
    return borders.beside_borders(frame, prepared.raw, prepared.places, counterparts, feed.key[0])


def _ids_before(frame: pd.DataFrame, feed: Feed, past: Path | None) -> list[str]:
    """Ids that the version before had in the Kommunen of this one."""
    if past is None:
        return []
    before = pq.read_table(past, columns=list(dict.fromkeys((feed.key[0], "ags")))).to_pandas()
    return sorted(before.loc[before["ags"].isin(frame["ags"]), feed.key[0]])


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
        "kommunen_des_lieferanten": [deliverer.ags] if deliverer.ags else ags,
        "kreis": [KREIS],
        "gebiete": [KREIS, *ags],
        "indikatoren": list(indicator_ids()),
        "zeilen": rows,
        "amtlich": official,
        **tolerances.PARAMETERS,
    }


def _verdict(delivery: Delivery, findings: list[Finding], row_count: int, drawn: bytes | None = None) -> Verdict:
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
    more = f" (und {counted(len(errors) - 1, 'weiterer', 'weitere')} Fehler)" if len(errors) > 1 else ""
    return Verdict(
        delivery_id=delivery.delivery_id,
        feed=delivery.feed,
        deliverer=delivery.deliverer,
        year=delivery.year,
        accepted=not errors,
        row_count=row_count,
        reason=errors[0].message + more if errors else None,
        findings=addressed,
        drawn=drawn,
    )


def waivable_rules(feed: Feed) -> dict[str, str]:
    """Rules that a waiver may be about → a German note (of several columns, the first): all that reject, but those
    marked `"waivable": false` in their suite.

    What readers find (a damaged file, a missing column) is not among them: there is nothing to accept.
    """
    rules = {IDENTICAL: "Die Datei ist nicht Byte für Byte dieselbe wie eine frühere Lieferung."}
    for deliverer in feed.deliverers.values():
        rules.update(_waivable(feed_suite(feed, deliverer)))
    return rules | comparison_rules(feed)


def comparison_rules(feed: Feed) -> dict[str, str]:
    """Rules on a delivery beside last year's, or beside another feed's, that reject → their German note."""
    beside = [LISTS[feed.compare_with].SUITE] if feed.compare_with in LISTS else []
    suites = [*(COMPARISONS if feed.grain == "aggregate" else ()), *beside]
    return {name: note for suite in suites for name, note in _waivable(load_suite(suite)).items()}


def _waivable(suite: Suite) -> dict[str, str]:
    rules: dict[str, str] = {}
    for expectation in suite["expectations"]:
        meta, name = expectation.get("meta", {}), expectation_name(expectation)
        if meta.get("waivable", True) and SEVERITIES[expectation.get("severity", "critical")] == "error":
            rules.setdefault(name, meta.get("note", name))
    return rules


# --- predecessors ------------------------------------------------------------------------------------------------


def twin_of(home: Home | None, delivery: Delivery, receipts: list[Delivery]) -> Delivery | None:
    """The first delivery of the same bytes under another year or deliverer that was in force when this one came."""
    if home is None:
        return None
    for earlier in receipts:
        if earlier.order >= delivery.order or earlier.sha256 != delivery.sha256 or same_address(earlier, delivery):
            continue
        if _in_force_then(home, earlier, delivery, receipts) == earlier:
            return earlier
    return None


def has_a_say(earlier: Delivery, delivery: Delivery, feed: Feed | None) -> bool:
    """Whether the verdict on an earlier delivery may matter to that on this one: same bytes, or the year before."""
    same_bytes = earlier.sha256 == delivery.sha256
    return same_bytes or (feed is not None and is_year_before(earlier, delivery, feed))


def is_year_before(earlier: Delivery, delivery: Delivery, feed: Feed) -> bool:
    """Whether a delivery is to be seen beside that one: of aggregates the same deliverer's, at most two years before;
    of areas the same deliverer's or the Kreis's, of any year until its own."""
    if delivery.year is None or earlier.year is None:
        return False
    if feed.grain == "geography":
        whole = earlier.deliverer in feed.deliverers and feed.deliverers[earlier.deliverer].ags is None
        return earlier.year <= delivery.year and (whole or earlier.deliverer == delivery.deliverer)
    if feed.grain != "aggregate" or earlier.deliverer != delivery.deliverer:
        return False
    years = [year for year in feed.years if delivery.year - LONGEST_STEP_YEARS <= year < delivery.year]
    return bool(years) and earlier.year == max(years)


def predecessor_of(home: Home, delivery: Delivery, feed: Feed, receipts: list[Delivery]) -> Path | None:
    """Raw Parquet of the delivery that was in force for the year before (of areas: last) when this one came."""
    withdrawn = load_decisions(home).withdrawals()
    before = [d for d in receipts if d.order < delivery.order and is_year_before(d, delivery, feed)]
    for earlier in sorted(before, key=lambda d: (d.year, d.order), reverse=True):
        verdict = load_verdict(home, earlier.delivery_id)
        if verdict is not None and verdict.accepted and earlier.delivery_id not in withdrawn:
            path = raw_path(home, earlier)
            return path if path.exists() else None
    return None


def counterparts_of(home: Home, delivery: Delivery, feed: Feed) -> list[Path] | None:
    """Raw Parquet of what was in force, for the same year, of the feed that this one is compared with, when it came; of
    what comes on change, for the last year until that one, else for the first.

    None where the feed is compared with none.
    """
    if feed.compare_with is None:
        return None
    receipts = [d for d in deliveries(home) if d.feed == feed.compare_with]
    lasts = load_feeds()[feed.compare_with].cadence == ON_CHANGE
    of = {(d.deliverer, d.year): d for d in receipts if lasts or d.year == delivery.year}
    found = [d for one in of.values() if (d := _in_force_then(home, one, delivery, receipts)) is not None]
    if lasts and found:
        years = sorted({int(d.year or 0) for d in found})
        year = max((y for y in years if y <= int(delivery.year or 0)), default=years[0])
        found = [d for d in found if d.year == year]
    return [raw_path(home, d) for d in found]


def still_in_force(home: Home, delivery: Delivery, receipts: list[Delivery]) -> Delivery | None:
    """The delivery that stays in force when this one is rejected."""
    return _in_force_then(home, delivery, delivery, receipts) if delivery.feed is not None else None


def _in_force_then(home: Home, of: Delivery, then: Delivery, receipts: list[Delivery]) -> Delivery | None:
    """The delivery of the deliverer and year of `of` that was in force when `then` came (receipts: of one feed)."""
    withdrawn = load_decisions(home).withdrawals()
    for earlier in reversed(receipts):
        if earlier.order >= then.order or not same_address(earlier, of) or earlier.delivery_id in withdrawn:
            continue
        verdict = load_verdict(home, earlier.delivery_id)
        if verdict is not None and verdict.accepted:
            return earlier
    return None


def same_address(one: Delivery, other: Delivery) -> bool:
    """Of deliveries of one feed: whether they are the same deliverer's, for the same year."""
    return (one.deliverer, one.year) == (other.deliverer, other.year)


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
