"""How long each stage of `make run` takes on the demo county, and rows per second beside plain DuckDB.

Runs in a temporary installation; the report is left out unless --report is given.

    .venv/bin/python benchmarks/stages.py [--report]
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from measure import measure

REPOSITORY = Path(__file__).resolve().parent.parent


def command(home: Path, *arguments: str, report: bool = False) -> tuple[float, float, str]:
    """Seconds, peak GiB and output of one `ipso` command."""
    environment = {
        **os.environ,
        "IPSO_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
        "IPSO_REPORT": "ja" if report else "nein",
    }
    (home / "dagster").mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "dagster.yaml", home / "dagster")
    measured = measure([str(Path(sys.executable).parent / "ipso"), *arguments], environment)
    return measured.seconds, measured.peak_gib, measured.output


def stage_times(home: Path) -> list[tuple[str, float]]:
    """(step, seconds) of the last Dagster run, from its event log."""
    import dagster as dg

    os.environ["DAGSTER_HOME"] = str(home / "dagster")
    with dg.DagsterInstance.get() as instance:
        run = instance.get_runs(limit=1)[0]
        steps = instance.get_run_step_stats(run.run_id)
    return sorted(
        ((s.step_key, s.end_time - s.start_time) for s in steps if s.start_time and s.end_time), key=lambda s: -s[1]
    )


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def plain_duckdb(files: list[Path], target: Path) -> float:
    """Seconds for DuckDB alone: read the same register CSVs as text and write them as one Parquet file each."""

    def convert() -> None:
        with duckdb.connect() as connection:
            for number, path in enumerate(files):
                encoding = "utf-8" if path.read_bytes()[:3] == b"\xef\xbb\xbf" else "latin-1"
                connection.execute(
                    f"copy (from read_csv('{path}', all_varchar = true, header = true, encoding = '{encoding}'))"
                    f" to '{target}/{number}.parquet' (format parquet, compression zstd)"
                )

    return seconds(convert)


def plain_counts(home: Path) -> float:
    """Seconds for DuckDB alone to count persons by Kommune, year, age, sex and nationality in the same raw Parquet."""
    query = (
        "select ags, delivery_year, date_diff('year', geburtsdatum, stichtag), geschlecht,"
        f" staatsangehoerigkeit = '000', count(*) from read_parquet('{home}/raw/einwohner/**/*.parquet') group by all"
    )

    def count() -> None:
        with duckdb.connect() as connection:
            connection.execute(query).fetchall()

    return seconds(count)


def main() -> None:
    report = "--report" in sys.argv
    with tempfile.TemporaryDirectory(prefix="ipso-benchmark-") as folder:
        home = Path(folder) / "data"
        home.mkdir()
        setup_seconds, _, _ = command(home, "setup")
        demo_seconds, demo_memory, _ = command(home, "demo")
        csv_files = sorted(p for p in (home / "landing").rglob("einwohner_*.csv"))
        copies = Path(folder) / "copies"
        copies.mkdir()
        for number, path in enumerate(csv_files):
            shutil.copy(path, copies / f"{number}.csv")
        run_seconds, run_memory, _ = command(home, "run", report=report)
        stages = stage_times(home)
        again_seconds = sum(command(home, name, report=report)[0] for name in ("setup", "demo", "run"))
        plain = Path(folder) / "plain"
        plain.mkdir()
        plain_seconds = plain_duckdb(sorted(copies.glob("*.csv")), plain)
        counting_seconds = plain_counts(home)
        with duckdb.connect() as connection:
            csv_rows = connection.execute(f"select count(*) from read_parquet('{plain}/*.parquet')").fetchone()[0]
            rows = connection.execute(
                f"select count(*) from read_parquet('{home}/raw/einwohner/**/*.parquet')"
            ).fetchone()[0]
    times = dict(stages)
    gate = next(value for key, value in stages if "einwohner" in key)
    warehouse = sum(value for key, value in stages if key in ("aufbereitung", "geheimhaltung", "veroeffentlichung"))
    print(f"setup (dbt manifest) {setup_seconds:7.1f} s")
    print(f"demo deliveries      {demo_seconds:7.1f} s   {demo_memory:.2f} GiB")
    print(f"run                  {run_seconds:7.1f} s   {run_memory:.2f} GiB{' with report' if report else ''}")
    for name, value in times.items():
        print(f"  {name:<40} {value:7.1f} s")
    print(f"second make run      {again_seconds:7.1f} s")
    print(f"register to raw, gate included: {rows / gate:,.0f} rows/s ({rows:,} rows)")
    print(f"plain DuckDB read_csv to Parquet: {csv_rows / plain_seconds:,.0f} rows/s ({csv_rows:,} rows)")
    print(f"ratio to plain DuckDB: {rows / gate / (csv_rows / plain_seconds):.2f}")
    print(f"raw to marts, protection included: {rows / warehouse:,.0f} rows/s")
    print(f"plain DuckDB, one count of the same Parquet: {rows / counting_seconds:,.0f} rows/s")


if __name__ == "__main__":
    main()
