"""ZIP archives: the one data member of a delivery that was sent packed.

Nothing is written to disk and no member's name is used as a path. XLSX, ODS and shapefiles are archives of their own
and are not unpacked here.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from pathlib import PurePosixPath

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
            members = archive.infolist()
            finding = _refused(members)
            if finding:
                return b"", [finding]
            wanted = _data_members(members, format_name)
            if len(wanted) != 1:
                return b"", [_not_one(wanted)]
            if wanted[0].file_size > faults.MAX_UNPACKED:
                return b"", [faults.too_large()]
            return archive.read(wanted[0]), []
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError, zlib.error):
        return b"", [faults.broken(TITLES["zip"])]


def _refused(members: list[zipfile.ZipInfo]) -> Finding | None:
    """What no archive may contain, whether or not it would be read."""
    if any(member.flag_bits & 0x1 for member in members):
        return faults.locked(TITLES["zip"])
    strange = [member.filename for member in members if _leaves_its_folder(member)]
    if strange:
        return structural(
            "archive_is_plain",
            f"Das ZIP-Archiv enthält Verknüpfungen oder Namen, die aus seinem Ordner hinausführen: {named(strange)}",
            "ein ZIP-Archiv mit einer einzigen gewöhnlichen Datei",
            "Bitte die Datei neu und ohne Ordner packen",
        )
    return None


def _leaves_its_folder(member: zipfile.ZipInfo) -> bool:
    name = member.orig_filename.replace("\\", "/")
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    return is_link or name.startswith("/") or ":" in name or ".." in PurePosixPath(name).parts


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
