"""The demo's feeds of Demographie, Einkommen, Arbeit and Wohnen: each file passes the real gate, adds up, repeats.

In full size: the gate compares with official totals. What a rule of a suite finds is tested on a typed table that is
changed in one place.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from demo.basis import draw
from demo.deliveries import write_deliveries
from demo.geography import addresses
from demo.population import simulate
from demo.reference import kommunen, official_population
from demo.themes.demographie import household_types, movements
from orchestration.feeds.cells import SYMBOL, Reading
from orchestration.feeds.declaration import EXTENSIONS, REPOSITORY, load_feeds
from orchestration.feeds.reader import gate_frame, read_delivery
from orchestration.gates.delivery import check_file
from orchestration.gates.suites import find, load_suite

SHARED = Path(os.environ.get("IPSO_SHARED", REPOSITORY.parent / "shared")) / "data" / "regionalstatistik"
YEARS = (2019, 2023)
ROWS = {
    "haushalte": 104, "migrationshintergrund": 104, "bevoelkerung_amtlich": 9, "sgb12": 104, "wohngeld": 104,
    "asylblg": 12, "beschaeftigte": 9, "sozialwohnungen": 9, "mieten": 8,
}  # fmt: skip
NAMES = (*ROWS, "bewegungen")
KOMMUNEN = [kommune.area_id for kommune in kommunen()]
FEEDS = load_feeds()
FILES = [
    f"{slug}/{name}_{year}.{EXTENSIONS[deliverer.format]}"
    for name in NAMES
    for slug, deliverer in FEEDS[name].deliverers.items()
    for year in YEARS
]


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("themes")
    write_deliveries(folder, years=YEARS, only=set(NAMES), progress=lambda line: None)
    return folder


def read(landing: Path, file: str) -> Reading:
    feed = FEEDS[Path(file).stem.rsplit("_", 1)[0]]
    return read_delivery((landing / file).read_bytes(), feed, feed.deliverers[file.split("/")[0]])


def first_file(name: str, year: int = 2023) -> str:
    return next(file for file in FILES if Path(file).stem == f"{name}_{year}")


@pytest.mark.parametrize("file", FILES)
def test_the_gate_accepts_every_file_without_a_remark(landing, file):
    verdict = check_file(landing / file)
    assert [finding.message for finding in verdict.findings if not finding.passed] == []
    assert verdict.accepted
    slug, name = file.split("/")[0], verdict.feed
    # Two were merged in 2019.
    sozialraeume = {"bergisch-gladbach": 24}.get(slug)
    if name != "bewegungen":
        assert verdict.row_count == ROWS[name]
    elif sozialraeume:
        assert verdict.row_count == 1 + sozialraeume + 1


def test_every_sozialraum_is_in_one_file_of_movements(landing):
    tables = [read(landing, file).table for file in FILES if "bewegungen_2023" in file]
    areas = [area for table in tables for area in table.column("gebiet").to_pylist()]
    assert len(areas) == len(set(areas)) == 8 + 87 + 8


@pytest.mark.parametrize("file", FILES)
def test_parts_add_up_to_their_whole_and_no_part_is_blank_alone(landing, file):
    reading = read(landing, file)
    feed = FEEDS[Path(file).stem.rsplit("_", 1)[0]]
    frame = reading.table.to_pandas().set_index("gebiet")
    if feed.name == "mieten":
        return
    for whole in frame.index:
        # A Kommune may be told by its Bezirke alone.
        is_below = frame.index.str.fullmatch(r"\d{8}(-B\d+)?")
        below = {5: is_below, 8: frame.index.str.startswith(f"{whole}-")}.get(len(whole))
        if below is None or not below.any():
            continue
        for measure in feed.measures:
            parts = frame.loc[below, measure.name]
            assert parts.isna().sum() != 1, (whole, measure.name)
            if parts.notna().all() and pd.notna(frame[measure.name][whole]):
                assert parts.sum() == frame[measure.name][whole], (whole, measure.name)


@pytest.mark.parametrize(
    "name", ["bewegungen", "haushalte", "migrationshintergrund", "sgb12", "wohngeld", "asylblg", "beschaeftigte"]
)
def test_counts_of_one_or_two_persons_never_leave_the_deliverer(landing, name):
    for file in (file for file in FILES if Path(file).stem.startswith(f"{name}_")):
        table = read(landing, file).table
        for measure in FEEDS[name].measures:
            assert not {1.0, 2.0} & set(table.column(measure.name).to_pylist()), (file, measure.name)


def test_some_small_counts_are_blanked_and_a_zero_is_not(landing):
    table = read(landing, first_file("wohngeld")).table
    assert {"*", "-"} <= set(table.column("lastenzuschuss" + SYMBOL).to_pylist())


def test_bytes_are_equal_at_every_call_and_for_a_year_alone(landing, tmp_path):
    write_deliveries(tmp_path, years=[2023], only=set(NAMES), progress=lambda line: None)
    written = [path for path in tmp_path.rglob("*.*") if path.is_file()]
    assert len(written) == len(FILES) // 2
    for path in written:
        assert path.read_bytes() == (landing / path.relative_to(tmp_path)).read_bytes(), path.name


@pytest.mark.parametrize("name", ["sgb12", "beschaeftigte", "mieten"])
def test_every_workbook_says_that_it_is_synthetic(landing, name):
    from python_calamine import CalamineWorkbook

    sheet = CalamineWorkbook.from_path(str(landing / first_file(name))).get_sheet_by_index(0)
    assert "Synthetische Demodaten" in " ".join(str(cell) for row in sheet.to_python()[:3] for cell in row)


# --- bewegungen -----------------------------------------------------------------------------------------------------


def test_movements_explain_how_many_residents_a_sozialraum_has_a_year_later():
    ends = list(simulate("05378020", addresses("05378020"), 2019))
    before, end = ends[-2:]
    counts = movements(end, before)
    change = household_persons(end) - household_persons(before)
    gain = counts.geburten + counts.zuzuege + counts.umzuege_zu
    loss = counts.sterbefaelle + counts.fortzuege + counts.umzuege_weg
    assert (gain - loss == change).all()
    assert counts.umzuege_zu.sum() == counts.umzuege_weg.sum() > 0
    # German county level: about 8 births, 12 deaths, 45 moves in per 1,000 residents.
    per_1000 = 1000 * counts.sum() / len(end.residents)
    assert 5 < per_1000.geburten < 12
    assert 8 < per_1000.sterbefaelle < 18
    assert 30 < per_1000.zuzuege < 80


def household_persons(end) -> pd.Series:
    """Residents per region, worked out from the addresses again."""
    at = end.household_address[end.residents.household]
    ids = pd.Series(end.addresses.sozialraum_ids)[end.addresses.area[at]].where(end.addresses.located[at])
    names = [*end.addresses.sozialraum_ids, f"{end.ags}-00"]
    return ids.fillna(names[-1]).value_counts().reindex(names, fill_value=0)


def test_movements_need_the_year_before():
    end = next(simulate("05378020", addresses("05378020", 0.05), 2015, 0.05))
    with pytest.raises(ValueError, match="year end before"):
        movements(end, None)


def test_the_eight_kommunen_write_their_movements_in_eight_ways(landing):
    heads = {k.deliverer: (landing / k.deliverer / "bewegungen_2023.csv").read_bytes() for k in kommunen()}
    first_lines = {slug: data.split(b"\r\n", 1)[0] for slug, data in heads.items()}
    # Rösrath has Bergisch Gladbach's header; its keys have lost their leading zero.
    assert len(set(first_lines.values())) == 7
    assert b";5378028-01;" in heads["roesrath"]
    assert first_lines["leichlingen"].decode("cp850").startswith("STICHTAG;SCHLÜSSEL;GEBIET;GEBURTEN;STERBEFÄLLE")
    for slug in ("bergisch-gladbach", "leichlingen", "odenthal", "roesrath"):
        with pytest.raises(UnicodeDecodeError):
            heads[slug].decode("utf-8")


# --- haushalte, bevoelkerung_amtlich, draws ---------------------------------------------------------------------------


def test_household_types_cover_every_household_once():
    end = next(simulate("05378020", addresses("05378020", 0.2), 2015, 0.2))
    kinds = household_types(end, None).sum()
    assert kinds[["HH_1pers", "HH_2pers", "HH_3pers", "HH_4pers", "HH_ab5pers"]].sum() == kinds.HH
    assert kinds[["HH_0kind", "HH_1kind", "HH_2kind", "HH_ab3kind"]].sum() == kinds.HH
    assert kinds[["HH_1pers", "HH_alleinerz", "HH_paarohne", "HH_paarmit", "HH_andere"]].sum() == kinds.HH
    assert (kinds > 0).all()


@pytest.mark.parametrize("year", YEARS)
def test_official_population_is_the_real_one(landing, year):
    table = read(landing, first_file("bevoelkerung_amtlich", year)).table.to_pandas().set_index("gebiet")
    for kommune in kommunen():
        assert table.insgesamt[kommune.area_id] == official_population()[kommune.area_id, year]
    text = (landing / first_file("bevoelkerung_amtlich", year)).read_bytes().decode("cp1252")
    assert "wirkliche amtliche Ergebnisse" in text


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real tables lie beside the checkout")
def test_the_real_table_of_2015_reads_under_the_declaration_and_agrees_with_the_demo(tmp_path):
    real = (SHARED / "12411-01-01-5.csv").read_text(encoding="utf-8").encode("cp1252")
    feed = FEEDS["bevoelkerung_amtlich"]
    published = read_delivery(real, feed, feed.deliverers["it-nrw"]).table.to_pandas()
    published = published[published.stichtag == pd.Timestamp(2015, 12, 31).date()].set_index("gebiet")
    [path] = write_deliveries(tmp_path, years=[2015], only={"bevoelkerung_amtlich"}, progress=lambda line: None)
    demo = read(tmp_path, str(path.relative_to(tmp_path))).table.to_pandas().set_index("gebiet")
    assert len(demo) == 9
    columns = ["insgesamt", "maennlich", "weiblich"]
    assert demo[columns].equals(published.loc[demo.index, columns])


def test_a_draw_is_constant_and_its_spread_can_be_narrowed():
    table = pd.DataFrame({"n": [4000] * 8, "deprivation": 0.5}, index=[f"05378004-{i:02d}" for i in range(1, 9)])
    wide, again = (draw(table, "n", 0.3, 0.0, 2020, 999) for _ in range(2))
    narrow = draw(table, "n", 0.3, 0.0, 2020, 999, spread=0.1)
    assert wide.equals(again)
    assert narrow.std() < wide.std()


# --- what the suites find ---------------------------------------------------------------------------------------------

BROKEN = [
    ("bewegungen", "umzuege_weg", lambda v: v + 5, "moves_within_balance", "error"),
    ("bewegungen", "geburten", lambda v: v / 4, "births_are_plausible", "warning"),
    ("bewegungen", "sterbefaelle", lambda v: v * 4, "deaths_are_plausible", "warning"),
    ("bewegungen", "zuzuege", lambda v: v * 9, "moves_in_are_plausible", "warning"),
    ("bewegungen", "fortzuege", lambda v: v / 9, "moves_out_are_plausible", "warning"),
    ("haushalte", "hh_2_personen", lambda v: v + 1, "sizes_add_up", "error"),
    ("haushalte", "hh_1_kind", lambda v: v + 1, "children_add_up", "error"),
    ("haushalte", "hh_alleinerziehende", lambda v: v + 1, "types_add_up", "error"),
    ("haushalte", "hh_single_u35", lambda v: v + 1, "singles_add_up", "error"),
    ("haushalte", "hh_1_person", lambda v: v / 8, "share_of_singles_is_plausible", "warning"),
    ("migrationshintergrund", "mit_hintergrund", lambda v: v / 20, "share_is_plausible", "warning"),
    ("bevoelkerung_amtlich", "maennlich", lambda v: v + 1, "sexes_add_up", "error"),
    ("bevoelkerung_amtlich", "insgesamt", lambda v: v + 1, "kommunen_add_up", "warning"),
    ("bevoelkerung_amtlich", "weiblich", lambda v: v * 1.3, "share_of_women_is_plausible", "warning"),
    ("sgb12", "erwerbsminderung", lambda v: v + 1, "kinds_add_up", "error"),
    ("sgb12", "alter_maenner", lambda v: v + 1, "sexes_add_up", "error"),
    ("sgb12", "alter_frauen", lambda v: v / 9, "share_of_women_is_plausible", "warning"),
    ("wohngeld", "mietzuschuss", lambda v: v + 1, "kinds_add_up", "error"),
    ("wohngeld", "lastenzuschuss", lambda v: v * 9, "share_of_owners_is_plausible", "warning"),
    ("asylblg", "frauen", lambda v: v + 1, "sexes_add_up", "error"),
    ("asylblg", "u18", lambda v: v / 20, "share_of_minors_is_plausible", "warning"),
    ("beschaeftigte", "maenner", lambda v: v + 1, "sexes_add_up", "error"),
    ("beschaeftigte", "u25", lambda v: v * 9, "ages_are_within_whole", "error"),
    ("beschaeftigte", "frauen", lambda v: v / 2, "share_of_women_is_plausible", "warning"),
    ("sozialwohnungen", "auslaufend_10_jahre", lambda v: v * 2.8, "expiring_share_is_plausible", "warning"),
    ("mieten", "miete_neu", lambda v: v / 2, "new_lets_exceed_existing", "warning"),
    ("mieten", "angebote", lambda v: v / 100, "mean_rests_on_enough_offers", "warning"),
]


def test_every_rule_of_every_suite_is_tried():
    rules = {(name, e["meta"]["name"]) for name in NAMES for e in load_suite(name)["expectations"]}
    assert rules == {(name, rule) for name, _, _, rule, _ in BROKEN} | {("asylblg", "kommunen_are_complete")}


@pytest.mark.parametrize("missing", ["05378012", "05378004"])
def test_a_kommune_that_is_missing_is_named_also_where_bezirke_stand_for_one(landing, missing):
    reading = read(landing, first_file("asylblg"))
    is_left = [not area.startswith(missing) for area in reading.table.column("gebiet").to_pylist()]
    frame = gate_frame(replace(reading, table=reading.table.filter(pa.array(is_left))), FEEDS["asylblg"], None)
    [finding] = [
        found
        for found in find(FEEDS["asylblg"].suite, frame, gate="delivery", parameters={"kommunen": KOMMUNEN})
        if not found.passed
    ]
    assert (finding.expectation, finding.severity) == ("kommunen_are_complete", "error")
    assert missing in finding.message


@pytest.mark.parametrize(("name", "column", "change", "rule", "severity"), BROKEN)
def test_a_wrong_value_in_the_first_row_is_found(landing, name, column, change, rule, severity):
    file = first_file(name)
    reading = read(landing, file)
    values = reading.table.column(column).to_pylist()
    values[0] = change(values[0])
    at = reading.table.column_names.index(column)
    table = reading.table.set_column(at, column, pa.array(values, pa.float64()))
    official = official_population().get((FEEDS[name].deliverers[file.split("/")[0]].ags, 2023))
    frame = gate_frame(replace(reading, table=table), FEEDS[name], official)
    findings = find(FEEDS[name].suite, frame, gate="delivery", parameters={"amtlich": official, "kommunen": KOMMUNEN})
    found = {finding.expectation: finding for finding in findings if not finding.passed}
    assert found[rule].severity == severity
    assert found[rule].rows == (reading.table.column("zeile")[0].as_py(),)


def test_every_measure_of_these_feeds_is_a_merkmal_that_the_feed_delivers():
    rows = duckdb.execute(
        "select feed, merkmal from read_csv(?) where feed in (select unnest(?))",
        [str(REPOSITORY / "seeds" / "delivered_measures.csv"), list(NAMES)],
    ).fetchall()
    assert {feed for feed, _ in rows} == set(NAMES)
    assert all(merkmal in {column.name for column in FEEDS[feed].measures} for feed, merkmal in rows)
