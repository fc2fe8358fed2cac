"""One installation for the whole test session: the real demo county through the real job, without the report.

`IPSO_TEST_COUNTY` names the state folder of a demo county that is there already (for trying one test quickly).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import copied, ipso

from orchestration.home import Home


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The demo county 2009 to 2023, delivered and released. Tests that change it work on a copy."""
    if named := os.environ.get("IPSO_TEST_COUNTY"):
        yield Home(Path(named))
        return
    home = Home(tmp_path_factory.mktemp("county") / "data")
    for arguments in (("demo",), ("run",)):
        result = ipso(home, *arguments, check=False)
        assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    yield home
    shutil.rmtree(home.root.parent)


@pytest.fixture(scope="module")
def own_county(county: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A copy of the county that a test module may change, but not write in place under archive and raw (hard links)."""
    home = copied(county, tmp_path_factory.mktemp("own") / "data")
    yield home
    shutil.rmtree(home.root.parent)
