"""Erziehung und Bildung: Kitas, Hilfen zur Erziehung, transitions after class 4, school-leaving certificates.

Levels follow published figures of the county or the state; the course over the years and the pattern are invented.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from demo.basis import draw, kommune_totals, with_totals
from demo.files import (
    DEMO_LABEL,
    DemoFeed,
    File,
    area_rows,
    count_cells,
    csv_file,
    region_names,
    sheet_cells,
    suppressed,
    workbook,
)
from demo.themes.common import BLANKED, course, split

YEARS = tuple(range(2015, 2024))
KITA, HILFEN, UEBERGANG, ABSCHLUSS = 210, 220, 230, 240
"""First random stream of each feed."""

# --- kita ---------------------------------------------------------------------------------------------------------


def _kita_counts(table: pd.DataFrame, year: int) -> pd.DataFrame:
    young = draw(table, "u3", course(year, 0.33, 0.41), -0.5, year, KITA)
    older = draw(table, "a3_5", course(year, 0.945, 0.925), -0.06, year, KITA + 1)
    return pd.DataFrame(
        {
            "plaetze_u3": _places(young, KITA + 2),
            "betreute_u3": young,
            "plaetze_3_5": _places(older, KITA + 3),
            "betreute_3_5": older,
        }
    )


def _places(children: pd.Series, feed: int) -> pd.Series:
    """Places where the Kitas stand: some Sozialräume serve their neighbours; 97 % are taken in the Kommune."""
    rng = np.random.Generator(np.random.PCG64([int(str(children.index[0])[:8]), feed]))
    known = ~children.index.str.endswith("-00")
    weight = np.where(known, children.to_numpy() * rng.choice([0.0, 0.7, 1.0, 1.4], len(children)), 0.0)
    weight = weight if weight.sum() else known.astype(float)
    return pd.Series((children.sum() / 0.97 * weight / weight.sum()).round(), index=children.index)


def _kita(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    table = with_totals([_kita_counts(table, year) for table in tables])
    # Places are no persons: nothing to blank.
    mask = suppressed(table) & ~table.columns.str.startswith("plaetze")
    young, older = "Kinder unter 3 Jahren", "Kinder von 3 Jahren bis zum Schuleintritt"
    content = workbook(
        "Kindertagesbetreuung",
        [
            "Plätze und betreute Kinder in Kindertagesstätten und Kindertagespflege",
            f"Rheinisch-Bergischer Kreis; {DEMO_LABEL}",
            f"Stichtag: 01.03.{year}",
        ],
        [
            ["Schlüssel", "Gebiet", young, young, older, older],
            ["", "", "Plätze", "betreute Kinder", "Plätze", "betreute Kinder"],
        ],
        area_rows(table, sheet_cells(table, mask)),
        [BLANKED, "Plätze nach dem Ort der Einrichtung, Kinder nach dem Wohnort"],
    )
    yield File("kreis", f"kita_{year}.xlsx", content)


# --- hilfen_zur_erziehung -----------------------------------------------------------------------------------------


def _hilfen(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    kinds = {"hilfen_ambulant": (0.57, 0.1), "hilfen_teilstationaer": (0.08, 0.0), "hilfen_stationaer": (0.35, 0.0)}
    counted = []
    for basis in tables:
        total = basis.assign(hilfen=draw(basis, "u21", course(year, 0.026, 0.031), 2.2, year, HILFEN))
        counted.append(total[["hilfen"]].join(split(total, "hilfen", kinds, year, HILFEN + 1)))
    table = with_totals(counted)
    cells = count_cells(table, suppressed(table, [tuple(table.columns)]))
    header = ["Stichtag", "Schlüssel", "Gebiet", "Hilfen insgesamt", "ambulant", "teilstationär", "stationär"]
    rows = area_rows(table, cells, f"31.12.{year}")
    yield File("kreis", f"hilfen_zur_erziehung_{year}.csv", csv_file(header, rows))


# --- schuluebergaenge ---------------------------------------------------------------------------------------------


def _schuluebergaenge(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    schools = {
        "gymnasium": (course(year, 0.45, 0.46), -0.9),
        "gesamtschule": (course(year, 0.235, 0.27), 0.4),
        "realschule": (course(year, 0.21, 0.18), 0.5),
        "hauptschule": (course(year, 0.025, 0.012), 1.6),
        "sekundarschule": (0.035, 0.6),
        "sonstige": (course(year, 0.045, 0.043), 0.0),
    }
    counted = []
    for basis in tables:
        total = basis.assign(uebergaenge=draw(basis, "a9", 0.97, 0.0, year, UEBERGANG))
        counted.append(total[["uebergaenge"]].join(split(total, "uebergaenge", schools, year, UEBERGANG + 1)))
    table = kommune_totals(counted)
    mask = suppressed(table, [tuple(table.columns)])
    titles = ["Insgesamt", "Gymnasium", "Gesamtschule", "Realschule", "Hauptschule", "Sekundarschule"]
    content = workbook(
        "Übergänge",
        [
            f"Übergänge aus der Klasse 4 in die Klasse 5 zum Schuljahr {year}/{(year + 1) % 100:02d}",
            f"nach dem Ort der Grundschule; {DEMO_LABEL}",
            f"Stichtag: 15.10.{year}",
        ],
        [
            ["Schlüssel", "Kommune", *["Übergänge aus Klasse 4"] * 7],
            ["", "", *titles, "sonstige Schulen"],
        ],
        area_rows(table, sheet_cells(table, mask)),
        [BLANKED, "sonstige Schulen: Förderschulen, Waldorfschulen, Schulen außerhalb des Landes"],
    )
    yield File("schulamt", f"schuluebergaenge_{year}.xlsx", content)


# --- schulabschluesse ---------------------------------------------------------------------------------------------

_DEGREES = {
    "ohne Hauptschulabschluss": "ohne",
    "mit Hauptschulabschluss": "haupt",
    "mit Mittlerem Abschluss": "mittel",
    "dar. schulischer Teil der Fachhochschulreife": "teil",
    "mit Fachhochschulreife": "fhr",
    "mit allgemeiner Hochschulreife": "abitur",
}


def _leavers(basis: pd.DataFrame, year: int) -> pd.DataFrame:
    """Leavers by certificate, and of each the girls (`…_w`) and the boys (`…_m`)."""
    kinds = {
        "ohne": (course(year, 0.038, 0.048), 1.5),
        "haupt": (course(year, 0.115, 0.125), 1.0),
        "mittel": (0.39, 0.2),
        "abitur": (course(year, 0.457, 0.437), -0.6),
    }
    total = basis.assign(insgesamt=draw(basis, "a16", 0.98, 0.0, year, ABSCHLUSS))
    counts = split(total, "insgesamt", kinds, year, ABSCHLUSS + 1)
    # The county's schools award no full Fachhochschulreife; its school part leads to a vocational one.
    counts["fhr"] = 0
    counts["teil"] = draw(counts.assign(deprivation=basis.deprivation), "mittel", 0.05, 0.0, year, ABSCHLUSS + 6)
    girls = {"ohne": 0.42, "haupt": 0.43, "mittel": 0.46, "teil": 0.4, "fhr": 0.5, "abitur": 0.55}
    for number, (kind, share) in enumerate(girls.items()):
        of = counts[[kind]].assign(deprivation=basis.deprivation)
        counts[f"{kind}_w"] = draw(of, kind, share, 0.0, year, ABSCHLUSS + 20 + number)
    counts["insgesamt"] = total["insgesamt"]
    counts["insgesamt_w"] = counts[["ohne_w", "haupt_w", "mittel_w", "abitur_w"]].sum(axis=1)
    for kind in [*girls, "insgesamt"]:
        counts[f"{kind}_m"] = counts[kind] - counts[f"{kind}_w"]
    return counts


def _schulabschluesse(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """GENESIS `datencsv` in the layout of 21111-02-06-4, with rows of the Kommunen; secret values are dots."""
    table = kommune_totals([_leavers(basis, year) for basis in tables])
    order = ["insgesamt", *_DEGREES.values()]
    ways = ("ohne", "haupt", "mittel", "abitur")
    sums = [("insgesamt", *ways), ("insgesamt_w", *(f"{kind}_w" for kind in ways))]
    # Boys are not printed, but follow from both columns.
    mask = suppressed(table, [*sums, *((kind, f"{kind}_w", f"{kind}_m") for kind in order)])
    values = [name for kind in order for name in (kind, f"{kind}_w")]
    pad = ";" * (len(values) + 2)
    titles = (
        "Allgemeinbildende Schulen: Absolventen/Abgänger",
        "nach dem Schulabschluss - Schuljahr -",
        "regionale Tiefe: Kreise und Gemeinden (synthetische Demodaten)",
        "Statistik der allgemein bildenden Schulen",
        "Absolventen/Abgänger (Anzahl)",
    )
    lines = ["GENESIS-Tabelle: 21111-02-06-5", *(f"{title}{pad}" for title in titles)]
    lines.append(";;;" + ";".join(["Schulabschluss"] * len(values)))
    lines.append(";;;" + ";".join(name for title in ["Insgesamt", *_DEGREES] for name in (title, title)))
    lines.append(";;;" + ";".join(["Insgesamt", "weiblich"] * len(order)))
    for region, name in zip(table.index, region_names(table.index), strict=True):
        counted = zip(table.loc[region, values], mask.loc[region, values], strict=True)
        cells = ["." if hidden else str(count) if count else "-" for count, hidden in counted]
        indent = " " * (6 if len(str(region)) == 5 else 8)
        lines.append(";".join([str(year), str(region), indent + name, *cells]))
    lines += [
        "__________",
        '"zu ""gesamte Tabelle"":',
        f'{DEMO_LABEL}."',
        '"Aufbau nach Tabelle 21111-02-06-4 der Statistischen Ämter des Bundes und der Länder;',
        'keine amtlichen Ergebnisse."',
        f"Stand: 15.06.{year + 1} / 10:00:00",
    ]
    yield File("it-nrw", f"schulabschluesse_{year}.csv", ("\n".join(lines) + "\n").encode("cp1252"))


FEEDS = {
    "kita": DemoFeed(YEARS, _kita),
    "hilfen_zur_erziehung": DemoFeed(YEARS, _hilfen),
    "schuluebergaenge": DemoFeed(YEARS, _schuluebergaenge),
    "schulabschluesse": DemoFeed(YEARS, _schulabschluesse),
}
