"""Locating the residents of one year in Sozialräume: seconds and memory, beside geopandas and PostGIS, in one run.

    .venv/bin/python benchmarks/locate.py                 # one county and one state
    .venv/bin/python benchmarks/locate.py --small         # a hundredth of the county, to try it out

Needs PostgreSQL 15 with PostGIS (apt-get install postgresql-15 postgresql-15-postgis-3); its cluster lies in the
temporary folder, listens on a socket there and ends with the run. All get the same generated residents and areas
(Parquet; PostGIS: CSV), and have to come to the same number of residents per Sozialraum:

- ours: distinct coordinates, `orchestration/geography/locate.py`, join of the residents in DuckDB
- ours, addresses: the same from registers without coordinates, which are looked up in the address register first
- geopandas: `sjoin` of all residents as points
- geopandas, distinct: `sjoin` of the distinct coordinates, merged with the residents
- PostGIS: COPY, index, `st_intersects` of the distinct coordinates, join of the residents
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

REPOSITORY = Path(__file__).resolve().parent.parent
POSTGRES = Path("/usr/lib/postgresql/15/bin")
POINTS_LOST = 0.004
"""Share of addresses that lie in no area."""


@dataclass(frozen=True)
class Size:
    """How large a case is."""

    name: str
    persons: int
    addresses: int
    areas: int
    kommunen: int
    side_m: float


COUNTY = Size("county", 285_000, 75_000, 87, 8, 21_000)
STATE = Size("state", 18_000_000, 4_500_000, 5_000, 396, 185_000)
SMALL = Size("small", 28_500, 7_500, 40, 4, 12_000)


# --- what is generated ----------------------------------------------------------------------------------------------


def generate(size: Size, folder: Path) -> None:
    """areas.parquet, addresses.parquet, register.parquet (as `adressen`), persons.parquet and, without coordinates,
    nowhere.parquet (as `einwohner`)."""
    rng = np.random.default_rng(25832)
    sites = rng.uniform(0, size.side_m, (size.areas, 2))
    box = shapely.box(0, 0, size.side_m, size.side_m)
    cells = np.array(shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=box)))
    cells = shapely.intersection(cells, box)
    at, cell = shapely.STRtree(cells).query(shapely.points(sites), predicate="intersects")
    cells = cells[cell[np.argsort(at, kind="stable")]]
    # Kommunen are columns and rows of a chessboard: an area belongs to that of its site
    rows = int(np.sqrt(size.kommunen))
    column, row = (sites / size.side_m * rows).astype(int).T
    ags = np.array([f"05{100000 + c * rows + r:06d}" for c, r in zip(column, row, strict=True)])
    ids = np.array([f"{a}-{i:04d}" for i, a in enumerate(ags)])
    shapes = shapely.transform(shapely.segmentize(cells, 50), _bent)
    frame = gpd.GeoDataFrame({"sozialraum_id": ids, "ags": ags}, geometry=shapes, crs="EPSG:25832")
    frame.sort_values("sozialraum_id").to_parquet(folder / "areas.parquet")
    _addresses(size, folder, rng, cells, sites, ags)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select a.ags, a.strasse, a.hausnummer, null::varchar as hausnummer_zusatz, a.ostwert, a.nordwert
                from range({size.persons}) as p(n)
                join read_parquet('{folder}/addresses.parquet') as a on hash(p.n) % {size.addresses} = a.n
            ) to '{folder}/persons.parquet' (format parquet)
            """
        )
        nowhere = f"from read_parquet('{folder}/persons.parquet')"
        connection.execute(
            f"copy (select * replace (null::double as ostwert, null::double as nordwert) {nowhere})"
            f" to '{folder}/nowhere.parquet' (format parquet)"
        )
        connection.execute(
            f"""
            copy (
                select 'DENW' || n as oid, ags, replace(strasse, 'str.', 'straße') as strasse, hausnummer,
                    null::varchar as hausnummer_zusatz, 2023 as delivery_year, ostwert, nordwert
                from read_parquet('{folder}/addresses.parquet') where n % 250 != 0
            ) to '{folder}/register.parquet' (format parquet)
            """
        )


def _bent(xy: np.ndarray) -> np.ndarray:
    """Borders that wind as real ones do, the same for both neighbours."""
    x, y = xy.T
    return np.column_stack(
        [
            365_000 + x + 90 * np.sin(y / 310) + 25 * np.sin(y / 90),
            5_650_000 + y + 90 * np.sin(x / 270) + 25 * np.sin(x / 80),
        ]
    )


def _addresses(
    size: Size, folder: Path, rng: np.random.Generator, cells: np.ndarray, sites: np.ndarray, ags: np.ndarray
) -> None:
    """Addresses inside their cell: between its site and a random corner's edge; some 400 km away."""
    area = np.sort(rng.integers(0, size.areas, size.addresses))
    corners, owner = shapely.get_coordinates(shapely.get_exterior_ring(cells), return_index=True)
    first = np.searchsorted(owner, np.arange(size.areas))
    edges = np.bincount(owner, minlength=size.areas) - 1
    edge = first[area] + (rng.random(size.addresses) * edges[area]).astype(int)
    along, out = rng.random(size.addresses)[:, None], np.sqrt(rng.random(size.addresses))[:, None] * 0.995
    rim = corners[edge] * (1 - along) + corners[edge + 1] * along
    xy = _bent(sites[area] * (1 - out) + rim * out).round(2)
    xy[rng.random(size.addresses) < POINTS_LOST, 0] -= 412_000
    # fifteen addresses a street
    number = np.arange(size.addresses)
    street = pa.array(number // 15).cast(pa.string())
    table = pa.table(
        {
            "n": number,
            "ags": ags[area],
            "strasse": pa.compute.binary_join_element_wise("Musterstr.", street, " "),
            "hausnummer": pa.array(number % 15 + 1).cast(pa.string()),
            "ostwert": xy[:, 0],
            "nordwert": xy[:, 1],
        }
    )
    pq.write_table(table, folder / "addresses.parquet")


# --- the contestants: each writes sozialraum_id and persons to counts.parquet ---------------------------------------


def ours(folder: Path, persons: str = "persons.parquet") -> None:
    from orchestration.geography.locate import distinct_coordinates, locate_in_versions

    areas = gpd.read_parquet(folder / "areas.parquet").assign(valid_from=dt.date(2015, 1, 1))
    paths = [str(folder / persons)]
    if persons == "found.parquet":
        _look_up(folder)
    located = locate_in_versions(distinct_coordinates(paths), areas)
    located.to_parquet(folder / "verortung.parquet", index=False)
    source = f"read_parquet('{folder}/persons.parquet')"
    if persons == "found.parquet":
        source = f"""(
            select p.ags, a.ostwert, a.nordwert from read_parquet('{folder}/nowhere.parquet') as p
            left join read_parquet('{folder}/found.parquet') as a using (ags, strasse, hausnummer)
        )"""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select v.sozialraum_id, count(*) as persons from {source} as p
                left join read_parquet('{folder}/verortung.parquet') as v using (ags, ostwert, nordwert)
                group by all order by all
            ) to '{folder}/counts.parquet' (format parquet)
            """
        )


def _look_up(folder: Path) -> None:
    from orchestration.geography import address_match

    confirmed = address_match.CONFIRMED_SCHEMA.empty_table()
    with duckdb.connect() as connection:
        wanted, register = [folder / "nowhere.parquet"], [folder / "register.parquet"]
        address_match.create_relations(connection, wanted, register, confirmed)
        pq.write_table(address_match.match(connection), folder / "found.parquet")


def ours_addresses(folder: Path) -> None:
    ours(folder, "found.parquet")


def sjoin(folder: Path) -> None:
    areas = gpd.read_parquet(folder / "areas.parquet")
    persons = pd.read_parquet(folder / "persons.parquet", columns=["ags", "ostwert", "nordwert"])
    points = gpd.points_from_xy(persons["ostwert"], persons["nordwert"])
    joined = gpd.GeoDataFrame(persons[["ags"]], geometry=points, crs=areas.crs).sjoin(areas, how="left")
    _count(joined["sozialraum_id"].where(joined["ags_left"] == joined["ags_right"]), folder)


def sjoin_distinct(folder: Path) -> None:
    areas = gpd.read_parquet(folder / "areas.parquet")
    persons = pd.read_parquet(folder / "persons.parquet", columns=["ags", "ostwert", "nordwert"])
    places = persons.drop_duplicates()
    points = gpd.points_from_xy(places["ostwert"], places["nordwert"])
    joined = gpd.GeoDataFrame(places, geometry=points, crs=areas.crs).sjoin(areas, how="left", rsuffix="area")
    joined = joined[joined["ags_left"] == joined["ags_area"]].rename(columns={"ags_left": "ags"})
    located = persons.merge(joined[["ags", "ostwert", "nordwert", "sozialraum_id"]], how="left")
    _count(located["sozialraum_id"], folder)


def _count(ids: pd.Series, folder: Path) -> None:
    counts = ids.value_counts(dropna=False).rename_axis("sozialraum_id").reset_index(name="persons")
    counts.to_parquet(folder / "counts.parquet", index=False)


LOAD = """
    create extension postgis;
    create unlogged table person (ags text, ostwert double precision, nordwert double precision);
    create unlogged table area (sozialraum_id text, ags text, geom geometry);
    copy person from '{folder}/persons.csv' (format csv);
    copy area from '{folder}/areas.csv' (format csv);
    create index on area using gist (geom);
    analyze;
"""
QUERY = """
    create unlogged table place as
        select p.ags, p.ostwert, p.nordwert, min(a.sozialraum_id) as sozialraum_id
        from (select distinct ags, ostwert, nordwert from person) as p
        left join area as a
            on a.ags = p.ags and st_intersects(a.geom, st_setsrid(st_makepoint(p.ostwert, p.nordwert), 25832))
        group by 1, 2, 3;
    analyze place;
    copy (
        select sozialraum_id, count(*) from person left join place using (ags, ostwert, nordwert) group by 1
    ) to '{folder}/counts.csv' (format csv);
"""
SETTINGS = {
    "listen_addresses": "", "shared_buffers": "1GB", "work_mem": "512MB", "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB", "fsync": "off", "jit": "off", "max_parallel_workers_per_gather": "2",
}  # fmt: skip


def postgis(folder: Path) -> None:
    """A cluster of its own, run by a user who is not root; prints the seconds of loading and of the query."""
    place = folder / "postgres"
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    place.mkdir()
    if os.getuid() == 0:
        shutil.chown(place, user)
    as_user = {"user": user, "group": user} if os.getuid() == 0 else {}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(
        [POSTGRES / "initdb", "-D", place / "data", "-A", "trust", "-E", "UTF8"], check=True, **as_user, **quiet
    )
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    server = subprocess.Popen([POSTGRES / "postgres", "-D", place / "data", "-k", place, *options], **as_user, **quiet)
    psql = ["psql", "-h", str(place), "-d", "postgres", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c"]
    try:
        _wait_for(psql, as_user)
        for name, script in (("load", LOAD), ("query", QUERY)):
            started = time.perf_counter()
            for statement in script.format(folder=folder).split(";"):
                if statement.strip():
                    subprocess.run([*psql, statement], check=True, **as_user)
            print(f"{name} {time.perf_counter() - started:.1f}")
    finally:
        server.terminate()
        server.wait()
    counts = pd.read_csv(folder / "counts.csv", names=["sozialraum_id", "persons"])
    counts.to_parquet(folder / "counts.parquet", index=False)


def _wait_for(psql: list[str], as_user: dict[str, str]) -> None:
    for _ in range(100):
        if subprocess.run([*psql, "select 1"], capture_output=True, **as_user).returncode == 0:
            return
        time.sleep(0.2)
    raise SystemExit("PostgreSQL did not start")


def as_csv(folder: Path) -> None:
    """What PostGIS can COPY; not counted."""
    with duckdb.connect() as connection:
        persons = f"select ags, ostwert, nordwert from read_parquet('{folder}/persons.parquet')"
        connection.execute(f"copy ({persons}) to '{folder}/persons.csv' (format csv, header false)")
    areas = gpd.read_parquet(folder / "areas.parquet")
    shapes = shapely.to_wkb(shapely.set_srid(areas.geometry.to_numpy(), 25832), hex=True, include_srid=True)
    frame = pd.DataFrame({"id": areas["sozialraum_id"], "ags": areas["ags"], "geom": shapes})
    frame.to_csv(folder / "areas.csv", index=False, header=False)
    for path in folder.glob("*.csv"):
        path.chmod(0o644)


# --- the run ---------------------------------------------------------------------------------------------------------


CONTESTANTS = {
    "ours": ours,
    "ours, addresses": ours_addresses,
    "geopandas": sjoin,
    "geopandas, distinct": sjoin_distinct,
    "PostGIS": postgis,
}


def compare(size: Size, folder: Path) -> None:
    """Print a line per contestant: seconds, peak GiB, ratio to ours."""
    from measure import measure

    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    generate(size, folder)
    as_csv(folder)
    corners = int(shapely.get_num_coordinates(gpd.read_parquet(folder / "areas.parquet").geometry).sum())
    counts = f"{size.persons:,} persons, {size.addresses:,} addresses, {size.areas:,} areas, {corners:,} corners"
    print(f"{size.name}: {counts}", flush=True)
    expected, first = None, 0.0
    for name in CONTESTANTS:
        (folder / "counts.parquet").unlink(missing_ok=True)
        measured = measure([sys.executable, __file__, "--contestant", name, "--folder", str(folder)], environment)
        counts = _counts(folder / "counts.parquet")
        if name == "ours":
            expected, first = counts, measured.seconds
        elif name != "ours, addresses":
            assert counts.equals(expected), f"{name} counts other persons per area"
        line = f"  {name:<20} {measured.seconds:8.1f} s {measured.peak_gib:6.2f} GiB {measured.seconds / first:6.2f}"
        print(line, *measured.output.split(), flush=True)


def _counts(path: Path) -> pd.Series:
    frame = pd.read_parquet(path)
    ids = frame["sozialraum_id"].astype(object).where(frame["sozialraum_id"].notna(), "")
    return frame.assign(sozialraum_id=ids).groupby("sozialraum_id")["persons"].sum().astype("int64")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--county", action="store_true", help="the county only")
    parser.add_argument("--contestant", choices=list(CONTESTANTS))
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.contestant:
        CONTESTANTS[arguments.contestant](arguments.folder)
        return
    for size in [SMALL] if arguments.small else [COUNTY] if arguments.county else [COUNTY, STATE]:
        with tempfile.TemporaryDirectory(prefix="ipso-locate-") as folder:
            Path(folder).chmod(0o777)
            compare(size, Path(folder))


if __name__ == "__main__":
    main()
