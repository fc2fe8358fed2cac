"""One installation for the whole test session: the real demo county through the real job, without the report."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

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


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The demo county 2009 to 2023, delivered and released. Tests that change it work on a copy."""
    home = Home(tmp_path_factory.mktemp("county") / "data")
    for arguments in (("demo",), ("run",)):
        result = ipso(home, *arguments, check=False)
        assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    yield home
    shutil.rmtree(home.root.parent)


@pytest.fixture(scope="module")
def own_county(county: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A copy of the county that a test module may change; hard links for what is never changed in place."""
    root = tmp_path_factory.mktemp("own") / "data"
    shutil.copytree(
        county.root,
        root,
        symlinks=True,
        ignore=shutil.ignore_patterns("dbt", "dagster"),
        copy_function=_link_or_copy,
    )
    yield Home(root)
    shutil.rmtree(root.parent)


def _link_or_copy(source: str, target: str) -> None:
    if source.endswith("warehouse.duckdb"):
        shutil.copy2(source, target)
    else:
        os.link(source, target)
