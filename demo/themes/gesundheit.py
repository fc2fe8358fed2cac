"""Gesundheit: examination before school (two years of children together) and the Pflegestatistik, both of odd years.

Levels follow published figures (care recipients of the county: 10,519 in 2015); the rest is invented.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from demo.basis import draw, with_totals
from demo.files import DEMO_LABEL, KREIS, DemoFeed, File, area_rows, count_cells, csv_file, suppressed, workbook
from demo.themes.common import course

YEARS = (2015, 2017, 2019, 2021, 2023)
EINGANG, PFLEGE = 310, 330

# --- schuleingang -------------------------------------------------------------------------------------------------

# Column of the file → (share of the examined 2015, 2023; slope over deprivation).
_FINDINGS = {
    "übergewichtig oder adipös": (0.088, 0.105, 1.0),
    "Befund Sprache": (0.21, 0.27, 0.9),
    "Impfstatus vollständig": (0.91, 0.925, -0.05),
    "U-Heft vollständig": (0.86, 0.88, -0.2),
}
# In 2020 and 2021 the staff of the Gesundheitsamt traced contacts instead.
_EXAMINED = {2021: 0.77}


def _examined(basis: pd.DataFrame, year: int) -> pd.DataFrame:
    table = basis.assign(kinder=draw(basis, "a5_6", _EXAMINED.get(year, 0.975), 0.0, year, EINGANG))
    findings = {
        name: draw(table, "kinder", course(year, first, last), slope, year, EINGANG + 1 + number)
        for number, (name, (first, last, slope)) in enumerate(_FINDINGS.items())
    }
    return pd.DataFrame({"untersuchte Kinder": table["kinder"], **findings})


def _schuleingang(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    table = with_totals([_examined(basis, year) for basis in tables])
    # Who lacks the vaccination is as few and as worthy of protection as who has a finding.
    whole = table["untersuchte Kinder"]
    others = pd.DataFrame({f"ohne {name}": whole - table[name] for name in _FINDINGS})
    pairs = [("untersuchte Kinder", name, f"ohne {name}") for name in _FINDINGS]
    mask = suppressed(table.join(others), pairs)[list(table.columns)]
    header = ["Stichtag", "Schlüssel", "Gebiet", *table.columns]
    rows = area_rows(table, count_cells(table, mask), f"01.08.{year}")
    yield File("gesundheitsamt", f"schuleingang_{year}.csv", csv_file(header, rows))


# --- pflege -------------------------------------------------------------------------------------------------------


# Recipients per person of that age in 2015 and 2023.
_NEED = {"a80_plus": (0.37, 0.445), "a65_79": (0.05, 0.056), "u65": (0.0045, 0.0095)}
_KINDS = ("Insgesamt", "allein durch Angehörige (Pflegegeld)", "ambulante Pflege", "vollstationäre Pflege")
_GRADES = {"1": 0.11, "2": 0.42, "3": 0.29, "4": 0.125, "5": 0.055}


def _recipients(tables: list[pd.DataFrame], year: int) -> list[int | str]:
    """The Kreis's row: total, three kinds of care, five grades (x until 2016, when there were Pflegestufen)."""
    people = pd.concat([table[["einwohner", "a65_plus", "a80_plus"]] for table in tables]).sum()
    ages = {
        "a80_plus": people.a80_plus,
        "a65_79": people.a65_plus - people.a80_plus,
        "u65": people.einwohner - people.a65_plus,
    }
    total = round(sum(course(year, *_NEED[age]) * count for age, count in ages.items()))
    at_home, ambulant = course(year, 0.495, 0.53), course(year, 0.257, 0.215)
    # Pflegegrad 1 alone: neither Pflegegeld nor a service nor a home.
    neither = course(year, 0.02, 0.09) if year >= 2017 else 0.0
    rng = np.random.Generator(np.random.PCG64([year, PFLEGE]))
    kinds = rng.multinomial(total, [at_home, ambulant, 1 - at_home - ambulant - neither, neither])
    grades = rng.multinomial(total, list(_GRADES.values()))
    return [total, *map(int, kinds[:3]), *(map(int, grades) if year >= 2017 else ["x"] * len(_GRADES))]


def _pflege(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    row = [KREIS, "Rheinisch-Bergischer Kreis", *_recipients(tables, year)]
    content = workbook(
        "Pflegestatistik",
        [
            "Pflegebedürftige nach Leistungsart und Pflegegrad",
            f"regionale Tiefe: Kreise und kreisfreie Städte; {DEMO_LABEL}",
            f"Stichtag: 15.12.{year}",
        ],
        [
            ["Schlüssel", "Gebiet", *["Pflegebedürftige"] * 9],
            ["", "", *_KINDS, *(f"Pflegegrad {grade}" for grade in _GRADES)],
        ],
        [row],
        [
            "x = Tabellenfach gesperrt, weil Aussage nicht sinnvoll (bis 2016 Pflegestufen)",
            "Insgesamt: ab 2017 mit Pflegegrad 1, auch wer nur teilstationär oder nach Landesrecht Leistungen erhält",
        ],
    )
    yield File("it-nrw", f"pflege_{year}.xlsx", content)


FEEDS = {
    "schuleingang": DemoFeed(YEARS, _schuleingang),
    "pflege": DemoFeed(YEARS, _pflege),
}
