"""A new indicator is one line in the catalogue: mart, export, report, with nothing else changed.

The county's own warehouse is taken, the catalogue gets a line, and dbt computes what comes after the counts. Of
measures about people that no indicator has shown before, a run also decides what stays blank; these two are flats.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from installation import copied

from orchestration.home import REPOSITORY, Home
from orchestration.release.write import write_release
from orchestration.report import write_sources

pytestmark = pytest.mark.integration

NEW = {
    "indicator_id": "social_dwellings_share",
    "title": "Anteil preisgebundener Wohnungen",
    "short_description": "Preisgebundene Wohnungen je 100 Wohnungen",
    "theme_id": "wohnen",
    "kind": "share",
    "unit": "percent",
    "polarity": "strength",
    "numerator_measure": "social_dwellings",
    "denominator_measure": "dwellings",
    "scale": "100",
    "cadence": "annual",
    "coarsest_level": "kreis",
    "finest_level": "kommune",
    "interval_method": "wilson",
    "source": "Wohnraumförderung des Kreises; IT.NRW",
    "caveat": "Stand 31. Dezember.",
    "minimum_denominator": "10",
    "is_core": "false",
    "sort_order": "999",
}


@pytest.fixture(scope="module")
def extended(county: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of the county whose catalogue has one line more."""
    home = copied(county, tmp_path_factory.mktemp("catalogue") / "data")
    project = home.root.parent / "project"
    project.mkdir()
    for name in ("models", "dbt_project", "dbt_project.yml", "profiles.yml"):
        (project / name).symlink_to(REPOSITORY / name)
    shutil.copytree(REPOSITORY / "seeds", project / "seeds")
    with (project / "seeds" / "indicators.csv").open("r+", encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
        file.seek(0, os.SEEK_END)
        csv.DictWriter(file, columns, lineterminator="\n").writerow(NEW)
    folders = ("--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(project / "target"))
    result = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), "--no-use-colors", "build", *folders),
            *("--log-path", str(project / "logs"), "--exclude-resource-type", "unit_test", "test"),
            *("--select", "indicators", "dim_indicator", "int_indicator_value+"),
        ],
        env={**os.environ, "IPSO_HOME": str(home.root), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return home


def test_one_line_in_the_catalogue_reaches_mart_export_and_report(extended: Home, tmp_path: Path) -> None:
    with duckdb.connect(str(extended.warehouse), read_only=True) as warehouse:
        subsidised, all_dwellings = warehouse.execute(
            """
            select max(value) filter (measure_id = 'social_dwellings'), max(value) filter (measure_id = 'dwellings')
            from intermediate.int_measure
            where measure_id in ('social_dwellings', 'dwellings') and area_id = '05378' and year = 2023
                and boundary = 'as_counted'
            """
        ).fetchall()[0]
    release = write_release(extended, "mit-neuem-indikator")
    with duckdb.connect(str(release / "ipso.duckdb"), read_only=True) as connection:
        value, places, years, deliveries = connection.execute(
            """
            select max(value) filter (area_id = '05378' and year = 2023), count(distinct area_id) filter (value > 0),
                count(distinct year), (select count(*) from meta_lineage where indicator_id = $new)
            from fct_indicator where indicator_id = $new
            """,
            {"new": NEW["indicator_id"]},
        ).fetchall()[0]
        title = connection.execute(
            "select title from dim_indicator where indicator_id = ?", [NEW["indicator_id"]]
        ).fetchall()
    assert value == pytest.approx(100 * subsidised / all_dwellings)
    assert (places, years, title) == (9, 9, [(NEW["title"],)]) and deliveries > 0
    exported = (release / "csv" / "fct_indicator.csv").read_text(encoding="utf-8-sig")
    assert f"05378;2023;{NEW['indicator_id']};{str(value).replace('.', ',')};ok" in exported
    assert NEW["title"] in (release / "csv" / "dim_indicator.csv").read_text(encoding="utf-8-sig")

    # Its page is made of these two tables; /indikator/ links to a page for every row of the first.
    write_sources(release, tmp_path / "data")
    tables = {
        name: pa.ipc.open_stream((tmp_path / "data" / "ipso" / name / f"{name}.arrow").read_bytes()).read_all()
        for name in ("indikator", "wert")
    }
    described = [row for row in tables["indikator"].to_pylist() if row["indicator_id"] == NEW["indicator_id"]]
    assert [(row["title"], row["thema"], row["jahr"]) for row in described] == [(NEW["title"], "Wohnen", 2023)]
    shown = [row for row in tables["wert"].to_pylist() if row["indicator_id"] == NEW["indicator_id"]]
    assert {row["area_id"]: row["value"] for row in shown if row["year"] == 2023}["05378"] == value
    listing = (REPOSITORY / "reports" / "pages" / "indikator" / "index.md").read_text(encoding="utf-8")
    assert "from indikator i" in listing and "`/indikator/${row.indicator_id}/`" in listing
