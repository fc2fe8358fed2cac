"""Lists of addresses with counts → sums per Sozialraum, Kommune and Kreis, as if they had been delivered per area.

An address counts where it lies on the reference date; one that cannot be located counts in `<ags>-00`. Nothing is
estimated: what is delivered for an address is never divided.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from orchestration.feeds.declaration import KREIS, Feed, kommunen, load_feeds
from orchestration.feeds.reader import AGGREGATE_SCHEMA
from orchestration.geography.address_match import anschrift_path
from orchestration.home import Home
from orchestration.sql import identifier, literal, single_threaded

AREA_SCHEMA = pa.schema(
    [("sozialraum_id", pa.string()), ("ags", pa.string()), ("valid_from", pa.date32()), ("valid_to", pa.date32())]
)

# An area without an address has none: zero, not missing, for a list holds all that there is.
SUMS = """
    with entries as (
        {entries}
    ),
    lists as (
        select distinct delivery_id, deliverer, delivery_year, stichtag, merkmal from entries
    ),
    placed as (
        select e.delivery_id, e.merkmal, e.ags, e.wert, coalesce(v.sozialraum_id, e.ags || '-00') as gebiet
        from entries as e
        left join anschrift as a
            on e.ags = a.ags and e.strasse = a.strasse and e.hausnummer = a.hausnummer
                and a.hausnummer_zusatz is null
        left join (select distinct ags, valid_from, valid_to from areas) as f
            on e.ags = f.ags and e.stichtag between f.valid_from and coalesce(f.valid_to, e.stichtag)
        left join verortung as v
            on a.ags = v.ags and a.ostwert = v.ostwert and a.nordwert = v.nordwert and f.valid_from = v.valid_from
    ),
    at_every_level as (
        select delivery_id, merkmal, gebiet, wert from placed
        union all
        select delivery_id, merkmal, ags, wert from placed
        union all
        select delivery_id, merkmal, '{kreis}', wert from placed
    ),
    due as (
        select l.*, a.sozialraum_id as gebiet, a.ags
        from lists as l join areas as a on l.stichtag between a.valid_from and coalesce(a.valid_to, l.stichtag)
        union all
        select l.*, unnest([k.ags, k.ags || '-00']), k.ags from lists as l cross join kommunen as k
        union all
        select l.*, '{kreis}', null from lists as l
    )
    select d.delivery_id, d.deliverer, d.delivery_year, null as zeile, d.gebiet, null as gebiet_name, d.merkmal,
        d.stichtag, coalesce(sum(s.wert), 0) as wert, null as zeichen, d.merkmal as spalte
    from due as d
    left join deliverers as o on d.deliverer = o.deliverer
    left join at_every_level as s on d.delivery_id = s.delivery_id and d.merkmal = s.merkmal and d.gebiet = s.gebiet
    -- a Kommune tells about itself only
    where o.ags is null or o.ags = d.ags
    group by all
    order by d.delivery_id, d.merkmal, d.gebiet
"""


def write_sums(home: Home) -> int:
    """`raw/aggregate/<feed>/summen.parquet` of every list that is summed; returns the number of feeds.

    Needs `anschrift.parquet` and `verortung.parquet`.
    """
    from orchestration.gates.directory import accepted_raw, write_parquet
    from orchestration.geography.areas import load_versions

    feeds = [feed for feed in load_feeds().values() if feed.sums]
    areas = pa.Table.from_pandas(load_versions(home)[AREA_SCHEMA.names], schema=AREA_SCHEMA, preserve_index=False)
    for feed in feeds:
        paths = list(accepted_raw(home, feed.name).values())
        places = anschrift_path(home), home.raw / "verortung" / "verortung.parquet"
        write_parquet(sums(feed, paths, *places, areas), sums_path(home, feed))
    return len(feeds)


def sums_path(home: Home, feed: Feed) -> Path:
    """Beside what is delivered per area, for the same staging model."""
    return home.raw / "aggregate" / feed.name / "summen.parquet"


def sums(feed: Feed, lists: Sequence[Path], anschrift: Path, verortung: Path, areas: pa.Table) -> pa.Table:
    """The sums of a feed's lists (raw Parquet), ordered; `AGGREGATE_SCHEMA`, one row per list, area and column.

    `areas`: every version, `AREA_SCHEMA`. Only columns of `feed.sums` are counted.
    """
    if not lists:
        return AGGREGATE_SCHEMA.empty_table()
    files = ", ".join(literal(path) for path in lists)
    entries = " union all ".join(
        f"select delivery_id, deliverer, delivery_year, ags, strasse, hausnummer, stichtag, {literal(name)} as merkmal,"
        f" {identifier(name)} as wert from read_parquet([{files}], union_by_name = true)"
        for name in feed.sums
    )
    with single_threaded() as connection:
        connection.register("areas", areas)
        connection.register("kommunen", pa.table({"ags": sorted(ags for ags, _ in kommunen().values())}))
        own = [{"deliverer": slug, "ags": deliverer.ags} for slug, deliverer in feed.deliverers.items()]
        schema = pa.schema([("deliverer", pa.string()), ("ags", pa.string())])
        connection.register("deliverers", pa.Table.from_pylist(own, schema=schema))
        connection.execute(f"create temp view anschrift as from read_parquet({literal(anschrift)})")
        connection.execute(f"create temp view verortung as from read_parquet({literal(verortung)})")
        return connection.execute(SUMS.format(entries=entries, kreis=KREIS)).to_arrow_table().cast(AGGREGATE_SCHEMA)
