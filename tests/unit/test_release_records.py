"""What a release has told is kept in the archive, and what a release made again rests on."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from orchestration.disclosure.earlier import told_by
from orchestration.home import Home
from orchestration.release.identity import identify
from orchestration.release.records import DamagedRecord, read_records, record_release, records, records_before


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def told(value: float | None) -> pa.Table:
    row = {"boundary": "as_counted", "area_id": "05A", "year": 2020, "item": "deaths", "value": value}
    schema = [("boundary", pa.string()), ("area_id", pa.string()), ("year", pa.int32()), ("item", pa.string())]
    return pa.Table.from_pylist([row], pa.schema([*schema, ("value", pa.float64())]))


def test_a_release_rests_on_those_before_it_and_one_made_again_not_on_itself(home: Home) -> None:
    for number, (inputs, value) in enumerate([("a", 7.0), ("b", None), ("a", 7.0)], start=1):
        earlier = [record.inputs for record in records_before(home, inputs)]
        assert earlier == [[], ["a"], []][number - 1]
        record_release(home, f"2020-{inputs}", inputs, told(value))
    assert [(record.number, record.inputs) for record in records(home)] == [(1, "a"), (2, "b")]
    known = read_records(records_before(home, "c"))
    assert known["release"].tolist() == [1, 2]
    assert known["value"].tolist() == pytest.approx([7.0, np.nan], nan_ok=True)
    assert all(record.path.stat().st_mode & 0o777 == 0o600 for record in records(home))


def test_a_damaged_record_stops_the_release(home: Home) -> None:
    record_release(home, "2020-a", "a", told(7.0))
    [record] = records(home)
    record.path.write_bytes(record.path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedRecord, match="Sicherung"):
        read_records([record])


def test_half_a_record_of_a_killed_run_counts_for_nothing(home: Home) -> None:
    (home.archive / "freigaben").mkdir()
    (home.archive / "freigaben" / "neu.tmp").write_bytes(b"half")
    assert records(home) == []
    record_release(home, "2020-a", "a", told(7.0))
    assert [path.name[:12] for path in (home.archive / "freigaben").iterdir()] == ["0001-2020-a-"]


def deliver(home: Home, *ids: str) -> None:
    rows = ", ".join(f"('{name}', 'sha', timestamp '2024-01-0{n + 1}', 2022, 'accepted')" for n, name in enumerate(ids))
    duckdb.execute(
        f"copy (from (values {rows}) as t (delivery_id, sha256, received, year, state))"
        f" to '{home.control}/delivery.parquet' (format parquet)"
    )


def test_the_release_id_names_what_was_published_before(home: Home) -> None:
    deliver(home, "first")
    first = identify(home)
    assert first is not None and first.earlier == () and first.input_hash == first.inputs
    deliver(home, "first", "second")
    alone = identify(home)
    record_release(home, first.release_id, first.inputs, told(7.0))
    after = identify(home)
    assert alone is not None and after is not None
    assert after.inputs == alone.inputs and after.release_id != alone.release_id
    assert [record.number for record in after.earlier] == [1]
    record_release(home, after.release_id, after.inputs, told(None))
    assert identify(home) == after, "nothing new"
    deliver(home, "first")
    assert identify(home) == first, "made again, it is the same release, whatever came after it"


FACTS = """
    select * from (values
        ('as_counted', 'A', 2020, 'share', 'ok', 9, 90, null),
        ('as_counted', 'B', 2020, 'share', 'suppressed', null, null, null),
        ('as_counted', 'C', 2020, 'share', 'zero', 0, 40, null),
        ('current', 'A', 2020, 'share', 'ok', 9, 90, 'unveraendert'),
        ('current', 'D', 2020, 'share', 'ok', 12, 120, 'gezaehlt'),
        ('current', 'D', 2020, 'guess', 'ok', 5, 120, 'einwohnergewichtet')
    ) as t (boundary, area_id, year, indicator_id, value_status, numerator, denominator, conversion_method)
"""


def test_what_a_release_tells_are_its_numbers_and_its_blanks(home: Home, tmp_path: Path) -> None:
    def write(folder: Path, name: str, query: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        duckdb.execute(f"copy ({query}) to '{folder / name}.parquet' (format parquet)")

    release = tmp_path / "release"
    cube = "as t (boundary, area_id, year, age_band, sex, nationality_group"
    write(release / "parquet", "fct_indicator", FACTS)
    write(
        release / "parquet",
        "dim_indicator",
        "from (values ('share', 'few', 'many'), ('guess', 'other', 'many'))"
        " as t (indicator_id, numerator_measure, denominator_measure)",
    )
    write(
        release / "parquet",
        "fct_population",
        "from (values ('as_counted', 'A', 2020, 'u3', 'm', 'deutsch', 6),"
        " ('current', 'A', 2020, 'u3', 'm', 'deutsch', 6),"
        f" ('as_counted', 'B', 2020, 'u3', 'm', 'deutsch', null)) {cube}, population)",
    )
    write(
        home.control,
        "suppression_measure",
        "from (values ('as_counted', 'B', 2020, 'many'), ('as_counted', 'A', 2020, 'in_no_indicator'))"
        " as t (boundary, area_id, year, measure_id)",
    )
    write(
        home.control,
        "suppression_population",
        f"from (values ('as_counted', 'B', 2020, 'u3', 'm', 'deutsch')) {cube})",
    )
    said = {
        (b, a, item): value for b, a, _, item, value in zip(*told_by(release, home).to_pydict().values(), strict=True)
    }
    assert said == {
        ("as_counted", "A", "cube|u3|m|deutsch"): 6,
        ("as_counted", "A", "few"): 9,
        ("as_counted", "A", "many"): 90,
        ("as_counted", "B", "cube|u3|m|deutsch"): None,
        ("as_counted", "B", "many"): None,
        ("as_counted", "C", "few"): 0,
        ("as_counted", "C", "many"): 40,
        ("current", "D", "few"): 12,
        ("current", "D", "many"): 120,
    }
