"""Calls dbt outside Dagster: makes the manifest that the Dagster assets are built from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from orchestration.home import REPOSITORY, Home
from orchestration.source_hash import source_hash

DBT = Path(sys.executable).parent / "dbt"
"""The dbt of our own environment, also when that is not activated."""
SOURCES = ("models", "seeds", "dbt_project", "dbt_project.yml", "profiles.yml")


def prepare_manifest(home: Home) -> None:
    """Parse the project unless `dbt/manifest.json` of this installation fits the present files."""
    os.environ["IPSO_HOME"] = str(home.root)
    target = home.create().dbt
    stamp = target / "manifest.stamp"
    wanted = source_hash(SOURCES)
    if not (target / "manifest.json").exists() or not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        run_dbt(home, "parse", "--quiet")
        stamp.write_text(wanted, encoding="utf-8")


def run_dbt(home: Home, *arguments: str) -> None:
    """One dbt call outside Dagster; raises CalledProcessError with dbt's own output on the terminal."""
    subprocess.run(
        [
            str(DBT),
            *arguments,
            "--project-dir",
            str(REPOSITORY),
            "--profiles-dir",
            str(REPOSITORY),
            "--target-path",
            str(home.dbt),
            "--log-path",
            str(home.dbt / "logs"),
        ],
        check=True,
        env={**os.environ, "IPSO_HOME": str(home.root), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )
