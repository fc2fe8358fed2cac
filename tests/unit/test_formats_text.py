"""Text formats: delimited, ffcsv, votemanager, gebref and GV100AD, with the traps seen in real files."""

from __future__ import annotations

import datetime as dt

import pytest

from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.formats import gebref
from orchestration.feeds.reader import read_delivery
from tests.fixtures.feeds.agreements import GEBIET, STICHTAG, agreement, column, fault, rows
from tests.fixtures.feeds.official_texts import ADDRESSES, BEVSTD, MUNICIPALITIES, OLD_FLAT, address, record

# --- delimited -----------------------------------------------------------------------------------------------------

PLACES = [column("text", "ort", "Ort"), column("number", "zahl", "Zahl")]
PLACES_TEXT = "Ort;Zahl\r\nRösrath, „Höhe“;1.234,5\r\nKürten;249091\t\r\n"


@pytest.mark.parametrize("encoding", ["utf_8", "utf_8_sig", "cp1252", "iso8859_15", "cp850", "utf_16", "utf_16_le"])
def test_delimited_text_reads_in_every_agreed_encoding(encoding: str) -> None:
    text = PLACES_TEXT if encoding not in ("iso8859_15", "cp850") else PLACES_TEXT.translate({0x201E: '"', 0x201C: '"'})
    agreed = agreement(
        "delimited",
        PLACES,
        grain="person",
        encoding={"utf_8_sig": "utf_8", "utf_16_le": "utf_16"}.get(encoding, encoding),
    )
    first, second = rows(text.replace('"', "").encode(encoding), agreed)
    assert first["ort"].startswith("Rösrath, ") and first["ort"].strip("„“").endswith("Höhe")
    assert (first["zahl"], second["ort"], second["zahl"]) == (1234.5, "Kürten", 249091)


def test_excels_separator_hint_blank_first_lines_and_old_line_ends_are_no_obstacle() -> None:
    agreed = agreement("delimited", PLACES, grain="person", encoding="utf_8")
    assert [(r["zeile"], r["ort"]) for r in rows(b"sep=;\nOrt;Zahl\nOverath;1\n", agreed)] == [(3, "Overath")]
    assert [(r["zeile"], r["ort"]) for r in rows(b"\n\nOrt;Zahl\nOverath;1\n", agreed)] == [(4, "Overath")]
    assert [(r["zeile"], r["ort"]) for r in rows(b"Ort;Zahl\rOverath;1\r", agreed)] == [(2, "Overath")]
    rule, message = fault(b"sep=;\nOrt;Zahl\nOverath;1\nOdenthal;2;3\nOverath;1\n", agreed)
    assert rule == "field_count_is_constant" and "Zeile 4 hat 3 Felder statt 2" in message


@pytest.mark.parametrize("header", [b"Ort\rZahl", b"Ort;" + b"x" * 200_000])
def test_a_header_line_that_cannot_be_taken_apart_is_a_finding(header: bytes) -> None:
    agreed = agreement("delimited", PLACES, grain="person", encoding="utf_8")
    assert fault(header + b"\nOverath;1\n", agreed)[0] == "header_is_known"


# --- ffcsv ---------------------------------------------------------------------------------------------------------


def new_flat(*lines: tuple[str, str, str, str, str, str]) -> bytes:
    """Lines of (area, name, sex code, sex, value, unit) in the layout since 2024."""
    header = (
        "statistics_code;statistics_label;time_code;time_label;time;1_variable_code;1_variable_label;"
        "1_variable_attribute_code;1_variable_attribute_label;2_variable_code;2_variable_label;"
        "2_variable_attribute_code;2_variable_attribute_label;value;value_unit;value_variable_code;"
        "value_variable_label;value_q"
    )
    body = [
        f"12411;Stand;STAG;Stichtag;2023-12-31;GEOGM4;Gemeinden;{area};{name};GES;Geschlecht;{code};{sex};{value};{unit};"
        "BEVSTD;Bevölkerungsstand;e"
        for area, name, code, sex, value, unit in lines
    ]
    return ("\ufeff" + "\n".join([header, *body]) + "\n").encode()


def test_the_former_flat_layout_becomes_one_column_per_value_and_categories() -> None:
    burscheid, kuerten = rows(OLD_FLAT.encode("cp1252"), agreement("ffcsv", BEVSTD, encoding="cp1252"))
    assert (burscheid["zeile"], burscheid["gebiet"], burscheid["gebiet_name"]) == (2, "05378008", "Burscheid, Rheinl")
    assert (burscheid["stichtag"], burscheid["insgesamt"]) == (dt.date(2015, 12, 31), 18172)
    assert (burscheid["maennlich_u3"], burscheid["maennlich_u3__zeichen"]) == (0, "-")
    assert (burscheid["weiblich"], burscheid["weiblich__zeichen"]) == (None, None)
    assert (kuerten["maennlich_u3"], kuerten["maennlich_u3__zeichen"], kuerten["weiblich"]) == (None, "...", 9.5)


def test_the_present_flat_layout_tells_units_of_the_same_value_apart() -> None:
    data = new_flat(
        ("053780008008", "Burscheid, Stadt", "", "Insgesamt", "19131", "Anzahl"),
        ("053780008008", "Burscheid, Stadt", "GESM", "männlich", "49,5", "%"),
        ("053780008008", "Burscheid, Stadt", "GESM", "männlich", "9470", "Anzahl"),
        ("05", "Nordrhein-Westfalen", "GESM", "männlich", ".", "Anzahl"),
    )
    columns = [
        STICHTAG,
        GEBIET,
        column("measure", "insgesamt", "Bevölkerungsstand / Insgesamt / Anzahl", required=False),
        column("measure", "maennlich", "BEVSTD / männlich / Anzahl"),
        column("measure", "maennlich_prozent", "BEVSTD / GESM / %", required=False),
    ]
    burscheid, land = rows(data, agreement("ffcsv", columns, encoding="utf_8"))
    assert (burscheid["gebiet"], burscheid["stichtag"]) == ("05378008", dt.date(2023, 12, 31))
    assert (burscheid["insgesamt"], burscheid["maennlich"], burscheid["maennlich_prozent"]) == (19131, 9470, 49.5)
    assert (land["gebiet"], land["maennlich"], land["maennlich__zeichen"]) == ("05", None, ".")
    ambiguous = [STICHTAG, GEBIET, column("measure", "maennlich", "Bevölkerungsstand / männlich")]
    rule, message = fault(data, agreement("ffcsv", ambiguous, encoding="utf_8"))
    assert rule == "column_is_unique" and "mehrfach" in message


def test_a_flat_value_that_stands_twice_is_a_finding_with_its_row() -> None:
    line = ("053780008008", "Burscheid", "", "Insgesamt", "19131", "Anzahl")
    rule, message = fault(new_flat(line, line), agreement("ffcsv", [GEBIET], encoding="utf_8"))
    assert rule == "value_is_unique" and "Zeile 3" in message


@pytest.mark.parametrize(
    "data",
    [PLACES_TEXT.encode(), new_flat().replace(b"1_variable_attribute_label", b"x"), new_flat()[:40] + b";value\n"],
)
def test_a_csv_that_is_no_flat_file_says_so(data: bytes) -> None:
    rule, message = fault(data, agreement("ffcsv", BEVSTD, encoding="utf_8"))
    assert rule == "format_is_ffcsv" and "keine GENESIS-Flachdatei" in message


# --- votemanager ---------------------------------------------------------------------------------------------------

WAHLEN = load_feeds()["wahlen"]
VOTES = [column for column in WAHLEN.columns if column.name != "stichtag"]
FORMER = (
    "Nr;Name;MaxSchnellmeldungen;AnzSchnellmeldungen;Wahlberechtigte;abgegeben;Wahlbeteiligung;gültigeStimmzettel;gültig;"
    "ungültigeStimmzettel;ungültig;CDU;CDU_Proz;SPD;SPD_Proz\n"
    "0;Stadt Rösrath;20;19;22000;12000;54,5;11900;11900;100;100;6000;50,4;5900;49,6\n"
)


def test_the_former_votemanager_layout_gets_the_deliverers_key_and_the_present_letters() -> None:
    agreed = agreement("votemanager", VOTES, encoding="utf_8", ags="05378028")
    [row] = rows(FORMER.encode(), agreed)
    assert (row["gebiet"], row["gebiet_name"]) == ("05378028", "Stadt Rösrath")
    assert [row[n] for n in ("wahlberechtigte", "waehler", "ungueltig", "gueltig")] == [22000, 12000, 100, 11900]


def test_the_former_votemanager_layout_says_that_the_day_is_missing_where_it_is_agreed() -> None:
    rule, message = fault(FORMER.encode(), agreement("votemanager", WAHLEN.columns, encoding="utf_8", ags="05378028"))
    assert rule == "column_exists" and "datum" in message


@pytest.mark.parametrize(
    "lists",
    [
        "D1_liste;D1_1;D1_4;D1_summe_kandidaten;D1_summe_liste_kandidaten",
        "D1_1;D1_2_1;D1_2_2;D1_3;D1_4",
        "D2;D3;D4;D5;D1",
    ],
)
def test_a_lists_total_is_found_whatever_it_is_called_beside_its_candidates(lists: str) -> None:
    text = (
        f"datum;wahl;ags;gebiet-nr;gebiet-name;max-schnellmeldungen;anz-schnellmeldungen;A;B;C;D;{lists}\n"
        "13.09.2020;Ratswahl;05378004;0;Bergisch Gladbach;10;9;1000;600;;590;200;60;40;100;300\n"
    )
    columns = [*WAHLEN.columns, column("measure", "erste", "D1")]
    [row] = rows(text.encode(), agreement("votemanager", columns, encoding="utf_8"))
    assert (row["stichtag"], row["gueltig"], row["erste"]) == (dt.date(2020, 9, 13), 590, 300)
    assert (row["ungueltig"], row["ungueltig__zeichen"]) == (None, "...")


def test_a_file_that_is_not_from_the_votemanager_names_what_is_missing() -> None:
    rule, message = fault(PLACES_TEXT.encode(), agreement("votemanager", VOTES, encoding="utf_8"))
    assert rule == "format_is_votemanager" and "gebiet-nr" in message


# --- gebref --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_addresses_come_out_in_metres_of_epsg_25832_whichever_variant_was_delivered(bom: str) -> None:
    text = bom + "\n".join([address(1), address(2, "32365400,125"), address(3, "32365400")]) + "\n"
    found = rows(text.encode(), agreement("gebref", ADDRESSES, grain="person"))
    assert [(r["zeile"], r["ags"], r["hausnummer"], r["ost"], r["nord"]) for r in found] == [
        (1, "05378004", "1", 365400.125, 5654400.25),
        (2, "05378004", "2", 365400.125, 5654400.25),
        (3, "05378004", "3", 365400, 5654400.25),
    ]
    assert (found[0]["strasse"], found[0]["zusatz"], found[0]["stand"]) == ("Grüner Weg", "a", dt.date(2023, 4, 1))


def test_addresses_of_another_zone_or_shape_are_findings() -> None:
    agreed = agreement("gebref", ADDRESSES, grain="person")
    assert fault((address(1, "33365400,125") + "\n").encode(), agreed)[0] == "crs_is_known"
    rule, message = fault(b"N;1;A;05;3;78;004;0000;01234;1;a;365400,1;5654400,2;Weg\n", agreed)
    assert rule == "format_is_gebref" and "14 Felder je Zeile statt 21" in message
    good = [address(i) for i in range(1, 5)]
    rule, message = fault("\n".join([*good[:2], "N;1", *good[2:]]).encode() + b"\n", agreed)
    assert rule == "field_count_is_constant" and "Zeile 3 hat 2 Felder statt 21" in message
    assert fault("\n".join(good).encode()[:-7], agreed)[0] == "file_is_complete"


def test_20000_addresses_are_read_without_a_loop_over_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not timed: the number of Python calls must not grow with the number of rows."""
    import sys

    def calls(n: int) -> int:
        data = ("\n".join(address(i) for i in range(n)) + "\n").encode()
        agreed = agreement("gebref", ADDRESSES, grain="person")
        counted = 0

        def count(*_: object) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count)
        try:
            reading = read_delivery(data, *agreed)
        finally:
            sys.setprofile(None)
        assert reading.table is not None and reading.table.num_rows == n
        return counted

    calls(10)
    assert calls(20_000) < 2 * calls(1_000)
    assert len(gebref.HEADERS) == 21


# --- GV100AD -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf_8", "cp1252", "cp850"])
def test_gemeindeverzeichnis_fields_are_cut_by_characters_not_bytes(encoding: str) -> None:
    lines = [
        record("40", "05378", "Rheinisch-Bergischer Kreis"),
        record("60", "05378028", "Rösrath", "00000003880", "00000028889"),
    ]
    data = ("\r\n".join(lines) + "\r\n").encode(encoding)
    kreis, roesrath = rows(data, agreement("gv100ad", MUNICIPALITIES, grain="person", key=["ags"], encoding=encoding))
    assert (kreis["satzart"], kreis["ags"], kreis["einwohner"]) == ("40", "05378", None)
    assert (roesrath["zeile"], roesrath["ags"], roesrath["name"]) == (2, "05378028", "Rösrath")
    assert (roesrath["flaeche_ha"], roesrath["einwohner"]) == (3880, 28889)


def test_a_text_that_is_no_gemeindeverzeichnis_says_so_with_its_rows() -> None:
    data = (record("60", "05378028", "Rösrath") + "\nSatzart;AGS\n").encode()
    rule, message = fault(data, agreement("gv100ad", MUNICIPALITIES, grain="person", encoding="utf_8"))
    assert rule == "format_is_gv100ad" and "Zeile 2" in message
