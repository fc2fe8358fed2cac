"""dbt outside Dagster: the manifest that the Dagster assets are built from, and what its results say of failures."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from orchestration.home import REPOSITORY, Home
from orchestration.source_hash import source_hash

DBT = Path(sys.executable).parent / "dbt"
"""The dbt of our own environment, also when that is not activated."""
RESULTS = "run_results.json"
ABOUT_SQL = {"Binder", "Catalog", "Compilation", "IO", "Out of Memory", "Parser", "Syntax"}
"""Errors whose texts quote our SQL or files; those of all others may quote a cell."""
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


def failures(results: Path) -> list[str]:
    """What went wrong in dbt's last call, a line per model, seed or test, without any value of the data."""
    return [
        f"{result['unique_id'].split('.')[2]}: {_kind(str(result['message'] or ''))}"
        for result in _results(results)["results"]
        if result["status"] in ("error", "fail", "runtime error")
    ]


def forget_messages(results: Path) -> None:
    """Take the errors' texts out of dbt's results: they may quote a cell."""
    record = _results(results)
    for result in record["results"]:
        if result["status"] in ("error", "runtime error"):
            result["message"] = _kind(str(result["message"] or ""))
    if record["results"]:
        results.write_text(json.dumps(record), encoding="utf-8")


def _results(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {"results": []}


def _kind(message: str) -> str:
    """`Conversion Error`; the whole line where it is about SQL or a count of failing rows."""
    if message.startswith("Got "):
        return message
    named = re.search(r"^\s*((?:[A-Z]\w+ )+?)Error: (.*)$", message, re.MULTILINE)
    if named is None:
        return message.strip().partition(" Error")[0].strip()[:40] + " Error"
    kind, text = named[1].strip(), named[2]
    return f"{kind} Error: {text}" if kind in ABOUT_SQL else f"{kind} Error"
