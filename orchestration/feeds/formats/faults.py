"""Findings that several readers share: broken, empty, too large. The words only; what is wrong is seen elsewhere.

A finding that one format alone can have stands in that format's module.
"""

from __future__ import annotations

from orchestration.feeds.finding import Finding, structural


def broken(kind: str, found: str | None = None) -> Finding:
    """`kind` is the file's German name with its article: `eine XLSX-Datei`."""
    return structural(
        "file_is_complete",
        found or "Die Datei ist beschädigt oder abgeschnitten und lässt sich nicht öffnen",
        f"{kind}, vollständig und lesbar",
        "Bitte neu ausgeben und vollständig übertragen",
    )


def locked(kind: str) -> Finding:
    return structural(
        "file_is_not_encrypted",
        "Die Datei ist mit einem Kennwort verschlüsselt",
        f"{kind} ohne Kennwort",
        "Bitte ohne Kennwort speichern und über den vereinbarten geschützten Weg abgeben",
    )


def empty(where: str = "Die Datei") -> Finding:
    return structural(
        "file_is_not_empty",
        f"{where} enthält keine Daten",
        "eine Kopfzeile und mindestens eine Datenzeile",
        "Bitte den Export wiederholen und die Datei vor dem Versand öffnen",
    )


def too_large(limit: str) -> Finding:
    return structural(
        "file_has_sane_size",
        "Die Datei entpackt sich auf eine unplausible Größe",
        limit,
        "Bitte leere formatierte Bereiche und überflüssige Inhalte entfernen und neu speichern",
    )
