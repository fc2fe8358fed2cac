"""The report of the current release: built beside the old one, then switched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from orchestration.home import Home
from orchestration.release.write import current, switch
from orchestration.report import build_site
from orchestration.source_hash import source_hash

REPORT_SOURCES = (
    "reports/pages",
    "reports/components",
    "reports/sources",
    "reports/static",
    "reports/patches",
    "reports/svelte.config.js",
    "reports/evidence.config.yaml",
    "reports/package-lock.json",
    "orchestration/report.py",
)
REPORT_SUFFIXES = frozenset(
    {".md", ".svelte", ".sql", ".yaml", ".yml", ".js", ".ts", ".css", ".patch", ".html", ".json", ".svg", ".py"}
)
KEPT_SITES = 2


def site_id(home: Home) -> str | None:
    """Name of the site that fits the current release and the report's present pages; None without a release."""
    release = current(home.releases)
    if release is None:
        return None
    return f"{release}-{source_hash(REPORT_SOURCES, suffixes=REPORT_SUFFIXES)[:8]}"


def publish_site(home: Home, progress: Callable[[str], None] = print) -> Path:
    """Build the site of the current release if it is not there, then let `site/current` point to it.

    With IPSO_REPORT=nein the build is left out (tests of the stages before it).
    """
    wanted = site_id(home)
    if wanted is None:
        raise FileNotFoundError("Es gibt noch keine Veröffentlichung.")
    target = home.site / wanted
    if os.environ.get("IPSO_REPORT") == "nein":
        progress("Bericht: ausgelassen (IPSO_REPORT=nein)")
        return target
    if not target.exists():
        build_site(home.releases / str(current(home.releases)), target, progress=progress)
    switch(home.site, wanted)
    old = [p for p in home.site.iterdir() if p.is_dir() and not p.is_symlink() and p != target]
    for folder in sorted(old, key=lambda p: p.stat().st_mtime, reverse=True)[KEPT_SITES - 1 :]:
        shutil.rmtree(folder)
    return target
