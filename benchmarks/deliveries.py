"""The delivery stage alone (archive, read, gate, raw Parquet) over the person-level history, beside plain DuckDB.

The same files through both: the CSV registers of the demo county, then the XLSX registers (plain: DuckDB's extension
excel). With more and more deliveries, to see whether memory grows with their number.

    PYTHONPATH=. .venv/bin/python benchmarks/deliveries.py
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from measure import Measured, measure

REPOSITORY = Path(__file__).resolve().parent.parent
SHARES = (1, 3, 9)
"""Years of the history that are delivered."""


def stage(home: Path) -> None:
    """What the Dagster assets call for a feed: receive, then judge; prints seconds without the interpreter's start."""
    from orchestration.feeds.intake import receive
    from orchestration.gates import workers
    from orchestration.gates.delivery import judge
    from orchestration.home import Home

    started = time.perf_counter()
    workers.warm_up()
    folder = Home(home).create()
    receive(folder, settle_seconds=0)
    verdicts = judge(folder, "einwohner")
    assert all(verdict.accepted for verdict in verdicts)
    print(sum(verdict.row_count for verdict in verdicts), time.perf_counter() - started)


def plain(files: list[Path], target: Path) -> None:
    """DuckDB alone: every column as text, one Parquet file per delivery."""
    import duckdb
    import duckdb_extension_excel

    started = time.perf_counter()
    rows = 0
    with duckdb.connect() as connection:
        if any(path.suffix == ".xlsx" for path in files):
            connection.execute(f"load '{next(Path(duckdb_extension_excel.__path__[0]).rglob('*.duckdb_extension'))}'")
        for number, path in enumerate(files):
            out = target / f"{number}.parquet"
            connection.execute(f"copy ({_plain_read(path)}) to '{out}' (format parquet, compression zstd)")
            rows += connection.execute(f"select count(*) from '{out}'").fetchall()[0][0]
    print(rows, time.perf_counter() - started)


def _plain_read(path: Path) -> str:
    if path.suffix == ".xlsx":
        return f"from read_xlsx('{path}', all_varchar = true)"
    encoding = "utf-8" if path.read_bytes()[:3] == b"\xef\xbb\xbf" else "latin-1"
    return f"from read_csv('{path}', all_varchar = true, header = true, encoding = '{encoding}')"


def run_apart(*arguments: str | Path) -> tuple[Measured, int, float]:
    """This file in a process of its own: whole process, rows, seconds of the work itself."""
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'benchmarks'}"}
    measured = measure([sys.executable, str(Path(__file__)), *map(str, arguments)], environment)
    rows, seconds = measured.output.split()[-2:]
    return measured, int(rows), float(seconds)


def compare(kind: str, demo: Path, years: int, folder: Path) -> None:
    chosen = sorted(path for path in demo.rglob(f"einwohner_*.{kind}") if int(path.stem[-4:]) > 2023 - years)
    home = folder / "home"
    for path in chosen:
        target = home / "landing" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (folder / "plain").mkdir()
    own, rows, seconds = run_apart("stage", home)
    other, plain_rows, plain_seconds = run_apart("plain", folder / "plain", *chosen)
    assert rows == plain_rows
    megabytes = sum(path.stat().st_size for path in chosen) / 1e6
    print(
        f"{kind:<5}{len(chosen):>5}{megabytes:>8.0f}{rows:>11,}"
        f"{rows / seconds:>12,.0f}{rows / plain_seconds:>12,.0f}{plain_seconds / seconds:>8.2f}"
        f"{own.peak_gib:>9.2f}{other.peak_gib:>9.2f}"
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ipso-benchmark-") as folder:
        demo = Path(folder) / "demo"
        from demo.deliveries import write_deliveries

        write_deliveries(demo, only={"einwohner"}, progress=lambda line: None)
        print(
            f"{'kind':<5}{'files':>5}{'MB':>8}{'rows':>11}{'own rows/s':>12}{'plain':>12}{'ratio':>8}"
            f"{'own GiB':>9}{'plain':>9}"
        )
        for kind in ("csv", "xlsx"):
            for years in SHARES:
                with tempfile.TemporaryDirectory(dir=folder) as trial:
                    compare(kind, demo, years, Path(trial))


if __name__ == "__main__":
    if sys.argv[1:2] == ["stage"]:
        stage(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["plain"]:
        plain([Path(name) for name in sys.argv[3:]], Path(sys.argv[2]))
    else:
        main()
