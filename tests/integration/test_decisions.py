"""A correction, taken back, and a rebuild: what is published follows the steward's decisions, byte for byte."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from installation import ipso, release_connection

from orchestration.disclosure.audit import audit_release
from orchestration.feeds.intake import Delivery, deliveries
from orchestration.home import Home
from orchestration.release.records import records
from orchestration.release.write import CHECKSUMS, current

pytestmark = pytest.mark.integration
ADDRESS = ("einwohner", "roesrath", 2022)


def newest(home: Home) -> Delivery:
    return [d for d in deliveries(home) if (d.feed, d.deliverer, d.year) == ADDRESS][-1]


def state(home: Home, delivery: Delivery) -> tuple[str, str | None]:
    with release_connection(home) as release:
        row = release.execute("select state, reason from meta_delivery where delivery_id = ?", [delivery.delivery_id])
        return row.fetchall()[0]


def not_located(home: Home) -> dict[str, int]:
    """Area `<Kommune>-00` → residents of 2023 in it."""
    with release_connection(home) as release:
        rows = release.execute(
            "select area_id, value::int from fct_indicator join dim_area using (area_id)"
            " where level = 'nicht_verortbar' and indicator_id = 'population' and year = 2023"
            " and boundary = 'as_counted' order by area_id"
        ).fetchall()
    return dict(rows)


def changes(home: Home) -> dict[str, object]:
    path = home.releases / "changes" / f"{current(home.releases)}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_correction_that_is_withdrawn_leaves_the_history_and_the_same_bytes_after_a_rebuild(
    own_county: Home, tmp_path: Path
) -> None:
    home, first = own_county, newest(own_county)
    original = current(home.releases)
    lines = first.blob(home).read_bytes().splitlines(keepends=True)
    target = home.landing / "roesrath" / Path(first.file_name).name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(b"".join([lines[0], *lines[1:-500]]))
    assert "Anlass: neue Lieferung" in ipso(home, "run").stdout
    correction, corrected = newest(home), current(home.releases)
    assert state(home, first)[0] == "superseded" and state(home, correction)[0] == "accepted"
    assert changes(home)["before"] == original and changes(home)["changed"] > 0

    ipso(home, "withdraw", correction.delivery_id, "--reason", "unvollständig")
    before = not_located(home)
    proposals = re.findall(r"^(\d{3}-[0-9a-f]{6})  .*→ „", ipso(home, "adressen").stdout, re.MULTILINE)
    ipso(home, "adressen", "bestaetigen", *proposals, "--grund", "Tippfehler im Register")
    assert "zurückgenommen" in ipso(home, "run").stdout
    located_by_name = {area for area, persons in before.items() if not_located(home)[area] < persons}
    assert located_by_name == {"05378016-00", "05378028-00"}, "the two registers without coordinates"
    assert state(home, first)[0] == "accepted"
    assert state(home, correction) == ("withdrawn", state(home, correction)[1])
    assert "unvollständig" in str(state(home, correction)[1])
    release = current(home.releases)
    assert release != original
    together = audit_release(home.releases / release, [home.releases / original, home.releases / corrected])
    assert together.cells > 10_000 and together.leaks == 0, together.verdicts.to_dict()
    with release_connection(home) as published:
        assert published.execute("select release_number from meta_release").fetchall() == [(3,)]

    sums = (home.releases / "current" / CHECKSUMS).read_text(encoding="utf-8")
    kept = [record.path.name for record in records(home)]
    for folder in (home.raw, home.control, home.rejected, home.releases, home.dbt):
        shutil.rmtree(folder, ignore_errors=True)
    home.warehouse.unlink()
    ipso(home, "run")
    assert current(home.releases) == release
    assert (home.releases / "current" / CHECKSUMS).read_text(encoding="utf-8") == sums
    assert changes(home)["kind"] == "erste Veröffentlichung"
    assert [record.path.name for record in records(home)] == kept
