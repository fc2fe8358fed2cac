"""Demo feeds of the theme Wohnen: dwellings (GENESIS), subsidised flats, rents."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from demo.files import KREIS, DemoFeed, File
from demo.reference import dwellings_2010

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


FEEDS = {
    "wohnungen": DemoFeed(YEARS, write_wohnungen, count=None),
}
