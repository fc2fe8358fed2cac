"""How long the audit of a release takes, how much memory it needs, and how much of a county's figures is blank.

    .venv/bin/python benchmarks/disclosure_audit.py data/releases/current        # needs a release, e.g. from `make run`
    .venv/bin/python benchmarks/disclosure_audit.py data/releases/current --times 1

The release is enlarged by further Kommunen, copies of its own under new keys, whose persons the Kreis holds as well: so
sums over areas, years and both boundaries hold in the large one too. At four times the demo county it prints or hides
250,000 counts.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

import duckdb
from measure import measure

AREA_COLUMNS = ("area_id", "parent_area_id", "old_area_id", "new_area_id", "kommune_id", "neighbour_area_id")
COUNTS = ("numerator", "denominator", "population")
BLANKS = """
    with cells as (
        select t.title as thema, t.sort_order as n, a.level, f.value_status
        from fct_indicator as f
        join dim_area as a on a.area_id = f.area_id and a.valid_to is null
        join dim_indicator as i using (indicator_id) join dim_theme as t using (theme_id)
        where f.boundary = 'current' and f.value_status in ('ok', 'zero', 'unreliable', 'suppressed')
        union all
        select 'Bevölkerungstabelle', 0, a.level, f.value_status
        from fct_population as f join dim_area as a on a.area_id = f.area_id and a.valid_to is null
        where f.boundary = 'current' and f.value_status != 'missing'
    )
    select thema, level, count(*), 100.0 * count(*) filter (value_status = 'suppressed') / count(*)
    from cells group by n, thema, level order by n, thema, level
"""


def enlarge(release: Path, target: Path, times: int) -> None:
    """Write the release's Parquet files with `times` as many Kommunen."""
    (target / "parquet").mkdir(parents=True)
    with duckdb.connect() as connection:
        kreis = connection.execute(
            f"select area_id from '{release}/parquet/dim_area.parquet' where level = 'kreis'"
        ).fetchall()[0][0]
        for file in sorted((release / "parquet").glob("*.parquet")):
            connection.execute(f"create or replace table t as select * from read_parquet('{file}')")
            names = [row[0] for row in connection.execute("describe t").fetchall()]
            copies = [_copy(names, kreis, number) for number in range(times)]
            own = [name for name in AREA_COLUMNS if name in names]
            if own:
                top = f"{own[0]} = '{kreis}'"
                larger = [f"{name} * {times} as {name}" for name in COUNTS if name in names]
                # A share of the Kreis stays what it is; what depends on its size is left out.
                nothing = [f"null as {name}" for name in ("ci_lower", "ci_upper", "change_absolute") if name in names]
                if {"value", "denominator"} <= set(names):
                    larger.append(f"case when denominator is null then value * {times} else value end as value")
                changes = ", ".join([*larger, *nothing])
                whole = f"select * {f'replace ({changes})' if changes else ''} from t where {top}"
                parts = [f"{copy} where {top} is not true" for copy in copies]
                query = " union all by name ".join([whole, *parts])
            else:
                query = "select * from t"
            connection.execute(f"copy ({query}) to '{target}/parquet/{file.name}' (format parquet)")


def _copy(names: list[str], kreis: str, number: int) -> str:
    renamed = ", ".join(
        f"regexp_replace({name}, '^{kreis}(\\d)', '{kreis}{number}\\1') as {name}"
        for name in AREA_COLUMNS
        if name in names
    )
    return f"select * replace ({renamed}) from t" if number else "select * from t"


def main() -> None:
    """Print the figures for benchmarks/README.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", type=Path)
    parser.add_argument("--times", type=int, default=4)
    arguments = parser.parse_args()
    release = arguments.release.resolve()
    command = [str(Path(sys.executable).with_name("ipso")), "audit", "--allein"]
    for times in sorted({1, arguments.times}):
        with tempfile.TemporaryDirectory(prefix="ipso-benchmark-") as folder:
            large = release
            if times > 1:
                large = Path(folder) / "release"
                enlarge(release, large, times)
            measured = measure([*command, str(large)], dict(os.environ))
            counts = re.search(r"([\d.]+) Anzahlen, davon (\d+)", measured.output)
            told = f"{counts[1]} counts, {counts[2]} blank" if counts else measured.output
            print(f"audit, {times} x the release: {told}: {measured.seconds:.1f} s, {measured.peak_gib:.2f} GiB")
    with duckdb.connect(str(release / "ipso.duckdb"), read_only=True) as connection:
        for theme, level, cells, percent in connection.execute(BLANKS).fetchall():
            print(f"| {theme} | {level} | {cells:,} | {percent:.1f} |")


if __name__ == "__main__":
    main()
