"""The delivery gate accepts what was agreed and rejects everything else with a message a steward can forward."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import zipfile
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from demo.elections import bundestag_election
from orchestration.feeds import reading_room
from orchestration.feeds.intake import deliveries, pending, receive
from orchestration.feeds.reader import READERS
from orchestration.gates import judgement
from orchestration.gates.delivery import check_file, judge, write_control
from orchestration.gates.directory import DELIVERY_SCHEMA
from orchestration.gates.suites import GateDefect
from orchestration.gates.verdicts import Verdict
from orchestration.home import Home
from tests.fixtures.feeds import deliveries as files

BERGISCH_GLADBACH = "bergisch-gladbach"


@pytest.fixture(autouse=True)
def official(monkeypatch: pytest.MonkeyPatch) -> None:
    """The eight Kommunen have as many inhabitants as the small registers of these tests."""
    ags = ["05378004", "05378008", "05378012", "05378032"]
    figures = {(area, year): files.N_PERSONS for area in ags for year in range(2015, 2024)}
    monkeypatch.setattr(judgement, "official_population", lambda: figures)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def drop(home: Home, name: str, data: bytes) -> None:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def deliver(home: Home, name: str, data: bytes) -> Verdict:
    """Drop, receive and judge one file."""
    drop(home, name, data)
    [delivery] = receive(home, settle_seconds=0)
    return next(v for v in judge(home, delivery.feed) if v.delivery_id == delivery.delivery_id)


def report(home: Home, verdict: Verdict) -> str:
    return (home.rejected / verdict.delivery_id / "rueckmeldung.html").read_text(encoding="utf-8")


def errors(verdict: Verdict) -> list[str]:
    return [finding.expectation for finding in verdict.findings if finding.is_error]


def changed(column: str, value: str, row: int = 7) -> bytes:
    return files.text_file(files.with_cell(files.register_lines(), row, column, value))


# --- accepted ------------------------------------------------------------------------------------------------------


def test_an_agreed_register_is_accepted_and_becomes_typed_parquet_that_only_its_owner_reads(home: Home) -> None:
    verdict = deliver(home, f"{BERGISCH_GLADBACH}/einwohner_2020.csv", files.register())
    assert verdict.accepted and verdict.n_errors == 0 and verdict.n_warnings == 0
    [path] = home.raw.glob("einwohner/2020/*.parquet")
    assert path.stat().st_mode & 0o777 == 0o600
    table = pq.read_table(path)
    first = table.slice(0, 1).to_pylist()[0]
    assert table.num_rows == files.N_PERSONS
    assert (first["zeile"], first["ags"], first["ostwert"], first["geschlecht"]) == (2, "05378004", 365400.5, "m")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("burscheid/einwohner_2020.xlsx", files.register_xlsx()),
        ("jobcenter/sgb2_2021.xlsx", files.sgb2_xlsx()),
        ("jobcenter/arbeitslose_2021.csv", files.text_file(files.unemployed_lines())),
        ("kreis/kinder_sgb2_2009.csv", files.text_file(files.children_lines(2009), "utf-8")),
        ("kreis/kinder_sgb2_2014.csv", files.text_file(files.children_lines(2014), "utf-8")),
        ("it-nrw/wohnungen_2020.csv", files.dwellings()),
        ("kreis/wahlen_2020.csv", files.text_file(files.election_lines(), "utf-8")),
    ],
)
def test_an_agreed_file_of_each_format_is_accepted(home: Home, name: str, data: bytes) -> None:
    verdict = deliver(home, name, data)
    assert verdict.accepted, verdict.reason
    assert duckdb.sql(f"select count(*) from '{home.raw}/**/{verdict.delivery_id}.parquet'").fetchone() != (0,)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kreis/wahlen_2009.csv", bundestag_election(dt.date(2009, 9, 27))),
        ("kreis/bundestagswahl_2009.csv", bundestag_election(dt.date(2009, 9, 27)).replace("Bundestag", "Landtag")),
    ],
)
def test_the_result_of_another_election_of_the_same_year_is_rejected(home: Home, name: str, text: str) -> None:
    verdict = deliver(home, name, text.encode())
    assert errors(verdict) == ["election_is_the_agreed"] and "Das Ergebnis einer anderen Wahl" in report(home, verdict)


def test_the_contradictions_of_the_printed_table_are_not_the_delivery_gates_business(home: Home) -> None:
    lines = files.children_lines(2014)
    lines[1] = lines[1].replace("4.240", "4.241")
    assert deliver(home, "kreis/kinder_sgb2_2014.csv", files.text_file(lines, "utf-8")).accepted


# --- rejected: one test per rule -----------------------------------------------------------------------------------


def rejected(home: Home, name: str, data: bytes, expectation: str, *words: str) -> Verdict:
    """Deliver, and assert that exactly this rule rejects, in these words, also in the report."""
    verdict = deliver(home, name, data)
    assert not verdict.accepted
    assert set(errors(verdict)) == {expectation}
    assert not list(home.raw.rglob(f"{verdict.delivery_id}.parquet"))
    page = re.sub(r"\s+", " ", report(home, verdict))
    for word in words:
        assert word in verdict.reason, verdict.reason
        assert word in page or word.replace(" ", "") in page.replace(" ", "")
    return verdict


REGISTER = f"{BERGISCH_GLADBACH}/einwohner_2020.csv"


@pytest.mark.parametrize(
    ("encoding", "title"), [("utf-8", "UTF-8"), ("cp850", "DOS (Codepage 850)"), ("utf-16", "UTF-16")]
)
def test_a_file_in_another_encoding_is_rejected(home: Home, encoding: str, title: str) -> None:
    data = files.text_file(files.register_lines(), encoding)
    rejected(home, REGISTER, data, "encoding_is_as_agreed", title, "windows-1252")


def test_bytes_that_the_agreed_encoding_does_not_know_are_rejected(home: Home) -> None:
    data = files.register().replace(b"Hauptstra", b"Hauptstr\x81", 1)
    rejected(home, REGISTER, data, "encoding_is_as_agreed", "nicht erkennbar")


def test_windows_1252_where_utf_8_is_agreed_is_rejected(home: Home) -> None:
    rejected(home, "kuerten/einwohner_2020.csv", files.register(), "encoding_is_as_agreed", "UTF-8")


@pytest.mark.parametrize("column", ["Geburtsdatum", "AGS", "Haushaltsnummer", "Straße"])
def test_a_file_without_a_column_is_rejected(home: Home, column: str) -> None:
    data = files.text_file(files.without_column(files.register_lines(), column))
    rejected(home, REGISTER, data, "column_exists", column.removesuffix("snummer"), "fehlt")


def test_a_file_with_a_column_twice_is_rejected(home: Home) -> None:
    data = files.text_file([line + ";" + line.split(";")[8] for line in files.register_lines()])
    rejected(home, REGISTER, data, "column_is_unique", "Geschlecht", "mehrfach")


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("Ostwert", "36O4,5", "Buchstaben in einer Zahl"),
        ("Ostwert", "3654.5", "keine Zahl in der vereinbarten Schreibweise"),
        ("Geburtsdatum", "gestern", "kein Datum"),
        ("Geburtsdatum", "31.02.1970", "ein Datum, das es nicht gibt"),
        ("Geburtsdatum", "", "leer"),
        ("Geschlecht", "q", "unbekannter Code"),
        ("AGS", "0537800X", "Buchstaben in einem Schlüssel"),
        ("Staatsangehörigkeit", "1234", "kein Schlüssel mit 3 Ziffern"),
        ("Ordnungsmerkmal", "", "leer"),
    ],
)
def test_an_unreadable_cell_is_rejected_by_row_and_value_class_but_never_by_its_value(
    home: Home, column: str, value: str, found: str
) -> None:
    verdict = rejected(home, REGISTER, changed(column, value), "cell_is_readable", column, found, "7")
    [finding] = [f for f in verdict.findings if f.is_error]
    assert (finding.rows, finding.n_rows, finding.column_name) == ((7,), 1, column)
    if value:
        assert value not in report(home, verdict) and value not in verdict.reason


def test_letters_in_a_number_of_an_aggregate_are_rejected(home: Home) -> None:
    lines = files.with_cell(files.unemployed_lines(), 3, "unter 25 Jahre", "1OO")
    data = files.text_file(lines)
    rejected(home, "jobcenter/arbeitslose_2021.csv", data, "cell_is_readable", "unter 25 Jahre", "Buchstaben")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (REGISTER, files.register(year=2019), ["31.12.2019", "31.12.2020"]),
        ("jobcenter/sgb2_2021.xlsx", files.sgb2_xlsx("31.12.2020"), ["31.12.2020", "31.12.2021"]),
        ("jobcenter/arbeitslose_2021.csv", files.text_file(files.unemployed_lines(2020)), ["31.12.2020"]),
        ("it-nrw/wohnungen_2020.csv", files.dwellings(2019), ["31.12.2019"]),
        ("kreis/wahlen_2020.csv", files.text_file(files.election_lines(2014), "utf-8"), ["13.09.2014"]),
        ("kreis/kinder_sgb2_2014.csv", files.text_file(files.children_lines(2009), "utf-8"), ["31.10.2009"]),
    ],
)
def test_another_years_figures_are_rejected_with_both_dates(
    home: Home, name: str, data: bytes, words: list[str]
) -> None:
    rejected(home, name, data, "reference_date_is_expected", *words)


def test_another_kommunes_register_is_rejected(home: Home) -> None:
    data = files.register(ags="05378008")
    rejected(home, REGISTER, data, "ags_is_the_deliverers", "05378008", "05378004", "Bergisch Gladbach")


def test_a_file_cut_in_mid_line_is_rejected(home: Home) -> None:
    verdict = deliver(home, REGISTER, files.register()[:-25])
    assert "file_is_complete" in errors(verdict)
    assert "abgeschnitten" in verdict.reason and "41" in verdict.reason


def test_a_file_cut_in_the_last_field_is_rejected(home: Home) -> None:
    rejected(home, REGISTER, files.register()[:-3], "file_is_complete", "abgeschnitten")


def test_a_line_with_too_many_fields_is_rejected_with_its_number(home: Home) -> None:
    lines = files.register_lines()
    lines[4] += ";noch etwas"
    rejected(home, REGISTER, files.text_file(lines), "field_count_is_constant", "Zeile 5 hat 12 Felder statt 11")


@pytest.mark.parametrize("name", ["burscheid/einwohner_2020.xlsx", "jobcenter/sgb2_2021.xlsx"])
def test_a_cut_xlsx_is_rejected(home: Home, name: str) -> None:
    data = files.register_xlsx() if "einwohner" in name else files.sgb2_xlsx()
    rejected(home, name, data[: len(data) * 2 // 3], "file_is_complete", "abgeschnitten")


def test_a_genesis_table_without_its_footer_is_rejected(home: Home) -> None:
    rejected(home, "it-nrw/wohnungen_2020.csv", files.dwellings(footer=False), "file_is_complete", "Fußteil")


@pytest.mark.parametrize("data", [b"", b" \r\n\r\n", files.text_file([files.REGISTER_HEADER])])
def test_an_empty_file_is_rejected(home: Home, data: bytes) -> None:
    verdict = rejected(home, REGISTER, data, "file_is_not_empty")
    assert "leer" in verdict.reason or "keine" in verdict.reason


def test_last_years_file_byte_for_byte_is_rejected_and_names_the_delivery_it_equals(home: Home) -> None:
    first = deliver(home, f"{BERGISCH_GLADBACH}/einwohner_2019.csv", files.register(2019))
    again = deliver(home, REGISTER, files.register(2019))
    assert first.accepted and not again.accepted
    assert errors(again)[0] == "delivery_is_new"
    assert first.delivery_id in again.reason


def test_a_file_first_delivered_under_a_wrong_year_is_accepted_under_the_right_one(home: Home) -> None:
    wrong = deliver(home, f"{BERGISCH_GLADBACH}/einwohner_2021.csv", files.register(2020))
    right = deliver(home, REGISTER, files.register(2020))
    assert not wrong.accepted and right.accepted


def test_duplicate_person_keys_are_rejected_with_their_rows_but_not_their_keys(home: Home) -> None:
    verdict = rejected(home, REGISTER, changed("Ordnungsmerkmal", "1020"), "key_is_unique", "mehrfach", "7, 22")
    assert "1020" not in report(home, verdict).replace(verdict.delivery_id, "")


def test_a_birth_after_the_reference_date_is_rejected(home: Home) -> None:
    rejected(home, REGISTER, changed("Geburtsdatum", "01.01.2021"), "birth_is_not_after_reference_date", "31.12.2020")


def test_a_birth_on_the_reference_date_is_accepted(home: Home) -> None:
    assert deliver(home, REGISTER, changed("Geburtsdatum", "31.12.2020")).accepted


def test_an_age_over_115_is_rejected_and_115_is_not(home: Home) -> None:
    assert deliver(home, REGISTER, changed("Geburtsdatum", "01.01.1905")).accepted
    rejected(home, REGISTER, changed("Geburtsdatum", "31.12.1904"), "age_is_plausible", "115")


def test_an_implausible_number_of_persons_is_rejected_and_names_the_official_figure(home: Home) -> None:
    data = files.register(n=files.N_PERSONS - 1)
    rejected(home, REGISTER, data, "row_count_is_plausible", "39", "40", "2,5 %")


def test_a_small_deviation_from_the_official_figure_is_a_warning(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgement, "official_population", lambda: {("05378004", 2020): 201})
    lines = files.register_lines(n=1)
    lines += [files.with_cell(files.register_lines(), 2, "Ordnungsmerkmal", str(i))[1] for i in range(5000, 5199)]
    lines = [lines[0]] + [
        ";".join([*line.split(";")[:4], str(i), *line.split(";")[5:]]) for i, line in enumerate(lines[1:])
    ]
    verdict = deliver(home, REGISTER, files.text_file(lines))
    assert verdict.accepted
    assert [f.expectation for f in verdict.findings if f.is_warning] == ["row_count_equals_official"]


def test_without_an_official_figure_the_steward_is_told_that_it_was_not_compared(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judgement, "official_population", dict)
    verdict = deliver(home, REGISTER, files.register(n=10))
    assert verdict.accepted and verdict.n_warnings == 2


@pytest.mark.parametrize(
    ("area", "column", "value"), [("05378008", 1, 101), ("05378008", 7, 101), ("05378008", 9, 56), ("05378004", 1, 41)]
)
def test_a_part_larger_than_its_whole_is_rejected(home: Home, area: str, column: int, value: int) -> None:
    verdict = deliver(home, "jobcenter/sgb2_2021.xlsx", files.sgb2_xlsx(replaced={(area, column): value}))
    assert "part_is_within_whole" in errors(verdict)
    assert area in verdict.reason


def test_a_negative_count_is_rejected(home: Home) -> None:
    verdict = deliver(home, "jobcenter/sgb2_2021.xlsx", files.sgb2_xlsx(replaced={("05378012", 8): -5}))
    assert "value_is_not_negative" in errors(verdict)


def test_an_unknown_area_is_rejected(home: Home) -> None:
    lines = [*files.unemployed_lines(), "31.12.2021;05374012;Gummersbach;1;0;0;0;0"]
    data = files.text_file(lines)
    rejected(home, "jobcenter/arbeitslose_2021.csv", data, "area_is_known", "05374012")


def test_a_missing_kommune_is_rejected_by_name_of_its_key(home: Home) -> None:
    data = files.text_file([line for line in files.unemployed_lines() if "05378024" not in line])
    rejected(home, "jobcenter/arbeitslose_2021.csv", data, "areas_are_complete", "05378024")


def test_an_area_that_stands_twice_is_rejected(home: Home) -> None:
    lines = files.unemployed_lines()
    data = files.text_file([*lines, lines[-1]])
    rejected(home, "jobcenter/arbeitslose_2021.csv", data, "key_is_unique", "05378032", "10, 11")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bergisch-gladbach/register.csv", "Dateiname"),
        ("bergisch-gladbach/geburten_2020.csv", "Lieferart"),
        ("koeln/einwohner_2020.csv", "Lieferanten"),
        ("jobcenter/einwohner_2020.csv", "Lieferanten"),
        ("einwohner_2020.csv", "Lieferanten"),
        ("bergisch-gladbach/einwohner_1990.csv", "1990"),
        ("bergisch-gladbach/einwohner_2020.xlsx", ".csv"),
    ],
)
def test_a_file_that_fits_no_agreement_is_archived_and_rejected(home: Home, name: str, words: str) -> None:
    verdict = deliver(home, name, files.register())
    assert verdict.feed is None and not verdict.accepted and words in verdict.reason
    assert deliveries(home)[0].blob(home).read_bytes() == files.register()
    assert "Absender" in report(home, verdict) or "An: " in report(home, verdict)


# --- warnings ------------------------------------------------------------------------------------------------------


def register_of(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> bytes:
    monkeypatch.setattr(judgement, "official_population", lambda: {("05378004", 2020): len(lines) - 1})
    return files.text_file(lines)


def test_an_office_address_is_a_warning_that_does_not_name_the_address(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = files.register_lines(n=1)[1].replace("Hauptstraße;0", "Rathausplatz;1")
    lines = [*files.register_lines(), *[person.replace("1000;", f"{7000 + i};", 1) for i in range(81)]]
    verdict = deliver(home, REGISTER, register_of(monkeypatch, lines))
    assert verdict.accepted
    [finding] = [f for f in verdict.findings if f.is_warning]
    assert finding.expectation == "address_is_not_an_office" and finding.n_rows == 81 and finding.rows[0] == 42
    assert "Rathausplatz" not in json.dumps(finding.as_json())


def test_many_persons_without_coordinates_are_a_warning(home: Home) -> None:
    lines = files.with_cell(files.register_lines(), 3, "Ostwert", "")
    verdict = deliver(home, REGISTER, files.text_file(lines))
    assert verdict.accepted
    assert [f.expectation for f in verdict.findings if f.is_warning] == ["persons_are_located"]


def test_an_unagreed_column_is_a_warning_and_not_taken_over(home: Home) -> None:
    lines = files.register_lines()
    data = files.text_file([lines[0] + ";Religion", *[line + ";rk" for line in lines[1:]]])
    verdict = deliver(home, REGISTER, data)
    assert verdict.accepted
    [finding] = [f for f in verdict.findings if f.is_warning]
    assert finding.expectation == "column_is_agreed" and "Religion" in finding.message


def test_a_first_line_with_personal_data_instead_of_headers_is_not_quoted(home: Home) -> None:
    verdict = deliver(home, REGISTER, files.text_file(files.register_lines()[1:]))
    assert errors(verdict) == ["header_is_known"]
    assert "1940" not in verdict.reason and "Hauptstraße" not in report(home, verdict)


# --- what the gate promises ------------------------------------------------------------------------------------------


def test_a_later_accepted_delivery_supersedes_and_a_rejected_one_does_not(home: Home) -> None:
    first = deliver(home, REGISTER, files.register())
    second = deliver(home, REGISTER, changed("Geburtsdatum", "01.02.1950"))
    third = deliver(home, REGISTER, changed("Geburtsdatum", "gestern"))
    states = write_control(home).set_index("delivery_id")["state"].to_dict()
    assert states == {
        first.delivery_id: "superseded",
        second.delivery_id: "accepted",
        third.delivery_id: "rejected",
    }
    assert second.delivery_id in report(home, third)


def test_judging_again_from_the_archive_gives_the_same_verdicts_and_bytes(home: Home) -> None:
    deliver(home, f"{BERGISCH_GLADBACH}/einwohner_2019.csv", files.register(2019))
    deliver(home, REGISTER, files.register(2019))
    deliver(home, REGISTER, files.register(2020))
    drop(home, "falsch.txt", b"x")
    receive(home, settle_seconds=0)
    write_control(home)

    def contents() -> dict[str, bytes]:
        return {
            str(path.relative_to(home.root)): path.read_bytes()
            for folder in (home.raw, home.control, home.rejected)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    before = contents()
    for folder in (home.raw, home.control, home.rejected):
        shutil.rmtree(folder)
    home.create()
    judge(home, "einwohner")
    write_control(home)
    assert contents() == before and len(before) > 8


def test_a_judged_delivery_is_pending_again_when_its_product_is_gone(home: Home) -> None:
    verdict = deliver(home, REGISTER, files.register())
    assert pending(home, "einwohner") == []
    next(home.raw.glob("einwohner/2020/*.parquet")).unlink()
    assert [d.delivery_id for d in pending(home, "einwohner")] == [verdict.delivery_id]


def test_a_reader_that_breaks_rejects_one_file_without_quoting_it_and_the_others_go_on(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(data: bytes, *_: object) -> None:
        raise ValueError(f"cannot parse {data[:200]!r}")

    monkeypatch.setitem(READERS, "xlsx", read)
    # The process that reads must know the broken reader: it is a fork of this one.
    monkeypatch.setattr(reading_room._Companion, "start", reading_room._Companion.fork)
    reading_room.close()
    drop(home, "burscheid/einwohner_2020.xlsx", files.register_xlsx())
    drop(home, REGISTER, files.register())
    receive(home, settle_seconds=0)
    verdicts = {v.deliverer: v for v in judge(home, "einwohner")}
    reading_room.close()
    assert verdicts[BERGISCH_GLADBACH].accepted
    assert errors(verdicts["burscheid"]) == ["file_is_readable"]
    assert "ValueError" in verdicts["burscheid"].reason and "parse" not in report(home, verdicts["burscheid"])


def test_an_expectation_that_raises_is_a_defect_of_ours_and_leaves_the_delivery_pending(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {
        "name": "broken",
        "expectations": [{"type": "expect_column_values_to_be_unique", "kwargs": {"column": "gibt_es_nicht"}}],
    }
    monkeypatch.setattr(judgement, "feed_suite", lambda feed, deliverer: broken)
    drop(home, REGISTER, files.register())
    receive(home, settle_seconds=0)
    with pytest.raises(GateDefect, match=r"Fehler in der Prüfung selbst.*broken.*gibt_es_nicht.*melden"):
        judge(home, "einwohner")
    assert len(pending(home, "einwohner")) == 1 and not list(home.rejected.iterdir())


def readable(path: Path) -> str:
    """Everything that a file of the gate tells, as text."""
    if path.suffix == ".parquet":
        return json.dumps(pq.read_table(path).to_pylist(), default=str)
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return " ".join(book.read(name).decode() for name in book.namelist())
    return path.read_text(encoding="utf-8")


def test_no_value_of_a_personal_column_is_in_control_or_report(home: Home) -> None:
    lines = files.with_cell(files.register_lines(), 7, "Geburtsdatum", "XGEBURTX")
    lines = files.with_cell(lines, 8, "Straße", "XSTRASSEX")
    lines = files.with_cell(lines, 9, "Ordnungsmerkmal", "XKEYX")
    lines = files.with_cell(lines, 10, "Ordnungsmerkmal", "XKEYX")
    lines = files.with_cell(lines, 11, "Ostwert", "XOSTX")
    deliver(home, REGISTER, files.text_file(lines))
    write_control(home)
    for folder in (home.control, home.rejected):
        for path in folder.rglob("*.*"):
            text = readable(path)
            assert not re.search(r"X(GEBURT|STRASSE|KEY|OST)X", text), path


def test_a_share_worked_out_from_a_small_count_is_for_the_deliverer_only(home: Home) -> None:
    header = "Stichtag;Schlüssel;Gebiet;Leistungsberechtigte;männlich;weiblich;unter 18 Jahre;Analogleistungen (§ 2)"
    rows = [
        f"31.12.2021;{area};{name};60;30;30;{1 if area == '05378008' else 20};5" for area, name in files.AREAS.items()
    ]
    verdict = deliver(home, "kreis/asylblg_2021.csv", files.text_file([header, *rows], "utf-8"))
    [finding] = [f for f in verdict.findings if f.expectation == "share_of_minors_is_plausible"]
    assert (
        finding.is_warning
        and "05378008" in finding.public_message
        and "05378008 / 60 / 1 / 1,7" in finding.full_message
    )
    write_control(home)
    told = str(pq.read_table(home.control / "finding_delivery.parquet").to_pylist())
    assert "1,7" not in finding.message + finding.public_message + told and "60" not in finding.public_message


def test_how_many_cells_of_a_kind_are_unreadable_is_not_published(home: Home) -> None:
    lines = files.register_lines()
    for row, value in ((3, ""), (4, "gestern"), (5, "gestern")):
        lines = files.with_cell(lines, row, "Geburtsdatum", value)
    [finding] = [f for f in deliver(home, REGISTER, files.text_file(lines)).findings if f.is_error]
    assert "kein Datum (TT.MM.JJJJ oder JJJJ-MM-TT oder JJJJMMTT), leer" in finding.public_message
    assert "(1)" not in finding.message and "(2)" not in finding.message and finding.rows == (3, 4, 5)


def test_control_tables_have_the_agreed_columns(home: Home) -> None:
    deliver(home, REGISTER, files.register())
    write_control(home)
    assert pq.read_schema(home.control / "delivery.parquet").names == DELIVERY_SCHEMA.names
    findings = pq.read_table(home.control / "finding_delivery.parquet").to_pylist()
    assert all(finding["passed"] for finding in findings) and len(findings) > 15
    assert (home.raw / "aggregate" / "wahlen" / "_schema.parquet").exists()


def test_the_report_loads_nothing_from_elsewhere_and_escapes_the_file_name(home: Home) -> None:
    verdict = deliver(home, f'{BERGISCH_GLADBACH}/"><script>alert(1)<\\script>.csv', b"x")
    page = report(home, verdict)
    assert "<script" not in page
    assert not re.search(r"(src|href)=|https?://|url\(", page)


def test_checking_a_file_judges_like_a_delivery_and_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / BERGISCH_GLADBACH
    folder.mkdir()
    good, bad = folder / "einwohner_2020.csv", folder / "einwohner_2019.csv"
    good.write_bytes(files.register())
    bad.write_bytes(files.register(2018))
    before = sorted(tmp_path.rglob("*"))
    assert check_file(good).accepted
    assert errors(check_file(bad)) == ["reference_date_is_expected"]
    assert check_file(bad, "einwohner", BERGISCH_GLADBACH, 2018).accepted
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(ValueError, match="Lieferanten"):
        check_file(bad.rename(tmp_path / "einwohner_2018.csv"))


def test_checking_with_a_home_finds_that_a_file_was_delivered_before(home: Home, tmp_path: Path) -> None:
    deliver(home, f"{BERGISCH_GLADBACH}/einwohner_2019.csv", files.register(2019))
    path = tmp_path / "neu.csv"
    path.write_bytes(files.register(2019))
    verdict = check_file(path, "einwohner", BERGISCH_GLADBACH, 2020, home=home)
    assert "delivery_is_new" in errors(verdict)
