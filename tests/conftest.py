"""Two installations for the whole test session, each the real demo county through the real job, without the report.

`county` has all years, for what is published; `small_county` three years, for tests that run the job again.
`IPSO_TEST_COUNTY` names the state folder of a demo county that is there already, for both (to try one test quickly).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from installation import copied, ipso
from marked import marked_register

from demo.deliveries import write_deliveries
from orchestration.home import Home

SMALL = (2015, 2022, 2023)
"""Before and after the re-cut of 2019, with both address registers and two years that follow each other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run the real job begin: with several workers, none is left alone with a long one at the end."""
    items.sort(key=lambda item: not any(mark.name in ("integration", "browser") for mark in item.iter_markers()))


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """A file is no name: a ZIP made when a worker starts holds the time, and all workers must find the same tests."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Home:
    """The demo county 2009 to 2023 with one marked person, delivered and released; nobody changes it."""

    def deliver(home: Home) -> None:
        ipso(home, "demo")
        register = home.landing / "roesrath" / "einwohner_2023.csv"
        marked = marked_register(register.read_text(encoding="cp1252"))
        old = register.stat().st_mtime
        register.write_text(marked, encoding="cp1252")
        os.utime(register, (old, old))

    return _released(tmp_path_factory, worker_id, "county", deliver)


@pytest.fixture(scope="session")
def small_county(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Home:
    """The yearly feeds of `SMALL` only, all areas and persons; nobody changes it."""

    def deliver(home: Home) -> None:
        write_deliveries(home.create().landing, years=SMALL, with_faults=True, progress=lambda line: None)

    return _released(tmp_path_factory, worker_id, "small_county", deliver)


@pytest.fixture(scope="module")
def own_county(small_county: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A small county that a test module may change, but not write in place under archive and raw (hard links)."""
    home = copied(small_county, tmp_path_factory.mktemp("own") / "data")
    yield home
    shutil.rmtree(home.root.parent)


def _released(factory: pytest.TempPathFactory, worker: str, name: str, deliver: Callable[[Home], object]) -> Home:
    """Made by the worker that comes first, the same for all of them."""
    if named := os.environ.get("IPSO_TEST_COUNTY"):
        return Home(Path(named))
    own = factory.getbasetemp()
    folder = own if worker == "master" else own.parent
    home = Home(folder / name / "data")
    with FileLock(folder / f"{name}.lock"):
        if not (home.releases / "current").exists():
            deliver(home)
            result = ipso(home, "run", check=False)
            assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return home
