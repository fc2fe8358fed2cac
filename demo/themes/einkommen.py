"""Demo feeds of the theme Einkommen und Transferleistungen: SGB II, SGB XII, Wohngeld, AsylbLG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from io import BytesIO

import pandas as pd
import xlsxwriter  # type: ignore[import-untyped]

from demo import benefits
from demo.basis import with_totals
from demo.files import DEMO_LABEL, DemoFeed, File, region_names, suppressed

YEARS = tuple(range(2015, 2024))

# --- sgb2: Jobcenter, XLSX in the manner of the Bundesagentur für Arbeit ------------------------------------------

# Within a row: the first is the sum of the others, so that one blank could be worked out.
SGB2_SUMS = [
    ("personen", "personen_u3", "personen_3_5", "personen_6_14", "personen_15_24", "personen_25_54",
     "personen_55_plus"),
    ("personen_u15", "personen_u3", "personen_3_5", "personen_6_14"),
]  # fmt: skip


def _sgb2_workbook(year: int, table: pd.DataFrame) -> bytes:
    """The Jobcenter's table: four title rows, three stacked header rows with merged cells, rows, footnotes.

    `table` has the ten count columns in file order.
    """
    names, blank = region_names(table.index), suppressed(table, SGB2_SUMS)
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer)
    book.set_properties({"title": f"SGB II {year}", "comments": DEMO_LABEL, "created": dt.datetime(2024, 1, 1)})
    sheet = book.add_worksheet("Tabelle 1")
    bold = book.add_format({"bold": True})
    head = book.add_format({"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True})
    number, right = book.add_format({"num_format": "#,##0"}), book.add_format({"align": "right"})
    sheet.set_column(0, 0, 13)
    sheet.set_column(1, 1, 30)
    for row, title in enumerate(
        (
            "Personen in Bedarfsgemeinschaften nach Alter und Bedarfsgemeinschaften",
            f"Rheinisch-Bergischer Kreis nach Kommunen und Sozialräumen; {DEMO_LABEL}",
            f"Stichtag: 31.12.{year}",
            f"Berichtsmonat: Dezember {year}",
        )
    ):
        sheet.write_string(row, 0, title, bold)
    sheet.merge_range(5, 0, 7, 0, "Schlüssel", head)
    sheet.merge_range(5, 1, 7, 1, "Gebiet", head)
    sheet.merge_range(5, 2, 5, 9, "Personen in Bedarfsgemeinschaften", head)
    sheet.merge_range(6, 2, 7, 2, "Insgesamt", head)
    sheet.merge_range(6, 3, 6, 8, "davon im Alter von … Jahren", head)
    ages = (
        "unter 3",
        "3 bis unter 6",
        "6 bis unter 15",
        "15 bis unter 25",
        "25 bis unter 55",
        "55 und älter",
    )
    for i, age in enumerate(ages):
        sheet.write_string(7, 3 + i, age, head)
    sheet.merge_range(6, 9, 7, 9, "darunter unter 15", head)
    sheet.merge_range(5, 10, 5, 11, "Bedarfsgemeinschaften", head)
    sheet.merge_range(6, 10, 7, 10, "Insgesamt", head)
    sheet.merge_range(6, 11, 7, 11, "darunter Alleinerziehende", head)
    row = 8
    for region, name, counts, hidden in zip(table.index, names, table.to_numpy(), blank.to_numpy(), strict=True):
        sheet.write_string(row, 0, str(region))
        sheet.write_string(row, 1, name)
        for j, (count, is_hidden) in enumerate(zip(counts, hidden, strict=True)):
            if is_hidden:
                sheet.write_string(row, 2 + j, "* ", right)
            elif count == 0:
                sheet.write_string(row, 2 + j, "-", right)
            else:
                sheet.write_number(row, 2 + j, int(count), number)
        row += 1
    for note in (
        "* Zahlenwerte kleiner 3 und Werte, aus denen sich solche errechnen ließen, werden nicht ausgewiesen.",
        f"Erstellungsdatum: 15.04.{year + 1}; {DEMO_LABEL}",
        "© Statistik der Bundesagentur für Arbeit (Aufbau nachgebildet, Zahlen erfunden)",
    ):
        row += 1
        sheet.write_string(row, 0, note)
    book.close()
    return buffer.getvalue()


def write_sgb2(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One workbook over all Kommunen."""
    table = with_totals([counts[benefits.SGB2_COLUMNS] for counts in tables])
    yield File("jobcenter", f"sgb2_{year}.xlsx", _sgb2_workbook(year, table))


FEEDS = {
    "sgb2": DemoFeed(YEARS, write_sgb2, benefits.by_sozialraum),
}
