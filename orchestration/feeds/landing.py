"""What lies in the drop folder; looking only, nothing is opened or taken (that is intake.py's)."""

from __future__ import annotations

from orchestration.feeds.intake import UNFINISHED
from orchestration.home import Home


def waiting_files(home: Home) -> dict[str, tuple[int, int]]:
    """Relative name → (size, mtime) of the regular files in the drop folder, hidden and partial ones left out."""
    return {
        path.relative_to(home.landing).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(home.landing.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not path.name.startswith(".")
        and path.suffix.lower() not in UNFINISHED
    }
