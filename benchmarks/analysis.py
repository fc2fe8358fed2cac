"""Seconds and memory of the marts: a county's and a whole state's, beside intervals and index in plain pandas.

Takes the state folder of a demo county that was run (it is copied, not changed); the state is drawn from its rates
(`analysis_state.py`). Runs the project's own models as production does, in the second dbt call; every contestant in a
process of its own, start and imports included. pandas has to come to the same numbers.

    PYTHONPATH=. .venv/bin/python benchmarks/analysis.py DATA [county] [state]
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import duckdb
from analysis_state import STATE, put_state
from measure import Measured, measure

from orchestration.dbt import DBT
from orchestration.home import REPOSITORY

MEMORY = {"county": "2GB", "state": "4GB"}
"""What DuckDB may take; the rest is Python's."""
MARTS = {
    "county": ["path:models/protected", "path:models/marts"],
    "state": [
        *("path:models/protected", "path:models/marts/indicator", "path:models/marts/analysis"),
        *("dim_area", "dim_year", "bridge_neighbour", "fct_population"),
    ],
}
OF_INTERVALS, OF_INDEX = ["int_indicator_value"], ["int_index_input", "int_index"]
TOLD = 8
"""Models that are named in the output, the slowest first."""
EXPORTS = {
    "measures": """
        select boundary, area_id, year, measure_id, value, value_status from protected.int_publishable_measure
    """,
    "areas": "select boundary, area_id, year, level from intermediate.int_area_year",
    "rules": "select measure_id, minimum_denominator from protected.stg_control__disclosure_rule",
    "facts": "select boundary, area_id, year, indicator_id, value, value_status, is_break from marts.fct_indicator",
    **{name: f"from seeds.{name}" for name in ("indicators", "indices", "index_indicators")},
    "dim_area": "select area_id, level, parent_area_id, valid_to from marts.dim_area",
}
SAME = {
    "intervals": """
        with ours as (
            select boundary, area_id, year, indicator_id, value, ci_lower, ci_upper
            from protected.int_indicator_value where ci_lower is not null
        )
        select count(*), count(*) filter (
            abs(ours.value - theirs.value) <= 1e-9 * (1 + abs(ours.value))
            and abs(ours.ci_lower - theirs.ci_lower) <= 1e-9 * (1 + abs(ours.ci_lower))
            and abs(ours.ci_upper - theirs.ci_upper) <= 1e-9 * (1 + abs(ours.ci_upper))
        )
        from ours full join '{theirs}' as theirs using (boundary, area_id, year, indicator_id)
    """,
    "index": """
        with ours as (
            select index_id, comparison_area_id, area_id, year, status_class, dynamics_class
            from protected.int_index where status_class is not null
        )
        select count(*), count(*) filter (
            ours.status_class = theirs.status_class
            and ours.dynamics_class is not distinct from theirs.dynamics_class
        )
        from ours full join '{theirs}' as theirs using (index_id, comparison_area_id, area_id, year)
    """,
}


def copied(source: Path, target: Path) -> Path:
    """What the second dbt call reads."""
    (target / "dbt").mkdir(parents=True)
    shutil.copy(source / "warehouse.duckdb", target)
    shutil.copytree(source / "control", target / "control")
    with duckdb.connect(str(target / "warehouse.duckdb")) as connection:
        for schema in ("protected", "marts"):
            connection.execute(f"drop schema if exists {schema} cascade")
    return target


def build(home: Path, size: str) -> Measured:
    """`dbt build` of the marts as in production, on a project that is parsed already."""
    variables = {"kreis_id": STATE, "kreis_name": "Nordrhein-Westfalen"} if size == "state" else {}
    common = ["--vars", json.dumps(variables), "--project-dir", str(REPOSITORY), "--profiles-dir", str(REPOSITORY)]
    common += ["--target-path", str(home / "dbt"), "--log-path", str(home / "dbt" / "logs")]
    environment = {**os.environ, "IPSO_HOME": str(home), "IPSO_MEMORY_LIMIT": MEMORY[size]}
    measure([str(DBT), "parse", *common], environment)
    # The tests of data ask the county's questions (deliveries, sums of registers); a drawn state has no deliveries.
    command = ["build", "--indirect-selection", "buildable"] if size == "county" else ["run"]
    command += ["--exclude-resource-type", "unit_test"] if size == "county" else []
    return measure([str(DBT), *command, *common, "--select", *MARTS[size]], environment)


def model_seconds(home: Path) -> dict[str, float]:
    """Seconds of each model or test, the slowest first; two run at a time."""
    results = json.loads((home / "dbt" / "run_results.json").read_text(encoding="utf-8"))["results"]
    seconds = {result["unique_id"]: result["execution_time"] for result in results}
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def pandas(home: Path, what: str) -> tuple[Measured, int, int]:
    """Measured, compared rows, and those in which pandas and we say the same."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    script = str(REPOSITORY / "benchmarks" / "analysis_pandas.py")
    measured = measure([sys.executable, script, str(home), what], environment)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        query = SAME[what].format(theirs=home / f"pandas_{what}.parquet")
        rows, same = connection.execute(query).fetchone() or (0, 0)
    return measured, rows, same


def report(home: Path, size: str) -> None:
    ours = build(home, size)
    seconds = model_seconds(home)
    tests = sum(took for name, took in seconds.items() if name.startswith("test."))
    models = {name.split(".")[-1]: took for name, took in seconds.items() if name.startswith("model.")}
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        (rows,) = connection.execute("select count(*) from marts.fct_indicator").fetchone() or (0,)
        for name, query in EXPORTS.items():
            connection.execute(f"copy ({query}) to '{home / name}.parquet' (format parquet)")
    print(f"{size}: {rows:,} rows of fct_indicator, load {os.getloadavg()[0]:.1f}")
    print(f"  all marts {ours.seconds:24.1f} s {ours.peak_gib:6.2f} GiB")
    print(f"  models, tests: {sum(models.values()):.1f} s, {tests:.1f} s, two at a time")
    for name, took in list(models.items())[:TOLD]:
        print(f"    {name:<28} {took:6.1f} s")
    for what, names in (("intervals", OF_INTERVALS), ("index", OF_INDEX)):
        own = sum(models[name] for name in names)
        theirs, compared, same = pandas(home, what)
        if compared != same or not compared:
            raise SystemExit(f"{what}: {same:,} of {compared:,} rows are the same")
        inside = float(theirs.output)
        print(f"  {what}, {compared:,} rows, {' and '.join(names)}")
        print(f"    ours {own:29.1f} s")
        print(f"    pandas {inside:27.1f} s {theirs.peak_gib:6.2f} GiB, ratio {inside / own:.2f}")


def main() -> None:
    source, *sizes = sys.argv[1:]
    for size in sizes or ["county", "state"]:
        with tempfile.TemporaryDirectory(prefix="ipso-benchmark-") as folder:
            home = copied(Path(source), Path(folder) / "data")
            if size == "state":
                put_state(home)
            report(home, size)


if __name__ == "__main__":
    main()
