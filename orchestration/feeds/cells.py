"""Cells as text → typed columns, set-based in DuckDB, with a German value class for every unreadable cell.

Readers of file formats hand over `Cells`; this module finds the declared columns among the delivered headers and
types them. It knows nothing of files and of rules about values (suites under `expectations/`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.feeds.declaration import Column, Deliverer, Feed, fold
from orchestration.feeds.finding import Finding, structural
from orchestration.sql import single_threaded

# Symbols of German official statistics and the BA; they stay different from numbers and from each other.
SYMBOLS = {"*": "*", "-": "-", "–": "-", ".": ".", "...": "...", "…": "...", "/": "/", "x": "x", "X": "x"}
DATE_PATTERNS = {
    "TT.MM.JJJJ": (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    "JJJJ-MM-TT": (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
    "JJJJMMTT": (r"\d{8}", "%Y%m%d"),
    # As a spreadsheet or a statistics package leaves it, also 2015.0.
    "JJJJ": (r"\d{4}(?:\.0)?", "%Y"),
}
MOST_SPELLED = 40
FUND = "__fund"
SYMBOL = "__zeichen"
SPELLED = "__wortlaut"
PLACES = "stellen"
"""Where areas are broken (orchestration/geography/places.py); travels with their table."""


@dataclass
class Cells:
    """A file's table before typing: text columns in file order, the header path of each, the row numbers.

    `columns[i]` belongs to `headers[i]` (stacked headers joined by ` / `). `constants` are values that stand once
    for the whole file (a reference date in the title), by canonical column name. `extra` are typed columns that
    pass through (geometry).
    """

    headers: list[str] = field(default_factory=list)
    columns: list[pa.Array] = field(default_factory=list)
    zeile: pa.Array = field(default_factory=lambda: pa.array([], pa.int32()))
    constants: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    extra: dict[str, pa.Array] = field(default_factory=dict)

    @property
    def is_broken(self) -> bool:
        return any(finding.is_error for finding in self.findings)


@dataclass
class Reading:
    """A typed table plus what could not be read.

    `table`: zeile int32; each declared column typed (measures double, with `<c>__zeichen`); `<c>__fund` null where
    readable, else the German value class; in feeds without personal columns, `<c>__wortlaut` is what stands there.
    None when the structure is broken (see `findings`).
    `headers`: canonical name → header in the file.
    """

    table: pa.Table | None
    headers: dict[str, str]
    findings: list[Finding]


def type_cells(cells: Cells, feed: Feed, deliverer: Deliverer) -> Reading:
    """Find the declared columns and type them. Rows that are empty in every column are dropped."""
    if cells.is_broken:
        return Reading(None, {}, cells.findings)
    places, findings = match_columns(cells.headers, feed, set(cells.constants) | set(cells.extra))
    findings = cells.findings + findings
    headers = {name: cells.headers[place] for name, place in places.items()}
    if any(finding.is_error for finding in findings):
        return Reading(None, headers, findings)
    table = _typed(cells, places, feed, deliverer)
    if table.num_rows == 0:
        findings.append(
            structural(
                "file_is_not_empty",
                "Die Datei enthält keine einzige Datenzeile",
                "mindestens eine Datenzeile unter der Kopfzeile",
                "Bitte den Export wiederholen und die Datei vor dem Versand öffnen",
            )
        )
    return Reading(table, headers, findings)


# --- columns ---------------------------------------------------------------------------------------------------


def match_columns(headers: list[str], feed: Feed, given: set[str]) -> tuple[dict[str, int], list[Finding]]:
    """Canonical name → position; findings for missing, duplicate and unknown columns.

    Unknown headers are named only when most headers are known: else the first line may be data about a person.
    """
    folded = [[fold(part) for part in header.split(" / ")] for header in headers]
    places: dict[str, int] = {}
    findings: list[Finding] = []
    taken: set[int] = set()
    for column in feed.columns:
        hits = _hits(column, folded)
        taken.update(hits)
        if len(hits) == 1:
            places[column.name] = hits[0]
        elif len(hits) > 1:
            findings.append(_duplicate(column, hits))
    unknown = [
        i
        for i, path in enumerate(folded)
        if i not in taken and not any(re.fullmatch(pattern, path[-1]) for pattern in feed.ignored_headers)
    ]
    duplicated = {finding.column_name for finding in findings}
    missing = [
        column
        for column in feed.columns
        if column.name not in places
        and column.name not in given
        and column.title not in duplicated
        and not column.optional
    ]
    is_header = len(places) * 2 >= len(feed.columns)
    if missing and not places:
        return places, [_no_header(feed)]
    findings += [_missing(column, headers, unknown, is_header) for column in missing]
    if unknown:
        findings.append(_unknown(headers, unknown, is_header))
    return places, findings


def _hits(column: Column, folded: list[list[str]]) -> list[int]:
    """The columns that a declared one names. A whole path (a unit below it may follow) goes before a shortened one:
    `Bevölkerung / Insgesamt` is that column, not also `Bevölkerung / weiblich / Insgesamt`."""
    wanted = [[fold(part) for part in header.split(" / ")] for header in column.headers]
    for matches in (_is_path, _is_path_with_unit, _is_shortened):
        hits = [i for i, path in enumerate(folded) if any(matches(header, path) for header in wanted)]
        if hits:
            return hits
    return []


def _is_path(wanted: list[str], path: list[str]) -> bool:
    return wanted == path


def _is_path_with_unit(wanted: list[str], path: list[str]) -> bool:
    return wanted == path[:-1]


def _is_shortened(wanted: list[str], path: list[str]) -> bool:
    """Same first part, same last part (a unit below it may follow), those between in order, though not all of them."""
    if len(wanted) == 1 or wanted[0] != path[0]:
        return False
    if path[-1] != wanted[-1]:
        path = path[:-1]
    if len(path) < 2 or path[-1] != wanted[-1]:
        return False
    between = iter(path[1:-1])
    return all(part in between for part in wanted[1:-1])


def _named(headers: list[str], places: list[int], is_header: bool) -> str:
    if is_header:
        return ", ".join(f"„{headers[i]}“" for i in places[:10])
    return ", ".join(f"Spalte {i + 1}" for i in places[:10])


def _no_header(feed: Feed) -> Finding:
    return structural(
        "header_is_known",
        "Keine der vereinbarten Spalten wurde gefunden; vermutlich fehlt die Kopfzeile oder das Trennzeichen weicht ab",
        "eine Kopfzeile mit den Spalten " + ", ".join(column.title for column in feed.columns),
        "Bitte mit Kopfzeile und dem vereinbarten Trennzeichen neu ausgeben",
    )


def _missing(column: Column, headers: list[str], unknown: list[int], is_header: bool) -> Finding:
    hint = "Bitte die Spalte ergänzen"
    if unknown:
        hint += f"; nicht zugeordnet wurde bisher: {_named(headers, unknown, is_header)}"
    return structural(
        "column_exists",
        "Die Spalte fehlt",
        "eine Spalte mit einer der Überschriften " + ", ".join(f"„{h}“" for h in column.headers),
        hint,
        column=column.title,
    )


def _duplicate(column: Column, hits: list[int]) -> Finding:
    places = ", ".join(str(i + 1) for i in hits)
    return structural(
        "column_is_unique",
        f"Die Spalte kommt mehrfach vor (Spalten {places} der Datei)",
        "jede Spalte genau einmal",
        "Bitte die überzähligen Spalten entfernen",
        column=column.title,
    )


def _unknown(headers: list[str], unknown: list[int], is_header: bool) -> Finding:
    return structural(
        "column_is_agreed",
        f"Nicht vereinbarte Spalten: {_named(headers, unknown, is_header)}; sie werden nicht übernommen",
        "nur die vereinbarten Spalten",
        "Bitte künftig weglassen (Datensparsamkeit)",
        severity="warning",
    )


# --- typing ----------------------------------------------------------------------------------------------------


def _typed(cells: Cells, places: dict[str, int], feed: Feed, deliverer: Deliverer) -> pa.Table:
    """All declared columns typed; rows that are empty in every delivered column left out."""
    n_rows = len(cells.zeile)
    groups: dict[tuple[object, ...], list[Column]] = {}
    for column in feed.columns:
        if column.name in places:
            groups.setdefault(_same_typing(column), []).append(column)
    typed: dict[str, pa.Array] = {"zeile": cells.zeile}
    empty = pa.array(np.ones(n_rows, dtype=bool))
    with single_threaded() as connection:
        for columns in groups.values():
            arrays = [cells.columns[places[column.name]] for column in columns]
            for column, result in zip(
                columns, _type_group(connection, columns[0], arrays, feed, deliverer), strict=True
            ):
                empty = pc.and_(empty, result.pop("empty"))
                typed.update({column.name + suffix: array for suffix, array in result.items()})
        for column in feed.columns:
            if column.name not in places:
                value = pa.array([cells.constants.get(column.name, "")], pa.string())
                result = _type_group(connection, replace(column, required=False), [value], feed, deliverer)[0]
                result.pop("empty")
                typed.update({column.name + k: pa.repeat(v[0], n_rows) for k, v in result.items()})
    table = pa.table({**typed, **cells.extra})
    return table.filter(pc.invert(empty)) if pc.any(empty).as_py() else table


def _same_typing(column: Column) -> tuple[object, ...]:
    """Columns that agree in this are typed in one go."""
    codes = tuple(column.codes.items())
    return column.type, column.required, column.width, column.shortest, codes, column.empty


def _type_group(
    connection: duckdb.DuckDBPyConnection, column: Column, arrays: list[pa.Array], feed: Feed, deliverer: Deliverer
) -> list[dict[str, pa.Array]]:
    """Per array: value (key ``), `__fund`, `__zeichen` (measures), `__wortlaut` (if nothing is personal) and `empty`.

    Registers repeat themselves: only the distinct spellings are typed, then spread over the rows.
    """
    joined = pc.fill_null(pa.concat_arrays(arrays), "").dictionary_encode()
    connection.register("spellings", pa.table({"spelling": joined.dictionary}))
    value, symbol, fund = _expressions(column, feed, deliverer)
    statement = f"""
        with cleaned as (
            select nullif(trim(translate(spelling, chr(9) || chr(160) || chr(13) || chr(10), '    ')), '') as v
            from spellings
        ),
        symbols as (select v, {symbol} as symbol from cleaned),
        valued as (select v, symbol, {value} as value from symbols),
        classed as (select *, {fund} as fund from valued)
        select
            value, symbol, fund, v is null as empty,
            case when fund is not null then left(v, {MOST_SPELLED}) end as spelled
        from classed
    """
    result = connection.execute(statement).to_arrow_table().combine_chunks()
    names = {"": "value", FUND: "fund", "empty": "empty", **({SYMBOL: "symbol"} if column.type == "measure" else {})}
    if not any(declared.personal for declared in feed.columns):
        names[SPELLED] = "spelled"
    spread = {suffix: _spread(result.column(name), joined.indices) for suffix, name in names.items()}
    results, start = [], 0
    for array in arrays:
        results.append({suffix: part.slice(start, len(array)) for suffix, part in spread.items()})
        start += len(array)
    return results


def _spread(distinct: pa.ChunkedArray, indices: pa.Array) -> pa.Array:
    if distinct.null_count == len(distinct):
        return pa.nulls(len(indices), distinct.type)
    taken = distinct.take(indices)
    return taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken


# The SQL below reads `v`, the cleaned spelling, null where the cell is empty. Names and codes in it come from the
# declaration, never from a file.


def _expressions(column: Column, feed: Feed, deliverer: Deliverer) -> tuple[str, str, str]:
    """SQL for value, symbol (of `v`) and value class (may use `value` and `symbol`)."""
    leer = "'leer'" if column.required and column.empty is None else "null::varchar"
    if column.type == "measure":
        return _measure(column, deliverer, leer)
    value, fault = {
        "text": lambda: ("v", "null"),
        "digits": lambda: _digits(column),
        "area": _area,
        "code": lambda: _code(column),
        "number": lambda: _number(deliverer),
        "date": lambda: _date(feed),
    }[column.type]()
    return value, "null::varchar", f"case when v is null then {leer} when value is null then {fault} end"


def _digits(column: Column) -> tuple[str, str]:
    width, shortest = column.width or 1, column.shortest or column.width or 1
    digits = "regexp_replace(v, '\\.0+$', '')"
    value = (
        f"case when regexp_full_match({digits}, '[0-9]{{{shortest},{width}}}') then lpad({digits}, {width}, '0') end"
    )
    return value, (
        "case when regexp_matches(v, '[A-Za-zÄÖÜäöüß]') then 'Buchstaben in einem Schlüssel' "
        f"else 'kein Schlüssel mit {width} Ziffern' end"
    )


def _area() -> tuple[str, str]:
    code = "regexp_replace(v, '\\.0+$', '')"
    value = f"""case
        when regexp_full_match({code}, '[1-9][0-9]{{3}}([0-9]{{3}})?(-([0-9]{{2}}|B[0-9]{{1,4}}))?') then '0' || {code}
        when regexp_full_match({code}, '[0-9]{{2,5}}|[0-9]{{8}}(-([0-9]{{2}}|B[0-9]{{1,4}}))?|DG') then {code} end"""
    return value, "'kein Gebietsschlüssel'"


def _code(column: Column) -> tuple[str, str]:
    branches = " ".join(
        f"when lower(v) in ({', '.join(_literal(spelling.casefold()) for spelling in spellings)}) then {_literal(code)}"
        for code, spellings in column.codes.items()
    )
    return f"case {branches} end", "'unbekannter Code'"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _parsed_number(text: str, deliverer: Deliverer) -> str:
    """SQL for the double in `text`, strictly in the agreed notation; null otherwise."""
    if deliverer.numbers == "1.234,5":
        pattern = r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]+)?"
        plain = f"replace(replace({text}, '.', ''), ',', '.')"
    else:
        pattern = r"[+-]?[0-9]+(\.[0-9]+)?"
        plain = text
    return f"case when regexp_full_match({text}, '{pattern}') then try_cast({plain} as double) end"


def _number_fault(deliverer: Deliverer) -> str:
    return (
        "case when regexp_matches(v, '[A-Za-zÄÖÜäöüß]') then 'Buchstaben in einer Zahl' "
        f"else 'keine Zahl in der vereinbarten Schreibweise ({deliverer.numbers})' end"
    )


def _number(deliverer: Deliverer) -> tuple[str, str]:
    # GENESIS and the registers put blanks (and tabs) into long numbers.
    return _parsed_number("replace(v, ' ', '')", deliverer), _number_fault(deliverer)


def _date(feed: Feed) -> tuple[str, str]:
    text = r"regexp_replace(v, '^(\d{4})\.0$', '\1')"
    branches = " ".join(
        f"when regexp_full_match(v, '{pattern}') then try_cast(try_strptime({text}, '{strptime}') as date)"
        for pattern, strptime in (DATE_PATTERNS[key] for key in feed.date_formats)
    )
    any_pattern = "|".join(DATE_PATTERNS[key][0] for key in feed.date_formats)
    fault = (
        f"case when regexp_full_match(v, '{any_pattern}') then 'ein Datum, das es nicht gibt' "
        f"else 'kein Datum ({' oder '.join(feed.date_formats)})' end"
    )
    return f"case {branches} end", fault


def _measure(column: Column, deliverer: Deliverer, leer: str) -> tuple[str, str, str]:
    """Number, symbol and class of a statistical cell: `12`, `(12)`, `12 r`, `*`, `-`."""
    symbols = " ".join(f"when {_literal(text)} then {_literal(code)}" for text, code in SYMBOLS.items())
    without = f"when v is null then {_literal(column.empty)}" if column.empty is not None else ""
    symbol = f"""case {without} else case v {symbols} else
        case when regexp_full_match(v, '\\(.*\\)') then '()'
             when regexp_full_match(v, '.*[0-9] ?[prs]') then right(v, 1) end end end"""
    if not without:
        symbol = symbol.replace("case  else ", "", 1).removesuffix(" end")
    bare = "replace(regexp_replace(regexp_replace(v, '^\\((.*)\\)$', '\\1'), '[prs]$', ''), ' ', '')"
    value = (
        "case when symbol = '-' then 0.0 when symbol in ('*', '.', '...', '/', 'x') then null "
        f"else {_parsed_number(bare, deliverer)} end"
    )
    fund = (
        f"case when v is null then {leer} when value is not null or symbol in ('*', '.', '...', '/', 'x') "
        f"then null else {_number_fault(deliverer)} end"
    )
    return value, symbol, fund
