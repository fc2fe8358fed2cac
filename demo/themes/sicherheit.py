"""Sicherheit: offences per Kommune in the manner of the Polizeiliche Kriminalstatistik. Counts are invented.

Levels: about 4,500 cases per 100,000 inhabitants, burglaries falling from the peak of 2015, fewer in the pandemic.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from demo.basis import draw, kommune_totals
from demo.files import DEMO_LABEL, Cell, DemoFeed, File, region_names, workbook

FALL = 510
_YEARS = [2015, 2016, 2019, 2020, 2021, 2023]
_CASES = [0.0495, 0.049, 0.0445, 0.042, 0.0405, 0.046]
_BURGLARIES = [0.062, 0.055, 0.032, 0.024, 0.018, 0.026]
_VIOLENCE = [0.026, 0.027, 0.027, 0.026, 0.026, 0.034]


def _cases(basis: pd.DataFrame, year: int) -> pd.DataFrame:
    def level(values: list[float]) -> float:
        return float(np.interp(year, _YEARS, values))

    table = basis.assign(faelle=draw(basis, "einwohner", level(_CASES), 1.1, year, FALL))
    table["einbruch"] = draw(table, "faelle", level(_BURGLARIES), -0.5, year, FALL + 1)
    table["gewalt"] = draw(table, "faelle", level(_VIOLENCE), 0.5, year, FALL + 2)
    table["sachbeschaedigung"] = draw(table, "faelle", 0.125, 0.2, year, FALL + 3)
    table["aufgeklaert"] = draw(table, "faelle", 0.5 + 0.005 * (year - 2015), 0.0, year, FALL + 4)
    return table[["faelle", "einbruch", "gewalt", "sachbeschaedigung", "aufgeklaert"]]


def _straftaten(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    table = kommune_totals([_cases(basis, year) for basis in tables])
    rows: list[list[Cell]] = [
        [str(region), name, *(int(count) for count in counts), round(100 * int(counts[-1]) / int(counts[0]), 1)]
        for region, name, counts in zip(table.index, region_names(table.index), table.to_numpy(), strict=True)
    ]
    recorded, cleared = "Erfasste Fälle", "Aufklärung"
    content = workbook(
        "PKS",
        [
            f"Polizeiliche Kriminalstatistik {year}: Fälle nach Tatort",
            f"Kreispolizeibehörde Rheinisch-Bergischer Kreis; {DEMO_LABEL}",
            f"Stichtag: 31.12.{year}",
        ],
        [
            ["Gemeindeschlüssel", "Tatort", *[recorded] * 4, *[cleared] * 2],
            ["", "", "Straftaten insgesamt", "435*00 Wohnungseinbruchdiebstahl", "892000 Gewaltkriminalität",
             "674000 Sachbeschädigung", "aufgeklärte Fälle", "Aufklärungsquote in %"],
        ],
        rows,
        ["Fälle im Berichtsjahr; Aufbau der Tabelle nachgebildet, Zahlen erfunden"],
    )  # fmt: skip
    yield File("polizei", f"straftaten_{year}.xlsx", content)


FEEDS = {"straftaten": DemoFeed(tuple(range(2015, 2024)), _straftaten)}
