"""Demo feeds of the theme Einkommen und Transferleistungen: SGB II (counts, addresses), SGB XII, Wohngeld, AsylbLG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from io import BytesIO

import pandas as pd
import xlsxwriter  # type: ignore[import-untyped]

from demo import benefits
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

YEARS = tuple(range(2015, 2024))
# The make-up of a count differs less from place to place than the count itself.
_PARTS = 0.3

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


# --- sgb2_anschriften: Jobcenter, CSV out of its own files; goes to the abgeschottete Statistikstelle only ------------


def write_sgb2_anschriften(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One CSV over all Kommunen. Nothing is blanked; streets and house numbers are not spelled as in the registers."""
    table = pd.concat(tables, ignore_index=True).sort_values(["ags", "strasse", "hausnummer"], kind="stable")
    table = table.assign(
        stichtag=f"31.12.{year}",
        strasse=table.strasse.str.replace(r"straße$", "str.", regex=True),
        hausnummer=table.hausnummer.str.replace(r"(?<=\d)(?=[a-z])", " ", regex=True).str.upper(),
    )
    header = ["Stichtag", "Gemeindeschlüssel", "Str.", "Hausnr.", "Personen in BG"]
    rows = table[["stichtag", "ags", "strasse", "hausnummer", "personen"]].to_numpy().tolist()
    yield File("jobcenter", f"sgb2_anschriften_{year}.csv", csv_file(header, rows))


# --- sgb12: the Kreis, workbook with stacked header --------------------------------------------------------------

_SGB12_SUMS = [
    ("empfaenger", "alter", "erwerbsminderung"),
    ("alter", "alter_frauen", "alter_maenner"),
]


def basic_security(table: pd.DataFrame, year: int) -> pd.DataFrame:
    """Recipients of Grundsicherung (SGB XII) of one Kommune: about 3 % of the residents of 65 and more, rising."""
    since = year - 2015
    # 2022: refugees from Ukraine above the age limit.
    old = draw(table, "a65_plus", 0.026 + 0.0006 * since + (0.005 if year >= 2022 else 0.0), 2.2, year, 120)
    of = table.assign(old=old)
    women = draw(of, "old", 0.56, 0.0, year, 121, spread=_PARTS)
    disabled = draw(table, "a18_64", 0.0090 + 0.0001 * since, 1.3, year, 123)
    return pd.DataFrame(
        {
            "empfaenger": old + disabled,
            "alter": old,
            "alter_frauen": women,
            "alter_maenner": old - women,
            "alter_80_plus": draw(of, "old", 0.21, 0.0, year, 122, spread=_PARTS),
            "erwerbsminderung": disabled,
        }
    )


def write_sgb12(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """A workbook with titles, three stacked header rows and footnotes."""
    table = with_totals([basic_security(counts, year) for counts in tables])
    whole = "Empfängerinnen und Empfänger von Grundsicherung"
    headers = [
        ["Schlüssel", "Gebiet", *[whole] * 6],
        ["", "", "Insgesamt", *["im Alter"] * 4, "bei Erwerbsminderung"],
        ["", "", "", "zusammen", "Frauen", "Männer", "darunter 80 Jahre und älter", ""],
    ]
    content = workbook(
        "Grundsicherung",
        [
            "Empfängerinnen und Empfänger von Grundsicherung im Alter und bei Erwerbsminderung (SGB XII, 4. Kapitel)",
            f"Rheinisch-Bergischer Kreis nach Kommunen und Sozialräumen; {DEMO_LABEL}",
            f"Stichtag: 31.12.{year}",
        ],
        headers,
        area_rows(table, sheet_cells(table, suppressed(table, _SGB12_SUMS))),
        [
            "* Werte kleiner 3 und Werte, aus denen sich solche errechnen ließen, sind gesperrt.",
            "Im Alter: ab Erreichen der Altersgrenze nach § 41 Abs. 2 SGB XII.",
            DEMO_LABEL,
        ],
    )
    yield File("kreis", f"sgb12_{year}.xlsx", content)


# --- wohngeld: the Kreis for its Wohngeldstellen, CSV ------------------------------------------------------------

# Share of households: the reforms of 2016 and 2020, Wohngeld-Plus in 2023.
_WOHNGELD = {
    2015: 0.0105, 2016: 0.0125, 2017: 0.0118, 2018: 0.0110, 2019: 0.0104, 2020: 0.0126, 2021: 0.0124, 2022: 0.0130,
    2023: 0.0262,
}  # fmt: skip
_WOHNGELD_SUMS = [("haushalte", "mietzuschuss", "lastenzuschuss")]


def housing_benefit(table: pd.DataFrame, year: int) -> pd.DataFrame:
    """Households with Wohngeld of one Kommune; tenants and owners add up, the other columns overlap."""
    whole = draw(table, "haushalte", _WOHNGELD[year], 1.8, year, 124)
    of = table.assign(whole=whole)
    owners = draw(of, "whole", 0.085, -0.8, year, 125, spread=_PARTS)
    return pd.DataFrame(
        {
            "haushalte": whole,
            "mietzuschuss": whole - owners,
            "lastenzuschuss": owners,
            "mit_kindern": draw(of, "whole", 0.40 if year < 2023 else 0.36, 0.2, year, 126, spread=_PARTS),
            "rentner": draw(of, "whole", 0.44 if year < 2023 else 0.47, -0.2, year, 127, spread=_PARTS),
        }
    )


def write_wohngeld(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One CSV over all Kommunen."""
    table = with_totals([housing_benefit(counts, year) for counts in tables])
    rows = area_rows(table, count_cells(table, suppressed(table, _WOHNGELD_SUMS)), f"31.12.{year}")
    header = [
        "Stichtag", "Schlüssel", "Gebiet", "Wohngeldhaushalte", "davon Mietzuschuss", "davon Lastenzuschuss",
        "darunter mit Kindern", "darunter Rentnerhaushalte",
    ]  # fmt: skip
    yield File("kreis", f"wohngeld_{year}.csv", csv_file(header, rows))


# --- asylblg: the Kreis for the Sozialämter, tab-delimited, Kommunen only ------------------------------------------

# Share of the residents without German nationality.
_ASYLBLG = {
    2015: 0.150, 2016: 0.105, 2017: 0.072, 2018: 0.061, 2019: 0.053, 2020: 0.047, 2021: 0.045, 2022: 0.049, 2023: 0.055,
}  # fmt: skip


def asylum_benefit(table: pd.DataFrame, year: int) -> pd.DataFrame:
    """Persons with benefits under the Asylbewerberleistungsgesetz of one Kommune; women and men add up."""
    whole = draw(table, "auslaender", _ASYLBLG[year], 0.3, year, 128)
    of = table.assign(whole=whole)
    women = draw(of, "whole", 0.36, 0.0, year, 129, spread=_PARTS)
    return pd.DataFrame(
        {
            "personen": whole,
            "maenner": whole - women,
            "frauen": women,
            "u18": draw(of, "whole", 0.31, 0.0, year, 130, spread=_PARTS),
            "analogleistungen": draw(
                of, "whole", min(0.15 + 0.03 * (year - 2015), 0.30), 0.0, year, 131, spread=_PARTS
            ),
        }
    )


_BY_BEZIRK_SINCE = 2019


def _bezirk(sozialraum: str) -> str:
    """The Bezirk of seeds/bezirke.csv in which a Sozialraum of Bergisch Gladbach is counted; it may be cut there."""
    number = int(sozialraum[-2:])
    return f"{sozialraum[:8]}-B{1 if number == 1 else 2 if 2 <= number <= 6 else 3 + number % 2}"


def write_asylblg(year: int, tables: list[pd.DataFrame]) -> Iterable[File]:
    """One tab-delimited text over all Kommunen; Bergisch Gladbach since 2019 by its statistische Bezirke."""
    counted = [asylum_benefit(counts, year) for counts in tables]
    table = kommune_totals(counted)
    if year >= _BY_BEZIRK_SINCE:
        [city] = [counts for counts in counted if counts.index[0].startswith("05378004")]
        table = pd.concat([table.drop("05378004"), city.groupby(_bezirk).sum()])
    mask = suppressed(table, [("personen", "maenner", "frauen")])
    rows = area_rows(table, count_cells(table, mask), f"31.12.{year}")
    header = [
        "Stichtag", "Schlüssel", "Gebiet", "Leistungsberechtigte", "männlich", "weiblich", "unter 18 Jahre",
        "Analogleistungen (§ 2)",
    ]  # fmt: skip
    yield File("kreis", f"asylblg_{year}.csv", csv_file(header, rows, delimiter="\t", encoding="utf-8-sig"))


FEEDS = {
    "sgb2": DemoFeed(YEARS, write_sgb2, benefits.by_sozialraum),
    "sgb2_anschriften": DemoFeed(YEARS, write_sgb2_anschriften, benefits.by_address),
    "sgb12": DemoFeed(YEARS, write_sgb12),
    "wohngeld": DemoFeed(YEARS, write_wohngeld),
    "asylblg": DemoFeed(YEARS, write_asylblg),
}
