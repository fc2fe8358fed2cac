"""Broken deliveries to try the gates with: each function writes a corrupted copy of a delivered file.

For tests, and for newcomers who want to see a rejection:

    python -m demo.corrupt data/landing/overath/einwohner_2021.csv truncated

Works on the demo's `einwohner` files (CSV and XLSX) and on `sgb2` (XLSX). Deterministic: the same input gives the
same bytes. What a gate makes of such a file is not known here.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

from demo.files import write_atomically
from demo.reference import kommunen

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


def wrong_encoding(source: Path, target: Path) -> Path:
    """The text in another encoding: UTF-16 where windows-1252 was agreed, cp850 where UTF-8 was; only for CSV."""
    return _recoded(source, target, "utf-16" if _encoding(source) == "cp1252" else "cp850")


def wrong_encoding_cp850(source: Path, target: Path) -> Path:
    """The text in cp850, as old DOS programs write it; only for CSV."""
    return _recoded(source, target, "cp850")


def missing_column(source: Path, target: Path) -> Path:
    """Without its column of birth dates (einwohner) or without the `unter 3` column (sgb2)."""
    if source.suffix == ".xlsx":
        column = _xlsx_column(source, _BIRTH)
        # In sgb2 the column keeps the upper part of its stacked header.
        cells = rf"{column}\d+" if column else r"D(?:[89]|\d\d+)"
        pattern = rf'<c r="{cells}"[^>]*?(?:/>|>.*?</c>)'
        return _edit_xlsx(source, target, lambda xml: re.sub(pattern, "", xml))
    lines, encoding, delimiter = _lines(source)
    at = _position(lines[0], delimiter, _BIRTH)
    kept = (delimiter.join(cells[:at] + cells[at + 1 :]) for cells in (line.split(delimiter) for line in lines))
    return _put(target, kept, encoding)


def letters_in_number(source: Path, target: Path) -> Path:
    """The tenth data row has `36O123,45` (letter O) as easting; in sgb2 a count becomes `1O`."""
    if source.suffix == ".xlsx":
        column = _xlsx_column(source, _EAST) or "C"
        # Row 11 of a register; in sgb2 that is a Sozialraum.
        pattern = rf'(<c r="{column}11")(?: s="\d+")?><v>[^<]*</v></c>'
        text = r'\1 t="inlineStr"><is><t>36O123.45</t></is></c>'
        return _edit_xlsx(source, target, lambda xml: _substituted(pattern, text, xml), parts=(SHEET,))
    lines, encoding, delimiter = _lines(source)
    at = _position(lines[0], delimiter, _EAST)
    cells = lines[10].split(delimiter)
    quote = '"' if cells[at].startswith('"') else ""
    decimal = "." if quote else ","
    cells[at] = f"{quote}36O123{decimal}45{quote}"
    return _put(target, [*lines[:10], delimiter.join(cells), *lines[11:]], encoding)


def wrong_year(source: Path, target: Path) -> Path:
    """Stichtag of the year before; the file keeps the year in its name."""
    year = _year(source)
    if source.suffix == ".xlsx":
        return _edit_xlsx(source, target, lambda xml: _other_stichtag(xml, year))
    lines, encoding, _ = _lines(source)
    return _put(target, [_other_stichtag(line, year) for line in lines], encoding)


def other_ags(source: Path, target: Path) -> Path:
    """Every AGS is that of the next Kommune: a file put into the wrong folder."""
    keys = [kommune.area_id for kommune in kommunen()]
    own = next((k.area_id for k in kommunen() if k.deliverer == source.parent.name), keys[0])
    other = keys[(keys.index(own) + 1) % len(keys)]

    def replaced(text: str) -> str:
        return re.sub(rf"(?<!\d)(0?){own[1:]}(?=\D|$)", rf"\g<1>{other[1:]}", text)

    if source.suffix == ".xlsx":
        return _edit_xlsx(source, target, replaced)
    lines, encoding, _ = _lines(source)
    return _put(target, [replaced(line) for line in lines], encoding)


def truncated(source: Path, target: Path) -> Path:
    """Cut at 60 % of its bytes, in the middle of a line (CSV) or of the archive (XLSX)."""
    content = source.read_bytes()
    end = len(content) * 6 // 10
    if source.suffix != ".xlsx":
        # Five bytes into a line: whatever the line, it is not complete.
        end = content.index(b"\n", end) + 6
    return write_atomically(target, content[:end])


def empty(source: Path, target: Path) -> Path:
    """No byte at all."""
    return write_atomically(target, b"")


def last_year_again(source: Path, target: Path) -> Path:
    """The file of the year before, byte for byte, under this year's name. Needs that file beside `source`."""
    before = source.with_name(source.name.replace(str(_year(source)), str(_year(source) - 1)))
    return write_atomically(target, before.read_bytes())


KINDS: dict[str, Callable[[Path, Path], Path]] = {
    function.__name__: function
    for function in (
        wrong_encoding,
        wrong_encoding_cp850,
        missing_column,
        letters_in_number,
        wrong_year,
        other_ags,
        truncated,
        empty,
        last_year_again,
    )
}

_BIRTH = re.compile(r"^geb", re.IGNORECASE)
_EAST = re.compile(r"^(utm )?ost", re.IGNORECASE)


def _year(source: Path) -> int:
    return int(source.stem.rsplit("_", 1)[1])


def _encoding(source: Path) -> str:
    return "utf-8-sig" if source.read_bytes().startswith(b"\xef\xbb\xbf") else "cp1252"


def _lines(source: Path) -> tuple[list[str], str, str]:
    """Lines without their ends, encoding, delimiter."""
    encoding = _encoding(source)
    lines = source.read_bytes().decode(encoding).splitlines()
    return lines, encoding, max(";\t,", key=lines[0].count)


def _put(target: Path, lines: Iterable[str], encoding: str) -> Path:
    return write_atomically(target, "".join(f"{line}\n" for line in lines).encode(encoding))


def _recoded(source: Path, target: Path, encoding: str) -> Path:
    if source.suffix != ".csv":
        raise ValueError(f"{source.name}: nur bei CSV-Dateien möglich")
    return write_atomically(target, source.read_bytes().decode(_encoding(source)).encode(encoding))


def _position(header: str, delimiter: str, name: re.Pattern[str]) -> int:
    return next(i for i, cell in enumerate(header.split(delimiter)) if name.match(cell.strip('"\ufeff')))


def _other_stichtag(text: str, year: int) -> str:
    """31.12. of `year` → of the year before, in every way of writing, also as the spreadsheet's day number."""
    days = (_serial(year), _serial(year - 1))
    text = text.replace(f"<v>{days[0]}</v>", f"<v>{days[1]}</v>")
    for before, after in ((f"31.12.{year}", f"31.12.{year - 1}"), (f"{year}-12-31", f"{year - 1}-12-31")):
        text = text.replace(before, after)
    text = re.sub(rf"(?<!\d){year}1231(?!\d)", f"{year - 1}1231", text)
    return text.replace(f"Dezember {year}", f"Dezember {year - 1}")


def _serial(year: int) -> int:
    """31 December as a spreadsheet counts days."""
    return (dt.date(year, 12, 31) - dt.date(1899, 12, 30)).days


def _xlsx_column(source: Path, name: re.Pattern[str]) -> str | None:
    """Letter of the column of a register extract whose header matches; None in a table of another kind."""
    with zipfile.ZipFile(source) as archive:
        head = archive.read(SHEET)[:4000].decode(errors="ignore")
    cells = re.findall(r'<c r="([A-Z]+)1"[^>]*><is><t>([^<]*)</t>', head)
    return next((letter for letter, text in cells if name.match(text)), None)


def _substituted(pattern: str, replacement: str, text: str) -> str:
    changed, n = re.subn(pattern, replacement, text)
    if not n:
        raise ValueError("Die Zelle, die verfälscht werden soll, fehlt in dieser Datei")
    return changed


def _edit_xlsx(
    source: Path, target: Path, edit: Callable[[str], str], parts: tuple[str, ...] = (SHEET, STRINGS)
) -> Path:
    """Copy a workbook with its sheet and shared strings (or only some `parts`) edited as text."""
    buffer = BytesIO()
    with (
        zipfile.ZipFile(source) as before,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as after,
    ):
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename in parts:
                content = edit(content.decode()).encode()
            after.writestr(entry, content)
    return write_atomically(target, buffer.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demo.corrupt", description="Verfälscht eine Demo-Lieferung an Ort und Stelle, zum Ausprobieren."
    )
    parser.add_argument("file", type=Path, metavar="DATEI", help="eine Lieferung im Eingangsordner")
    parser.add_argument("kind", choices=sorted(KINDS), metavar="ART", help=", ".join(sorted(KINDS)))
    arguments = parser.parse_args()
    KINDS[arguments.kind](arguments.file, arguments.file)


if __name__ == "__main__":
    main()
