"""One installation for the whole test session: the real demo county through the real job, without the report.

`IPSO_TEST_COUNTY` names the state folder of a demo county that is there already (for trying one test quickly).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from installation import copied, ipso

from orchestration.home import Home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run the real job begin: with several workers, none is left alone with a long one at the end."""
    items.sort(key=lambda item: not any(mark.name in ("integration", "browser") for mark in item.iter_markers()))


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Home:
    """The demo county 2009 to 2023, delivered and released, one for all workers; who changes it takes a copy."""
    if named := os.environ.get("IPSO_TEST_COUNTY"):
        return Home(Path(named))
    own = tmp_path_factory.getbasetemp()
    folder = own if worker_id == "master" else own.parent
    home = Home(folder / "county" / "data")
    with FileLock(folder / "county.lock"):
        if not (home.releases / "current").exists():
            for arguments in (("demo",), ("run",)):
                result = ipso(home, *arguments, check=False)
                assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return home


@pytest.fixture(scope="module")
def own_county(county: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A copy of the county that a test module may change, but not write in place under archive and raw (hard links)."""
    home = copied(county, tmp_path_factory.mktemp("own") / "data")
    yield home
    shutil.rmtree(home.root.parent)
