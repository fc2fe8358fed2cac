"""Demo feeds of the theme Arbeit: the unemployed, and the employed liable to social insurance."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from demo import benefits
from demo.basis import with_totals
from demo.files import DemoFeed, File, area_rows, count_cells, csv_file, suppressed

YEARS = tuple(range(2015, 2024))
ARBEITSLOSE_HEADER = (
    "Stichtag", "Schlüssel", "Gebiet", "Arbeitslose insgesamt", "unter 25 Jahre", "55 Jahre und älter",
    "Langzeitarbeitslose", "Ausländer",
)  # fmt: skip


def write_arbeitslose(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One CSV over all Kommunen."""
    table = with_totals([counts[benefits.UNEMPLOYED_COLUMNS] for counts in tables])
    rows = area_rows(table, count_cells(table, suppressed(table)), f"31.12.{year}")
    yield File("jobcenter", f"arbeitslose_{year}.csv", csv_file(ARBEITSLOSE_HEADER, rows))


FEEDS = {
    "arbeitslose": DemoFeed(YEARS, write_arbeitslose, benefits.by_sozialraum),
}
