"""Feeds declared as data: one YAML file per feed, read by one small factory.

Who delivers what, how often, in which format, with which columns. No reading of deliveries here, and no rules
about values: those are Great Expectations suites under `expectations/`.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from orchestration.home import REPOSITORY

DECLARATIONS = Path(__file__).resolve().parent
KREIS = "05378"
ON_CHANGE = "on change"
TYPES = {"text", "digits", "date", "number", "code", "area", "measure"}
GRAINS = {"person", "aggregate", "geography", "record"}
LEVELS = ("bund", "land", "regierungsbezirk", "kreis", "kommune", "bezirk", "sozialraum", "nicht_verortbar")
# Format → extension of its files; each may also be sent packed, as .zip.
EXTENSIONS = {
    "delimited": "csv",
    "xlsx": "xlsx",
    "xls": "xls",
    "ods": "ods",
    "genesis": "csv",
    "ffcsv": "csv",
    "votemanager": "csv",
    "gebref": "txt",
    "gv100ad": "txt",
    "geopackage": "gpkg",
    "geojson": "geojson",
    "shapefile": "zip",
    "parquet": "parquet",
}
FORMATS = set(EXTENSIONS)
COMPARED = {
    "einwohner": ("ags", "strasse", "hausnummer", "personen"),
    "gemeindegrenzen": ("ags",),
    "adressen": ("ags", "strasse", "hausnummer_von", "hausnummer_bis", "seite", "sozialraum_id"),
}
"""Feed that another is compared with → columns that the other needs."""
PLACE = ("ags", "strasse", "hausnummer", "stichtag")
"""Columns of a list of addresses that is summed per area."""


@dataclass(frozen=True)
class Column:
    """One column of a feed: canonical name, type, and the headers under which deliverers know it.

    A header of stacked header rows is written as a path, `Bedarfsgemeinschaften / Insgesamt`. `required`: no cell
    may be empty. `optional`: the whole column may be absent. `empty`: the symbol that an empty cell stands for.
    Promises that the delivery gate holds against the file: `levels` (area: which may occur), `complete` (area: of
    which all must occur), `date` (date: the agreed `stichtag`, or any day of the `jahr`), `smallest`, `largest`
    (numbers, inclusive), `part_of` (measures that this one is a part of).
    """

    name: str
    type: str
    title: str
    headers: tuple[str, ...]
    required: bool = True
    optional: bool = False
    personal: bool = False
    width: int | None = None
    shortest: int | None = None
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reference_date: str = "stichtag"
    empty: str | None = None
    levels: tuple[str, ...] = ()
    complete: tuple[str, ...] = ()
    date: str | None = None
    smallest: float | None = None
    largest: float | None = None
    part_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deliverer:
    """Who delivers a feed, and how this deliverer's file is agreed to look.

    `sheet`: the sheet of a workbook or layer of a GeoPackage to read; None: the first sheet with data, the only layer.
    `crs`: the reference system of coordinates whose file names none. `expected`: whether a delivery that is not there
    is missing.
    """

    slug: str
    name: str
    ags: str | None
    format: str
    encoding: str | None
    numbers: str
    sheet: str | None = None
    crs: str | None = None
    expected: bool = True


@dataclass(frozen=True)
class Dominance:
    """p % rule for an amount of money: it is secret where one contributor could work out another's part to within p %.

    `largest`, `second`: the columns of the two largest contributions; they are never published.
    """

    percent: float
    largest: str
    second: str


@dataclass(frozen=True)
class Confidentiality:
    """What of a feed may not be shown.

    `minimum`: the smallest count of persons or households that may be shown; 0: every count may. `zeros_shown`:
    whether a reader may see that there is nobody. `counted_by`: column → the column of which the minimum has to be
    reached as well (persons are counted by Bedarfsgemeinschaften: five persons of one are one case).
    `minimum_denominator`: the smallest denominator of a share. `dominance`: column of an amount → its p % rule.
    """

    minimum: int = 3
    zeros_shown: bool = True
    counted_by: dict[str, str] = field(default_factory=dict)
    minimum_denominator: int = 0
    dominance: dict[str, Dominance] = field(default_factory=dict)


@dataclass(frozen=True)
class Feed:
    """The contract of one feed.

    `grain`: what a row is about. `person` and `geography` have models of their own; `aggregate` becomes measures per
    area; `record` is a list (goals, services, addresses) that keeps its columns as declared.
    `due`: day (TT.MM.) of the year after, before the yearly run of 1 July by default. `compare_with`: the feed whose
    deliveries of the same year, if in force when this one came, its rows (addresses) are held against; of areas, the
    feed of the borders that they have to fill. `sums`: the number columns of a list of addresses that become measures:
    summed per Sozialraum, Kommune and Kreis, what cannot be located in `<ags>-00`.
    """

    name: str
    title: str
    grain: str
    format: str
    deliverers: dict[str, Deliverer]
    years: tuple[int, ...]
    cadence: str
    reference_date: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    suite: str
    licence: str
    source: str
    confidentiality: Confidentiality
    date_formats: tuple[str, ...]
    ignored_headers: tuple[str, ...]
    derived: dict[str, str]
    note: str | None = None
    max_size_mb: int = 500
    due: str = "30.06."
    compare_with: str | None = None
    sums: tuple[str, ...] = ()

    @property
    def measures(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.type == "measure")

    @property
    def raw_folder(self) -> Path:
        """Where its typed Parquet lies below `raw/`: what is aggregated lies together, for one staging model."""
        return Path("aggregate", self.name) if self.grain == "aggregate" else Path(self.name)

    def is_agreed(self, year: int) -> bool:
        """Whether a delivery for that year is agreed; what comes on change comes when it has changed."""
        return year in self.years or (self.cadence == ON_CHANGE and year > min(self.years))

    def column(self, name: str) -> Column:
        """The column of that canonical name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def expected_date(self, year: int) -> dt.date | None:
        """The reference date of a delivery for `year`; None when the feed's columns carry their own."""
        match = re.fullmatch(r"(\d\d)\.(\d\d)\.", self.reference_date)
        return dt.date(year, int(match[2]), int(match[1])) if match else None


def fold(header: str) -> str:
    """Header text without case, spaces and punctuation; umlauts spelled out, so `Straße` equals `STRASSE`."""
    text = unicodedata.normalize("NFC", header).casefold()
    text = text.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return re.sub(r"[^0-9a-z]+", "", unicodedata.normalize("NFKD", text))


@lru_cache(maxsize=1)
def kommunen() -> dict[str, tuple[str, str]]:
    """Deliverer slug → (AGS, name) of the eight Kommunen, from the seed that also feeds the warehouse."""
    with (REPOSITORY / "seeds" / "kommunen.csv").open(encoding="utf-8", newline="") as file:
        return {row["deliverer"]: (row["area_id"], row["name"]) for row in csv.DictReader(file)}


@lru_cache(maxsize=1)
def official_areas() -> dict[str, float]:
    """AGS → official area in km², from the same seed."""
    with (REPOSITORY / "seeds" / "kommunen.csv").open(encoding="utf-8", newline="") as file:
        return {row["area_id"]: float(row["official_sqkm"]) for row in csv.DictReader(file)}


@lru_cache(maxsize=1)
def official_population() -> dict[tuple[str, int], int]:
    """(AGS, year) → official population at the end of that year."""
    with (REPOSITORY / "seeds" / "bevoelkerung_amtlich.csv").open(encoding="utf-8", newline="") as file:
        return {(row["area_id"], int(row["year"])): int(row["population"]) for row in csv.DictReader(file)}


@lru_cache(maxsize=1)
def indicator_ids() -> tuple[str, ...]:
    """The ids of the indicator catalogue, which goals refer to."""
    with (REPOSITORY / "seeds" / "indicators.csv").open(encoding="utf-8", newline="") as file:
        return tuple(row["indicator_id"] for row in csv.DictReader(file))


@lru_cache(maxsize=1)
def load_feeds() -> dict[str, Feed]:
    """All declared feeds by name."""
    feeds = {path.stem: load_feed(path) for path in sorted(DECLARATIONS.glob("*.yml"))}
    for feed in feeds.values():
        # A verdict rests on one other feed at most: else decisions about a third one would have to reach it.
        if feed.compare_with and (feed.compare_with not in feeds or feeds[feed.compare_with].compare_with):
            raise ValueError(f"declaration {feed.name}: cannot be compared with {feed.compare_with}")
    return feeds


def load_feed(path: Path) -> Feed:
    """Read one declaration. Raises ValueError with the file's name where it contradicts itself."""
    declared = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    feed = Feed(
        name=path.stem,
        title=declared["title"],
        grain=declared["grain"],
        format=declared["format"],
        deliverers=_deliverers(declared),
        years=_years(declared["years"]),
        cadence=declared["cadence"],
        reference_date=declared["reference_date"],
        columns=tuple(_column(name, entry) for name, entry in declared["columns"].items()),
        key=tuple(declared["key"]),
        suite=declared.get("suite", path.stem),
        licence=declared["licence"],
        source=declared["source"],
        confidentiality=_confidentiality(declared.get("confidentiality", {})),
        date_formats=tuple(declared.get("date_formats", ["TT.MM.JJJJ"])),
        ignored_headers=tuple(declared.get("ignored_headers", [])),
        derived=dict(declared.get("derived", {})),
        note=declared.get("note"),
        max_size_mb=declared.get("max_size_mb", 500),
        due=declared.get("due", "30.06."),
        compare_with=declared.get("compare_with"),
        sums=tuple(declared.get("sums", [])),
    )
    _validate(feed)
    return feed


def _years(declared: dict[str, int] | list[int]) -> tuple[int, ...]:
    if isinstance(declared, dict):
        return tuple(range(declared["first"], declared["last"] + 1))
    return tuple(declared)


def _deliverers(declared: dict[str, Any]) -> dict[str, Deliverer]:
    places = kommunen()
    deliverers = {}
    for slug, entry in declared["deliverers"].items():
        agreed = {**{k: declared.get(k) for k in ("format", "encoding", "numbers", "sheet", "crs")}, **(entry or {})}
        ags, name = places.get(slug, (None, agreed.get("name", slug)))
        deliverers[slug] = Deliverer(
            slug=slug,
            name=name,
            ags=ags,
            format=agreed["format"],
            encoding=agreed["encoding"],
            numbers=agreed["numbers"] or "1.234,5",
            sheet=agreed["sheet"],
            crs=agreed["crs"],
            expected=agreed.get("expected", True),
        )
    return deliverers


def _column(name: str, entry: dict[str, Any]) -> Column:
    headers = entry["headers"]
    return Column(
        name=name,
        type=entry["type"],
        title=entry.get("title", headers[0]),
        headers=tuple(headers),
        required=entry.get("required", not entry.get("optional", False)),
        optional=entry.get("optional", False),
        personal=entry.get("personal", False),
        width=entry.get("width"),
        shortest=entry.get("shortest"),
        codes={code: tuple(str(v) for v in values) for code, values in entry.get("codes", {}).items()},
        reference_date=entry.get("reference_date", "stichtag"),
        empty=entry.get("empty"),
        levels=tuple(entry.get("levels", [])),
        complete=tuple(entry.get("complete", [])),
        date=entry.get("date", "stichtag" if name == "stichtag" else None),
        smallest=entry.get("smallest", 0 if entry["type"] == "measure" else None),
        largest=entry.get("largest"),
        part_of=tuple(entry.get("part_of", [])),
    )


def _confidentiality(declared: dict[str, Any]) -> Confidentiality:
    rules = {column: Dominance(**rule) for column, rule in declared.get("dominance", {}).items()}
    return Confidentiality(**{**declared, "dominance": rules})


def _compared(feed: Feed) -> tuple[str, ...]:
    return COMPARED.get(feed.compare_with, ("a way to compare",)) if feed.compare_with else ()


def _validate(feed: Feed) -> None:
    names = [column.name for column in feed.columns]
    wrong = (
        [f"grain {feed.grain}" for _ in [0] if feed.grain not in GRAINS]
        + [f"format {d.format}" for d in feed.deliverers.values() if d.format not in FORMATS]
        + [f"numbers {d.numbers}" for d in feed.deliverers.values() if d.numbers not in ("1.234,5", "1234.5")]
        + [f"type {column.type}" for column in feed.columns if column.type not in TYPES]
        + [f"key {name}" for name in feed.key if name not in names]
        + [f"measure {column.name} of a {feed.grain}" for column in feed.measures if feed.grain != "aggregate"]
        + [f"level {level}" for c in feed.columns for level in (*c.levels, *c.complete) if level not in LEVELS]
        + [f"date {c.date}" for c in feed.columns if c.date not in (None, "stichtag", "jahr")]
        + [f"part_of {whole}" for c in feed.columns for whole in c.part_of if whole not in names]
        + [f"compare_with without {name}" for name in _compared(feed) if name not in names]
    )
    secret = feed.confidentiality
    named = [*secret.counted_by, *secret.counted_by.values(), *secret.dominance]
    named += [column for rule in secret.dominance.values() for column in (rule.largest, rule.second)]
    measures = {column.name for column in feed.measures} | set(feed.sums)
    wrong += [f"confidentiality of {name}, which is no measure" for name in named if name not in measures]
    wrong += [f"dominance of {rule.percent} %" for rule in secret.dominance.values() if not 0 < rule.percent < 100]
    wrong += [f"minimum {secret.minimum}" for _ in [0] if secret.minimum < 0 or secret.minimum_denominator < 0]
    if feed.sums:
        numbers = {column.name for column in feed.columns if column.type == "number" and column.required}
        wrong += [f"sums of {name}, which is no number in every row" for name in feed.sums if name not in numbers]
        wrong += [f"sums without {name}" for name in PLACE if name not in names]
        wrong += [f"sums of a {feed.grain}" for _ in [0] if feed.grain != "record"]
    if wrong:
        raise ValueError(f"declaration {feed.name}: not understood: {', '.join(wrong)}")
