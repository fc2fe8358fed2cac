"""How tests use an installation: the command as a user types it, the release as a BI consumer opens it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

from orchestration.home import REPOSITORY, Home


def ipso(home: Home, *arguments: str, report: bool = False, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, in a process of its own; its output is in the result."""
    dagster_home = home.root / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "dagster.yaml", dagster_home)
    return subprocess.run(
        [str(Path(sys.executable).parent / "ipso"), *arguments],
        check=check,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={
            **os.environ,
            "IPSO_HOME": str(home.root),
            "DAGSTER_HOME": str(dagster_home),
            "IPSO_REPORT": "ja" if report else "nein",
        },
    )


def release_connection(home: Home) -> duckdb.DuckDBPyConnection:
    """The current release as a BI consumer opens it."""
    return duckdb.connect(str(home.releases / "current" / "ipso.duckdb"), read_only=True)


def copied(home: Home, root: Path) -> Home:
    """A copy of an installation under `root`; archive and raw are hard links: never write there in place."""

    def linked(source: str, target: str) -> None:
        is_bulk = any(folder in Path(source).parents for folder in (home.archive, home.raw))
        (os.link if is_bulk else shutil.copy2)(source, target)

    shutil.copytree(
        home.root, root, symlinks=True, ignore=shutil.ignore_patterns("dbt", "dagster"), copy_function=linked
    )
    return Home(root)
