"""Addresses find their coordinates in steps; near misses wait for the steward, who decides once; nothing is guessed."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from rich.console import Console

from orchestration.cli import main
from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.intake import receive
from orchestration.feeds.reader import raw_schema
from orchestration.gates import judgement
from orchestration.gates.decisions import load_decisions
from orchestration.gates.delivery import judge, write_control
from orchestration.geography import address_match
from orchestration.geography.address_match import anschrift_path, write_anschrift
from orchestration.geography.address_review import review, review_path
from orchestration.geography.address_shares import as_markdown, in_words, shares
from orchestration.home import Home
from orchestration.release.identity import identify
from orchestration.sql import single_threaded
from orchestration.status import print_status
from tests.fixtures.feeds import deliveries as files

AGS, OTHER = "05378004", "05378008"
Row = tuple[str, str, str | None, str | None]


def raw(path: Path, feed: str, rows: list[dict[str, object]]) -> Path:
    lead = {"delivery_id": "d1", "deliverer": "kreis", "delivery_year": 2020}
    table = pa.Table.from_pylist(
        [{**lead, "zeile": n, **row} for n, row in enumerate(rows, 2)], raw_schema(load_feeds()[feed])
    )
    pq.write_table(table, path)
    return path


def entry(oid: str, street: str, number: str, east: float, suffix: str | None = None, ags: str = AGS, year: int = 2020):
    return {
        "oid": oid, "ags": ags, "strasse": street, "hausnummer": number, "hausnummer_zusatz": suffix,
        "ostwert": east, "nordwert": 5654000.0, "delivery_year": year,
    }  # fmt: skip


REGISTER = [
    entry("O1", "Lärchenstraße", "12", 1000.0, "a"),
    entry("O2", "Lärchenstraße", "7", 2000.0),
    entry("O3", "Am Köppchen", "3", 3000.0),
    # two entrances of one house, and one address at two places
    entry("O5", "Am Köppchen", "4", 4040.0),
    entry("O4", "Am Köppchen", "4", 4000.0),
    entry("O6", "Ringstraße", "1", 5000.0),
    entry("O7", "Ringstraße", "1", 9000.0),
    # spelled apart they are two streets, normalised they are one
    entry("O8", "Berg-Straße", "1", 6000.0),
    entry("O9", "Bergstraße", "1", 8000.0),
    # moved by an inch since the extract before, and torn down since
    entry("P1", "Neuer Weg", "1", 100.0, year=2015),
    entry("P1", "Neuer Weg", "1", 101.0),
    entry("P2", "Neuer Weg", "2", 102.0, year=2015),
]


def matched(tmp_path: Path, *wanted: Row, confirmed: list[tuple[str, str, str]] | None = None):
    """(step, ostwert, missing) of every wanted address, and the review list."""
    names = ("ags", "strasse", "hausnummer", "hausnummer_zusatz")
    persons = raw(tmp_path / "einwohner.parquet", "einwohner", [dict(zip(names, row, strict=True)) for row in wanted])
    register = raw(tmp_path / "adressen.parquet", "adressen", REGISTER)
    meant = [dict(zip(("ags", "street", "register_street"), row, strict=True)) for row in confirmed or []]
    with single_threaded() as connection:
        address_match.create_relations(
            connection, [persons], [register], pa.Table.from_pylist(meant, address_match.CONFIRMED_SCHEMA)
        )
        table = address_match.match(connection)
        connection.register("matched", table)
        streets = review(connection)
    found = {tuple(row[name] for name in names): row for row in table.to_pylist()}
    return [(found[row]["step"], found[row]["ostwert"], found[row]["missing"]) for row in wanted], streets.to_pylist()


@pytest.mark.parametrize(
    ("street", "number", "suffix", "step", "east"),
    [
        ("Lärchenstraße", "12a", None, "exakt", 1000.0),
        ("Lärchenstraße", "12", "a", "exakt", 1000.0),
        ("Lärchenstr.", "12 A", None, "normalisiert", 1000.0),
        ("LAERCHENSTRASSE", "012-a", None, "normalisiert", 1000.0),
        ("Lärchen-Straße", "12", "A", "normalisiert", 1000.0),
        ("Lärchen Str", "7.0", None, "normalisiert", 2000.0),
        ("am koeppchen", "3", None, "normalisiert", 3000.0),
        ("Am Köppchen", "4", None, "exakt", 4000.0),
        ("Bergstraße", "1", None, "exakt", 8000.0),
        ("Neuer Weg", "1", None, "exakt", 101.0),
        ("Neuer Weg", "2", None, "exakt", 102.0),
    ],
)
def test_an_address_is_found_as_spelled_or_normalised(
    tmp_path: Path, street: str, number: str, suffix: str | None, step: str, east: float
) -> None:
    assert matched(tmp_path, (AGS, street, number, suffix))[0] == [(step, east, None)]


@pytest.mark.parametrize(
    ("ags", "street", "number", "missing"),
    [
        (AGS, "Lärchenstraße", "8", "hausnummer"),
        (AGS, "Lärchenstraße", None, "hausnummer"),
        (AGS, "Lerchenstraße", "7", "strasse"),
        (OTHER, "Lärchenstraße", "7", "strasse"),
        (AGS, "Ringstraße", "1", "mehrdeutig"),
        (AGS, "Bergstr.", "1", "mehrdeutig"),
    ],
)
def test_nothing_is_guessed(tmp_path: Path, ags: str, street: str, number: str | None, missing: str) -> None:
    assert matched(tmp_path, (ags, street, number, None))[0] == [("nicht gefunden", None, missing)]


def test_a_near_miss_is_only_proposed_with_what_the_steward_needs_to_decide(tmp_path: Path) -> None:
    wanted: list[Row] = [
        (AGS, "Lerchenstraße", "7", None),
        (AGS, "LERCHENSTR.", "12 a", None),
        (AGS, "Lerchenstr.", "99", None),
        (AGS, "Ohne festen Wohnsitz", None, None),
        (OTHER, "Lerchenstraße", "7", None),
    ]
    found, streets = matched(tmp_path, *wanted)
    assert {step for step, _, _ in found} == {"nicht gefunden"}
    by_street = {(row["ags"], row["street"]): row for row in streets}
    assert set(by_street) == {(AGS, "lerchenstr"), (AGS, "ohnefestenwohnsitz"), (OTHER, "lerchenstr")}
    near = by_street[AGS, "lerchenstr"]
    assert (near["proposal"], near["likeness_percent"], near["addresses"]) == ("Lärchenstraße", 91.0, 3)
    assert near["numbers_known_percent"] == 67.0
    assert by_street[AGS, "ohnefestenwohnsitz"]["proposal"] is None
    assert by_street[OTHER, "lerchenstr"]["proposal"] is None, "streets of another Kommune are no proposal"


def test_a_confirmed_spelling_locates_in_its_kommune_only_and_never_shadows_a_street_of_that_name(
    tmp_path: Path,
) -> None:
    confirmed = [(AGS, "lerchenstr", "laerchenstr"), (AGS, "neuerweg", "laerchenstr")]
    wanted: list[Row] = [
        (AGS, "Lerchenstr.", "12 A", None),
        (AGS, "Lerchenstr.", "99", None),
        (OTHER, "Lerchenstr.", "7", None),
        (AGS, "Neuer Weg", "1", None),
    ]
    found, streets = matched(tmp_path, *wanted, confirmed=confirmed)
    assert found == [
        ("bestätigt", 1000.0, None),
        ("nicht gefunden", None, "hausnummer"),
        ("nicht gefunden", None, "strasse"),
        ("exakt", 101.0, None),
    ]
    assert [row["ags"] for row in streets] == [OTHER]


def test_an_address_stands_once_in_order_and_without_street_not_at_all(tmp_path: Path) -> None:
    rows: list[Row] = [(AGS, "Weg", "2", None), (AGS, "Weg", "1", None), (AGS, "Weg", "2", None)]
    persons = [dict(zip(("ags", "strasse", "hausnummer"), row[:3], strict=True)) for row in rows]
    persons += [{"ags": AGS, "strasse": None}, {**persons[0], "hausnummer": "5", "ostwert": 1.0, "nordwert": 1.0}]
    paths = [raw(tmp_path / "e.parquet", "einwohner", persons)], [raw(tmp_path / "a.parquet", "adressen", [])]
    with single_threaded() as connection:
        address_match.create_relations(connection, *paths, pa.Table.from_pylist([], address_match.CONFIRMED_SCHEMA))
        assert address_match.match(connection)["hausnummer"].to_pylist() == ["1", "2"]


def test_small_numbers_of_addresses_are_told_as_such() -> None:
    rows = [{"ags": AGS, "step": "exakt"}] * 98 + [{"ags": AGS, "step": "nicht gefunden"}] * 2
    few = [{"ags": OTHER, "step": "nicht gefunden"}] * 7
    found = shares(pa.Table.from_pylist(rows + few))
    assert as_markdown(found).splitlines()[2:] == [
        "| Bergisch Gladbach | 100 | 98 | 0 | 0 | 2 |",
        "| Burscheid | unter 100 | – | – | – | – |",
    ]
    assert in_words(found).endswith("gefunden: Bergisch Gladbach 98 %")


# --- the steward ---------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A register without coordinates in three spellings, and the address register beside it."""
    monkeypatch.setattr(judgement, "official_population", lambda: {(AGS, 2020): files.N_PERSONS})
    home = Home(tmp_path / "data").create()
    lines = files.register_lines()
    for column in ("Ostwert", "Nordwert"):
        lines = files.without_column(lines, column)
    # rows 2 to 11 as they are, 12 to 21 in another spelling, 22 to 31 misspelled, the rest unknown
    lines = [*lines[:11], *(line.replace("Hauptstraße", "HAUPTSTR.") for line in lines[11:21]), *lines[21:]]
    lines = [*lines[:21], *(line.replace("Hauptstraße", "Haubtstraße") for line in lines[21:31]), *lines[31:]]
    lines = [*lines[:31], *(line.replace("Hauptstraße", "Nirgendwo") for line in lines[31:])]
    register = [
        f"N;DENW{i:08d};A;05;NRW;3;Köln;78;RBK;004;Bergisch Gladbach;0000;;00001;Hauptstraße;{i};;32;3654{i:02d},500;"
        f"56544{i:02d},250;2020-06-30"
        for i in range(files.N_PERSONS)
    ]
    for name, data in (
        ("bergisch-gladbach/einwohner_2020.csv", files.text_file(lines)),
        ("kreis/adressen_2023.txt", files.text_file(register, "utf-8")),
    ):
        path = home.landing / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    receive(home, settle_seconds=0)
    for feed in ("einwohner", "adressen"):
        for verdict in judge(home, feed):
            assert verdict.accepted, verdict.reason
            assert not [f for f in verdict.findings if f.expectation == "persons_are_located" and not f.passed]
    write_control(home)
    return home


def steps(home: Home) -> dict[str, int]:
    found = write_anschrift(home)["step"].to_pylist()
    return {step: found.count(step) for step in address_match.STEPS}


def ipso(home: Home, *arguments: str) -> str:
    result = CliRunner().invoke(main, ["--home", str(home.root), "adressen", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_steward_confirms_once_and_it_is_remembered_in_the_archive(home: Home) -> None:
    assert steps(home) == {"exakt": 10, "normalisiert": 10, "bestätigt": 0, "nicht gefunden": 20}
    before = identify(home)
    shown = Console(file=StringIO(), width=200)
    print_status(home, console=shown)
    assert "2 Straßen aus Melderegistern stehen nicht im Adressverzeichnis" in shown.file.getvalue()
    told = ipso(home)
    assert "„Haubtstraße“ → „Hauptstraße“?" in told and "Ähnlichkeit 88 %" in told and "10 Anschriften" in told
    assert "„Nirgendwo“ → kein Vorschlag" in told and "2 Straßen nicht im Adressverzeichnis, 1 mit Vorschlag" in told
    proposal = next(row["proposal_id"] for row in pq.read_table(review_path(home)).to_pylist() if row["proposal"])
    assert "ist „Hauptstraße“" in ipso(home, "bestaetigen", proposal, "--von", "Test")
    assert steps(home) == {"exakt": 10, "normalisiert": 10, "bestätigt": 10, "nicht gefunden": 10}
    first = anschrift_path(home).read_bytes()
    [decision] = load_decisions(home).all
    assert (decision.ags, decision.spelled, decision.street, decision.by) == (AGS, "Haubtstraße", "Hauptstraße", "Test")
    write_control(home)
    after = identify(home)
    assert before and after and before.release_id != after.release_id, "it changes figures, so it is another release"
    assert "Haubtstraße" not in ipso(home) and "ist „Hauptstraße“" in ipso(home, "--alle")
    write_anschrift(home)
    assert anschrift_path(home).read_bytes() == first
    assert "Abgelehnt" in ipso(home, "ablehnen", decision.decision_id)
    assert steps(home)["bestätigt"] == 0
    write_control(home)
    assert identify(home) == before, "taken back, it leaves no trace in the release"


def test_the_list_can_be_filled_in_as_a_file(home: Home, tmp_path: Path) -> None:
    steps(home)
    target = tmp_path / "strassen.csv"
    ipso(home, "liste", str(target))
    assert target.stat().st_mode & 0o077 == 0
    rows = list(csv.reader(target.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))
    assert [row[2] for row in rows[1:]] == ["Haubtstraße", "Nirgendwo"]
    rows[1][7], rows[2][7] = "Ja", "nein"
    target.write_bytes("\r\n".join(";".join(row) for row in rows).encode("cp1252"))
    assert "1 bestätigt, 1 abgelehnt, 0 offen" in ipso(home, "einlesen", str(target))
    assert steps(home)["bestätigt"] == 10
    assert "Keine offenen Straßen" in ipso(home)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("bestaetigen", "004-000000"), "Nicht auf der Prüfliste"),
        (("bestaetigen", "{none}"), "keinen Vorschlag"),
        (
            ("bestaetigen", "{none}", "--strasse", "Erfundener Weg"),
            "Adressverzeichnis in Bergisch Gladbach nicht",
        ),
        (("--kommune", "koeln"), "Es gibt: bergisch-gladbach"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_german(home: Home, arguments: tuple[str, ...], told: str) -> None:
    steps(home)
    rows = pq.read_table(review_path(home)).to_pylist()
    none = next(row["proposal_id"] for row in rows if row["proposal"] is None)
    words = [argument.format(none=none) for argument in arguments]
    result = CliRunner().invoke(main, ["--home", str(home.root), "adressen", *words])
    assert result.exit_code == 1 and told in result.output
    assert load_decisions(home).all == ()


def test_a_street_without_proposal_can_be_named(home: Home) -> None:
    steps(home)
    none = next(row["proposal_id"] for row in pq.read_table(review_path(home)).to_pylist() if row["proposal"] is None)
    ipso(home, "bestaetigen", none, "--strasse", "hauptstr.", "--grund", "umbenannt 2019")
    [decision] = load_decisions(home).all
    assert (decision.street, decision.reason) == ("Hauptstraße", "umbenannt 2019")
    assert steps(home)["bestätigt"] > 0


def test_what_names_streets_can_be_read_by_the_steward_only(home: Home) -> None:
    steps(home)
    for path in (anschrift_path(home), review_path(home)):
        assert path.stat().st_mode & 0o077 == 0
