"""Schedules, drop folder, release identity and switch: what runs when, and what a reader sees meanwhile."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.feeds.landing import waiting_files
from orchestration.home import Home
from orchestration.lock import AlreadyRunning, exclusive
from orchestration.release.identity import identify
from orchestration.release.write import CHECKSUMS, _sha256, current, damaged_files, switch
from orchestration.schedules import build_schedules, is_report_year
from orchestration.sensors import build_sensor
from orchestration.source_hash import source_hash
from orchestration.status import IN_FORCE, MISSING, REJECTED, STILL, WARNED, delivery_states


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def tick(schedule: dg.ScheduleDefinition, when: dt.datetime) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_schedule_context(scheduled_execution_time=when)
    return schedule(context)


def test_the_annual_run_is_about_the_year_before() -> None:
    annual, _ = build_schedules("job")
    assert annual.cron_schedule == "0 6 1 7 *"
    assert tick(annual, dt.datetime(2024, 7, 1, 6)).partition_key == "2023"


def test_the_sozialbericht_appears_in_odd_years_only() -> None:
    _, biennial = build_schedules("job")
    assert [year for year in range(2023, 2028) if is_report_year(year)] == [2023, 2025, 2027]
    assert tick(biennial, dt.datetime(2025, 10, 1, 6)).partition_key == "2024"
    skipped = tick(biennial, dt.datetime(2026, 10, 1, 6))
    assert isinstance(skipped, dg.SkipReason)
    assert "ungeraden Jahren" in str(skipped.skip_message)


def test_the_sensor_waits_until_files_have_stopped_growing(home: Home) -> None:
    sensor = build_sensor("job", home)

    def look(cursor: str | None) -> tuple[dg.RunRequest | dg.SkipReason, str | None]:
        context = dg.build_sensor_context(cursor=cursor)
        return sensor(context), context.cursor

    assert isinstance(look(None)[0], dg.SkipReason)
    file = home.landing / "burscheid" / "einwohner_2022.xlsx"
    file.parent.mkdir()
    file.write_bytes(b"half")
    first, cursor = look("")
    assert isinstance(first, dg.SkipReason)
    file.write_bytes(b"half and more")
    second, cursor = look(cursor)
    assert isinstance(second, dg.SkipReason)
    (home.landing / "burscheid" / "einwohner_2020.xlsx.part").write_bytes(b"partial")
    third, _ = look(cursor)
    assert isinstance(third, dg.RunRequest)
    assert third.tags["dagster/asset_partition_range_start"] == "2022"


def test_hidden_partial_and_linked_files_do_not_wait(home: Home, tmp_path: Path) -> None:
    folder = home.landing / "kreis"
    folder.mkdir()
    for name in (".hidden.csv", "a.csv.part", "b.tmp"):
        (folder / name).write_text("x", encoding="utf-8")
    (folder / "link.csv").symlink_to(tmp_path)
    (folder / "wahlen_2020.csv").write_text("x", encoding="utf-8")
    assert list(waiting_files(home)) == ["kreis/wahlen_2020.csv"]


def write_directory(home: Home, *rows: tuple[str, str, str, int, str, str, int]) -> None:
    values = ", ".join(repr(row) for row in rows)
    duckdb.execute(
        "copy (select delivery_id, feed, deliverer, year::int as year, state, received::timestamp as received,"
        f" n_warnings, 'sha' as sha256 from (values {values})"
        " as t (delivery_id, feed, deliverer, year, state, received, n_warnings))"
        f" to '{home.control}/delivery.parquet' (format parquet)"
    )


def test_the_release_id_depends_on_accepted_deliveries_only(home: Home) -> None:
    assert identify(home) is None
    accepted = ("a", "sgb2", "jobcenter", 2022, "accepted", "2024-01-01 10:00", 0)
    write_directory(home, accepted)
    before = identify(home)
    write_directory(home, accepted, ("b", "sgb2", "jobcenter", 2023, "rejected", "2024-02-01 10:00", 0))
    assert identify(home) == before
    write_directory(home, accepted, ("b", "sgb2", "jobcenter", 2023, "accepted", "2024-02-01 10:00", 0))
    after = identify(home)
    assert before is not None and after is not None
    assert after.release_id != before.release_id
    assert after.created == dt.datetime(2024, 2, 1, 10)
    assert after.release_id.startswith("2023-")


def test_the_code_is_part_of_the_identity(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    model = tmp_path / "models" / "a.sql"
    model.write_text("select 1", encoding="utf-8")
    before = source_hash(("models",), repository=tmp_path)
    model.write_text("select 2", encoding="utf-8")
    assert source_hash(("models",), repository=tmp_path) != before


def test_readers_see_the_old_or_the_new_release_and_never_none(home: Home) -> None:
    for name in ("r1", "r2"):
        (home.releases / name).mkdir()
    assert current(home.releases) is None
    switch(home.releases, "r1")
    assert current(home.releases) == "r1"
    switch(home.releases, "r2")
    assert current(home.releases) == "r2"
    assert [p.name for p in home.releases.iterdir() if p.name.startswith(".")] == []


def test_a_second_run_is_refused_while_the_first_holds_the_lock(home: Home) -> None:
    with exclusive(home), pytest.raises(AlreadyRunning, match="läuft schon"), exclusive(home):
        pytest.fail("two runs at once")
    with exclusive(home):
        pass


def test_a_damaged_release_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1", encoding="utf-8")
    assert damaged_files(tmp_path) == [CHECKSUMS]
    (tmp_path / CHECKSUMS).write_text(f"{_sha256(tmp_path / 'a.csv')}  a.csv\n", encoding="utf-8")
    assert damaged_files(tmp_path) == []
    (tmp_path / "a.csv").write_text("2", encoding="utf-8")
    assert damaged_files(tmp_path) == ["a.csv"]


def test_status_tells_in_force_warned_rejected_and_missing_apart(home: Home) -> None:
    write_directory(
        home,
        ("a", "sgb2", "jobcenter", 2020, "accepted", "2024-01-01", 0),
        ("b", "sgb2", "jobcenter", 2021, "accepted", "2024-01-01", 2),
        ("c", "sgb2", "jobcenter", 2022, "rejected", "2024-01-01", 0),
        ("d", "sgb2", "jobcenter", 2023, "accepted", "2024-01-01", 0),
        ("e", "sgb2", "jobcenter", 2023, "rejected", "2024-01-02", 0),
    )
    states = delivery_states(home)
    years = {year: state for (_, _, year), state in states.items()}
    assert years == {2020: IN_FORCE, 2021: WARNED, 2022: REJECTED, 2023: STILL}
    assert MISSING not in years.values()


def test_every_asset_and_check_of_the_steward_has_a_german_description(home: Home) -> None:
    from orchestration.definitions import build_defs

    specs = build_defs(home).resolve_all_asset_specs()
    assert len(specs) > 80
    without = [spec.key.to_user_string() for spec in specs if not spec.description]
    english = [s.key.to_user_string() for s in specs if re.search(r"\b(One row|the|per|of)\b", s.description or "")]
    assert without == [] and english == []
