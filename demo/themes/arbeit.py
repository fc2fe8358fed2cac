"""Demo feeds of the theme Arbeit: the unemployed, and the employed liable to social insurance."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from demo import benefits
from demo.basis import draw, kommune_totals, with_totals
from demo.files import DEMO_LABEL, DemoFeed, File, area_rows, count_cells, csv_file, sheet_cells, suppressed, workbook

YEARS = tuple(range(2015, 2024))
# The make-up of a count differs less from place to place than the count itself.
_PARTS = 0.3
ARBEITSLOSE_HEADER = (
    "Stichtag", "Schlüssel", "Gebiet", "Arbeitslose insgesamt", "unter 25 Jahre", "55 Jahre und älter",
    "Langzeitarbeitslose", "Ausländer",
)  # fmt: skip


def write_arbeitslose(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One CSV over all Kommunen."""
    table = with_totals([counts[benefits.UNEMPLOYED_COLUMNS] for counts in tables])
    rows = area_rows(table, count_cells(table, suppressed(table)), f"31.12.{year}")
    yield File("jobcenter", f"arbeitslose_{year}.csv", csv_file(ARBEITSLOSE_HEADER, rows))


# --- beschaeftigte: Statistik der Bundesagentur für Arbeit, Kommunen only ------------------------------------------

# Share of the employed among residents of 15 to 64: a steady rise, a dent in the pandemic.
_EMPLOYED = {
    2015: 0.555, 2016: 0.565, 2017: 0.577, 2018: 0.588, 2019: 0.597, 2020: 0.594, 2021: 0.602, 2022: 0.612, 2023: 0.616,
}  # fmt: skip


def employed(table: pd.DataFrame, year: int) -> pd.DataFrame:
    """Employed persons of one Kommune by Sozialraum; women and men add up, the other columns overlap."""
    since = year - 2015
    whole = draw(table, "a15_64", _EMPLOYED[year], -0.25, year, 110)
    of = table.assign(employed=whole)
    women = draw(of, "employed", 0.470 + 0.001 * since, 0.0, year, 111, spread=_PARTS)
    foreign = 0.075 + 0.0065 * since
    return pd.DataFrame(
        {
            "insgesamt": whole,
            "maenner": whole - women,
            "frauen": women,
            "auslaender": draw(of, "employed", foreign, 1.6, year, 112, spread=_PARTS),
            "u25": draw(of, "employed", 0.098 - 0.0005 * since, 0.1, year, 113, spread=_PARTS),
            "55_plus": draw(of, "employed", 0.190 + 0.0075 * since, -0.1, year, 114, spread=_PARTS),
            "teilzeit": draw(of, "employed", 0.268 + 0.004 * since, 0.0, year, 115, spread=_PARTS),
        }
    )


def write_beschaeftigte(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """A workbook with titles, three stacked header rows and the usual footer."""
    table = kommune_totals([employed(counts, year) for counts in tables])
    whole = "Sozialversicherungspflichtig Beschäftigte am Wohnort"
    headers = [
        ["Schlüssel", "Gebiet", *[whole] * 7],
        ["", "", "Insgesamt", "davon", "davon", "darunter", "darunter", "darunter", "darunter"],
        ["", "", "", "Männer", "Frauen", "Ausländer", "unter 25 Jahre", "55 Jahre und älter", "in Teilzeit"],
    ]
    content = workbook(
        "Beschäftigte",
        [
            "Sozialversicherungspflichtig Beschäftigte am Wohnort nach ausgewählten Merkmalen",
            f"Rheinisch-Bergischer Kreis und seine Gemeinden; {DEMO_LABEL}",
            f"Stichtag: 30.06.{year}",
        ],
        headers,
        area_rows(table, sheet_cells(table, suppressed(table, [("insgesamt", "maenner", "frauen")]))),
        [
            "* Zahlenwerte kleiner 3 und Werte, aus denen sich solche errechnen ließen, werden nicht ausgewiesen.",
            f"Erstellungsdatum: 15.01.{year + 1}; {DEMO_LABEL}",
            "© Statistik der Bundesagentur für Arbeit (Aufbau nachgebildet, Zahlen erfunden)",
        ],
    )
    yield File("ba", f"beschaeftigte_{year}.xlsx", content)


FEEDS = {
    "arbeitslose": DemoFeed(YEARS, write_arbeitslose, benefits.by_sozialraum),
    "beschaeftigte": DemoFeed(YEARS, write_beschaeftigte),
}
