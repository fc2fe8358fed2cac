"""The demo's files: every dialect as agreed, deterministic bytes, suppression that cannot be worked out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from demo import corrupt
from demo.deliveries import CUT_SHORT, FEEDS, NEVER_SENT, SINGLE_FEEDS, write_deliveries
from demo.files import suppressed
from demo.themes.wohnen import dwelling_stock
from orchestration.feeds.declaration import EXTENSIONS, load_feeds
from orchestration.gates.delivery import check_file

YEARS = [2021, 2022]
SCALE = 0.02
GL = "Ordnungsmerkmal;AGS;Stichtag;Straße;Hausnummer;Ostwert;Nordwert;Geburtsdatum;Geschlecht;Staatsangehörigkeit"
# Encoding, separator, header, way of writing 31.12.2021, AGS.
CSV_DIALECTS = {
    "bergisch-gladbach": ("cp1252", ";", f"{GL};Haushaltsnummer", "31.12.2021", "05378004"),
    "kuerten": (
        "utf-8-sig",
        ";",
        "stichtag;ags;ordnungsmerkmal;geburtsdatum;geschlecht;staatsangehoerigkeit;haushalt_id;strasse;hausnummer;ost;nord",
        "2021-12-31",
        "05378012",
    ),
    "leichlingen": (
        "cp1252",
        "\t",
        "ORDNUNGSMERKMAL\tAGS\tSTICHTAG\tSTRASSE\tHAUSNUMMER\tGEBURTSDATUM\tGESCHLECHT\tSTAATSANGEHÖRIGKEIT\t"
        "HAUSHALTSNUMMER",
        "31.12.2021",
        "05378016",
    ),
    "overath": (
        "utf-8-sig",
        ";",
        "PERSNR;GKZ;STICHTAG;STR;HNR;OSTWERT;NORDWERT;GEBDAT;SEX;STAAT;HHNR",
        "20211231",
        "05378024",
    ),
    "roesrath": (
        "cp1252",
        ";",
        "AGS;Stichtag;Haushaltsnummer;Ordnungsmerkmal;Geschlecht;Geburtsdatum;Staatsangehörigkeit;Straße;Hausnummer;"
        "Hausnummernzusatz",
        "31.12.2021",
        "5378028",
    ),
    "wermelskirchen": (
        "utf-8-sig",
        ",",
        ",".join(f'"{name}"' for name in f"{GL};Haushaltsnummer".split(";")),
        "2021-12-31",
        "05378032",
    ),
}


@pytest.fixture(scope="module")
def landing(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("landing")
    write_deliveries(folder, years=YEARS, progress=lambda line: None, scale=SCALE)
    return folder


def text(path: Path, encoding: str) -> list[str]:
    return path.read_bytes().decode(encoding).splitlines()


def declared_files(years: list[int]) -> set[str]:
    """What the declarations expect for these years, and the single deliveries of any year."""
    return {
        f"{slug}/{name}_{year}.{EXTENSIONS[deliverer.format]}"
        for name, feed in load_feeds().items()
        for slug, deliverer in feed.deliverers.items()
        for year in feed.years
        if deliverer.expected and (year in years or name in SINGLE_FEEDS)
    }


def test_every_feed_of_every_deliverer_is_written(landing):
    names = {str(path.relative_to(landing)) for path in landing.rglob("*.*")}
    assert names == declared_files(YEARS)
    declared = load_feeds().values()
    assert set(FEEDS) == {feed.name for feed in declared if any(d.expected for d in feed.deliverers.values())}


def test_what_goes_wrong_on_purpose_is_one_delivery_that_does_not_come_and_one_that_is_cut(landing, tmp_path):
    feeds = {"asylblg", "bewegungen"}
    write_deliveries(tmp_path, years=[2023], only=feeds, progress=lambda line: None, scale=SCALE, with_faults=True)
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert names == {name for name in declared_files([2023]) if name.split("/")[1][:-9] in feeds} - {NEVER_SENT}
    cut = text(tmp_path / CUT_SHORT, "utf-8-sig")
    assert "fortzuege" in cut[0] and not cut[0].endswith("umzuege_weg")
    verdict = check_file(tmp_path / CUT_SHORT)
    assert not verdict.accepted and "Die Spalte fehlt" in str(verdict.reason)


@pytest.mark.parametrize("deliverer", CSV_DIALECTS)
def test_register_extract_is_in_the_kommunes_own_dialect(landing, deliverer):
    encoding, separator, header, stichtag, ags = CSV_DIALECTS[deliverer]
    path = landing / deliverer / "einwohner_2021.csv"
    lines = text(path, encoding)
    assert lines[0] == header
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    if encoding == "cp1252":
        with pytest.raises(UnicodeDecodeError):
            path.read_bytes().decode("utf-8")
    names = [name.strip('"') for name in lines[0].split(separator)]
    rows = [dict(zip(names, (v.strip('"') for v in line.split(separator)), strict=True)) for line in lines[1:]]
    keys = next(name for name in names if name.lower() in ("ordnungsmerkmal", "persnr"))
    assert len({row[keys] for row in rows}) == len(rows) > 300
    assert {row[n] for row in rows for n in names if n.lower() == "stichtag"} == {stichtag}
    assert {row[n] for row in rows for n in names if n.lower() in ("ags", "gkz")} == {ags}
    sexes = {row[n] for row in rows for n in names if n.lower() in ("geschlecht", "sex")}
    assert sexes <= {"kuerten": {"männlich", "weiblich", "divers"}, "overath": {"1", "2", "3"}}.get(
        deliverer, {"m", "w", "d"}
    )
    decimal = "." if deliverer == "wermelskirchen" else ","
    east = [row[n] for row in rows for n in names if n.lower() in ("ost", "ostwert")]
    assert all(value == "" or decimal in value for value in east)


def test_burscheid_delivers_real_dates_and_numbers(landing):
    sheet = CalamineWorkbook.from_path(str(landing / "burscheid" / "einwohner_2021.xlsx")).get_sheet_by_index(0)
    rows = sheet.to_python()
    assert rows[0] == [
        "OM", "Gemeindeschlüssel", "Stand", "Straßenname", "Hausnr.", "UTM Ost", "UTM Nord", "Geb.-Datum", "Geschl.",
        "Staatsang.", "Haushalt",
    ]  # fmt: skip
    first = rows[1]
    assert first[1] == "05378008"
    assert str(first[2]) == "2021-12-31"
    assert isinstance(first[5], float)
    assert first[7].year > 1900


def test_odenthal_delivers_the_ags_as_number_and_dates_as_text(landing):
    sheet = CalamineWorkbook.from_path(str(landing / "odenthal" / "einwohner_2021.xlsx")).get_sheet_by_index(0)
    rows = sheet.to_python()
    row = dict(zip(rows[0], rows[1], strict=True))
    assert rows[0][:2] == ["Personennummer", "AGS"]
    assert row["AGS"] == 5378020
    assert row["Stichtag"] == "31.12.2021"


def test_bytes_are_equal_at_every_call_and_for_a_year_alone(landing, tmp_path):
    write_deliveries(tmp_path, years=[2022], progress=lambda line: None, scale=SCALE)
    written = [path for path in tmp_path.rglob("*.*") if path.is_file()]
    assert {str(path.relative_to(tmp_path)) for path in written} == declared_files([2022])
    for path in written:
        assert path.read_bytes() == (landing / path.relative_to(tmp_path)).read_bytes(), path.name


def test_only_limits_the_feeds_and_unknown_ones_are_refused(tmp_path):
    paths = write_deliveries(tmp_path, only={"wahlen", "kinder_sgb2"}, progress=lambda line: None)
    assert len(paths) == 5
    with pytest.raises(ValueError, match="Unbekannte Feeds"):
        write_deliveries(tmp_path, only={"wetter"}, progress=lambda line: None)
    with pytest.raises(ValueError, match="Jahre außerhalb"):
        write_deliveries(tmp_path, years=[2014], progress=lambda line: None)
    assert "einwohner" in FEEDS


def test_sgb2_has_stacked_merged_headers_and_footnotes(landing):
    sheet = CalamineWorkbook.from_path(str(landing / "jobcenter" / "sgb2_2021.xlsx")).get_sheet_by_index(0)
    rows = sheet.to_python()
    assert rows[2][0] == "Stichtag: 31.12.2021"
    assert rows[5][:3] == ["Schlüssel", "Gebiet", "Personen in Bedarfsgemeinschaften"]
    assert rows[7][3:9] == [
        "unter 3", "3 bis unter 6", "6 bis unter 15", "15 bis unter 25", "25 bis unter 55", "55 und älter"
    ]  # fmt: skip
    assert ((5, 2), (5, 9)) in sheet.merged_cell_ranges
    regions = [row[0] for row in rows if row[0].startswith("05378")]
    assert len(regions) == 1 + 8 + 87 + 8
    assert "05378032-00" in regions
    assert any(cell == "* " for row in rows for cell in row)
    assert any("synthetisch" in str(row[0]).lower() for row in rows)
    assert any("Bundesagentur" in str(row[0]) for row in rows)


def test_printed_table_of_the_concept_is_delivered_as_printed(landing):
    lines = text(landing / "kreis" / "kinder_sgb2_2014.csv", "utf-8")
    assert lines[1] == "05378;Rhein-Berg;37.988;31.12.2013;4.240;31.10.2014;11,2;-4,1"
    assert lines[5] == "05378016;Leichlingen;3.616;31.12.2013;265;31.10.2014;7,3;-20,0"
    kommunen_sum = sum(int(line.split(";")[4].replace(".", "")) for line in lines[2:])
    assert kommunen_sum == 4241
    assert text(landing / "kreis" / "kinder_sgb2_2009.csv", "utf-8")[1].endswith(";31.10.2009;10,8;")


def test_dwellings_add_up_and_grow():
    stock = dwelling_stock(2023)
    rooms = [c for c in stock if c.startswith("wohnungen_")]
    assert (stock[rooms].sum(axis=1) == stock.wohnungen).all()
    below = stock.index.str.len() == 8
    assert stock[below].wohnungen.sum() == stock.wohnungen["05378"]
    assert (stock.wohnungen > dwelling_stock(2015).wohnungen).all()


def test_elections_are_consistent(landing):
    frame = pd.read_csv(landing / "kreis" / "wahlen_2020.csv", sep=";", dtype={"ags": str})
    assert len(frame) == 8
    assert (frame.A1 + frame.A2 + frame.A3 == frame.A).all()
    assert (frame.C + frame.D == frame.B).all()
    assert (frame[["D1", "D2", "D3", "D4", "D5"]].sum(axis=1) == frame.D).all()
    assert frame.set_index("ags").A["05378004"] == 89995


@pytest.mark.parametrize("year", [2009, 2013, 2017, 2021])
def test_bundestag_elections_are_consistent_labelled_and_give_no_party_a_vote(landing, year):
    frame = pd.read_csv(landing / "kreis" / f"bundestagswahl_{year}.csv", sep=";", dtype={"ags": str})
    assert len(frame) == 8 and list(frame.columns[-5:]) == ["B1", "C", "D", "E", "F"]
    assert set(frame.wahl) == {"Bundestagswahl (Demodaten)"}
    assert (frame.A1 + frame.A2 + frame.A3 == frame.A).all()
    assert (frame.C + frame.D == frame.B).all() and (frame.E + frame.F == frame.B).all()
    assert (frame.B / frame.A).between(0.68, 0.9).all()


def test_references_are_read_although_their_years_became_floats_and_some_are_blank(landing, tmp_path):
    path = landing / "bbsr" / "referenzwerte_2022.csv"
    verdict = check_file(path)
    assert verdict.accepted and verdict.row_count == 8
    assert [finding.message for finding in verdict.findings if not finding.passed] == []
    assert ";2022.0;" in path.read_text(encoding="utf-8") and ";;;" in path.read_text(encoding="utf-8")
    later = tmp_path / "bbsr" / path.name
    later.parent.mkdir()
    later.write_text(path.read_text(encoding="utf-8").replace(";2022.0;", ";2023.0;"), encoding="utf-8")
    [finding] = [finding for finding in check_file(later).findings if not finding.passed]
    assert (finding.expectation, finding.is_error, finding.rows) == ("year_is_not_after_the_delivery", True, (9,))


def test_a_single_blank_never_stands_alone_in_a_sum():
    index = pd.Index(["05378", "05378004", "05378004-01", "05378004-02", "05378004-03"], name="gebiet")
    table = pd.DataFrame({"whole": [30, 30, 2, 8, 20], "part": [12, 12, 1, 4, 7], "rest": [18, 18, 1, 4, 13]}, index)
    mask = suppressed(table, [("whole", "part", "rest")])
    assert mask.loc["05378004-01"].all()
    # Second cells along the column, then along the row of the second cell.
    assert mask.loc["05378004-02", "whole"]
    assert not mask.loc["05378004"].any()
    for column in table:
        assert mask[column].iloc[2:].sum() != 1


KINDS_FOR_ALL = sorted(set(corrupt.KINDS) - {"wrong_encoding", "wrong_encoding_cp850"})


@pytest.mark.parametrize("kind", KINDS_FOR_ALL)
@pytest.mark.parametrize(
    "file",
    ["overath/einwohner_2022.csv", "wermelskirchen/einwohner_2022.csv", "burscheid/einwohner_2022.xlsx",
     "odenthal/einwohner_2022.xlsx", "jobcenter/sgb2_2022.xlsx"],
)  # fmt: skip
def test_every_corruption_changes_the_file_and_repeats(landing, tmp_path, kind, file):
    source = landing / file
    first = corrupt.KINDS[kind](source, tmp_path / "a" / source.name).read_bytes()
    again = corrupt.KINDS[kind](source, tmp_path / "b" / source.name).read_bytes()
    assert first == again
    assert first != source.read_bytes()


def test_corruptions_do_what_their_name_says(landing, tmp_path):
    source = landing / "bergisch-gladbach" / "einwohner_2022.csv"
    target = tmp_path / "einwohner_2022.csv"
    lines = text(source, "cp1252")
    assert text(corrupt.missing_column(source, target), "cp1252")[0] == lines[0].replace(";Geburtsdatum", "")
    assert "36O123,45" in text(corrupt.letters_in_number(source, target), "cp1252")[10]
    assert all(";31.12.2021;" in line for line in text(corrupt.wrong_year(source, target), "cp1252")[1:])
    assert all(";05378008;" in line for line in text(corrupt.other_ags(source, target), "cp1252")[1:])
    assert not corrupt.truncated(source, target).read_bytes().endswith(b"\n")
    assert corrupt.empty(source, target).read_bytes() == b""
    before = source.with_name("einwohner_2021.csv").read_bytes()
    assert corrupt.last_year_again(source, target).read_bytes() == before
    assert text(corrupt.wrong_encoding(source, target), "utf-16") == lines
    assert text(corrupt.wrong_encoding_cp850(source, target), "cp850") == lines
    assert text(source, "cp1252") == lines
