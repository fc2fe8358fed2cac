"""What lies in the drop folder; looking only, nothing is opened or taken (that is intake.py's)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from orchestration.home import Home

UNFINISHED = {".part", ".tmp", ".crdownload", ".filepart"}
FILE = "file"
KINDS = {
    stat.S_IFLNK: "eine Verknüpfung (Symlink)",
    stat.S_IFIFO: "eine Pipe",
    stat.S_IFSOCK: "ein Socket",
    stat.S_IFCHR: "ein Gerät",
    stat.S_IFBLK: "ein Gerät",
}
HARD_LINK = "eine Datei mit einem zweiten Namen (harte Verknüpfung)"


def entries(home: Home) -> Iterator[tuple[Path, str]]:
    """(path, kind) of what lies there, in a fixed order: `file` may be taken, other kinds (German) never are.

    Hidden and partial files are left out. Nothing is followed: not a link, not a folder that is one.
    """
    for folder, folders, names in os.walk(home.landing, followlinks=False):
        folders.sort()
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(".") and name not in links]
        for name in sorted([*names, *links]):
            path = Path(folder) / name
            if name.startswith(".") or path.suffix.lower() in UNFINISHED or name.endswith("~"):
                continue
            try:
                yield path, kind(path.lstat())
            except FileNotFoundError:
                # Gone between looking and asking.
                continue


def kind(status: os.stat_result) -> str:
    """`file`, or in German what it is instead."""
    if stat.S_ISREG(status.st_mode):
        # The other name may lie outside of the drop folder, and lets somebody change the file afterwards.
        return FILE if status.st_nlink == 1 else HARD_LINK
    return next(
        (title for mode, title in KINDS.items() if stat.S_IFMT(status.st_mode) == mode), "keine gewöhnliche Datei"
    )


def waiting_files(home: Home) -> dict[str, tuple[int, int]]:
    """Relative name → (size, mtime) of the files that the next run would take."""
    waiting = {}
    for path, what in entries(home):
        if what == FILE:
            status = path.lstat()
            waiting[path.relative_to(home.landing).as_posix()] = (status.st_size, status.st_mtime_ns)
    return waiting


def refused_entries(home: Home) -> list[tuple[str, str]]:
    """(relative name, what it is in German) of what stays in the drop folder because it is no ordinary file."""
    return [(path.relative_to(home.landing).as_posix(), what) for path, what in entries(home) if what != FILE]
