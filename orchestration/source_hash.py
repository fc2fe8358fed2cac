"""One hash over source files: tells releases, verdicts, the dbt manifest and the site whether the code has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from orchestration.home import REPOSITORY

CODE_SUFFIXES = frozenset({".py", ".sql", ".yml", ".csv", ".json", ".j2"})


def source_hash(
    sources: tuple[str, ...], suffixes: frozenset[str] = CODE_SUFFIXES, repository: Path = REPOSITORY
) -> str:
    """SHA-256 (hex) over names and contents of these files, and of those with these endings in these folders."""
    digest = hashlib.sha256()
    for source in sources:
        place = repository / source
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and path.suffix in suffixes and "node_modules" not in path.parts:
                digest.update(path.relative_to(repository).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
