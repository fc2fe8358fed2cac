"""The archive is enough, and a killed run harms nobody."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from installation import ipso

from orchestration.home import REPOSITORY, Home
from orchestration.release.write import CHECKSUMS, current, damaged_files

pytestmark = pytest.mark.integration


def forget_all_but_the_archive(home: Home) -> None:
    for folder in (home.raw, home.control, home.rejected, home.releases, home.site, home.dbt):
        shutil.rmtree(folder, ignore_errors=True)
    home.warehouse.unlink(missing_ok=True)


def drop_something_that_is_no_delivery(home: Home, text: str) -> None:
    home.create()
    (home.landing / "kreis").mkdir(exist_ok=True)
    (home.landing / "kreis" / "unbekannt.txt").write_text(text, encoding="utf-8")


def start_run(home: Home) -> subprocess.Popen[str]:
    dagster_home = home.root / "dagster"
    dagster_home.mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "dagster.yaml", dagster_home)
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "ipso"), "run"],
        env={**os.environ, "IPSO_HOME": str(home.root), "DAGSTER_HOME": str(dagster_home), "IPSO_REPORT": "nein"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=REPOSITORY,
        start_new_session=True,
    )


def a_second_run_is_refused(home: Home, first: subprocess.Popen[str]) -> None:
    assert first.stdout is not None
    assert any("Eingang" in line for line in first.stdout)
    second = ipso(home, "run", check=False)
    assert second.returncode == 2
    assert "läuft schon" in second.stderr


def kill_when(process: subprocess.Popen[str], line_part: str) -> None:
    """Kill the whole run, children included, shortly after it has said `line_part`."""
    assert process.stdout is not None
    for line in process.stdout:
        if line_part in line:
            time.sleep(0.5)
            break
    else:
        pytest.fail(f"the run never said: {line_part}")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_run_is_finished_by_the_next_with_the_same_bytes(own_county: Home, small_county: Home) -> None:
    """Three kills, at the gate, in dbt, before the marts; then the rebuild from the archive alone is identical.

    A second run beside the first is refused. What was rejected after the release was made does not change it either.
    """
    drop_something_that_is_no_delivery(own_county, "nach dem Release")
    forget_all_but_the_archive(own_county)
    for said in ("angenommen", "dbt: Lieferungen aufbereiten", "dbt: Indikatoren berechnen"):
        process = start_run(own_county)
        if said == "angenommen":
            a_second_run_is_refused(own_county, process)
        kill_when(process, said)
        assert current(own_county.releases) is None, "half a release was visible"
    result = ipso(own_county, "run")
    assert "Freigegeben" in result.stdout
    release = current(own_county.releases)
    assert release == current(small_county.releases)
    assert damaged_files(own_county.releases / "current") == []
    rebuilt = (own_county.releases / "current" / CHECKSUMS).read_text(encoding="utf-8")
    assert rebuilt == (small_county.releases / "current" / CHECKSUMS).read_text(encoding="utf-8")
