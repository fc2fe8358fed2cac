"""Writes for the warehouse what new versions of areas changed: `raw/verortung/entsprechung` and `fassung`.

How a change is recognised is `versions`'; here the register is asked how many persons live where old and new overlap.
"""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from orchestration.geography.address_match import anschrift_path
from orchestration.geography.areas import load_versions
from orchestration.geography.versions import PAIR, SHARES, correspondences, same_since, version_pairs
from orchestration.home import Home
from orchestration.sql import single_threaded

CORRESPONDENCE_SCHEMA = pa.schema(
    [
        ("ags", pa.string()),
        ("old_valid_from", pa.date32()),
        ("new_valid_from", pa.date32()),
        ("old_area_id", pa.string()),
        ("new_area_id", pa.string()),
        ("kind", pa.string()),
        ("persons", pa.int64()),
        *[(share, pa.float64()) for share in SHARES],
        ("is_next", pa.bool_()),
        ("is_newest", pa.bool_()),
    ]
)
SHAPE_SCHEMA = pa.schema(
    [("ags", pa.string()), ("sozialraum_id", pa.string()), ("valid_from", pa.date32()), ("same_since", pa.date32())]
)
PERSONS = """
    with register as (from read_parquet($paths, union_by_name = true)),
    last_before as (
        select pairs.ags, old_valid_from, new_valid_from, max(stichtag) as stichtag
        from pairs join (select distinct ags, stichtag from register) as days
            on days.ags = pairs.ags and days.stichtag < pairs.new_valid_from
        group by all
    ),
    residents as (
        select ags, stichtag, strasse, hausnummer, hausnummer_zusatz, ostwert, nordwert
        from register semi join last_before using (ags, stichtag)
    ),
    places as (
        -- coordinates as delivered, else those of the address
        select r.ags, r.stichtag,
            coalesce(a.ostwert, r.ostwert) as ostwert, coalesce(a.nordwert, r.nordwert) as nordwert,
            count(*) as persons
        from residents as r
        left join read_parquet($addresses) as a
            on (r.ostwert is null or r.nordwert is null) and r.ags = a.ags and r.strasse = a.strasse
                and r.hausnummer is not distinct from a.hausnummer
                and r.hausnummer_zusatz is not distinct from a.hausnummer_zusatz
        where coalesce(a.ostwert, r.ostwert) is not null and coalesce(a.nordwert, r.nordwert) is not null
        group by all
    )
    select l.ags, l.old_valid_from, l.new_valid_from,
        o.sozialraum_id as old_area_id, n.sozialraum_id as new_area_id, sum(p.persons)::bigint as persons
    from last_before as l
    join places as p on p.ags = l.ags and p.stichtag = l.stichtag
    join read_parquet($located) as o
        on o.ags = p.ags and o.ostwert = p.ostwert and o.nordwert = p.nordwert and o.valid_from = l.old_valid_from
    join read_parquet($located) as n
        on n.ags = p.ags and n.ostwert = p.ostwert and n.nordwert = p.nordwert and n.valid_from = l.new_valid_from
    where o.sozialraum_id is not null and n.sozialraum_id is not null
    group by all
    order by all
"""


def write_crosswalk(home: Home) -> pd.DataFrame:
    """Write both tables, ordered, so that the same deliveries give the same bytes; gives back the correspondence."""
    from orchestration.gates.directory import write_parquet

    versions = load_versions(home)
    table = correspondences(versions, persons_between(home, versions))
    shapes = same_since(versions) if len(versions) else SHAPE_SCHEMA.empty_table().to_pandas()
    for name, frame, schema in (("entsprechung", table, CORRESPONDENCE_SCHEMA), ("fassung", shapes, SHAPE_SCHEMA)):
        arrow = pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata()
        write_parquet(arrow, home.raw / "verortung" / f"{name}.parquet")
    return table


def persons_between(home: Home, versions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Persons by area of an older and of a later version, in the last register before the later one.

    Columns `PAIR` and persons; empty where no area was redrawn or no register is in force.
    """
    from orchestration.gates.directory import accepted_raw

    pairs = pd.DataFrame(
        [
            (ags, before, after)
            for ags, days in versions.groupby("ags", sort=True)["valid_from"]
            for before, after, *_ in version_pairs(days)
        ],
        columns=PAIR[:3],
    )
    paths = [str(path) for path in accepted_raw(home, "einwohner").values()]
    if pairs.empty or not paths:
        return pd.DataFrame(columns=[*PAIR, "persons"])
    with single_threaded() as connection:
        schema = pa.schema([CORRESPONDENCE_SCHEMA.field(name) for name in PAIR[:3]])
        connection.register("pairs", pa.Table.from_pandas(pairs, schema=schema, preserve_index=False))
        files = {"located": home.raw / "verortung" / "verortung.parquet", "addresses": anschrift_path(home)}
        named = {name: str(path) for name, path in files.items()}
        return connection.execute(PERSONS, {"paths": paths, **named}).to_arrow_table().to_pandas()
