"""What a new release changes in published values, and why: `releases/changes/<id>.csv` and `.json`.

Compares two releases, that is, what everybody could see. It is written at the switch and lies beside the releases, not
in them: a release rebuilt from the archive alone has no predecessor and still must be the same bytes.

A value is told only where it is published in both releases, or appears or vanishes without either side being
suppressed: what is kept secret in one of the two is not given away by the difference.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

from orchestration.feeds.finding import counted
from orchestration.feeds.intake import write_atomic
from orchestration.home import Home

CHANGES = "changes"
COMPARED, FIRST, OTHER_FORM = "verglichen", "erste Veröffentlichung", "mit der vorigen Fassung nicht vergleichbar"
CODE = "Programmstand"
MOST_CAUSES = 5


@dataclass(frozen=True)
class Changes:
    """Counts of published values that differ, and the causes: deliveries, decisions, the code."""

    release_id: str
    before: str | None
    kind: str
    path: Path
    changed: int = 0
    added: int = 0
    removed: int = 0
    causes: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """`12 Werte geändert, 3 neu, 0 entfallen; Anlass: …`."""
        if self.kind != COMPARED:
            return self.kind
        causes = "; ".join(self.causes[:MOST_CAUSES]) or CODE
        more = len(self.causes) - MOST_CAUSES
        return (
            f"{counted(self.changed, 'Wert', 'Werte')} geändert, {self.added} neu, {self.removed} entfallen; "
            f"Anlass: {causes}" + (f" und {more} weitere" if more > 0 else "")
        )


def changes_path(home: Home, release_id: str) -> Path:
    return home.releases / CHANGES / f"{release_id}.csv"


def write_changes(home: Home, before: str | None, release_id: str) -> Changes:
    """Compare with the release before (folder name; None: there is none), write both files, give back the summary."""
    path = changes_path(home, release_id)
    summary = path.with_suffix(".json")
    if before == release_id and summary.exists():
        return Changes(**{**json.loads(summary.read_text(encoding="utf-8")), "path": path})
    if before in (None, release_id):
        changes = Changes(release_id, None, FIRST, path)
    else:
        changes = _compare(home, str(before), release_id, path)
    text = json.dumps({**asdict(changes), "path": path.name}, ensure_ascii=False, indent=1)
    write_atomic(summary, text.encode("utf-8"), mode=0o644)
    return changes


def forget_values(home: Home, release_id: str) -> None:
    """Remove the list of values of a release that is kept no longer; how many they were and why stays."""
    changes_path(home, release_id).unlink(missing_ok=True)


def _compare(home: Home, before: str, release_id: str, path: Path) -> Changes:
    with duckdb.connect() as connection:
        try:
            _load(connection, home.releases / before, home.releases / release_id)
        except duckdb.Error:
            # The release before is of a version of the code that published another form.
            return Changes(release_id, before, OTHER_FORM, path)
        connection.execute(DIFFERENCE)
        content = connection.execute("select * from german").to_arrow_table()
        _write_csv(path, content.column_names, content.to_pylist())
        counts = dict(connection.execute("select art, count(*) from difference group by art").fetchall())
        causes = [row[0] for row in connection.execute("select cause from causes order by sort, cause").fetchall()]
    return Changes(
        release_id,
        before,
        COMPARED,
        path,
        changed=counts.get("geändert", 0),
        added=counts.get("neu", 0),
        removed=counts.get("entfallen", 0),
        causes=causes,
    )


def _load(connection: duckdb.DuckDBPyConnection, old: Path, new: Path) -> None:
    for prefix, folder in (("old", old), ("new", new)):
        for table in ("fct_indicator", "meta_delivery", "meta_lineage", "meta_release"):
            columns = COLUMNS[table]
            connection.execute(
                f"create table {prefix}_{table} as select {columns} from read_parquet($path)",
                {"path": str(folder / "parquet" / f"{table}.parquet")},
            )


def _write_csv(path: Path, header: list[str], rows: list[dict[str, object]]) -> None:
    """As the release's CSVs: UTF-8 with BOM, semicolons, decimal comma."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\n")
    writer.writerow(header)
    writer.writerows([str(v).replace(".", ",") if isinstance(v, float) else v for v in row.values()] for row in rows)
    write_atomic(path, b"\xef\xbb\xbf" + buffer.getvalue().encode("utf-8"), mode=0o644)


COLUMNS = {
    "fct_indicator": "area_id, year, indicator_id, boundary, value, value_status",
    "meta_delivery": "delivery_id, feed, deliverer, year, state, reason, n_warnings",
    "meta_lineage": "boundary, area_id, year, indicator_id, delivery_id",
    "meta_release": "code_version",
}

DIFFERENCE = """
create table moved as
    select
        coalesce(n.delivery_id, o.delivery_id) as delivery_id,
        coalesce(o.state, '') as old_state,
        coalesce(n.state, '') as new_state,
        n.reason
    from old_meta_delivery as o
    full join new_meta_delivery as n using (delivery_id)
    where (coalesce(o.state, '') = 'accepted') != (coalesce(n.state, '') = 'accepted');

create table causes as
    select
        case
            when new_state = 'accepted' and old_state = '' then 'neue Lieferung ' || delivery_id
            when new_state = 'accepted' then 'wieder in Kraft ' || delivery_id
            when new_state = 'superseded' then 'abgelöst ' || delivery_id
            when new_state = 'withdrawn' then 'zurückgenommen ' || delivery_id || ' (' || reason || ')'
            else 'nicht mehr in Kraft ' || delivery_id
        end as cause,
        delivery_id,
        case new_state when 'accepted' then 1 when 'withdrawn' then 2 else 3 end as sort
    from moved
    union all
    select 'Programmstand', null, 4
    from old_meta_release as o, new_meta_release as n
    where o.code_version != n.code_version;

create table difference as
    select
        coalesce(n.area_id, o.area_id) as area_id,
        coalesce(n.year, o.year) as year,
        coalesce(n.indicator_id, o.indicator_id) as indicator_id,
        coalesce(n.boundary, o.boundary) as boundary,
        o.value as old_value, n.value as new_value,
        o.value_status as old_status, n.value_status as new_status,
        coalesce(o.value_status, '') = 'suppressed' or coalesce(n.value_status, '') = 'suppressed' as is_secret,
        case
            when o.value is null and n.value is not null and coalesce(o.value_status, '') != 'suppressed' then 'neu'
            when o.value is not null and n.value is null and coalesce(n.value_status, '') != 'suppressed'
                then 'entfallen'
            else 'geändert'
        end as art
    from old_fct_indicator as o
    full join new_fct_indicator as n
        on o.area_id = n.area_id and o.year = n.year and o.indicator_id = n.indicator_id and o.boundary = n.boundary
    where o.value is distinct from n.value
        or (o.value_status is distinct from n.value_status and o.area_id is not null and n.area_id is not null);

-- A figure that is the same in both boundaries has changed once.
delete from difference as d
    where d.boundary = 'current' and exists (
        select 1 from difference as c
        where c.boundary = 'as_counted' and c.area_id = d.area_id and c.year = d.year
            and c.indicator_id = d.indicator_id and c.art = d.art
            and c.old_value is not distinct from d.old_value and c.new_value is not distinct from d.new_value
            and c.old_status is not distinct from d.old_status and c.new_status is not distinct from d.new_status
    );

create table german as
    with touched as (
        select distinct l.boundary, l.area_id, l.year, l.indicator_id, c.cause, c.sort
        from (from old_meta_lineage union from new_meta_lineage) as l
        join causes as c using (delivery_id)
    ),
    why as (
        select boundary, area_id, year, indicator_id, string_agg(cause, '; ' order by sort, cause) as cause
        from touched
        group by all
    ),
    general as (select count(*) as n from causes where delivery_id is null)
    select
        d.area_id as Gebiet, d.year as Jahr, d.indicator_id as Indikator, d.boundary as Grenzen, d.art as Art,
        case when not d.is_secret then d.old_value end as "Wert vorher",
        case when not d.is_secret then d.new_value end as "Wert jetzt",
        d.old_status as "Zustand vorher", d.new_status as "Zustand jetzt",
        coalesce(
            why.cause, case when general.n > 0 then 'Programmstand' else 'folgt aus Änderungen an anderer Stelle' end
        ) as Anlass
    from difference as d
    cross join general
    left join why using (boundary, area_id, year, indicator_id)
    order by all
"""
