"""Partizipation und Teilhabe: clubs and volunteers (even years), Eingliederungshilfe. All counts are invented."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from demo.basis import draw, kommune_totals
from demo.files import DEMO_LABEL, DemoFeed, File, area_rows, count_cells, csv_file, sheet_cells, suppressed, workbook
from demo.themes.common import BLANKED, course

VEREINE, EINGLIEDERUNG = 410, 430
_KINDS = {
    "besondere Wohnform": (0.17, 0.15),
    "ambulant betreutes Wohnen": (0.33, 0.39),
    "Werkstatt für behinderte Menschen": (0.27, 0.24),
    "Schulbegleitung": (0.11, 0.17),
}


def _clubs(basis: pd.DataFrame, year: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "vereine": draw(basis, "einwohner", course(year, 0.0036, 0.0034), -0.3, year, VEREINE),
            "mitgliedschaften": draw(basis, "einwohner", course(year, 0.43, 0.39), -0.4, year, VEREINE + 1),
            "ehrenamtskarten": draw(basis, "einwohner", course(year, 0.0013, 0.0041), -0.3, year, VEREINE + 2),
        }
    )


def _vereine(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    table = kommune_totals([_clubs(basis, year) for basis in tables])
    content = workbook(
        "Vereine",
        [f"Vereine und Ehrenamt; {DEMO_LABEL}", f"Stichtag: 31.12.{year}"],
        [
            ["Schlüssel", "Kommune", "Vereine", "Vereine", "Ehrenamt"],
            ["", "", "Anzahl", "Mitgliedschaften", "gültige Ehrenamtskarten"],
        ],
        area_rows(table, sheet_cells(table, suppressed(table))),
        [BLANKED, "Mitgliedschaften: wer in zwei Vereinen ist, zählt zweimal"],
    )
    yield File("kreis", f"vereine_ehrenamt_{year}.xlsx", content)


def _persons(basis: pd.DataFrame, year: int) -> pd.DataFrame:
    table = basis.assign(personen=draw(basis, "einwohner", course(year, 0.0092, 0.0112), 0.8, year, EINGLIEDERUNG))
    kinds = {
        name: draw(table, "personen", course(year, *shares), 0.0, year, EINGLIEDERUNG + 1 + number)
        for number, (name, shares) in enumerate(_KINDS.items())
    }
    # Whoever has none of these kinds has another one, and some have one beside.
    without = (table["personen"] - sum(kinds.values())).clip(lower=0)
    more = draw(table, "personen", 0.12, 0.0, year, EINGLIEDERUNG + 9)
    other = (without + more).clip(upper=table["personen"])
    return pd.DataFrame({"Personen insgesamt": table["personen"], **kinds, "sonstige Leistungen": other})


def _eingliederungshilfe(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    table = kommune_totals([_persons(basis, year) for basis in tables])
    header = ["Stichtag", "Schlüssel", "Kommune", *table.columns]
    rows = area_rows(table, count_cells(table, suppressed(table)), f"31.12.{year}")
    yield File("kreis", f"eingliederungshilfe_{year}.csv", csv_file(header, rows))


FEEDS = {
    "vereine_ehrenamt": DemoFeed((2016, 2018, 2020, 2022), _vereine),
    "eingliederungshilfe": DemoFeed(tuple(range(2015, 2024)), _eingliederungshilfe),
}
