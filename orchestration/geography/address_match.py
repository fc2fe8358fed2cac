"""Addresses without coordinates → coordinates of the address register, in steps; one SQL statement, no person.

`exakt`: street and house number are spelled as in the register. `normalisiert`: they are the same after normalisation
(`feeds/street_names.py`). `bestätigt`: the steward has confirmed once which street of the register is meant.
Nothing is guessed: a house number that the street does not have, and an address that the register has at two places,
are `nicht gefunden`. Near misses are only proposed, in `address_review.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.street_names import create_macros
from orchestration.home import Home
from orchestration.sql import literal, single_threaded

REGISTER = "einwohner"
EXACT, NORMALISED, CONFIRMED, NOT_FOUND = STEPS = ("exakt", "normalisiert", "bestätigt", "nicht gefunden")
SAME_PLACE_METRES = 100
"""So far may entries of one address lie apart (entrances, corrections); further apart, the address is ambiguous."""
KEY = ("ags", "strasse", "hausnummer", "hausnummer_zusatz")
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in KEY),
        ("ostwert", pa.float64()),
        ("nordwert", pa.float64()),
        ("step", pa.string()),
        ("missing", pa.string()),
    ]
)
CONFIRMED_SCHEMA = pa.schema([("ags", pa.string()), ("street", pa.string()), ("register_street", pa.string())])

# Keys are worked out once per distinct text: there are far fewer of these than addresses.
MATCH = f"""
    with streets as (
        select strasse, street_key(strasse) as street
        from (select strasse from wanted union select strasse from register)
        where strasse is not null
    ),
    numbers as (
        select hausnummer, hausnummer_zusatz, full_number_key(hausnummer, hausnummer_zusatz) as number
        from (
            select hausnummer, hausnummer_zusatz from wanted
            union
            select hausnummer, hausnummer_zusatz from register
        )
    ),
    -- of every address the newest extract that has it: a house that is gone is still where people once lived
    entries as (
        select r.ags, r.oid, r.year, r.ostwert, r.nordwert, s.street, n.number, r.strasse,
            concat(r.hausnummer, r.hausnummer_zusatz) as spelled_number
        from register as r
        join streets as s on r.strasse = s.strasse
        join numbers as n
            on r.hausnummer is not distinct from n.hausnummer
            and r.hausnummer_zusatz is not distinct from n.hausnummer_zusatz
    ),
    spelled as (
        select ags, strasse, spelled_number, year,
            arg_min(ostwert, oid) as ostwert, arg_min(nordwert, oid) as nordwert,
            greatest(max(ostwert) - min(ostwert), max(nordwert) - min(nordwert)) <= {SAME_PLACE_METRES} as is_one_place
        from entries
        group by ags, strasse, spelled_number, year
        qualify row_number() over (partition by ags, strasse, spelled_number order by year desc) = 1
    ),
    places as (
        select ags, street, number, year,
            arg_min(ostwert, oid) as ostwert, arg_min(nordwert, oid) as nordwert,
            greatest(max(ostwert) - min(ostwert), max(nordwert) - min(nordwert)) <= {SAME_PLACE_METRES} as is_one_place
        from entries
        group by ags, street, number, year
        qualify row_number() over (partition by ags, street, number order by year desc) = 1
    ),
    known_streets as (
        select distinct ags, street from places
    ),
    asked as (
        select w.ags, w.strasse, w.hausnummer, w.hausnummer_zusatz, n.number,
            concat(w.hausnummer, w.hausnummer_zusatz) as spelled_number,
            coalesce(k.street, c.register_street) as street,
            k.street is null and c.register_street is not null as is_confirmed
        from wanted as w
        join streets as s on w.strasse = s.strasse
        join numbers as n
            on w.hausnummer is not distinct from n.hausnummer
            and w.hausnummer_zusatz is not distinct from n.hausnummer_zusatz
        left join known_streets as k on w.ags = k.ags and s.street = k.street
        left join confirmed as c on w.ags = c.ags and s.street = c.street
    )
    select a.ags, a.strasse, a.hausnummer, a.hausnummer_zusatz,
        case when e.is_one_place then e.ostwert when p.is_one_place then p.ostwert end as ostwert,
        case when e.is_one_place then e.nordwert when p.is_one_place then p.nordwert end as nordwert,
        case
            when e.is_one_place then '{EXACT}'
            when p.is_one_place and a.is_confirmed then '{CONFIRMED}'
            when p.is_one_place then '{NORMALISED}'
            else '{NOT_FOUND}'
        end as step,
        case
            when e.is_one_place or p.is_one_place then null
            when a.street is null then 'strasse'
            when p.number is null then 'hausnummer'
            else 'mehrdeutig'
        end as missing
    from asked as a
    left join spelled as e
        on a.ags = e.ags and a.strasse = e.strasse and a.spelled_number = e.spelled_number
    left join places as p on a.ags = p.ags and a.street = p.street and a.number = p.number
    order by a.ags, a.strasse, a.hausnummer nulls first, a.hausnummer_zusatz nulls first
"""


def match(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every distinct address of `wanted` (KEY) with what was found, ordered; `SCHEMA`.

    The connection has the relations `wanted`, `register` (KEY, oid, year, ostwert, nordwert in metres of EPSG:25832)
    and `confirmed` (ags, street, register_street: keys of streets), and the macros of `feeds/street_names.py`.
    `missing` says what was not found: `strasse`, `hausnummer`, or `mehrdeutig` (one address at two places).
    """
    return connection.execute(MATCH).to_arrow_table().cast(SCHEMA)


def matched_feeds() -> list[str]:
    """Feeds whose addresses are looked up: the registers, and the lists of addresses that are summed."""
    return [REGISTER, *(feed.name for feed in load_feeds().values() if feed.sums)]


def create_relations(
    connection: duckdb.DuckDBPyConnection, wanted: Sequence[Path], register: Sequence[Path], confirmed: pa.Table
) -> None:
    """Macros and relations for `match`, from raw Parquet of feeds with addresses and of `adressen` (one or more)."""
    create_macros(connection)
    columns = ", ".join(KEY)
    connection.execute(
        f"""
        create or replace temp table wanted as
        select distinct {columns} from read_parquet([{_listed(wanted)}], union_by_name = true)
        where strasse is not null and (ostwert is null or nordwert is null)
        """
    )
    connection.execute(
        f"""
        create or replace temp table register as
        select {columns}, oid, delivery_year as year, ostwert, nordwert
        from read_parquet([{_listed(register)}], union_by_name = true)
        """
    )
    connection.register("confirmed", confirmed)


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(literal(path) for path in paths)


def write_anschrift(home: Home) -> pa.Table:
    """`raw/verortung/anschrift.parquet` of the deliveries in force: equal deliveries and decisions, equal bytes.

    Beside it the list of streets that the register does not know (`address_review`). Returns the table written.
    """
    from orchestration.gates.directory import accepted_raw, write_parquet
    from orchestration.geography.address_decisions import confirmed_streets
    from orchestration.geography.address_review import review, review_path

    feeds = load_feeds()
    # the empty file of a feed, so that its columns are there without a delivery
    empty = {name: home.raw / feeds[name].raw_folder / "_schema.parquet" for name in (*matched_feeds(), "adressen")}
    wanted = [path for name in matched_feeds() for path in (empty[name], *accepted_raw(home, name).values())]
    register = [empty["adressen"], *accepted_raw(home, "adressen").values()]
    with single_threaded() as connection:
        create_relations(connection, wanted, register, confirmed_streets(home))
        table = match(connection)
        connection.register("matched", table)
        streets = review(connection)
    write_parquet(streets, review_path(home))
    write_parquet(table, anschrift_path(home))
    return table


def anschrift_path(home: Home) -> Path:
    return home.raw / "verortung" / "anschrift.parquet"
