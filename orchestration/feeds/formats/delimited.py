"""Delimited text (CSV, TSV) with one header line: bytes → cells as text.

Set-based: Arrow parses, no loop over rows. No typing and no rules about values here.
"""

from __future__ import annotations

import csv
import io
import re

import pyarrow as pa
import pyarrow.csv as pa_csv

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed, fold
from orchestration.feeds.encoding import decode
from orchestration.feeds.finding import MAX_ROWS, Finding, structural

DELIMITERS = ";,\t|"
EXCEL_HINT = re.compile(r'"?sep=.?"?', re.IGNORECASE)


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of the file, or the structural findings that prevent reading it."""
    text, findings = decode(data, deliverer.encoding or "utf_8")
    if findings:
        return Cells(findings=findings)
    return read_text(text, feed)


def read_text(text: str, feed: Feed) -> Cells:
    """As `read`, for text that is decoded already."""
    if "\x00" in text:
        return Cells(findings=[binary()])
    if "\n" not in text:
        text = text.replace("\r", "\n")
    findings = [] if text.endswith(("\n", "\r")) else [no_line_end(text)]
    header_line, _, body = text.partition("\n")
    first_line = 2
    while body and (not header_line.strip() or EXCEL_HINT.fullmatch(header_line.strip())):
        header_line, _, body = body.partition("\n")
        first_line += 1
    header_line, body = header_line.rstrip("\r"), body.rstrip("\r\n")
    delimiter = find_delimiter(header_line, feed)
    headers = [header.strip() for header in _fields(header_line, delimiter)]
    if not body or not headers:
        return Cells(headers=headers, columns=[pa.array([], pa.string()) for _ in headers], findings=findings)
    table, wrong = parse(body, delimiter, len(headers), first_line)
    if wrong:
        findings.append(field_count(wrong, len(headers), body.count("\n") + first_line))
        return Cells(findings=findings)
    return Cells(
        headers=headers,
        columns=[column.combine_chunks() for column in table.columns],
        zeile=pa.array(range(first_line, table.num_rows + first_line), pa.int32()),
        findings=findings,
    )


def _fields(line: str, delimiter: str) -> list[str]:
    """The fields of one line; none where it is no line of fields (a bare carriage return, a field without end)."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def find_delimiter(header_line: str, feed: Feed) -> str:
    """The delimiter under which most declared headers are found in the header line."""
    known = {fold(header) for column in feed.columns for header in column.headers}

    def hits(delimiter: str) -> int:
        return sum(fold(cell) in known for cell in _fields(header_line, delimiter))

    return max(DELIMITERS, key=hits)


def parse(body: str, delimiter: str, width: int, first_line: int = 2) -> tuple[pa.Table, list[tuple[int, int]]]:
    """Text columns of the body; (line number in the file, number of fields) of lines with a wrong number of fields.

    The body starts at `first_line` of the file. A line break inside quotes is read as such where that mends the count.
    """
    encoded = body.encode("utf-8")
    table, wrong = _parse(encoded, delimiter, width, newlines=False)
    if wrong and '"' in body:
        with_newlines, still_wrong = _parse(encoded, delimiter, width, newlines=True)
        if not still_wrong:
            return with_newlines, []
    return table, [(number + first_line - 1, fields) for number, fields in wrong]


def _parse(encoded: bytes, delimiter: str, width: int, newlines: bool) -> tuple[pa.Table, list[tuple[int, int]]]:
    wrong: list[tuple[int, int]] = []

    def note(row: pa_csv.InvalidRow) -> str:
        wrong.append((row.number or 0, row.actual_columns))
        return "skip"

    def run(threads: bool) -> pa.Table:
        wrong.clear()
        names = [f"c{i}" for i in range(width)]
        return pa_csv.read_csv(
            io.BytesIO(encoded),
            read_options=pa_csv.ReadOptions(
                column_names=names, use_threads=threads, block_size=max(len(encoded) + 1, 1 << 20)
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter,
                ignore_empty_lines=False,
                newlines_in_values=newlines,
                invalid_row_handler=note,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )

    table = run(threads=True)
    if wrong:
        # Only the serial parser knows line numbers.
        table = run(threads=False)
    return table, wrong


def field_count(wrong: list[tuple[int, int]], width: int, last_line: int) -> Finding:
    rows = tuple(number for number, _ in wrong[:MAX_ROWS])
    only_last = len(wrong) == 1 and rows[0] == last_line
    found = f"Zeile {rows[0]} hat {wrong[0][1]} Felder statt {width}"
    if only_last:
        return structural(
            "file_is_complete",
            f"Die letzte Zeile bricht ab: {found}; die Datei ist abgeschnitten",
            f"{width} Felder in jeder Zeile, wie in der Kopfzeile",
            "Bitte den Export wiederholen und die Datei vollständig übertragen",
            rows=rows,
            n_rows=1,
        )
    return structural(
        "field_count_is_constant",
        f"Die Zahl der Felder stimmt nicht: {found}",
        f"{width} Felder in jeder Zeile, wie in der Kopfzeile",
        "Bitte prüfen, ob ein Trennzeichen in einem Feld steht oder Zeilen abgeschnitten sind",
        rows=rows,
        n_rows=len(wrong),
    )


def no_line_end(text: str) -> Finding:
    last_line = text.count("\n") + 1
    return structural(
        "file_is_complete",
        f"Die letzte Zeile ({last_line}) endet ohne Zeilenumbruch; die Datei ist vermutlich abgeschnitten",
        "ein Zeilenumbruch am Ende der letzten Zeile",
        "Bitte den Export wiederholen und die Datei vollständig übertragen",
    )


def binary() -> Finding:
    return structural(
        "file_is_text",
        "Die Datei enthält Nullbytes und ist keine Textdatei",
        "eine Textdatei mit Trennzeichen",
        "Bitte als CSV ausgeben",
    )
