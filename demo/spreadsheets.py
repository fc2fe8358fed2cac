"""Large register extracts as XLSX, written as plain OOXML.

A register extract has 200,000 cells; writing its XML by SQL is ten times faster than cell by cell. Only writing is
here; what stands in the cells is decided in `demo/register.py`, and small workbooks are in `demo/files.py`.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa

_FIXED_TIME = (2024, 1, 1, 0, 0, 0)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    # Style 1 is a date (built-in format 14), style 2 bold.
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Standard" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}


@dataclass(frozen=True)
class Cell:
    """A column of a register extract: position from 0, header, SQL, and text | number | date | mixed.

    A date arrives as the spreadsheet's day number; mixed is a number where it consists of digits, text otherwise.
    """

    position: int
    header: str
    sql: str
    kind: str


def rows_sql(cells: list[Cell], relation: str) -> str:
    """SQL that yields the XML of each row, in the order of the relation; row 1 is left to the header."""
    parts = ", ".join(_cell_sql(cell) for cell in cells)
    numbered = f"select *, (row_number() over () + 1)::varchar as zeile from ({relation})"
    return f"""select concat('<row r="', zeile, '">', {parts}, '</row>') from ({numbered})"""


def _cell_sql(cell: Cell) -> str:
    at = f"""'<c r="{chr(65 + cell.position)}', zeile"""
    text = f"concat({at}, '\" t=\"inlineStr\"><is><t>', {cell.sql}, '</t></is></c>')"
    number = f"concat({at}, '\"><v>', {cell.sql}, '</v></c>')"
    date = f"concat({at}, '\" s=\"1\"><v>', {cell.sql}, '</v></c>')"
    if cell.kind == "mixed":
        chosen = f"case when regexp_full_match({cell.sql}, '[0-9]+') then {number} else {text} end"
    else:
        chosen = {"text": text, "number": number, "date": date}[cell.kind]
    return f"case when {cell.sql} is null then '' else {chosen} end"


def write_sheet(path: Path, sheet: str, headers: list[str], rows: pa.ChunkedArray) -> None:
    """A workbook of one sheet: bold header row, then `rows` (the XML of each row)."""
    header = "".join(
        f'<c r="{chr(65 + i)}1" s="2" t="inlineStr"><is><t>{escape(name)}</t></is></c>'
        for i, name in enumerate(headers)
    )
    workbook = (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**_PARTS, "xl/workbook.xml": workbook}.items():
            _add(archive, name, (_XML + content).encode())
        body = "".join(rows.to_pylist())
        data = f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData><row r="1">{header}</row>{body}</sheetData></worksheet>'
        _add(archive, "xl/worksheets/sheet1.xml", data.encode())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _FIXED_TIME)
    entry.external_attr = 0o600 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=1)
