"""What the plausibility gate and the release gate stop, with the real job and a real release."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import pytest

from orchestration.disclosure.atoms import CUBE
from orchestration.disclosure.cells import AREAS, MEASURES, POPULATION, Protection, ruled
from orchestration.disclosure.pattern import blanks_of
from orchestration.disclosure.protect import blank_cells
from orchestration.disclosure.rules import load_rules
from orchestration.gates.plausibility import judge_frame
from orchestration.gates.release import check_release, check_tables
from orchestration.home import REPOSITORY, Home
from orchestration.release.records import read_records, records
from orchestration.release.write import CHECKSUMS, current

pytestmark = pytest.mark.integration


def errors(release: Path) -> list[str]:
    return [finding.message for finding in check_release(release) if finding.is_error]


@pytest.fixture
def release(small_county: Home, tmp_path: Path) -> Path:
    """A copy of the current release that a test may spoil."""
    return Path(shutil.copytree((small_county.releases / "current").resolve(), tmp_path / "release"))


def change(release: Path, statement: str) -> None:
    with duckdb.connect(str(release / "ipso.duckdb")) as connection:
        connection.execute(statement)


def test_the_real_release_passes(release: Path) -> None:
    assert errors(release) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("update fct_indicator set numerator = 2 where indicator_id = 'population' and year = 2020", "Kleine Fallzahl"),
        ("update meta_disclosure_rule set minimum = 1000 where measure_id = 'population'", "Kleine Fallzahl"),
        (
            "update fct_population set population = 1 where age_band = '80_plus' and value_status = 'ok'",
            "Kleine Fallzahl",
        ),
        ("update fct_indicator set ci_upper = 1 where value_status = 'suppressed'", "Abgeleiteter Wert trotz Sperrung"),
        ("update fct_indicator set value = 1 where value_status = 'missing'", "Wert trotz Sperrung"),
        ("alter table fct_indicator drop column trend", "fehlen Spalten: trend"),
        ("drop table meta_lineage", "Tabelle meta_lineage fehlt"),
        ("insert into fct_indicator from fct_indicator where year = 2014", "Doppelte Zeile"),
    ],
)
def test_a_spoilt_release_is_stopped(release: Path, statement: str, told: str) -> None:
    change(release, statement)
    found = [finding.message for finding in check_tables(release) if finding.is_error]
    assert any(told in message for message in found), found


def test_a_release_that_hides_the_small_counts_alone_is_stopped(release: Path, small_county: Home) -> None:
    """Primary suppression only: every blank follows from the totals beside it."""
    table = release / "parquet" / "fct_population.parquet"
    with duckdb.connect(str(small_county.warehouse), read_only=True) as warehouse:
        warehouse.execute(f"create temp table published as select * from read_parquet('{table}')")
        warehouse.execute(
            f"""
            copy (
                select p.* replace (
                    case when c.population not in (1, 2) then c.population end as population,
                    case when c.population in (1, 2) then 'suppressed' else 'ok' end as value_status
                )
                from published as p
                join intermediate.int_population as c
                    using (boundary, area_id, year, age_band, sex, nationality_group)
            ) to '{table}' (format parquet)
            """
        )
    assert any("Geheime Anzahlen lassen sich errechnen" in message for message in errors(release))


def test_a_release_of_a_suppressor_that_takes_blanks_for_zero_or_more_is_stopped(
    release: Path, small_county: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classical lower bound, in the population table of one year: readers know that a blank is at least one."""
    monkeypatch.setattr(
        "orchestration.disclosure.pattern.blanks_of",
        lambda part: blanks_of(replace(part, counts=replace(part.counts, zeros_shown=np.zeros(len(part.cells), bool)))),
    )
    rules = load_rules()
    # The indicators stay as they are: what they print and hide is given.
    told = read_records(records(small_county))
    told = told[(told["year"] == 2023) & (told["boundary"] == "as_counted") & ~told["item"].str.startswith(CUBE)]
    with duckdb.connect(str(small_county.warehouse), read_only=True) as warehouse:
        warehouse.register("rules", rules)
        counts = [warehouse.execute(query).df() for query in (MEASURES, POPULATION)]
        cells = pd.concat(counts, ignore_index=True).query(
            "year == 2023 and boundary == 'as_counted' and is_shown != False"
        )
        areas = warehouse.execute(f"from ({AREAS}) where boundary = 'as_counted' and year = 2023").df()
        cells = cells.reset_index(drop=True)
        warehouse.register("weak", cells[blank_cells(ruled(cells, rules), areas, earlier=told)])
        table = release / "parquet" / "fct_population.parquet"
        warehouse.execute(f"create temp table published as select * from read_parquet('{table}')")
        warehouse.execute(
            f"""
            copy (
                select p.* replace (
                    case when w.item is null then c.population end as population,
                    case when w.item is null then 'ok' else 'suppressed' end as value_status
                )
                from published as p
                join intermediate.int_population as c
                    using (boundary, area_id, year, age_band, sex, nationality_group)
                left join weak as w
                    on w.area_id = p.area_id and w.year = p.year
                    and w.item like '%|' || p.age_band || '|' || p.sex || '|' || p.nationality_group
                where p.year = 2023
            ) to '{table}' (format parquet)
            """
        )
    assert any("Geheime Anzahlen lassen sich errechnen" in message for message in errors(release))


def test_a_release_that_protects_one_year_at_a_time_is_stopped(release: Path, small_county: Home) -> None:
    """A share of 2023 beside its change tells that of 2022."""
    table = release / "parquet" / "fct_indicator.parquet"
    with duckdb.connect(str(small_county.warehouse), read_only=True) as warehouse:
        warehouse.execute(f"create temp table published as select * from read_parquet('{table}')")
        changed = """
            select now.area_id, now.value - 100 * part.value / whole.value as difference
            from published as now
            join published as before using (area_id, boundary, indicator_id)
            join intermediate.int_measure as part using (area_id, boundary)
            join intermediate.int_measure as whole using (area_id, boundary)
            where now.indicator_id = 'share_under_18' and now.boundary = 'as_counted'
                and now.year = 2023 and now.value_status = 'ok'
                and before.year = 2022 and before.value_status = 'suppressed'
                and part.year = 2022 and part.measure_id = 'population_under_18'
                and whole.year = 2022 and whole.measure_id = 'population'
        """
        [(found,)] = warehouse.execute(f"select count(*) from ({changed})").fetchall()
        assert found > 0
        warehouse.execute(
            f"""
            copy (
                select p.* replace (
                    coalesce(c.difference, p.change_absolute) as change_absolute,
                    case when c.area_id is null then p.change_since_year else 2022 end as change_since_year
                )
                from published as p
                left join ({changed}) as c
                    on c.area_id = p.area_id and p.indicator_id = 'share_under_18' and p.boundary = 'as_counted'
                    and p.year = 2023
            ) to '{table}' (format parquet)
            """
        )
    assert any("Geheime Anzahlen lassen sich errechnen" in message for message in errors(release))


def test_a_release_with_a_damaged_file_is_stopped(release: Path) -> None:
    (release / "csv" / "fct_indicator.csv").write_text("leer", encoding="utf-8")
    assert any("beschädigte Dateien" in finding.message for finding in check_tables(release) if finding.is_error)
    assert (release / CHECKSUMS).exists()


def test_lost_persons_are_an_error_but_a_printed_contradiction_is_a_warning() -> None:
    row = {"area_id": "05378", "year": 2014, "measure_id": "m", "whole": 10.0, "parts": 11.0, "n_parts": 8}
    row |= {"difference": 1.0, "beyond_rounding": 1.0}
    names = {"area_name": "Kreis", "measure_title": "Einwohner"}
    frame = pd.DataFrame([{**row, **names, "feed": "einwohner"}, {**row, **names, "feed": "kinder_sgb2"}])
    failed = {f.feed: f.severity for f in judge_frame("plausibilitaet_summen", frame) if not f.passed}
    assert failed == {"einwohner": "error", "kinder_sgb2": "warning"}


def test_more_recipients_than_residents_is_a_warning_without_their_numbers() -> None:
    row = {"area_id": "05378004-01", "year": 2020, "feed": "sgb2", "indicator_title": "Quote", "area_name": "Gebiet 01"}
    titles = {"part_title": "Kinder im Bezug", "whole_title": "Kinder"}
    frame = pd.DataFrame(
        [{**row, **titles, "part": 41.0, "whole": 40.0}, {**row, **titles, "part": 7.0, "whole": 40.0}]
    )
    [finding] = [f for f in judge_frame("plausibilitaet_anteile", frame) if not f.passed]
    assert finding.is_warning and "Gebiet 01 2020: mehr „Kinder im Bezug“ als „Kinder“" in finding.message
    assert "41" not in finding.message


def test_without_protection_nothing_is_published(
    own_county: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(own_county.releases)
    shutil.copy(REPOSITORY / "dagster.yaml", tmp_path)
    for name, value in (("IPSO_HOME", own_county.root), ("DAGSTER_HOME", tmp_path), ("IPSO_REPORT", "nein")):
        monkeypatch.setenv(name, str(value))

    def protect_nothing(home: Home, earlier: pd.DataFrame) -> Protection:
        for name in ("suppression_measure", "suppression_population"):
            table = pd.read_parquet(home.control / f"{name}.parquet")
            table.head(0).to_parquet(home.control / f"{name}.parquet", index=False)
        return Protection(0, 0, 0)

    monkeypatch.setattr("orchestration.disclosure.assets.protect", protect_nothing)
    from orchestration.definitions import JOB, build_defs

    with warnings.catch_warnings(), dg.DagsterInstance.get() as instance:
        warnings.simplefilter("ignore")
        result = (
            build_defs(own_county)
            .resolve_job_def(JOB)
            .execute_in_process(
                instance=instance,
                raise_on_error=False,
                tags={"dagster/asset_partition_range_start": "2023", "dagster/asset_partition_range_end": "2023"},
            )
        )
    assert not result.success
    assert current(own_county.releases) is None
