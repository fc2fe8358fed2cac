"""ZIP archives: the one data member of a delivery that was sent packed.

Nothing is written to disk and no member's name is used as a path. XLSX, ODS and shapefiles are archives of their own
and are not unpacked here. What no archive may contain, and how large it may be, is looked at before (packed.py).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from orchestration.feeds.finding import Finding, structural
from orchestration.feeds.formats import faults
from orchestration.feeds.formats.kinds import TITLES

# What operating systems add, and what official downloads carry beside the data.
CLUTTER = re.compile(r"(^|/)(__MACOSX/|\.[^/]*$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
COMPANIONS = {"gebref": re.compile(r"(^|/)gebref_schluessel\.txt$", re.IGNORECASE)}
MAX_NAMED = 10


def unpacked(data: bytes, format_name: str) -> tuple[bytes, list[Finding]]:
    """The bytes of the only data member, or the finding that says why there is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            wanted = _data_members(archive.infolist(), format_name)
            if len(wanted) != 1:
                return b"", [_not_one(wanted)]
            return archive.read(wanted[0]), []
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError, zlib.error):
        return b"", [faults.broken(TITLES["zip"])]


def _data_members(members: list[zipfile.ZipInfo], format_name: str) -> list[zipfile.ZipInfo]:
    companion = COMPANIONS.get(format_name)
    return [
        member
        for member in members
        if not member.is_dir()
        and not CLUTTER.search(member.filename)
        and not (companion and companion.search(member.filename))
    ]


def named(names: list[str]) -> str:
    """Member names for a finding: without control characters, cut, at most `MAX_NAMED`."""
    shown = [re.sub(r"[^\w .()/\\:-]", "?", name)[:60] for name in names[:MAX_NAMED]]
    return ", ".join(f"„{name}“" for name in shown) + (", …" if len(names) > MAX_NAMED else "")


def _not_one(members: list[zipfile.ZipInfo]) -> Finding:
    names = [member.filename for member in members]
    return structural(
        "archive_has_one_file",
        f"Das ZIP-Archiv enthält {len(names)} Dateien: {named(names)}" if names else "Das ZIP-Archiv ist leer",
        "ein ZIP-Archiv mit genau einer Datei",
        "Bitte nur die vereinbarte Datei packen",
    )


def nested() -> Finding:
    return structural(
        "archive_is_plain",
        "Das ZIP-Archiv enthält wieder ein Archiv",
        "ein ZIP-Archiv mit genau einer Datei, die selbst nicht gepackt ist",
        "Bitte nur einmal packen",
    )
