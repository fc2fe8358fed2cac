"""What a feed's declaration promises, as expectations of Great Expectations.

Readable cells, keys, areas, dates, parts within wholes: whatever follows from a column's declaration is written here
once, for every feed. What only one feed knows stands in its own suite under `expectations/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestration.feeds.declaration import KREIS, Column, Deliverer, Feed, kommunen
from orchestration.feeds.finding import german_number
from orchestration.gates.suites import FUND, Suite, load_suite
from orchestration.geography.tolerances import PARAMETERS

Expectation = dict[str, Any]
AREAS, BORDERS = "flaechen", "flaechen_gemeindegrenze"
"""Suites of every feed of areas, and of those that are held against the borders of Kommunen."""
LEVEL_TITLES = {
    "bund": "DG",
    "land": KREIS[:2],
    "regierungsbezirk": KREIS[:3],
    "kreis": KREIS,
    "kommune": "eine der acht Kommunen",
    "bezirk": "ein statistischer Bezirk darin (05378004-B12)",
    "sozialraum": "ein Sozialraum darin (05378004-07)",
    "nicht_verortbar": "nicht zuordenbar (05378004-00)",
}
COMPLETE = {
    ("kreis", "kommune"): ("gebiete", "Kreis und acht Kommunen"),
    ("kommune",): ("kommunen", "Alle acht Kommunen"),
    ("kreis",): ("kreis", "der Kreis"),
}


def feed_suite(feed: Feed, deliverer: Deliverer) -> Suite:
    """The whole suite of a delivery: the declaration's promises, then the feed's own rules; for areas also the rules
    for all areas, and those on areas beside borders."""
    own = load_suite(feed.suite)["expectations"]
    if feed.grain == "geography":
        beside = load_suite(BORDERS)["expectations"] if feed.compare_with else []
        rules = [*load_suite(AREAS)["expectations"], *own, *beside]
        own = [{**rule, "meta": _of_areas(rule["meta"], feed)} for rule in rules]
    return {"name": feed.suite, "expectations": [*contract_expectations(feed, deliverer), *own]}


def _of_areas(meta: dict[str, Any], feed: Feed) -> dict[str, Any]:
    """Rules for all areas call what identifies one `$KEY`; their notes name tolerances."""
    told = {name: german_number(value) for name, value in PARAMETERS.items()}
    show = [feed.key[0] if name == "$KEY" else name for name in meta.get("show", [])]
    return {**meta, "note": meta["note"].format_map(told), "show": show}


def contract_expectations(feed: Feed, deliverer: Deliverer) -> list[Expectation]:
    """Every expectation that follows from the declaration, in the order of the columns."""
    expectations = [_readable(column, feed, deliverer) for column in feed.columns]
    for column in feed.columns:
        expectations.extend(_of_column(column, feed, deliverer))
    if not any(feed.column(name).personal for name in feed.key):
        expectations.append(_unique(feed))
    return expectations


def _expectation(kind: str, kwargs: dict[str, Any], **meta: Any) -> Expectation:
    return {"type": kind, "kwargs": kwargs, "severity": "critical", "meta": meta}


def _of_column(column: Column, feed: Feed, deliverer: Deliverer) -> Iterator[Expectation]:
    if column.type == "area" and column.levels:
        yield _area_is_known(column, deliverer)
        if column.complete:
            yield _areas_are_complete(column, deliverer)
    if column.type == "date" and column.date == "stichtag" and feed.expected_date(2000):
        yield _date_is_the_agreed(column)
    elif column.type == "date" and column.date == "jahr":
        yield _date_is_in_the_year(column)
    if column.type in ("measure", "number") and not column.personal and column.smallest is not None:
        yield _not_below(column, feed)
    if column.type in ("measure", "number") and column.largest is not None:
        yield _not_above(column, feed)
    for whole in column.part_of:
        yield _part_is_within_whole(column, feed.column(whole), feed)


# --- one rule each -------------------------------------------------------------------------------------------------


def _readable(column: Column, feed: Feed, deliverer: Deliverer) -> Expectation:
    return _expectation(
        "expect_column_values_to_be_null",
        {"column": column.name + FUND},
        name="cell_is_readable",
        waivable=False,
        note=f"Jede Zelle der Spalte {column.title} ist lesbar.",
        expected=_agreed_cell(column, feed) + ("" if column.required or column.type == "text" else " oder leer"),
        hint="Bitte die genannten Zeilen berichtigen",
    )


def _agreed_cell(column: Column, feed: Feed) -> str:
    match column.type:
        case "digits":
            return f"ein Schlüssel mit {column.width} Ziffern"
        case "date":
            return f"ein Datum ({' oder '.join(feed.date_formats)})"
        case "number":
            return "eine Zahl in der vereinbarten Schreibweise"
        case "code":
            return f"einer der Codes {', '.join(sorted(s for many in column.codes.values() for s in many))}"
        case "area":
            return "ein Gebietsschlüssel (05378, 05378004, 05378004-07)"
        case "measure":
            return "eine Zahl oder ein vereinbartes Zeichen (*, -, ., …)"
        case _:
            return "ausgefüllt" if column.required else "ein Text oder leer"


def _area_is_known(column: Column, deliverer: Deliverer) -> Expectation:
    own = [deliverer.ags] if deliverer.ags else [ags for ags, _ in kommunen().values()]
    kommune = f"(?:{'|'.join(own)})"
    patterns = {
        "bund": "DG",
        "land": KREIS[:2],
        "regierungsbezirk": KREIS[:3],
        "kreis": KREIS,
        "kommune": kommune,
        "bezirk": f"{kommune}-B[0-9]{{1,4}}",
        "sozialraum": f"{kommune}-(?!00)[0-9]{{2}}",
        "nicht_verortbar": f"{kommune}-00",
    }
    titles = {
        **LEVEL_TITLES,
        "kommune": f"{deliverer.ags} ({deliverer.name})" if deliverer.ags else LEVEL_TITLES["kommune"],
    }
    *others, last = [titles[level] for level in column.levels]
    return _expectation(
        "expect_column_values_to_match_regex",
        {"column": column.name, "regex": f"^(?:{'|'.join(patterns[level] for level in column.levels)})$"},
        name="area_is_known",
        waivable=False,
        note=f"Jeder Gebietsschlüssel gehört zu {deliverer.name if deliverer.ags else 'den vereinbarten Gebieten'}.",
        found="Unbekannte Gebiete",
        expected=f"{', '.join(others)} oder {last}" if others else last,
        hint="Bitte nur Gebiete in der vereinbarten Schreibweise liefern",
        show=[column.name],
    )


def _areas_are_complete(column: Column, deliverer: Deliverer) -> Expectation:
    parameter, title = COMPLETE[column.complete]
    if deliverer.ags:
        parameter, title = "ags", f"Die Kommune ({deliverer.ags})"
    return _expectation(
        "expect_column_distinct_values_to_contain_set",
        {"column": column.name, "value_set": {"$PARAMETER": parameter}},
        name="areas_are_complete",
        note=f"Enthalten: {title}.",
        found="Es fehlen Gebiete: {observed}",
        expected=title,
        hint="Bitte die fehlenden Gebiete ergänzen",
    )


def _date_is_the_agreed(column: Column) -> Expectation:
    return _expectation(
        "expect_column_values_to_be_in_set",
        {"column": column.name, "value_set": {"$PARAMETER": "stichtag"}},
        name="reference_date_is_expected",
        note="Der Stichtag ist der des Lieferjahrs.",
        found="Der Stichtag gehört nicht zum Lieferjahr {jahr}",
        expected="{stichtag} in jeder Zeile",
        hint="Bitte prüfen, ob die Datei zum richtigen Jahr gehört oder der Dateiname falsch ist",
        show=[column.name],
    )


def _date_is_in_the_year(column: Column) -> Expectation:
    return _expectation(
        "expect_column_values_to_be_between",
        {
            "column": column.name,
            "min_value": {"$PARAMETER": "jahresanfang"},
            "max_value": {"$PARAMETER": "jahresende"},
        },
        name="reference_date_is_expected",
        note=f"{column.title} liegt im Lieferjahr.",
        found=f"{column.title} gehört nicht zum Lieferjahr {{jahr}}",
        expected="ein Tag im Jahr {jahr}",
        hint="Bitte prüfen, ob die Datei zum richtigen Jahr gehört",
        show=[column.name],
    )


def _not_below(column: Column, feed: Feed) -> Expectation:
    return _expectation(
        "expect_column_values_to_be_between",
        {"column": column.name, "min_value": column.smallest},
        name="value_is_not_negative" if column.smallest == 0 else "value_is_large_enough",
        note=f"{column.title}: kein Wert ist kleiner als {column.smallest:g}.",
        found="Negativer Wert" if column.smallest == 0 else "Zu kleiner Wert",
        expected=f"{column.smallest:g} oder mehr",
        hint="Bitte den Wert berichtigen",
        show=[*_key(feed), column.name],
    )


def _not_above(column: Column, feed: Feed) -> Expectation:
    return _expectation(
        "expect_column_values_to_be_between",
        {"column": column.name, "max_value": column.largest},
        name="value_is_small_enough",
        note=f"{column.title}: kein Wert ist größer als {column.largest:g}.",
        found="Zu großer Wert",
        expected=f"höchstens {column.largest:g}",
        hint="Bitte den Wert und seine Einheit prüfen",
        show=[*_key(feed), column.name],
    )


def _part_is_within_whole(part: Column, whole: Column, feed: Feed) -> Expectation:
    return _expectation(
        "expect_column_pair_values_a_to_be_greater_than_b",
        {
            "column_A": whole.name,
            "column_B": part.name,
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
        name="part_is_within_whole",
        column=part.name,
        note=f"{part.title} ist höchstens so groß wie {whole.title}.",
        found=f"Der Teil „{part.title}“ ist größer als das Ganze „{whole.title}“",
        expected=f"{part.title} höchstens so groß wie {whole.title}",
        hint="Bitte beide Werte prüfen; oft ist eine Spalte verschoben",
        show=[*_key(feed), whole.name, part.name],
    )


def _unique(feed: Feed) -> Expectation:
    what = " und ".join(feed.column(name).title for name in feed.key)
    several = len(feed.key) > 1
    return _expectation(
        "expect_compound_columns_to_be_unique" if several else "expect_column_values_to_be_unique",
        {"column_list": list(feed.key)} if several else {"column": feed.key[0]},
        name="key_is_unique",
        waivable=False,
        note=f"{what}: jede Angabe kommt nur einmal vor.",
        found=f"{what}: Angabe kommt mehrfach vor",
        expected=f"{what} je Datei nur einmal",
        hint="Bitte die doppelten Zeilen entfernen",
        show=_key(feed),
    )


def _key(feed: Feed) -> list[str]:
    return [name for name in feed.key if not feed.column(name).personal]
