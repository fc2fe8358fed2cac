"""All real tables of the Regionalstatistik, read by the reader and, independently, by a plain csv reading here."""

from __future__ import annotations

import csv
import datetime as dt
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.feeds.formats import genesis
from orchestration.feeds.reader import read_delivery
from orchestration.home import REPOSITORY
from tests.fixtures.feeds.agreements import GEBIET, NAME, STICHTAG, agreement, column

SHARED = Path(os.environ.get("IPSO_SHARED", REPOSITORY.parent / "shared"))
TABLES = SHARED / "data" / "regionalstatistik"
N_TABLES = 137
N_CELLS = 13_351
SYMBOLS = {"-", ".", "...", "/", "x"}
needs_tables = pytest.mark.skipif(not TABLES.is_dir(), reason="the real Regionalstatistik files are not here")

Key = tuple[str, str]  # date and area code, as the file writes them
Place = tuple[tuple[str, ...], int]  # categories of the row, number of the value column among those of one date


@dataclass
class Oracle:
    """What the file says about the Rheinisch-Bergische Kreis and its Kommunen."""

    n_lines: int
    n_columns: int
    cells: dict[Key, dict[Place, str]]
    headers: list[list[str]]  # of the value columns of the first date: the cells above each, without dates
    categories: list[tuple[str, ...]]  # in order of appearance, all areas


def is_date(text: str) -> bool:
    return re.fullmatch(r"(\d\d\.\d\d\.)?(19|20)\d\d", text) is not None


def plain_reading(path: Path) -> Oracle:
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, delimiter=";"))
    lines = lines[: next(i for i, line in enumerate(lines) if line and line[0].startswith("____"))]
    code_at = 1 if any((len(line) > 1 and line[1] == "05378") or line[1:2] == ["05378004"] for line in lines) else 0
    is_data = [len(line) > 2 and re.fullmatch(r"DG|05\d*", line[code_at]) is not None for line in lines]
    head, body = lines[: is_data.index(True)], lines[is_data.index(True) :]
    stacks = [line for line in head if line[:2] == ["", ""] and any(line)]
    above = [[line[i] for line in stacks if line[i].strip()] for i in range(len(body[0]))]
    first_value = next(i for i in range(code_at + 2, len(above)) if above[i])
    own_dates = [next((cell for cell in above[i] if is_date(cell)), None) for i in range(first_value, len(above))]
    alone = [re.sub(r"^(Stichtag|Jahr): ", "", line[0]) for line in head if line[0] and not any(line[1:])]
    line_date = next((text for text in alone if is_date(text)), "")
    n_dates = len(set(own_dates))

    def categories_of(line: list[str]) -> tuple[str, ...]:
        return tuple(cell.strip() for cell in line[code_at + 2 : first_value])

    cells: dict[Key, dict[Place, str]] = {}
    n_lines = 0
    for line in body:
        if not line[code_at].startswith("05378"):
            continue
        n_lines += 1
        categories = categories_of(line)
        seen: dict[str, int] = {}
        for own, cell in zip(own_dates, line[first_value:], strict=True):
            date = own or (line[0] if code_at else line_date)
            number = seen[date] = seen.get(date, -1) + 1
            cells.setdefault((date, line[code_at]), {})[categories, number] = cell
    values = [[c for c in above[i] if not is_date(c)] for i in range(first_value, len(above))]
    shown = list(dict.fromkeys(categories_of(line) for line in body))
    return Oracle(n_lines, len(own_dates) // n_dates, cells, values[: len(own_dates) // n_dates], shown)


def typed(cell: str | None) -> tuple[float | None, str | None]:
    """Value and symbol of a cell; zero for `-`, no value for the others."""
    text = (cell or "").strip()
    if text in SYMBOLS:
        return (0.0 if text == "-" else None), text
    return (float(text.replace(",", ".")), None) if text else (None, None)


def as_date(text: str) -> dt.date:
    return dt.date(int(text), 1, 1) if len(text) == 4 else dt.datetime.strptime(text, "%d.%m.%Y").date()


def follows(parts: list[str], path: str) -> bool:
    """Whether the parts occur in the path in their order."""
    left = iter(re.sub(r"\s+", " ", part) for part in path.split(" / "))
    tidy = [re.sub(r"\s+", " ", part).strip().replace(" / ", "/") for part in parts]
    kept = [part for i, part in enumerate(tidy) if i == 0 or part != tidy[i - 1]]
    return all(part in left for part in kept)


@needs_tables
def test_every_cell_of_every_real_table_arrives_as_the_file_says() -> None:
    """Text, numbers and symbols of all RBK rows, all value columns, all tables; none skipped."""
    checked, n_cells, symbols = [], 0, set()
    for path in sorted(TABLES.glob("*.csv")):
        oracle = plain_reading(path)
        data = path.read_bytes()
        feed, deliverer = agreement("genesis", [], encoding="utf_8")
        cells = genesis.read(data, feed, deliverer)
        assert not cells.findings, (path.name, cells.findings)
        headers = cells.headers[3:]
        assert len(headers) == len(set(headers)) == len(oracle.categories) * oracle.n_columns, path.name
        places = [(c, i) for c in oracle.categories for i in range(oracle.n_columns)]
        for (categories, number), header in zip(places, headers, strict=True):
            assert follows(oracle.headers[number][:1] + list(categories), header), (path.name, header)
            assert follows(oracle.headers[number], header), (path.name, header)

        measures = [column("measure", f"m{i}", header, required=False) for i, header in enumerate(headers)]
        reading = read_delivery(data, *agreement("genesis", [STICHTAG, GEBIET, NAME, *measures], encoding="utf_8"))
        assert reading.table is not None, (path.name, reading.findings)
        rows = [row for row in reading.table.to_pylist() if row["gebiet"].startswith("05378")]
        found = {(row["stichtag"], row["gebiet"]): row for row in rows}
        assert len(found) == len(rows) == len(oracle.cells), path.name

        for (date, code), wanted in oracle.cells.items():
            row = found[as_date(date), code]
            got = [(row[f"m{i}"], row[f"m{i}__zeichen"]) for i in range(len(headers))]
            assert got == [typed(wanted.get(place)) for place in places], (path.name, date, code)
            assert not any(row[f"m{i}__fund"] for i in range(len(headers))), (path.name, date, code)
            n_cells += len(wanted)
            symbols |= {symbol for _, symbol in got}

        table, _ = genesis.parse(data.decode("utf-8"))
        assert table is not None
        parsed = [row for row in table.rows if row.code.startswith("05378")]
        assert sorted((r.date, r.code, r.categories, tuple(r.cells)) for r in parsed) == sorted(
            (date, code, c, tuple(wanted[c, i] for i in range(oracle.n_columns)))
            for (date, code), wanted in oracle.cells.items()
            for c in {categories for categories, _ in wanted}
        ), path.name
        assert len({row.line for row in parsed}) == oracle.n_lines, path.name
        checked.append(path.name)
    assert len(checked) == N_TABLES
    assert symbols == {None, "-", ".", "/", "x"}
    assert n_cells == N_CELLS


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("Stichtag;Schlüssel\n", "format_is_genesis", "keine GENESIS-Tabelle"),
        ("GENESIS-Tabelle: 1\n;;Anzahl\n05;NRW;1\n", "file_is_complete", "Fußteil"),
        ("GENESIS-Tabelle: 1\n;;Anzahl\nNRW;x;1\n__________\n", "file_is_not_empty", "Gebietsschlüssel"),
        ("GENESIS-Tabelle: 1\n;;a;b\n05;NRW;1;2\n053;Köln;1\n__________\n", "field_count_is_constant", "Zeile 4"),
        ("GENESIS-Tabelle: 1\n;;a;a\n05;NRW;1;2\n__________\n", "header_is_unique", "dieselbe Überschrift"),
        (f"GENESIS-Tabelle: 1\n;;a\n05;{'x' * 200_000};2\n__________\n", "file_is_complete", "beschädigt"),
    ],
)
def test_what_is_no_table_says_why(text: str, rule: str, words: str) -> None:
    table, [finding] = genesis.parse(text)
    assert table is None and finding.expectation == rule and words in finding.message


def test_thousands_are_a_unit_and_a_year_is_a_date() -> None:
    text = "GENESIS-Tabelle: 1\nJahr: 2016;;;\n;;Erwerbstätige;Arbeitslose\n;;1000;2015\n05;NRW;111,2;7\n__________\n"
    table, findings = genesis.parse(text)
    assert table is not None and not findings
    assert table.headers == ["Erwerbstätige / 1000", "Arbeitslose"]
    assert [(row.date, row.cells) for row in table.rows] == [("2016", ["111,2", ""]), ("2015", ["", "7"])]
