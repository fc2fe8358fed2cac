"""Demo feeds of the theme Demographie: movements, households (HHGen), migration background (MigraPro), official
population (GENESIS)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demo.basis import draw, regions_of, with_totals
from demo.files import KREIS, DemoFeed, File, area_rows, count_cells, csv_file, region_names, suppressed
from demo.population import LAST_YEAR, YearEnd, mortality
from demo.reference import age_structure, kommunen, official_population
from demo.themes.common import course

YEARS = tuple(range(2015, LAST_YEAR + 1))

# --- bewegungen: each Kommune its own CSV, in its own dialect -----------------------------------------------------

_MOVEMENTS = ("geburten", "sterbefaelle", "zuzuege", "fortzuege", "umzuege_zu", "umzuege_weg")


@dataclass(frozen=True)
class _Dialect:
    """How one Kommune writes its movements: headers of key, name and date (`at` says in which order they stand before
    the six counts, whose headers follow), and the file around them."""

    key: str
    name: str
    date: str
    counts: tuple[str, str, str, str, str, str]
    order: str = "date key name"
    style: str = "31.12.{}"
    thousands: str = "."
    delimiter: str = ";"
    encoding: str = "cp1252"
    quote_all: bool = False
    leading_zero: bool = True


_USUAL = ("Geburten", "Sterbefälle", "Zuzüge", "Fortzüge", "Umzüge zu", "Umzüge weg")
_DIALECTS = {
    "bergisch-gladbach": _Dialect("Schlüssel", "Gebiet", "Stichtag", _USUAL),
    "burscheid": _Dialect(
        "Gebietsschlüssel", "Name", "Stand",
        ("Lebendgeborene", "Gestorbene", "Zugezogene", "Fortgezogene", "Innerorts zugezogen", "Innerorts weggezogen"),
        order="key name date", encoding="utf-8-sig",
    ),
    "kuerten": _Dialect(
        "gebietsschluessel", "gebiet", "stichtag",
        ("geburten", "sterbefaelle", "zuzuege", "fortzuege", "umzuege_zu", "umzuege_weg"),
        style="{}-12-31", thousands="", encoding="utf-8",
    ),
    "leichlingen": _Dialect(
        "SCHLÜSSEL", "GEBIET", "STICHTAG",
        ("GEBURTEN", "STERBEFÄLLE", "ZUZÜGE", "FORTZÜGE", "UMZÜGE ZU", "UMZÜGE WEG"), encoding="cp850",
    ),
    "odenthal": _Dialect("AGS", "Name", "Stichtag", _USUAL, order="key name date", delimiter="\t"),
    "overath": _Dialect(
        "GKZ", "BEZ", "STICHTAG", ("Geb.", "Gest.", "Zuz.", "Fortz.", "Umz. zu", "Umz. weg"),
        style="{}1231", thousands="", encoding="utf-8-sig",
    ),
    "roesrath": _Dialect("Schlüssel", "Gebiet", "Stichtag", _USUAL, encoding="iso8859_15", leading_zero=False),
    "wermelskirchen": _Dialect(
        "Schlüssel", "Gebiet", "Stichtag", _USUAL,
        style="{}-12-31", thousands="", delimiter=",", encoding="utf-8-sig", quote_all=True,
    ),
}  # fmt: skip


def movements(end: YearEnd, before: YearEnd | None) -> pd.DataFrame:
    """Births, deaths, moves over the Kommune's border and between its Sozialräume during the year; columns as above.

    Where from counts at the year end before, where to at this one. Of the persons that are gone, the chance to have
    died rather than left follows from their age. Who came and went within the year is not seen.
    """
    if before is None:
        raise ValueError(f"{end.year}: movements need the year end before")
    now, then = end.residents, before.residents
    regions, by_number = regions_of(end)
    to = by_number[now.household]
    origin = regions_of(before, end.year)[1][then.household]
    stayed, remained = np.isin(now.person, then.person), np.isin(then.person, now.person)
    # A newborn joins a household that is there already; one that arrives comes with a new household.
    born = ~stayed & (now.birth_year == end.year) & (now.household < len(before.household_address))
    dies = mortality(then, end.year)
    leaves = np.interp(end.year - then.birth_year, [0, 20, 30, 45, 60, 80], [0.06, 0.12, 0.085, 0.05, 0.02, 0.016])
    rng = np.random.Generator(np.random.PCG64([end.year, int(end.ags), 100]))
    died = ~remained & (rng.random(len(then)) < dies / (dies + (1 - dies) * leaves))
    moved_from, moved_to = origin[remained], to[stayed]
    moved = moved_from != moved_to
    counted = (
        to[born],
        origin[died],
        to[~stayed & ~born],
        origin[~remained & ~died],
        moved_to[moved],
        moved_from[moved],
    )
    columns = {
        name: np.bincount(places, minlength=len(regions)) for name, places in zip(_MOVEMENTS, counted, strict=True)
    }
    return pd.DataFrame(columns, index=pd.Index(regions, name="gebiet"))


def write_bewegungen(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One CSV per Kommune: the Kommune, then its Sozialräume."""
    for kommune, counts in zip(kommunen(), tables, strict=True):
        dialect = _DIALECTS[kommune.deliverer]
        whole = pd.DataFrame([counts.sum()], index=[kommune.area_id])
        table = pd.concat([whole, counts]).astype(int)
        cells = count_cells(table, suppressed(table), dialect.thousands)
        headers = {"key": dialect.key, "name": dialect.name, "date": dialect.date}
        order = dialect.order.split()
        rows = []
        for key, name, row in zip(table.index, region_names(table.index), cells, strict=True):
            shown = str(key) if dialect.leading_zero else str(key).lstrip("0")
            lead = {"key": shown, "name": name, "date": dialect.style.format(year)}
            rows.append([*(lead[part] for part in order), *row])
        content = csv_file(
            [*(headers[part] for part in order), *dialect.counts],
            rows,
            delimiter=dialect.delimiter,
            encoding=dialect.encoding,
            quote_all=dialect.quote_all,
        )
        yield File(kommune.deliverer, f"bewegungen_{year}.csv", content)


# --- haushalte: the columns that HHGen (KOSIS) writes -------------------------------------------------------------

_HHGEN_SUMS = [
    ("HH", "HH_1pers", "HH_2pers", "HH_3pers", "HH_4pers", "HH_ab5pers"),
    ("HH", "HH_0kind", "HH_1kind", "HH_2kind", "HH_ab3kind"),
    ("HH", "HH_1pers", "HH_alleinerz", "HH_paarohne", "HH_paarmit", "HH_andere"),
    ("HH_1pers", "HH_single_u35", "HH_single_35b64", "HH_single_ab65"),
]


def household_types(end: YearEnd, before: YearEnd | None) -> pd.DataFrame:
    """Households by size, children under 18 and type, as HHGen names them; the year before does not matter."""
    regions, by_number = regions_of(end)
    number, of = np.unique(end.residents.household, return_inverse=True)
    age = end.year - end.residents.birth_year
    size, children = np.bincount(of), np.bincount(of, age < 18).astype(int)
    adults = size - children
    oldest, youngest = np.zeros(len(number), int), np.full(len(number), 200)
    np.maximum.at(oldest, of, age)
    np.minimum.at(youngest, of, age)
    single, alone = size == 1, (children > 0) & (adults == 1)
    couple_with = (children > 0) & (adults == 2)
    couple_without = (children == 0) & (size == 2) & (oldest - youngest < 16)
    other = ~(single | alone | couple_with | couple_without)
    kinds = {
        "HH": size > 0,
        **{f"HH_{n}pers": size == n for n in (1, 2, 3, 4)},
        "HH_ab5pers": size >= 5,
        **{f"HH_{n}kind": children == n for n in (0, 1, 2)},
        "HH_ab3kind": children >= 3,
        "HH_alleinerz": alone,
        "HH_paarohne": couple_without,
        "HH_paarmit": couple_with,
        "HH_andere": other,
        "HH_andere_nachkab18": other & (children == 0) & (oldest - youngest >= 16),
        "HH_single_u35": single & (oldest < 35),
        "HH_single_35b64": single & (oldest >= 35) & (oldest < 65),
        "HH_single_ab65": single & (oldest >= 65),
    }
    region = by_number[number]
    columns = {name: np.bincount(region[mask], minlength=len(regions)) for name, mask in kinds.items()}
    return pd.DataFrame(columns, index=pd.Index(regions, name="gebiet"))


def write_haushalte(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One CSV over all Kommunen, written by the Kreis."""
    table = with_totals(tables)
    rows = area_rows(table, count_cells(table, suppressed(table, _HHGEN_SUMS), thousands=""), f"31.12.{year}")
    header = ["Stichtag", "Schlüssel", "Gebiet", *table.columns]
    yield File("kreis", f"haushalte_{year}.csv", csv_file(header, rows, encoding="utf-8"))


# --- migrationshintergrund: what MigraPro (KOSIS) makes of the registers, CSV over all Kommunen ----------------------

_MIGRATION = 440


def write_migrationshintergrund(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """Everybody without German nationality, and an invented share of the others that rises with deprivation."""
    counts = []
    for basis in tables:
        germans = basis.assign(deutsche=basis["einwohner"] - basis["auslaender"])
        further = draw(germans, "deutsche", course(year, 0.128, 0.163), 1.1, year, _MIGRATION)
        counts.append(
            pd.DataFrame(
                {
                    "Einwohner insgesamt": basis["einwohner"],
                    "mit Migrationshintergrund": basis["auslaender"] + further,
                    "darunter ohne deutsche Staatsangehörigkeit": basis["auslaender"],
                }
            )
        )
    table = with_totals(counts)
    rows = area_rows(table, count_cells(table, suppressed(table)), f"31.12.{year}")
    header = ["Stichtag", "Schlüssel", "Gebiet", *table.columns]
    yield File("kreis", f"migrationshintergrund_{year}.csv", csv_file(header, rows))


# --- bevoelkerung_amtlich: IT.NRW, GENESIS 12411-01-01-5 ----------------------------------------------------------

_GENESIS_NAMES = {"05378008": "Burscheid, Rheinl", "05378016": "Leichlingen (Rhld.)"}


def _population_by_sex(year: int) -> dict[str, tuple[int, int, int]]:
    """Area → all, male, female. All: the official figure. Sexes: official in 2015, later by the shares of 2015."""
    figures = {}
    for kommune in kommunen():
        groups = age_structure(kommune.area_id)
        share = sum(g.population for g in groups if g.sex == "m") / sum(g.population for g in groups)
        everybody = official_population()[kommune.area_id, year]
        male = round(share * everybody)
        figures[kommune.area_id] = (everybody, male, everybody - male)
    everybody, male, female = (sum(column) for column in zip(*figures.values(), strict=True))
    return {KREIS: (everybody, male, female), **figures}


def write_bevoelkerung_amtlich(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """GENESIS `datencsv` with the date as a header row, levels by indentation."""
    pad = ";" * 4
    lines = [
        "GENESIS-Tabelle: 12411-01-01-5",
        f"Bevölkerungsstand: Bevölkerung nach Geschlecht{pad}",
        f"- Stichtag 31.12. -{pad}",
        f"regionale Tiefe: Gemeinden, Samt-/Verbandsgemeinden{pad}",
        f"Fortschreibung des Bevölkerungsstandes{pad}",
        f"Bevölkerungsstand (Anzahl){pad}",
        ";;" + ";".join([f"31.12.{year}"] * 3),
        ";;Insgesamt;männlich;weiblich",
    ]
    for area, figures in _population_by_sex(year).items():
        name = _GENESIS_NAMES.get(area) or region_names([area])[0]
        indent = " " * (6 if area == KREIS else 8)
        lines.append(";".join([area, indent + name, *map(str, figures)]))
    lines += [
        "__________",
        '"zu ""Insgesamt"":',
        "wirkliche amtliche Ergebnisse (Quelle: seeds/bevoelkerung_amtlich.csv)",
        " ",
        'zu ""männlich"" und ""weiblich"":',
        "bis 2015 amtlich, danach Demodaten (ipSo): nach den Anteilen vom",
        '31.12.2015 aufgeteilt"',
        '"© Statistische Ämter des Bundes und der Länder, Deutschland, 2024.',
        "Datenlizenz Deutschland - Namensnennung - Version 2.0;",
        'Auswahl der Gebiete und Aufteilung nach Geschlecht: ipSo."',
        f"Stand: 15.08.{year + 1} / 10:00:00",
    ]
    yield File("it-nrw", f"bevoelkerung_amtlich_{year}.csv", ("\n".join(lines) + "\n").encode("cp1252"))


FEEDS = {
    "bewegungen": DemoFeed(tuple(range(2019, LAST_YEAR + 1)), write_bewegungen, movements),
    "haushalte": DemoFeed(YEARS, write_haushalte, household_types),
    "migrationshintergrund": DemoFeed(YEARS, write_migrationshintergrund),
    "bevoelkerung_amtlich": DemoFeed(YEARS, write_bevoelkerung_amtlich, count=None),
}
