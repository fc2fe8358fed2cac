"""Quoting for the few places where SQL takes no parameter (file names in `copy … to`, identifiers)."""

from __future__ import annotations

from pathlib import Path


def literal(value: str | Path) -> str:
    """`it's` → `'it''s'`."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`na"me` → `"na""me"`."""
    return '"' + name.replace('"', '""') + '"'
