"""Writes the demo county's deliveries into a drop folder, each in the dialect its deliverer really uses.

What a delivery must look like is declared in `orchestration/feeds`; this module deliberately shares nothing with it, so
that a reader and a writer cannot agree on the same mistake. Bytes are deterministic: equal at every call with the same
packages, and a year alone has the bytes it has in the full run. Who lives in the county is in `demo/population.py`.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from demo import benefits, spreadsheets
from demo.basis import basis
from demo.files import DemoFeed, suppressed
from demo.geography import Addresses, addresses, gpkg_path
from demo.population import FIRST_YEAR, LAST_YEAR, YearEnd, simulate
from demo.reference import council_elections, dwellings_2010, kommunen
from demo.themes import bildung, gesundheit, planung, sicherheit, teilhabe

ANNUAL_FEEDS = ("einwohner", "sgb2", "arbeitslose", "wohnungen")
SINGLE_FEEDS = ("kinder_sgb2", "wahlen", "sozialraeume")
THEME_FEEDS: dict[str, DemoFeed] = {
    **bildung.FEEDS,
    **gesundheit.FEEDS,
    **teilhabe.FEEDS,
    **sicherheit.FEEDS,
    **planung.FEEDS,
}
FEEDS = (*ANNUAL_FEEDS, *SINGLE_FEEDS, *THEME_FEEDS)
DEMO_LABEL = "Synthetische Demodaten (ipSo): keine Angaben über wirkliche Personen"
KREIS = "05378"
KREIS_NAME = "Rheinisch-Bergischer Kreis"

Progress = Callable[[str], None]


def write_deliveries(
    landing: Path,
    years: Iterable[int] | None = None,
    only: set[str] | None = None,
    progress: Progress = print,
    scale: float = 1.0,
) -> list[Path]:
    """Write deliveries to `landing/<deliverer>/<feed>_<year>.<ext>` and return their paths in order of writing.

    `years` limits the yearly feeds (default 2015 to 2023); the single deliveries (kinder_sgb2, wahlen, sozialraeume)
    are written whatever the years. `only` limits the feeds. `scale` below 1 makes a smaller county in the same formats,
    for tests: official totals and the minimum of persons who cannot be located then no longer hold.
    Raises ValueError for an unknown feed or year.
    """
    wanted = sorted(set(range(FIRST_YEAR, LAST_YEAR + 1) if years is None else years))
    feeds = set(FEEDS) if only is None else set(only)
    if unknown := feeds - set(FEEDS):
        raise ValueError(f"Unbekannte Feeds: {', '.join(sorted(unknown))}. Möglich: {', '.join(FEEDS)}")
    if beyond := [y for y in wanted if not FIRST_YEAR <= y <= LAST_YEAR]:
        raise ValueError(f"Jahre außerhalb von {FIRST_YEAR} bis {LAST_YEAR}: {', '.join(map(str, beyond))}")
    written: list[Path] = []
    if "sozialraeume" in feeds:
        written.append(_write(landing / "kreis" / "sozialraeume_2015.gpkg", _copy_gpkg))
    if "kinder_sgb2" in feeds:
        written += [_write_text(landing / "kreis" / f"kinder_sgb2_{y}.csv", _kinder_sgb2(y)) for y in _KINDER]
    if "wahlen" in feeds:
        written += [_write_text(landing / "kreis" / f"wahlen_{d.year}.csv", _wahlen(d)) for d in _election_days()]
    if "wohnungen" in feeds:
        written += [_write_text(landing / "it-nrw" / f"wohnungen_{y}.csv", _wohnungen(y), "cp1252") for y in wanted]
    if wanted and feeds & {"einwohner", "sgb2", "arbeitslose", *THEME_FEEDS}:
        written += _write_simulated(landing, wanted, feeds, progress, scale)
    progress(f"{len(written)} Lieferungen liegen in {landing}")
    return written


def _write_simulated(landing: Path, years: list[int], feeds: set[str], progress: Progress, scale: float) -> list[Path]:
    """The feeds that need the simulation: registers per Kommune, then the Jobcenter's tables over all Kommunen."""
    counts: dict[int, list[tuple[pd.DataFrame, pd.DataFrame]]] = {y: [] for y in years}
    bases: dict[int, list[pd.DataFrame]] = {y: [] for y in years}
    pending: list[Future[Path]] = []
    # Two threads write while this one simulates on; the writing runs mostly outside the interpreter lock.
    with ThreadPoolExecutor(max_workers=2) as writer:
        for kommune in kommunen():
            places = addresses(kommune.area_id, scale)
            texts = _address_texts(places)
            for end in simulate(kommune.area_id, places, years[-1], scale):
                if end.year not in counts:
                    continue
                if feeds & {"sgb2", "arbeitslose"}:
                    counts[end.year].append(benefits.count(end))
                if feeds & set(THEME_FEEDS):
                    bases[end.year].append(basis(end))
                if "einwohner" in feeds:
                    dialect = _DIALECTS[kommune.deliverer]
                    target = landing / kommune.deliverer / f"einwohner_{end.year}.{dialect.extension}"
                    pending.append(writer.submit(_write_register, target, end, texts, dialect))
            if "einwohner" in feeds:
                progress(f"Einwohner {kommune.name}: {years[0]} bis {years[-1]}")
        written = [future.result() for future in pending]
    for year in years:
        if "sgb2" in feeds:
            table = _with_kreis([sgb2 for sgb2, _ in counts[year]])
            target = landing / "jobcenter" / f"sgb2_{year}.xlsx"
            written.append(_write(target, _sgb2_writer(table, year)))
        if "arbeitslose" in feeds:
            table = _with_kreis([unemployed for _, unemployed in counts[year]])
            target = landing / "jobcenter" / f"arbeitslose_{year}.csv"
            written.append(_write_text(target, _arbeitslose(table, year), "cp1252"))
    for name, feed in THEME_FEEDS.items():
        for year in sorted(set(years) & set(feed.years)) if name in feeds else ():
            for file in feed.write(year, bases[year]):
                written.append(write_atomically(landing / file.deliverer / file.name, file.content))
    return written


def _write(target: Path, fill: Callable[[Path], None]) -> Path:
    """Let `fill` write to a temporary name, then rename: nobody ever sees half a delivery."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp")
    fill(temporary)
    temporary.replace(target)
    return target


def _write_text(target: Path, text: str, encoding: str = "utf-8") -> Path:
    return write_atomically(target, text.encode(encoding))


def write_atomically(target: Path, content: bytes) -> Path:
    """Write bytes to `target`, whole or not at all; returns `target`."""
    return _write(target, lambda path: _put(path, content))


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _copy_gpkg(path: Path) -> None:
    shutil.copyfile(gpkg_path(), path)


# --- einwohner: one register extract per Kommune and year ---------------------------------------------------------


class _Dialect:
    """How one Kommune writes its register extract: SQL for the columns in its order, and the file around it."""

    def __init__(
        self,
        columns: dict[str, str],
        *,
        date: str,
        decimal: str = ",",
        sexes: tuple[str, str, str] = ("m", "w", "d"),
        delimiter: str = ";",
        encoding: str = "utf-8-sig",
        quote_all: bool = False,
        extension: str = "csv",
    ) -> None:
        self.columns, self.date, self.decimal, self.sexes = columns, date, decimal, sexes
        self.delimiter, self.encoding, self.quote_all = delimiter, encoding, quote_all
        self.extension = extension


_GL = {
    "Ordnungsmerkmal": "om", "AGS": "ags", "Stichtag": "stichtag", "Straße": "strasse", "Hausnummer": "hausnummer",
    "Ostwert": "ost", "Nordwert": "nord", "Geburtsdatum": "geburt", "Geschlecht": "geschlecht",
    "Staatsangehörigkeit": "staat", "Haushaltsnummer": "haushalt",
}  # fmt: skip
_DIALECTS = {
    "bergisch-gladbach": _Dialect(_GL, date="%d.%m.%Y", encoding="cp1252"),
    "burscheid": _Dialect(
        {
            "OM": "om", "Gemeindeschlüssel": "ags", "Stand": "#date stichtag", "Straßenname": "strasse",
            "Hausnr.": "#mixed hausnummer", "UTM Ost": "#number ost", "UTM Nord": "#number nord",
            "Geb.-Datum": "#date geburt", "Geschl.": "geschlecht", "Staatsang.": "staat",
            "Haushalt": "#number haushalt",
        },
        date="excel", decimal=".", extension="xlsx",
    ),
    "kuerten": _Dialect(
        {
            "stichtag": "stichtag", "ags": "ags", "ordnungsmerkmal": "om", "geburtsdatum": "geburt",
            "geschlecht": "geschlecht", "staatsangehoerigkeit": "staat", "haushalt_id": "haushalt",
            "strasse": "strasse", "hausnummer": "hausnummer", "ost": "ost", "nord": "nord",
        },
        date="%Y-%m-%d", sexes=("männlich", "weiblich", "divers"),
    ),
    "leichlingen": _Dialect(
        {name.upper(): sql for name, sql in _GL.items()},
        date="%d.%m.%Y", delimiter="\t", encoding="cp1252",
    ),
    "odenthal": _Dialect(
        {
            "Personennummer": "om", "AGS": "#number ags", "Haushaltsnummer": "haushalt", "Geburtsdatum": "geburt",
            "Geschlecht": "geschlecht", "Staatsangehörigkeit": "staat", "Straße": "strasse", "Hausnummer": "hausnummer",
            "Ostwert": "#number ost", "Nordwert": "#number nord", "Stichtag": "stichtag",
        },
        date="%d.%m.%Y", decimal=".", extension="xlsx",
    ),
    "overath": _Dialect(
        {
            "PERSNR": "om", "GKZ": "ags", "STICHTAG": "stichtag", "STR": "strasse", "HNR": "hausnummer",
            "OSTWERT": "ost", "NORDWERT": "nord", "GEBDAT": "geburt", "SEX": "geschlecht", "STAAT": "staat",
            "HHNR": "haushalt",
        },
        date="%Y%m%d", sexes=("1", "2", "3"),
    ),
    "roesrath": _Dialect(
        {
            "AGS": "ltrim(ags, '0')", "Stichtag": "stichtag", "Haushaltsnummer": "haushalt", "Ordnungsmerkmal": "om",
            "Geschlecht": "geschlecht", "Geburtsdatum": "geburt", "Staatsangehörigkeit": "staat", "Straße": "strasse",
            "Hausnummer": "hausnummer", "Ostwert": "ost", "Nordwert": "nord",
        },
        date="%d.%m.%Y", encoding="cp1252",
    ),
    "wermelskirchen": _Dialect(_GL, date="%Y-%m-%d", decimal=".", delimiter=",", quote_all=True),
}  # fmt: skip


def _address_texts(places: Addresses) -> dict[str, list[str | None]]:
    """Street, house number and both coordinates of every address as text (decimal point; None: no coordinate)."""

    def metres(values: np.ndarray) -> list[str | None]:
        return [None if np.isnan(v) else f"{v:.2f}" for v in values]

    return {
        "strasse": list(places.street),
        "hausnummer": list(places.house_number),
        "ost": metres(places.east),
        "nord": metres(places.north),
    }


def _dictionary(index: np.ndarray, values: Sequence[str | None] | pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(values, pa.string()))


def _register_table(end: YearEnd, texts: dict[str, list[str | None]], dialect: _Dialect) -> pa.Table:
    """One row per resident; everything but the keys as dictionary, so that text is formatted once per value."""
    people = end.residents
    at = end.household_address[people.household]
    states, state = np.unique(people.nationality, return_inverse=True)
    decimal = {k: [v and v.replace(".", dialect.decimal) for v in texts[k]] for k in ("ost", "nord")}
    return pa.table(
        {
            "person": people.person,
            "haushaltsnummer": people.household,
            "geburt": _dictionary((people.birth - _FIRST_DAY).astype(int), _calendar(dialect.date)),
            "geschlecht": _dictionary(people.sex, list(dialect.sexes)),
            "staat": _dictionary(state, [f"{key:03d}" for key in states]),
            "strasse": _dictionary(at, texts["strasse"]),
            "hausnummer": _dictionary(at, texts["hausnummer"]),
            "ost": _dictionary(at, decimal["ost"]),
            "nord": _dictionary(at, decimal["nord"]),
        }
    )


_FIRST_DAY = np.datetime64("1900-01-01")


@lru_cache(maxsize=8)
def _calendar(style: str) -> pa.Array:
    """Every day from 1900 to the last year, written in a dialect's style; `excel` is the spreadsheet's day number."""
    days = np.arange(_FIRST_DAY, np.datetime64(f"{LAST_YEAR + 1}-01-01"))
    if style == "excel":
        return pa.array((days - np.datetime64("1899-12-30")).astype(int).astype(str).tolist())
    return pa.array(pd.DatetimeIndex(days).strftime(style).tolist())


def _register_relation(
    connection: duckdb.DuckDBPyConnection, end: YearEnd, texts: dict[str, list[str | None]], dialect: _Dialect
) -> str:
    """Register the residents in DuckDB as `residents` and return the SQL over which a dialect picks its columns."""
    connection.register("residents", _register_table(end, texts, dialect))
    last_day = int((np.datetime64(f"{end.year}-12-31") - _FIRST_DAY).astype(int))
    stichtag = _calendar(dialect.date)[last_day].as_py()
    # Keys are opaque: the AGS's last two digits, then the number scattered by a factor prime to the modulus.
    return f"""
        select * exclude (person, haushaltsnummer),
               '{end.ags[-2:]}' || lpad(((person * 7368787 + 1234567) % 99999989)::varchar, 8, '0') as om,
               (1000000 + haushaltsnummer)::varchar as haushalt,
               '{end.ags}' as ags,
               '{stichtag}' as stichtag
        from residents
    """


def _write_register(target: Path, end: YearEnd, texts: dict[str, list[str | None]], dialect: _Dialect) -> Path:
    fill = _fill_xlsx if dialect.extension == "xlsx" else _fill_csv
    with duckdb.connect(config={"threads": 1}) as connection:
        relation = _register_relation(connection, end, texts, dialect)
        return _write(target, lambda path: fill(path, connection, relation, dialect))


def _fill_csv(path: Path, connection: duckdb.DuckDBPyConnection, relation: str, dialect: _Dialect) -> None:
    picked = ", ".join(f'{sql} as "{name}"' for name, sql in dialect.columns.items())
    options = f"format csv, header, delimiter '{dialect.delimiter}'"
    if dialect.quote_all:
        options += ", force_quote *"
    connection.execute(f"copy (select {picked} from ({relation})) to '{path}' ({options})")
    if dialect.encoding == "cp1252":
        path.write_bytes(path.read_bytes().decode().encode("cp1252"))
    else:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def _fill_xlsx(path: Path, connection: duckdb.DuckDBPyConnection, relation: str, dialect: _Dialect) -> None:
    cells = []
    for position, (name, sql) in enumerate(dialect.columns.items()):
        kind, _, column = sql.rpartition(" ")
        cells.append(spreadsheets.Cell(position, name, column, kind.removeprefix("#") or "text"))
    rows = connection.execute(spreadsheets.rows_sql(cells, relation)).to_arrow_table()
    spreadsheets.write_sheet(path, "Einwohner", [cell.header for cell in cells], rows.column(0))


# --- Jobcenter ----------------------------------------------------------------------------------------------------


def _with_kreis(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Kreis first, then each Kommune with its Sozialräume and `-00`; index gebiet."""
    ordered = [pd.concat([table.iloc[[-1]], table.iloc[:-1]]) for table in tables]
    whole = sum(table.iloc[-1] for table in tables)
    kreis = pd.DataFrame([whole], index=pd.Index([KREIS], name="gebiet"))
    return pd.concat([kreis, *ordered])


def _region_names() -> dict[str, str]:
    names = {KREIS: KREIS_NAME}
    for kommune in kommunen():
        names[kommune.area_id] = kommune.name
        names[f"{kommune.area_id}-00"] = "nicht zuordenbar"
    return names


def _name_of(region: str, names: dict[str, str], short: dict[str, str]) -> str:
    return names.get(region) or f"{short[region[:8]]} {region[-2:]}"


def _named(table: pd.DataFrame) -> list[str]:
    names = _region_names()
    short = {kommune.area_id: kommune.short_name for kommune in kommunen()}
    return [_name_of(region, names, short) for region in table.index]


# Within a row: the first is the sum of the others, so that one blank could be worked out.
_SGB2_SUMS = [
    ("personen", "personen_u3", "personen_3_5", "personen_6_14", "personen_15_24", "personen_25_54",
     "personen_55_plus"),
    ("personen_u15", "personen_u3", "personen_3_5", "personen_6_14"),
]  # fmt: skip


def _sgb2_writer(table: pd.DataFrame, year: int) -> Callable[[Path], None]:
    mask = suppressed(table, _SGB2_SUMS)
    return lambda path: spreadsheets.write_sgb2(path, year, table, mask, _named(table), DEMO_LABEL)


_ARBEITSLOSE_HEADER = (
    "Stichtag;Schlüssel;Gebiet;Arbeitslose insgesamt;unter 25 Jahre;55 Jahre und älter;Langzeitarbeitslose;Ausländer"
)


def _arbeitslose(table: pd.DataFrame, year: int) -> str:
    mask = suppressed(table, [])
    lines = [_ARBEITSLOSE_HEADER]
    for region, name, counts, hidden in zip(table.index, _named(table), table.to_numpy(), mask.to_numpy(), strict=True):
        cells = [
            "* " if blank else "-" if count == 0 else f"{count:,}".replace(",", ".")
            for count, blank in zip(counts, hidden, strict=True)
        ]
        lines.append(";".join([f"31.12.{year}", str(region), name, *cells]))
    return "\r\n".join(lines) + "\r\n"


# --- Kreis and IT.NRW ---------------------------------------------------------------------------------------------

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


_ELECTION_COLUMNS = "a1 a2 a3 a b b1 c d cdu spd gruene fdp uebrige"


def _election_days() -> list[dt.date]:
    return sorted({dt.date.fromisoformat(row["wahltag"]) for row in council_elections()})


def _wahlen(day: dt.date) -> str:
    names = {kommune.area_id: kommune.name for kommune in kommunen()}
    lines = [
        "datum;wahl;ags;gebiet-nr;gebiet-name;max-schnellmeldungen;anz-schnellmeldungen;"
        "A1;A2;A3;A;B;B1;C;D;D1;D2;D3;D4;D5"
    ]
    for row in council_elections():
        if row["wahltag"] != day.isoformat():
            continue
        ags = row["area_id"]
        head = [f"{day:%d.%m.%Y}", "Ratswahl", ags, ags, names[ags], "1", "1"]
        lines.append(";".join(head + [row[column] for column in _ELECTION_COLUMNS.split()]))
    return "\r\n".join(lines) + "\r\n"


# Invented yearly growth since 2010 by size of dwelling (1 room … 7 and more), and a factor per region.
_GROWTH_BY_ROOMS = (0.022, 0.020, 0.008, 0.001, 0.004, 0.006, 0.009)
_GROWTH_FACTOR = {"05378004": 1.0, "05378008": 1.1, "05378012": 0.8, "05378016": 1.0, "05378020": 0.9,
                  "05378024": 0.8, "05378028": 1.3, "05378032": 0.7}  # fmt: skip
_ROOMS = [
    "wohnungen_1_raum", "wohnungen_2_raeume", "wohnungen_3_raeume", "wohnungen_4_raeume", "wohnungen_5_raeume",
    "wohnungen_6_raeume", "wohnungen_7_plus_raeume",
]  # fmt: skip


def dwelling_stock(year: int) -> pd.DataFrame:
    """Invented dwelling stock on 31.12. of a year, grown from the real stock of 2010; the Kreis sums its Kommunen."""
    stock = dwellings_2010()
    factor = pd.Series(_GROWTH_FACTOR).reindex(stock.index).fillna(1.0)
    since = year - 2010
    for column, rate in zip(_ROOMS, _GROWTH_BY_ROOMS, strict=True):
        stock[column] = (stock[column] * (1 + rate * factor) ** since).round().astype("int64")
    stock["wohnungen"] = stock[_ROOMS].sum(axis=1)
    grown = stock.wohnungen / dwellings_2010().wohnungen
    for column in (
        "wohngebaeude",
        "wohngebaeude_1_wohnung",
        "wohngebaeude_2_wohnungen",
        "raeume_in_wohnungen_7_plus",
    ):
        stock[column] = (stock[column] * grown).round().astype("int64")
    stock["wohnflaeche_1000_qm"] = (stock.wohnflaeche_1000_qm * grown * 1.001**since).round(1)
    below = stock.index.str.len() == 8
    numbers = stock.columns.drop("name")
    stock.loc[KREIS, numbers] = stock.loc[below, numbers].sum().to_numpy()
    return stock.astype({c: "int64" for c in numbers if c != "wohnflaeche_1000_qm"})


_WOHNUNGEN_HEADER = [
    ["Wohngebäude"] * 3 + ["Wohnfläche in Wohngebäuden"] + ["Wohnungen in Wohn- und Nichtwohngebäuden"] * 8
    + ["Räume in Wohnungen mit 7 oder mehr Räumen"],
    ["Gebäude nach Anzahl der Wohnungen"] * 3 + [""] + ["Größe der Wohnung"] * 8 + [""],
    ["Insgesamt", "1 Wohnung", "2 Wohnungen", "", "Insgesamt", "Wohnungen mit 1 Raum", "Wohnungen mit 2 Räumen",
     "Wohnungen mit 3 Räumen", "Wohnungen mit 4 Räumen", "Wohnungen mit 5 Räumen", "Wohnungen mit 6 Räumen",
     "Wohnungen mit 7 Räumen oder mehr", ""],
    ["Anzahl"] * 3 + ["1000 qm"] + ["Anzahl"] * 9,
]  # fmt: skip
_WOHNUNGEN_ORDER = [
    "wohngebaeude", "wohngebaeude_1_wohnung", "wohngebaeude_2_wohnungen", "wohnflaeche_1000_qm", "wohnungen", *_ROOMS,
    "raeume_in_wohnungen_7_plus",
]  # fmt: skip


def _wohnungen(year: int) -> str:
    """GENESIS `datencsv` in the layout of table 31231-01-02-5, levels by indentation."""
    pad = ";" * 15
    lines = ["GENESIS-Tabelle: 31231-01-02-5"]
    lines += [
        f"{title}{pad}"
        for title in (
            "Wohngebäude- und Wohnungsbestand - Stichtag 31.12. -",
            "regionale Tiefe: Gemeinden, Samt-/Verbandsgemeinden",
            "(synthetische Demodaten, Ausgangswerte 2010)",
            "Fortschreib. d. Wohngebäude- u. Wohnungsbestandes",
        )
    ]
    lines += [";;;" + ";".join(row) for row in _WOHNUNGEN_HEADER]
    indent = {"DG": 0, "05": 2, "053": 4, KREIS: 6}
    for code, row in dwelling_stock(year).iterrows():
        values = [
            f"{row[c]:.1f}".replace(".", ",") if c == "wohnflaeche_1000_qm" else str(int(row[c]))
            for c in _WOHNUNGEN_ORDER
        ]
        name = " " * indent.get(str(code), 8) + row["name"]
        lines.append(";".join([f"31.12.{year}", str(code), name, *values]))
    lines += [
        "__________",
        '"zu ""Tabelle insgesamt"":',
        "Synthetische Demodaten (ipSo): Stand 31.12.2010 nach",
        "Regionalstatistik 31231-01-02-5, seither erfundene Zuwächse;",
        "Kreis als Summe der Gemeinden.",
        " ",
        'zu ""Räume in Wohnungen mit 7 oder mehr Räumen"":',
        'erfunden wie oben."',
        '"Ausgangswerte: © Statistische Ämter des Bundes und der Länder, Deutschland, 2017.',
        "Datenlizenz Deutschland - Namensnennung - Version 2.0;",
        'verändert: keine amtlichen Ergebnisse."',
        f"Stand: 15.06.{year + 1} / 10:00:00",
    ]
    return "\n".join(lines) + "\n"
