"""What the assets are given to work with: the installation's folders, for one run at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from orchestration.home import Home
from orchestration.lock import exclusive


class HomeResource(dg.ConfigurableResource):
    """The state folder of this installation (`IPSO_HOME`); a run that has it is the only one."""

    root: str

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["HomeResource"]:
        """Hold the installation's lock from the first to the last step."""
        with exclusive(self.folder()):
            yield self

    def folder(self) -> Home:
        """The folders, created if they are not there."""
        return Home(Path(self.root)).create()
