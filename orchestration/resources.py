"""What the assets are given to work with: the installation's folders and dbt."""

from pathlib import Path

import dagster as dg

from orchestration.home import Home


class HomeResource(dg.ConfigurableResource):
    """The state folder of this installation (`IPSO_HOME`)."""

    root: str

    def folder(self) -> Home:
        """The folders, created if they are not there."""
        return Home(Path(self.root)).create()
