"""Demo feeds of the theme Wohnen: dwellings (GENESIS), subsidised flats (per Kommune and by building), rents."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from demo.files import DEMO_LABEL, KREIS, Cell, DemoFeed, File, area_rows, count_cells, csv_file, workbook
from demo.geography import addresses
from demo.reference import dwellings_2010, kommunen

YEARS = tuple(range(2015, 2024))

# --- wohnungen: IT.NRW, GENESIS 31231-01-02-5 ---------------------------------------------------------------------

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


def _wohnungen(year: int) -> bytes:
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
    return ("\n".join(lines) + "\n").encode("cp1252")


def write_wohnungen(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """The dwelling stock; nothing of it is drawn from the residents."""
    yield File("it-nrw", f"wohnungen_{year}.csv", _wohnungen(year))


# --- sozialwohnungen: the Kreis as Wohnraumförderungsstelle, CSV, Kommunen only -------------------------------------

# Invented: share of subsidised flats in the dwelling stock of 2015, and flats newly bound per year.
_SUBSIDISED_2015 = {
    "05378004": 0.058, "05378008": 0.041, "05378012": 0.012, "05378016": 0.034,
    "05378020": 0.011, "05378024": 0.027, "05378028": 0.036, "05378032": 0.044,
}  # fmt: skip
_NEW_FLATS = {
    "05378004": (46, 12, 0, 38, 64, 20), "05378008": (0, 12, 0, 0), "05378012": (0, 0, 8), "05378016": (0, 24, 0, 16),
    "05378020": (0, 0, 0, 12), "05378024": (10, 0, 0), "05378028": (0, 18, 0, 30), "05378032": (14, 0, 0, 22),
}  # fmt: skip


def subsidised_flats(year: int) -> pd.DataFrame:
    """Flats with rent and occupancy control on 31 December: 4 % of the old stock leave control each year, some come."""
    columns = ["bestand", "seniorenwohnungen", "auslaufend_10_jahre"]
    rows = {}
    for area, share in _SUBSIDISED_2015.items():
        new = _NEW_FLATS[area]
        stock = share * dwelling_stock(2015).wohnungen[area]
        for later in range(2016, year + 1):
            stock = stock * 0.96 + new[later % len(new)]
        senior = round(stock * (0.17 + 0.004 * (year - 2015)))
        rows[area] = [round(stock), senior, round(stock * (1 - 0.96**10) * 1.05)]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return pd.concat([pd.DataFrame([table.sum()], index=[KREIS]), table]).rename_axis("gebiet")


def write_sozialwohnungen(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One CSV; flats are no persons, nothing is blanked."""
    table = subsidised_flats(year)
    header = [
        "Stichtag", "Schlüssel", "Gebiet", "Preisgebundene Wohnungen", "darunter Seniorenwohnungen",
        "Bindung endet innerhalb von 10 Jahren",
    ]  # fmt: skip
    yield File(
        "kreis",
        f"sozialwohnungen_{year}.csv",
        csv_file(header, area_rows(table, count_cells(table), f"31.12.{year}"), encoding="utf-8"),
    )


# --- sozialwohnungen_anschriften: the same flats by building ----------------------------------------------------------

LISTED = (2021, 2022, 2023)
_FLATS = (4, 24)
"""Subsidised flats in a building: from, up to."""


def flats_by_address(year: int) -> pd.DataFrame:
    """The flats of `subsidised_flats` in always the same buildings; columns ags, strasse, hausnummer and counts."""
    parts = []
    for kommune in kommunen():
        totals = subsidised_flats(year).loc[kommune.area_id]
        places = addresses(kommune.area_id)
        rng = np.random.Generator(np.random.PCG64([750, int(kommune.area_id)]))
        chance = np.where(places.weight > 0, 1 + 3 * (places.weight > 8), 0.0)
        houses = rng.choice(len(chance), size=len(chance) // 8, replace=False, p=chance / chance.sum())
        upto = np.minimum(np.cumsum(rng.integers(*_FLATS, size=len(houses))), totals.bestand)
        # of every total as much by the n-th building as there are flats in the first n
        share = upto / totals.bestand
        table = pd.DataFrame(
            {
                "ags": kommune.area_id,
                "strasse": places.street[houses],
                "hausnummer": places.house_number[houses],
                **{c: np.diff(np.floor(share * totals[c]), prepend=0).astype(int) for c in totals.index},
            }
        )
        parts.append(table[table.bestand > 0])
    return pd.concat(parts, ignore_index=True).sort_values(["ags", "strasse", "hausnummer"], kind="stable")


def write_sozialwohnungen_anschriften(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One CSV; streets as the Wohnraumförderung writes them."""
    table = flats_by_address(year)
    table.insert(0, "stichtag", f"31.12.{year}")
    table["strasse"] = table.strasse.str.replace("straße$", "-Str.", regex=True)
    header = [
        "Stichtag", "Gemeindeschlüssel", "Straße", "Hausnr.", "Preisgebundene Wohnungen", "darunter Seniorenwohnungen",
        "Bindung endet innerhalb von 10 Jahren",
    ]  # fmt: skip
    rows = table.astype(str).to_numpy().tolist()
    yield File("kreis", f"sozialwohnungen_anschriften_{year}.csv", csv_file(header, rows, encoding="utf-8"))


# --- mieten: Gutachterausschuss, workbook, every second year, Kommunen only -----------------------------------------

# Invented: net cold rent in 2015 (€ per m²: existing, new lets) and new lets on offer in a year.
_RENT_2015 = {
    "05378004": (7.35, 8.10, 1180), "05378008": (6.20, 6.75, 160), "05378012": (6.05, 6.50, 74),
    "05378016": (6.80, 7.45, 235), "05378020": (6.95, 7.60, 31), "05378024": (6.35, 6.95, 148),
    "05378028": (7.25, 7.95, 255), "05378032": (6.10, 6.60, 262),
}  # fmt: skip
_TOO_FEW_OFFERS = 30


def rents(year: int) -> pd.DataFrame:
    """Rents in €/m² and the number of offers, which dwindles while rents rise; index gebiet (no Kreis: a mean of means
    says nothing)."""
    since = year - 2015
    rows = {
        area: (existing * 1.017**since, new * 1.038**since, round(offers * 0.955**since))
        for area, (existing, new, offers) in _RENT_2015.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["bestand", "neu", "angebote"]).rename_axis("gebiet")


def write_mieten(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """A workbook; `.` stands for a mean of too few offers."""
    names = {kommune.area_id: kommune.name for kommune in kommunen()}
    rows: list[list[Cell]] = []
    for area, existing, new, offers in rents(year).itertuples():
        mean_of_new = round(new, 2) if offers >= _TOO_FEW_OFFERS else "."
        rows.append([area, names[area], round(existing, 2), mean_of_new, offers])
    mean = "Mittlere Nettokaltmiete in € je m²"
    headers = [
        ["Schlüssel", "Gebiet", mean, mean, "Zahl der Angebote"],
        ["", "", "Bestandsmieten", "Neuvermietung", ""],
    ]
    content = workbook(
        "Mieten",
        [
            "Wohnungsmieten nach Kommunen",
            f"Gutachterausschuss für Grundstückswerte; {DEMO_LABEL}",
            f"Stichtag: 31.12.{year}",
        ],
        headers,
        rows,
        [f". Zahlenwert unbekannt: weniger als {_TOO_FEW_OFFERS} Angebote.", "Alle Zahlen sind erfunden."],
    )
    yield File("gutachterausschuss", f"mieten_{year}.xlsx", content)


FEEDS = {
    "wohnungen": DemoFeed(YEARS, write_wohnungen, count=None),
    "sozialwohnungen": DemoFeed(YEARS, write_sozialwohnungen, count=None),
    "sozialwohnungen_anschriften": DemoFeed(LISTED, write_sozialwohnungen_anschriften, count=None),
    "mieten": DemoFeed(YEARS[::2], write_mieten, count=None),
}
