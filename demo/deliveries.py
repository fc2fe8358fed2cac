"""Writes the demo county's deliveries into a drop folder: which feeds there are, and in which order they are written.

Bytes are deterministic: equal at every call with the same packages, and a year alone has the bytes it has in the full
run. What a file looks like is in `demo/register.py` (registers), `demo/themes/` (all yearly feeds), `demo/elections.py`
and `demo/references.py` and, for the table of the concept, below. Who lives in the county is in `demo/population.py`.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from demo import references
from demo.elections import BUNDESTAG_DAYS, bundestag_election, council_election, election_days
from demo.files import Count, DemoFeed, write_atomically, write_whole
from demo.geography import addresses, gpkg_paths, write_borders
from demo.population import FIRST_YEAR, LAST_YEAR, YearEnd, simulate
from demo.reference import kommunen
from demo.register import DIALECTS, address_texts, write_register
from demo.themes import (
    arbeit,
    bildung,
    demographie,
    einkommen,
    gesundheit,
    planung,
    sicherheit,
    teilhabe,
    wohnen,
)

SINGLE_FEEDS = ("kinder_sgb2", "wahlen", "bundestagswahl", "referenzwerte", "gemeindegrenzen", "sozialraeume")
THEME_FEEDS: dict[str, DemoFeed] = {
    **demographie.FEEDS,
    **einkommen.FEEDS,
    **arbeit.FEEDS,
    **wohnen.FEEDS,
    **bildung.FEEDS,
    **gesundheit.FEEDS,
    **teilhabe.FEEDS,
    **sicherheit.FEEDS,
    **planung.FEEDS,
}
FEEDS = ("einwohner", *SINGLE_FEEDS, *THEME_FEEDS)
NEVER_SENT = "kreis/asylblg_2023.csv"
CUT_SHORT = "kuerten/bewegungen_2023.csv"
"""What goes wrong in every county, for a newcomer to see: one delivery does not come, one lacks its last column."""

Progress = Callable[[str], None]


def write_deliveries(
    landing: Path,
    years: Iterable[int] | None = None,
    only: set[str] | None = None,
    progress: Progress = print,
    scale: float = 1.0,
    with_faults: bool = False,
) -> list[Path]:
    """Write deliveries to `landing/<deliverer>/<feed>_<year>.<ext>` and return their paths in order of writing.

    `years` limits the yearly feeds (default 2015 to 2023); the single deliveries (elections, borders and the like) are
    written whatever the years. `only` limits the feeds. `scale` below 1 makes a smaller county in the same formats,
    for tests: official totals and the minimum of persons who cannot be located then no longer hold. `with_faults`:
    one delivery is left out and one is broken. Raises ValueError for an unknown feed or year.
    """
    wanted = sorted(set(range(FIRST_YEAR, LAST_YEAR + 1) if years is None else years))
    feeds = set(FEEDS) if only is None else set(only)
    if unknown := feeds - set(FEEDS):
        raise ValueError(f"Unbekannte Feeds: {', '.join(sorted(unknown))}. Möglich: {', '.join(FEEDS)}")
    if beyond := [y for y in wanted if not FIRST_YEAR <= y <= LAST_YEAR]:
        raise ValueError(f"Jahre außerhalb von {FIRST_YEAR} bis {LAST_YEAR}: {', '.join(map(str, beyond))}")
    written: list[Path] = []
    if "gemeindegrenzen" in feeds:
        written.append(write_whole(landing / "kreis" / "gemeindegrenzen_2015.gpkg", write_borders))
    if "sozialraeume" in feeds:
        for year, source in gpkg_paths().items():
            target = landing / "kreis" / f"sozialraeume_{year}.gpkg"
            written.append(write_whole(target, partial(shutil.copyfile, source)))
    if "kinder_sgb2" in feeds:
        written += [_write_text(landing / "kreis" / f"kinder_sgb2_{y}.csv", _kinder_sgb2(y)) for y in _KINDER]
    if "wahlen" in feeds:
        days = election_days()
        written += [_write_text(landing / "kreis" / f"wahlen_{d.year}.csv", council_election(d)) for d in days]
    if "bundestagswahl" in feeds:
        for day in BUNDESTAG_DAYS:
            written.append(_write_text(landing / "kreis" / f"bundestagswahl_{day.year}.csv", bundestag_election(day)))
    chosen = {name: feed for name, feed in THEME_FEEDS.items() if name in feeds}
    if "referenzwerte" in feeds:
        written.append(_write_text(landing / "bbsr" / f"referenzwerte_{references.YEAR}.csv", references.references()))
    registers, counts = _live(landing, wanted, chosen, "einwohner" in feeds, progress, scale)
    written += registers
    for feed in chosen.values():
        for year in sorted(set(wanted) & set(feed.years)):
            tables = counts[feed.count, year] if feed.count else []
            for file in feed.write(year, tables):
                address = f"{file.deliverer}/{file.name}"
                if with_faults and address == NEVER_SENT:
                    continue
                content = _cut_short(file.content) if with_faults and address == CUT_SHORT else file.content
                written.append(write_atomically(landing / address, content))
    progress(f"{len(written)} Lieferungen liegen in {landing}")
    return written


Counts = dict[tuple[Count, int], list[pd.DataFrame]]


def _live(
    landing: Path, years: list[int], feeds: dict[str, DemoFeed], with_registers: bool, progress: Progress, scale: float
) -> tuple[list[Path], Counts]:
    """Simulate every Kommune once: write its registers on the way, and count what the feeds are drawn from.

    Returns the registers' paths, and by way of counting and year one table per Kommune.
    """
    counts: Counts = defaultdict(list)
    due: dict[int, dict[Count, None]] = {year: {} for year in years}
    for feed in feeds.values():
        if feed.count is not None:
            for year in set(years) & set(feed.years):
                due[year][feed.count] = None
    if not any(due.values()) and not with_registers:
        return [], counts
    pending: list[Future[Path]] = []
    # Two threads write while this one simulates on; the writing runs mostly outside the interpreter lock.
    with ThreadPoolExecutor(max_workers=2) as writer:
        for kommune in kommunen():
            places = addresses(kommune.area_id, scale)
            dialect = DIALECTS[kommune.deliverer]
            texts = address_texts(places, dialect)
            before: YearEnd | None = None
            for end in simulate(kommune.area_id, places, years[-1], scale):
                for count in due.get(end.year, {}):
                    counts[count, end.year].append(count(end, before))
                if with_registers and end.year in due:
                    target = landing / kommune.deliverer / f"einwohner_{end.year}.{dialect.extension}"
                    pending.append(writer.submit(write_register, target, end, texts, dialect))
                before = end
            if with_registers:
                progress(f"Einwohner {kommune.name}: {years[0]} bis {years[-1]}")
        return [future.result() for future in pending], counts


def _cut_short(content: bytes) -> bytes:
    """A delimited text without its last column."""
    return b"".join(line.rsplit(b";", 1)[0] + b"\r\n" for line in content.splitlines())


def _write_text(target: Path, text: str) -> Path:
    return write_atomically(target, text.encode("utf-8"))


# --- single deliveries of the Kreis -------------------------------------------------------------------------------

# The table as printed in the county's concept of 2015, contradictions included.
_KINDER = {
    2009: """05378;Rhein-Berg;40.931;4.422;10,8;
05378004;Bergisch Gladbach;15.354;2.106;13,7;
05378008;Burscheid;2.891;294;10,2;
05378012;Kürten;3.075;202;6,6;
05378016;Leichlingen;3.991;331;8,3;
05378020;Odenthal;2.363;91;3,9;
05378024;Overath;4.202;475;11,3;
05378028;Rösrath;4.214;413;9,8;
05378032;Wermelskirchen;4.841;510;10,5;""",
    2014: """05378;Rhein-Berg;37.988;4.240;11,2;-4,1
05378004;Bergisch Gladbach;14.851;2.184;14,7;3,7
05378008;Burscheid;2.499;313;12,5;6,5
05378012;Kürten;2.776;228;8,2;12,9
05378016;Leichlingen;3.616;265;7,3;-20,0
05378020;Odenthal;1.917;58;3,0;-36,3
05378024;Overath;3.939;381;9,7;-19,8
05378028;Rösrath;3.952;377;9,5;-8,8
05378032;Wermelskirchen;4.438;435;9,8;-14,8""",
}


def _kinder_sgb2(year: int) -> str:
    lines = [
        "Schlüssel;Gebiet;Einwohner unter 15;Stand Einwohner;Kinder im SGB-II-Bezug;Stand SGB II;Anteil in %;"
        "Veränderung SGB II in %"
    ]
    for row in _KINDER[year].splitlines():
        key, name, residents, children, share, change = row.split(";")
        lines.append(f"{key};{name};{residents};31.12.{year - 1};{children};31.10.{year};{share};{change}")
    return "\r\n".join(lines) + "\r\n"
