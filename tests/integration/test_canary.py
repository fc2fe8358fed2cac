"""Marked persons and every blank count, sought in all that the real job leaves outside archive, raw and staging.

One rejection, one crash of dbt with a marked cell in its error, one whole run: then every byte is searched, inside ZIP,
XLSX, Parquet, DuckDB and SQLite too. The report of a county with a marked person is searched in tests/browser.
"""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from decoded import blank_counts, finds, leaks
from installation import ipso
from marked import PERSON, PERSON_MARKERS, STREET, marked_register

from orchestration.feeds.intake import Delivery, deliveries
from orchestration.gates.verdicts import load_verdict, raw_path
from orchestration.home import Home

pytestmark = pytest.mark.integration

DATE, CELL = "31.13.1887", "KANARIENZELLE"
MARKERS = [*PERSON_MARKERS, DATE, CELL]


@pytest.fixture(scope="module")
def searched(own_county: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The county after marked deliveries, a rejection, a crash and a whole run."""
    home = own_county
    with pytest.MonkeyPatch.context() as patch:
        # Temporary files of every process of the job lie where they are searched.
        patch.setenv("TMPDIR", str(home.root / "tmp"))
        _deliver_marked(home, "roesrath", 2023, spoilt=False)
        _deliver_marked(home, "overath", 2023, spoilt=True)
        aggregate = _newest(home, "sgb2", "jobcenter", 2023)
        whole = raw_path(home, aggregate).read_bytes()
        _spoil(raw_path(home, aggregate))
        crashed = ipso(home, "run", check=False)
        assert crashed.returncode == 1 and "Conversion Error" in crashed.stderr, crashed.stdout + crashed.stderr
        (home.root / "terminal.txt").write_text(crashed.stdout + crashed.stderr, encoding="utf-8")
        raw_path(home, aggregate).unlink()
        raw_path(home, aggregate).write_bytes(whole)
        raw_path(home, aggregate).chmod(0o600)
        done = ipso(home, "run", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        (home.root / "terminal_2.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    return home


def _newest(home: Home, feed: str, deliverer: str, year: int) -> Delivery:
    return [d for d in deliveries(home) if (d.feed, d.deliverer, d.year) == (feed, deliverer, year)][-1]


def _deliver_marked(home: Home, deliverer: str, year: int, spoilt: bool) -> None:
    """The register once more, with one person who is nobody else; spoilt: with a date that is none."""
    text = (
        _newest(home, "einwohner", deliverer, year).blob(home).read_bytes().decode("utf-8-sig" if spoilt else "cp1252")
    )
    more = {"Geb.*|GEBDAT": DATE} if spoilt else {}
    target = home.landing / deliverer / f"einwohner_{year}.csv"
    target.parent.mkdir(exist_ok=True)
    target.write_text(marked_register(text, more), encoding="utf-8" if spoilt else "cp1252")
    old = target.stat().st_mtime - 60
    os.utime(target, (old, old))


def _spoil(path: Path) -> None:
    """What dbt cannot convert: its error will quote the cell."""
    table = pq.read_table(path)
    column = pa.array([CELL] * len(table))
    # Not in place: the file is a hard link of the session's county.
    path.unlink()
    pq.write_table(table.set_column(table.schema.get_field_index("delivery_year"), "delivery_year", column), path)


def _left_out(home: Home) -> set[Path]:
    """Archive, raw and staging (in the warehouse): where persons and small counts may be."""
    return {home.archive, home.raw, home.warehouse}


def test_the_marked_persons_arrived(searched: Home) -> None:
    accepted, rejected = (
        load_verdict(searched, _newest(searched, "einwohner", d, 2023).delivery_id) for d in ("roesrath", "overath")
    )
    assert accepted is not None and accepted.accepted
    assert rejected is not None and not rejected.accepted
    assert {m.split()[0] for m in finds(MARKERS, searched.archive, set())} >= {PERSON, STREET, DATE}, "the search finds"


def test_no_marked_person_is_found_outside(searched: Home) -> None:
    assert finds(MARKERS, searched.root, _left_out(searched)) == []


def test_no_blank_count_is_found_outside(searched: Home) -> None:
    blank = blank_counts(searched)
    assert len(blank) > 100
    assert leaks(searched.root, _left_out(searched), blank) == []
    (area, year, name), value = next(iter(sorted(blank.items())))
    planted = searched.control / "gepflanzt.csv"
    planted.write_bytes(b";".join([area, name, year, value]))
    found = leaks(searched.root, _left_out(searched), blank)
    planted.unlink()
    assert len(found) == 1 and "gepflanzt" in found[0], "the search finds"


def test_nobody_else_may_read_what_is_confidential(searched: Home) -> None:
    for folder in (searched.archive, searched.raw, searched.control, searched.rejected, searched.dbt, searched.landing):
        assert folder.stat().st_mode & 0o077 == 0, folder
    open_to_others = [
        p for f in (searched.archive, searched.raw) for p in f.rglob("*") if p.is_file() and p.stat().st_mode & 0o077
    ]
    assert open_to_others == []
    assert searched.warehouse.stat().st_mode & 0o077 == 0
