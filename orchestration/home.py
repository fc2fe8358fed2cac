"""Where the state of an installation lives: one folder, `IPSO_HOME` (default `./data`).

Paths only. Nothing here reads or writes a delivery, a table or a release.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Home:
    """The folders of one installation. Readers see `releases/` and `site/`; the rest is the steward's (mode 0700)."""

    root: Path

    @property
    def landing(self) -> Path:
        """Drop folder: `<deliverer>/<feed>_<year>.<ext>`."""
        return self.root / "landing"

    @property
    def archive(self) -> Path:
        """Every delivery ever received, content-addressed, never changed."""
        return self.root / "archive"

    @property
    def raw(self) -> Path:
        """Typed Parquet, one file per accepted delivery."""
        return self.root / "raw"

    @property
    def rejected(self) -> Path:
        """One folder per rejected delivery with its German report."""
        return self.root / "rejected"

    @property
    def control(self) -> Path:
        """What orchestration tells dbt: deliveries, findings, suppressed cells, the release."""
        return self.root / "control"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that only dbt writes."""
        return self.root / "warehouse.duckdb"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def site(self) -> Path:
        return self.root / "site"

    @property
    def dbt(self) -> Path:
        """Manifest, compiled SQL and logs of dbt."""
        return self.root / "dbt"

    def create(self) -> Home:
        """Make the folders: all are readable by their owner only, but those of the readers."""
        for folder in (self.landing, self.archive, self.raw, self.rejected, self.control, self.dbt, self.root / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        for folder in (self.releases, self.site):
            folder.mkdir(parents=True, exist_ok=True)
        return self


def default_home() -> Home:
    """The installation named by `IPSO_HOME`, or `data/` beside this repository."""
    return Home(Path(os.environ.get("IPSO_HOME", REPOSITORY / "data")).expanduser().resolve())
