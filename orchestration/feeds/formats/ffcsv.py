"""GENESIS flat files (`ffcsv`): bytes → cells as text, one column per value and combination of categories.

Two layouts. Until 2024 (still written by the Regionalstatistik and the Landesdatenbank) one column per value:

    Statistik_Code;…;Zeit;1_Merkmal_Code;1_Merkmal_Label;1_Auspraegung_Code;1_Auspraegung_Label;…;BEVSTD__Bevoelkerungsstand__Anzahl

Since 2024 one row per value:

    statistics_code;…;time;1_variable_code;…;1_variable_attribute_code;1_variable_attribute_label;…;value;value_unit;
    value_variable_code;value_variable_label;value_q

The first variable is the area. A declared header addresses a value by what is counted and by the categories of the
further variables in the order of the file, each by its code or by its label:
`BEVSTD / männlich / unter 3 Jahre`, `Personen / GESM / ALT000B03`, or `PRS018` alone where there are no categories;
a path is written whole.
A category without a label is the total: `Insgesamt`. Where one value comes in several units, the unit is the last
part: `Personen / Insgesamt / %`. The columns Stichtag, Schlüssel and Gebiet are there in both layouts; an area key of
twelve digits (with the Gemeindeverband) becomes the AGS of eight. `value_q` (quality) is not needed: the symbols
stand in `value` itself.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed, fold
from orchestration.feeds.finding import Finding, structural
from orchestration.feeds.formats import delimited
from orchestration.feeds.formats.headers import SEPARATOR, tidy
from orchestration.feeds.formats.long import pivoted
from orchestration.sql import single_threaded

LEAD = ["Stichtag", "Schlüssel", "Gebiet"]
OLD = {"time": "zeit", "code": "{}_auspraegung_code", "label": "{}_auspraegung_label"}
NEW = {"time": "time", "code": "{}_variable_attribute_code", "label": "{}_variable_attribute_label"}


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells with the leading columns Stichtag, Schlüssel, Gebiet, whichever layout the file has."""
    flat = delimited.read(data, feed, deliverer)
    if flat.is_broken:
        return flat
    columns = {header.strip().lower(): column for header, column in zip(flat.headers, flat.columns, strict=True)}
    layout = NEW if "value" in columns else OLD
    values = _values(flat, columns, layout)
    needed = [layout["time"], layout["code"].format(1), layout["label"].format(1)]
    if not values or any(name not in columns for name in needed):
        return Cells(findings=[_not_flat()])
    long = pa.concat_tables([_long(columns, layout, *value, flat.zeile) for value in values])
    cells = pivoted(_with_headers(long, _declared(feed)), LEAD)
    cells.findings = flat.findings + cells.findings
    return cells


Value = tuple[pa.Array, pa.Array, pa.Array, pa.Array]


def _values(flat: Cells, columns: dict[str, pa.Array], layout: dict[str, str]) -> list[Value]:
    """Per value column: cells, code, label, unit of every row."""
    n = len(flat.zeile)
    if layout is NEW:
        names = ("value", "value_variable_code", "value_variable_label", "value_unit")
        return [tuple(columns[name] for name in names)] if all(name in columns for name in names) else []
    found: list[Value] = []
    for header, column in zip(flat.headers, flat.columns, strict=True):
        parts = header.strip().split("__")
        if len(parts) >= 3 and parts[-1].lower() != "q":
            told = parts[0], "__".join(parts[1:-1]).replace("_", " "), parts[-1].replace("_", " ")
            found.append((column, *(pa.repeat(pa.scalar(part, pa.string()), n) for part in told)))
    return found


def _long(
    columns: dict[str, pa.Array],
    layout: dict[str, str],
    value: pa.Array,
    code: pa.Array,
    label: pa.Array,
    unit: pa.Array,
    zeile: pa.Array,
) -> pa.Table:
    """One row per value: LEAD, wert, zeile, what is counted, and code and label of each category."""
    table = {
        "Stichtag": columns[layout["time"]],
        "Schlüssel": _area(columns[layout["code"].format(1)]),
        "Gebiet": columns[layout["label"].format(1)],
        "wert": value,
        "zeile": zeile,
        "code": code,
        "label": label,
        "unit": unit,
    }
    number = 2
    while {layout["code"].format(number), layout["label"].format(number)} <= columns.keys():
        table[f"code{number}"] = columns[layout["code"].format(number)]
        table[f"label{number}"] = columns[layout["label"].format(number)]
        number += 1
    return pa.table(table)


def _area(codes: pa.Array) -> pa.Array:
    """`053780008008` (with the Gemeindeverband between) → `05378008`."""
    return pc.replace_substring_regex(codes, r"^(\d{5})\d{4}(\d{3})$", r"\1\2")


def _with_headers(long: pa.Table, declared: list[tuple[str, ...]]) -> pa.Table:
    """Adds `header`. The few distinct combinations of categories are named in Python, the rows joined in DuckDB."""
    parts = [name for name in long.column_names if re.fullmatch(r"(code|label)\d*|unit", name)]
    quoted = ", ".join(parts)
    with single_threaded() as connection:
        connection.register("long", long)
        told = connection.execute(f"select distinct {quoted} from long").to_arrow_table()
        rows = told.to_pylist()
        units: dict[str, set[str]] = {}
        for row in rows:
            units.setdefault(row["code"], set()).add(row["unit"])
        headers = [_header(row, len(units[row["code"]]) > 1, declared) for row in rows]
        connection.register("told", told.append_column("header", pa.array(headers, pa.string())))
        same = " and ".join(f"long.{part} = told.{part}" for part in parts)
        lead = ", ".join(f'"{name}"' for name in LEAD)
        return connection.execute(
            f"select {lead}, header, wert, zeile from long join told on {same} order by zeile, header"
        ).to_arrow_table()


def _header(row: dict[str, str], with_unit: bool, declared: list[tuple[str, ...]]) -> str:
    """The spelling (each part by label or by code) that is declared, else the labels."""
    numbers = sorted(int(name[4:]) for name in row if re.fullmatch(r"code\d+", name))
    pairs = [(row["label"], row["code"])] + [(row[f"label{n}"] or "Insgesamt", row[f"code{n}"]) for n in numbers]
    options = [{fold(part): tidy(part) for part in (code, label) if part.strip()} or {"": ""} for label, code in pairs]
    labels = [tidy(label) for label, _ in pairs]
    if with_unit:
        options.append({fold(row["unit"]): tidy(row["unit"])})
        labels.append(tidy(row["unit"]))
    for path in declared:
        if len(path) == len(options) and all(part in option for part, option in zip(path, options, strict=True)):
            return SEPARATOR.join(option[part] for part, option in zip(path, options, strict=True))
    return SEPARATOR.join(labels)


def _declared(feed: Feed) -> list[tuple[str, ...]]:
    """The paths of declared headers, folded."""
    headers = [header for column in feed.columns for header in column.headers]
    return [tuple(fold(part) for part in header.split(SEPARATOR)) for header in headers]


def _not_flat() -> Finding:
    return structural(
        "format_is_ffcsv",
        "Die Datei ist keine GENESIS-Flachdatei (ffcsv)",
        "die Spalten Zeit, 1_Auspraegung_Code und Werte (oder time, 1_variable_attribute_code und value)",
        "Bitte die Tabelle als „Flat CSV“ abrufen und unverändert liefern",
    )
