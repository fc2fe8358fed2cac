"""Readers and typing: what stands in the file arrives with its type, and what cannot be read has a class."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from pathlib import Path
from typing import Any

import pytest

from orchestration.feeds.cells import Reading
from orchestration.feeds.declaration import DECLARATIONS, fold, load_feed, load_feeds
from orchestration.feeds.encoding import detect
from orchestration.feeds.formats import genesis
from orchestration.feeds.reader import raw_rows, read_delivery
from orchestration.home import REPOSITORY
from tests.fixtures.feeds import deliveries as files

FEEDS = load_feeds()
REAL_FILES = REPOSITORY.parent / "shared" / "data" / "regionalstatistik"


def read(feed: str, deliverer: str, data: bytes) -> Reading:
    return read_delivery(data, FEEDS[feed], FEEDS[feed].deliverers[deliverer])


def rows(reading: Reading) -> list[dict[str, Any]]:
    assert reading.table is not None, reading.findings
    return reading.table.to_pylist()


def register_row(deliverer: str, text: str, encoding: str) -> dict[str, Any]:
    [row] = rows(read("einwohner", deliverer, text.encode(encoding)))
    return row


@pytest.mark.parametrize(
    ("deliverer", "encoding", "text"),
    [
        (
            "bergisch-gladbach",
            "cp1252",
            f"{files.REGISTER_HEADER}\r\n"
            "17;05378004;31.12.2020;Grüner Weg;4a;365400,5;5654400,25;03.02.1950;w;000;H1\r\n",
        ),
        (
            "kuerten",
            "utf-8-sig",
            "stichtag;ags;ordnungsmerkmal;geburtsdatum;geschlecht;staatsangehoerigkeit;haushalt_id;strasse;hausnummer;"
            "ost;nord\n2020-12-31;05378004;17;1950-02-03;weiblich;000;H1;Grüner Weg;4a;365400,5;5654400,25\n",
        ),
        (
            "leichlingen",
            "cp1252",
            files.REGISTER_HEADER.upper().replace("SS", "ß").replace(";", "\t")
            + "\n17\t05378004\t31.12.2020\tGrüner Weg\t4a\t365400,5\t5654400,25\t03.02.1950\tw\t000\tH1\n",
        ),
        (
            "overath",
            "utf-8-sig",
            "PERSNR;GKZ;STICHTAG;STR;HNR;OSTWERT;NORDWERT;GEBDAT;SEX;STAAT;HHNR\n"
            "17;05378004;20201231;Grüner Weg;4a;365400,5;5654400,25;19500203;2;000;H1\n",
        ),
        (
            "roesrath",
            "cp1252",
            "AGS;Ordnungsmerkmal;Stichtag;Haushaltsnummer;Geburtsdatum;Geschlecht;Staatsangehörigkeit;Straße;Hausnummer;"
            "Ostwert;Nordwert\n5378004;17;31.12.2020;H1;03.02.1950;w;0;Grüner Weg;4a;365.400,5;5.654.400,25\t\n",
        ),
        (
            "wermelskirchen",
            "utf-8-sig",
            '"Ordnungsmerkmal","AGS","Stichtag","Straße","Hausnummer","Ostwert","Nordwert","Geburtsdatum","Geschlecht",'
            '"Staatsangehörigkeit","Haushaltsnummer"\n'
            '"17","05378004","2020-12-31","Grüner Weg","4a","365400.5","5654400.25","1950-02-03","w","000","H1"\n',
        ),
    ],
)
def test_every_dialect_of_the_register_gives_the_same_typed_row(deliverer: str, encoding: str, text: str) -> None:
    row = register_row(deliverer, text, encoding)
    assert {name: value for name, value in row.items() if not name.endswith("__fund")} == {
        "zeile": 2,
        "ordnungsmerkmal": "17",
        "ags": "05378004",
        "stichtag": dt.date(2020, 12, 31),
        "strasse": "Grüner Weg",
        "hausnummer": "4a",
        "hausnummer_zusatz": None,
        "ostwert": 365400.5,
        "nordwert": 5654400.25,
        "geburtsdatum": dt.date(1950, 2, 3),
        "geschlecht": "w",
        "staatsangehoerigkeit": "000",
        "haushalt": "H1",
    }
    assert not any(value for name, value in row.items() if name.endswith("__fund"))


def test_a_register_in_xlsx_with_real_dates_and_numbers_reads_alike() -> None:
    first = rows(read("einwohner", "burscheid", files.register_xlsx()))[0]
    assert (first["zeile"], first["ordnungsmerkmal"], first["ags"]) == (2, "2000", "05378008")
    assert (first["stichtag"], first["geburtsdatum"]) == (dt.date(2020, 12, 31), dt.date(1960, 1, 1))
    assert (first["ostwert"], first["hausnummer"], first["staatsangehoerigkeit"]) == (366000.5, "1", "000")


@pytest.mark.parametrize(
    ("cell", "value", "symbol", "fault"),
    [
        ("1.234", 1234, None, None),
        ("1 234\t", 1234, None, None),
        ("10,8", 10.8, None, None),
        ("0", 0, None, None),
        ("-", 0, "-", None),
        ("–", 0, "-", None),
        ("* ", None, "*", None),
        (".", None, ".", None),
        ("...", None, "...", None),
        ("/", None, "/", None),
        ("x", None, "x", None),
        ("(12)", 12, "()", None),
        ("12 r", 12, "r", None),
        ("12p", 12, "p", None),
        ("-5", -5, None, None),
        ("1.23", None, None, "keine Zahl in der vereinbarten Schreibweise (1.234,5)"),
        ("12 Stück", None, None, "Buchstaben in einer Zahl"),
        ("1e5", None, None, "Buchstaben in einer Zahl"),
        ("", None, None, "leer"),
    ],
)
def test_numbers_and_symbols_of_official_statistics_stay_apart(
    cell: str, value: float | None, symbol: str | None, fault: str | None
) -> None:
    lines = files.with_cell(files.unemployed_lines(), 2, "unter 25 Jahre", cell)
    row = rows(read("arbeitslose", "jobcenter", files.text_file(lines)))[0]
    assert row["arbeitslose_u25"] == value
    assert row["arbeitslose_u25__zeichen"] == symbol
    assert row["arbeitslose_u25__fund"] == fault


@pytest.mark.parametrize(
    ("cell", "area"),
    [
        ("05378004", "05378004"),
        ("5378004", "05378004"),
        ("5378004.0", "05378004"),
        ("5378", "05378"),
        ("05378004-07", "05378004-07"),
        ("5378004-07", "05378004-07"),
        ("05378004-B12", "05378004-B12"),
        ("5378004-B3", "05378004-B3"),
        ("DG", "DG"),
        ("Bonn", None),
    ],
)
def test_area_keys_get_their_leading_zero_back(cell: str, area: str | None) -> None:
    lines = files.with_cell(files.unemployed_lines(), 2, "Schlüssel", cell)
    row = rows(read("arbeitslose", "jobcenter", files.text_file(lines)))[0]
    assert row["gebiet"] == area
    assert (row["gebiet__fund"] is None) == (area is not None)


def test_an_empty_votemanager_cell_is_not_yet_counted_and_not_zero() -> None:
    lines = files.with_cell(files.election_lines(), 2, "B", "")
    reading = read("wahlen", "kreis", files.text_file(lines, "utf-8"))
    raw = raw_rows(reading, FEEDS["wahlen"], "id", "kreis", 2020).to_pylist()
    [voters] = [row for row in raw if row["gebiet"] == "05378004" and row["merkmal"] == "waehler"]
    assert (voters["wert"], voters["zeichen"], voters["spalte"]) == (None, "...", "B")


def test_the_jobcenters_table_reads_through_merged_headers_titles_and_footers() -> None:
    reading = read("sgb2", "jobcenter", files.sgb2_xlsx(replaced={("05378", 1): "* ", ("05378", 2): "-"}))
    first, *_, last = rows(reading)
    assert (first["zeile"], first["gebiet"], first["stichtag"]) == (9, "05378", dt.date(2021, 12, 31))
    assert (first["personen"], first["personen_u15"], first["bg_alleinerziehende"]) == (100, 40, 9)
    assert (first["personen_u3__zeichen"], first["personen_3_5"]) == ("*", 0)
    assert last["gebiet"] == "05378004-01"
    assert reading.headers["personen_u3"] == (
        "Personen in Bedarfsgemeinschaften / davon im Alter von … Jahren / unter 3"
    )


def test_numerator_and_denominator_keep_their_own_reference_dates() -> None:
    reading = read("kinder_sgb2", "kreis", files.text_file(files.children_lines(2009), "utf-8"))
    raw = raw_rows(reading, FEEDS["kinder_sgb2"], "id", "kreis", 2009).to_pylist()
    dates = {row["merkmal"]: row["stichtag"] for row in raw}
    assert dates == {
        "einwohner_u15": dt.date(2008, 12, 31),
        "sgb2_u15": dt.date(2009, 10, 31),
        "anteil_u15_percent": dt.date(2009, 10, 31),
    }


def test_rows_keep_their_line_numbers_behind_empty_rows() -> None:
    lines = files.unemployed_lines()
    data = files.text_file([*lines[:3], ";;;;;;;", *lines[3:]])
    assert [row["zeile"] for row in rows(read("arbeitslose", "jobcenter", data))][:4] == [2, 3, 5, 6]


def test_a_line_break_inside_quotes_is_part_of_the_cell() -> None:
    lines = files.unemployed_lines()
    lines[2] = lines[2].replace("Bergisch Gladbach", '"Bergisch\nGladbach"')
    assert rows(read("arbeitslose", "jobcenter", files.text_file(lines)))[1]["gebiet_name"] == "Bergisch Gladbach"


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "utf-8", "utf-8-sig", "utf-16"])
def test_german_text_is_recognised_in_its_encoding(encoding: str) -> None:
    text = "\n".join(["Straße;Ort", "Höhenweg;Kürten", "Ährenstraße;Rösrath", "Übergasse;Köln"] * 20)
    expected = {"utf-8": "utf_8", "utf-8-sig": "utf_8", "utf-16": "utf_16"}.get(encoding, encoding)
    assert detect(text.encode(encoding)) == expected
    assert detect(b"nur ASCII") == "ascii"


def test_other_letters_beside_umlauts_do_not_mislead() -> None:
    assert detect("Straße;Größe\nCafé André § 5 – „Zürich“".encode("cp1252")) == "cp1252"
    assert detect("Straße;Größe\nCafé André § 5".encode("cp850")) == "cp850"


def test_headers_are_compared_without_case_spaces_and_punctuation() -> None:
    assert fold("Straße") == fold("STRASSE") == fold(" str asse ")
    assert fold("Geb.-Datum") == fold("gebdatum")
    assert fold("Staatsangehörigkeit") == fold("staatsangehoerigkeit")


def test_a_date_in_header_cells_becomes_one_row_per_date() -> None:
    text = (
        "GENESIS-Tabelle: 1\nTitel;;;;;\n;;31.12.2015;31.12.2015;31.12.2014;31.12.2014\n;;Insgesamt;weiblich;Insgesamt;"
        "weiblich\n05378;  Kreis;10;6;9;5\n__________\n"
    )
    table, findings = genesis.parse(text)
    assert table is not None and not findings
    assert table.headers == ["Insgesamt", "weiblich"]
    assert [(row[1], row[2], row[4], row[5]) for row in table.rows] == [
        ("31.12.2015", "05378", 1, ["10", "6"]),
        ("31.12.2014", "05378", 1, ["9", "5"]),
    ]


@pytest.mark.skipif(not REAL_FILES.is_dir(), reason="the real Regionalstatistik files are not here")
def test_the_real_dwellings_table_reads() -> None:
    feed = FEEDS["wohnungen"]
    deliverer = dataclasses.replace(feed.deliverers["it-nrw"], encoding="utf_8")
    reading = read_delivery((REAL_FILES / "31231-01-02-5.csv").read_bytes(), feed, deliverer)
    table = rows(reading)
    [kreis] = [r for r in table if r["gebiet"] == "05378" and r["stichtag"] == dt.date(2010, 12, 31)]
    assert (kreis["zeile"], kreis["gebiet_name"]) == (13, "Rheinisch-Bergischer Kreis")
    assert (kreis["wohngebaeude"], kreis["wohnflaeche_1000_qm"], kreis["wohnungen"]) == (69352, 12257.6, 132148)
    assert (kreis["wohnungen_7_plus_raeume"], kreis["raeume"]) == (16056, 124468)
    assert not any(r[f"{c.name}__fund"] for r in table for c in feed.columns)


@pytest.mark.skipif(not REAL_FILES.is_dir(), reason="the real Regionalstatistik files are not here")
def test_the_real_age_structure_table_reads_with_its_date_on_a_line_of_its_own() -> None:
    table, findings = genesis.parse((REAL_FILES / "12411-02-03-5.csv").read_text(encoding="utf-8"))
    assert table is not None and not findings and len(table.headers) == 54
    [kreis] = [row for row in table.rows if row[2] == "05378"]
    assert kreis[1] == "31.12.2015" and kreis[4] == 3
    values = dict(zip(table.headers, kreis[5], strict=True))
    assert values["Insgesamt / Altersgruppen (unter 3 bis 75 u.m.) / unter 3 Jahre"] == "7097"
    assert values["weiblich / Altersgruppen (unter 3 bis 75 u.m.) / Insgesamt"] == "145291"


def test_35000_persons_are_read_and_typed_within_a_second() -> None:
    data = files.register(n=40)
    header, *persons = data.decode("cp1252").splitlines()
    many = [f"{i}{persons[i % 40]}" for i in range(35_000)]
    data = files.text_file([header, *many])
    started = time.process_time()
    reading = read("einwohner", "bergisch-gladbach", data)
    assert time.process_time() - started < 1
    assert reading.table is not None and reading.table.num_rows == 35_000


def test_every_declared_feed_names_a_suite_that_exists() -> None:
    from orchestration.gates.suites import load_suite

    for feed in FEEDS.values():
        for expectation in load_suite(feed.suite)["expectations"]:
            assert expectation["meta"]["note"] and expectation["severity"] in ("critical", "warning")


def test_a_list_with_a_measure_contradicts_itself(tmp_path: Path) -> None:
    """Measures are spread over rows of areas, which a list has not."""
    declared = (DECLARATIONS / "massnahmen.yml").read_text(encoding="utf-8")
    path = tmp_path / "massnahmen.yml"
    path.write_text(declared.replace("budget_eur: {type: number", "budget_eur: {type: measure"), encoding="utf-8")
    with pytest.raises(ValueError, match="measure budget_eur of a record"):
        load_feed(path)
