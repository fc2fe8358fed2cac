"""The population registers of the demo county: one extract per Kommune and year, each in its Kommune's own dialect.

What a delivery must look like is declared in `orchestration/feeds`; this module deliberately shares nothing with it, so
that a reader and a writer cannot agree on the same mistake. Who lives in the county is in `demo/population.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from demo import spreadsheets
from demo.files import write_whole
from demo.geography import Addresses
from demo.population import LAST_YEAR, YearEnd


class Dialect:
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
        spelling: Callable[[str], str] | None = None,
    ) -> None:
        self.columns, self.date, self.decimal, self.sexes = columns, date, decimal, sexes
        self.delimiter, self.encoding, self.quote_all = delimiter, encoding, quote_all
        self.extension = extension
        self.spelling = spelling
        """How streets are spelled where that is not as in the address register; such a register has no coordinates."""


def _short(street: str) -> str:
    """`Ahornstraße` → `Ahornstr.`"""
    return re.sub("straße$", "str.", street)


def _capitals(street: str) -> str:
    """`Föhrenstraße` → `FOEHRENSTRASSE`"""
    return street.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").upper()


_GL = {
    "Ordnungsmerkmal": "om", "AGS": "ags", "Stichtag": "stichtag", "Straße": "strasse", "Hausnummer": "hausnummer",
    "Ostwert": "ost", "Nordwert": "nord", "Geburtsdatum": "geburt", "Geschlecht": "geschlecht",
    "Staatsangehörigkeit": "staat", "Haushaltsnummer": "haushalt",
}  # fmt: skip
DIALECTS = {
    "bergisch-gladbach": Dialect(_GL, date="%d.%m.%Y", encoding="cp1252"),
    "burscheid": Dialect(
        {
            "OM": "om", "Gemeindeschlüssel": "ags", "Stand": "#date stichtag", "Straßenname": "strasse",
            "Hausnr.": "#mixed hausnummer", "UTM Ost": "#number ost", "UTM Nord": "#number nord",
            "Geb.-Datum": "#date geburt", "Geschl.": "geschlecht", "Staatsang.": "staat",
            "Haushalt": "#number haushalt",
        },
        date="excel", decimal=".", extension="xlsx",
    ),
    "kuerten": Dialect(
        {
            "stichtag": "stichtag", "ags": "ags", "ordnungsmerkmal": "om", "geburtsdatum": "geburt",
            "geschlecht": "geschlecht", "staatsangehoerigkeit": "staat", "haushalt_id": "haushalt",
            "strasse": "strasse", "hausnummer": "hausnummer", "ost": "ost", "nord": "nord",
        },
        date="%Y-%m-%d", sexes=("männlich", "weiblich", "divers"),
    ),
    "leichlingen": Dialect(
        {
            **{name.upper(): sql for name, sql in _GL.items() if not name.endswith("wert")},
            "HAUSNUMMER": "regexp_replace(hausnummer, '([0-9])([a-z])', '\\1 \\2')",
        },
        date="%d.%m.%Y", delimiter="\t", encoding="cp1252", spelling=_short,
    ),
    "odenthal": Dialect(
        {
            "Personennummer": "om", "AGS": "#number ags", "Haushaltsnummer": "haushalt", "Geburtsdatum": "geburt",
            "Geschlecht": "geschlecht", "Staatsangehörigkeit": "staat", "Straße": "strasse", "Hausnummer": "hausnummer",
            "Ostwert": "#number ost", "Nordwert": "#number nord", "Stichtag": "stichtag",
        },
        date="%d.%m.%Y", decimal=".", extension="xlsx",
    ),
    "overath": Dialect(
        {
            "PERSNR": "om", "GKZ": "ags", "STICHTAG": "stichtag", "STR": "strasse", "HNR": "hausnummer",
            "OSTWERT": "ost", "NORDWERT": "nord", "GEBDAT": "geburt", "SEX": "geschlecht", "STAAT": "staat",
            "HHNR": "haushalt",
        },
        date="%Y%m%d", sexes=("1", "2", "3"),
    ),
    "roesrath": Dialect(
        {
            "AGS": "ltrim(ags, '0')", "Stichtag": "stichtag", "Haushaltsnummer": "haushalt", "Ordnungsmerkmal": "om",
            "Geschlecht": "geschlecht", "Geburtsdatum": "geburt", "Staatsangehörigkeit": "staat", "Straße": "strasse",
            "Hausnummer": "regexp_extract(hausnummer, '^[0-9]+')",
            "Hausnummernzusatz": "upper(regexp_extract(hausnummer, '[a-z]*$'))",
        },
        date="%d.%m.%Y", encoding="cp1252", spelling=_capitals,
    ),
    "wermelskirchen": Dialect(_GL, date="%Y-%m-%d", decimal=".", delimiter=",", quote_all=True),
}  # fmt: skip


FORMER_STREET = "Alter Postweg"
"""How the register still calls a street that has another name since."""
FEWEST_MISSPELLED = 3


def _as_registered(streets: np.ndarray, weight: np.ndarray, spelling: Callable[[str], str]) -> list[str | None]:
    """Every address's street as this register spells it. Of the streets with three or more addresses, those with the
    fewest residents are wrong: two lack a letter, one has its former name; so few that almost everybody is located."""
    names, of = np.unique(streets.astype(str), return_inverse=True)
    residents = np.where(np.bincount(of) >= FEWEST_MISSPELLED, np.bincount(of, weight), np.inf)
    spelled = [spelling(name) for name in names]
    first, second, third = np.argsort(residents, kind="stable")[:3]
    for street in (first, second):
        spelled[street] = spelled[street][:3] + spelled[street][4:]
    spelled[third] = spelling(FORMER_STREET)
    return [spelled[street] for street in of]


def address_texts(places: Addresses, dialect: Dialect) -> dict[str, list[str | None]]:
    """Street, house number and both coordinates of every address as text (decimal point; None: no coordinate)."""

    def metres(values: np.ndarray) -> list[str | None]:
        return [None if np.isnan(v) else f"{v:.2f}" for v in values]

    street: list[str | None] = list(places.street)
    number: list[str | None] = list(places.house_number)
    return {
        "strasse": _as_registered(places.street, places.weight, dialect.spelling) if dialect.spelling else street,
        "hausnummer": number,
        "ost": metres(places.east),
        "nord": metres(places.north),
    }


def _dictionary(index: np.ndarray, values: Sequence[str | None] | pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(values, pa.string()))


def _register_table(end: YearEnd, texts: dict[str, list[str | None]], dialect: Dialect) -> pa.Table:
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
    connection: duckdb.DuckDBPyConnection, end: YearEnd, texts: dict[str, list[str | None]], dialect: Dialect
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


def write_register(target: Path, end: YearEnd, texts: dict[str, list[str | None]], dialect: Dialect) -> Path:
    fill = _fill_xlsx if dialect.extension == "xlsx" else _fill_csv
    with duckdb.connect(config={"threads": 1}) as connection:
        relation = _register_relation(connection, end, texts, dialect)
        return write_whole(target, lambda path: fill(path, connection, relation, dialect))


def _fill_csv(path: Path, connection: duckdb.DuckDBPyConnection, relation: str, dialect: Dialect) -> None:
    picked = ", ".join(f'{sql} as "{name}"' for name, sql in dialect.columns.items())
    options = f"format csv, header, delimiter '{dialect.delimiter}'"
    if dialect.quote_all:
        options += ", force_quote *"
    connection.execute(f"copy (select {picked} from ({relation})) to '{path}' ({options})")
    if dialect.encoding == "cp1252":
        path.write_bytes(path.read_bytes().decode().encode("cp1252"))
    else:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def _fill_xlsx(path: Path, connection: duckdb.DuckDBPyConnection, relation: str, dialect: Dialect) -> None:
    cells = []
    for position, (name, sql) in enumerate(dialect.columns.items()):
        kind, _, column = sql.rpartition(" ")
        cells.append(spreadsheets.Cell(position, name, column, kind.removeprefix("#") or "text"))
    rows = connection.execute(spreadsheets.rows_sql(cells, relation)).to_arrow_table()
    spreadsheets.write_sheet(path, "Einwohner", [cell.header for cell in cells], rows.column(0))
