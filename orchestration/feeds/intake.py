"""From the drop folder into the archive: every delivery is kept, byte for byte, before anybody reads it.

`archive/blobs/<sha[:2]>/<sha>` holds the bytes, `archive/deliveries/<delivery_id>.json` the receipt. Both are written
aside, synced and renamed, and a file leaves the drop folder only after its receipt stands: killed at any point, the
next call finishes the work. Whether a delivery is good is not decided here (gates).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.feeds.declaration import EXTENSIONS, Feed, load_feeds
from orchestration.home import Home

NAME = re.compile(r"(?P<feed>[a-z0-9_]+)_(?P<year>\d{4})\.(?P<extension>[A-Za-z0-9]+)")
UNFINISHED = {".part", ".tmp", ".crdownload", ".filepart"}
SETTLE_SECONDS = 1.0
CHUNK = 1 << 20


@dataclass(frozen=True)
class Delivery:
    """The receipt of one delivery. `feed`, `deliverer`, `year` are None as far as the file's name does not tell."""

    delivery_id: str
    feed: str | None
    deliverer: str | None
    year: int | None
    file_name: str
    received: str
    sha256: str
    size_bytes: int

    @property
    def order(self) -> tuple[str, str]:
        """Deliveries are judged, and supersede each other, in this order."""
        return self.received, self.delivery_id

    def blob(self, home: Home) -> Path:
        """Where the archive keeps the bytes."""
        return blob_path(home, self.sha256)


@dataclass(frozen=True)
class Address:
    """What a path in the drop folder says; `fault` is German and None when it says everything."""

    feed: str | None
    deliverer: str | None
    year: int | None
    fault: str | None


def receive(
    home: Home,
    progress: Callable[[str], None] = lambda message: None,
    settle_seconds: float = SETTLE_SECONDS,
    leave_years: Collection[int] = (),
) -> list[Delivery]:
    """Archive every complete file of the drop folder; returns the deliveries that are new.

    Files that still change within `settle_seconds`, hidden and partial ones stay. Symbolic links and anything that is
    not a regular file are refused, not followed, and stay too. The same bytes under the same feed, deliverer and year
    are no new delivery. Files for `leave_years` stay for another run. `progress` gets one German line per file.
    """
    _clear_partial(home)
    received = []
    for path in _complete_files(home, progress, settle_seconds):
        if address(path.relative_to(home.landing)).year in leave_years:
            continue
        delivery = _receive_file(home, path, progress)
        if delivery is not None:
            received.append(delivery)
    return received


def deliveries(home: Home) -> list[Delivery]:
    """All receipts, in order of receipt."""
    folder = home.archive / "deliveries"
    paths = folder.glob("*.json") if folder.is_dir() else iter(())
    receipts = [Delivery(**json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    return sorted(receipts, key=lambda delivery: delivery.order)


def pending(home: Home, feed: str | None, years: Collection[int] | None = None) -> list[Delivery]:
    """Deliveries of a feed (None: of no known feed) that are received and not yet judged, in order of receipt."""
    from orchestration.gates.delivery import verdict_exists

    return [
        delivery
        for delivery in deliveries(home)
        if delivery.feed == feed and (years is None or delivery.year in years) and not verdict_exists(home, delivery)
    ]


def address(relative: Path, feeds: dict[str, Feed] | None = None) -> Address:
    """Read `<deliverer>/<feed>_<year>.<ext>`; unknown parts are None and named in `fault`."""
    feeds = load_feeds() if feeds is None else feeds
    known = {slug for feed in feeds.values() for slug in feed.deliverers}
    deliverer = relative.parts[-2] if len(relative.parts) == 2 else None
    deliverer = deliverer if deliverer in known else None
    match = NAME.fullmatch(relative.name)
    wanted = "Erwartet: <Lieferant>/<Lieferart>_<Jahr>.<Endung>, zum Beispiel burscheid/einwohner_2023.xlsx."
    if not match:
        return Address(None, deliverer, None, f"Der Dateiname folgt nicht der Vereinbarung. {wanted}")
    year = int(match["year"])
    feed = feeds.get(match["feed"])
    if feed is None:
        names = ", ".join(sorted(feeds))
        return Address(None, deliverer, year, f"Die Lieferart im Dateinamen ist nicht bekannt. Bekannt sind: {names}.")
    if deliverer is None or deliverer not in feed.deliverers:
        names = ", ".join(feed.deliverers)
        fault = f"Der Ordner nennt keinen Lieferanten der Lieferart „{feed.title}“. Erwartet wird einer von: {names}."
        return Address(None, deliverer, year, fault)
    extension = EXTENSIONS[feed.deliverers[deliverer].format]
    if match["extension"].lower() not in (extension, "zip"):
        fault = f"Die Dateiendung ist nicht die vereinbarte. Erwartet: .{extension} (oder gepackt .zip)."
        return Address(None, deliverer, year, fault)
    if year not in feed.years:
        fault = f"Für das Jahr {year} ist keine Lieferung vereinbart. Vereinbart sind: {_span(feed.years)}."
        return Address(None, deliverer, year, fault)
    return Address(feed.name, deliverer, year, None)


def _span(years: tuple[int, ...]) -> str:
    if len(years) > 2 and years == tuple(range(years[0], years[-1] + 1)):
        return f"{years[0]} bis {years[-1]}"
    return ", ".join(str(year) for year in years)


def blob_path(home: Home, sha256: str) -> Path:
    return home.archive / "blobs" / sha256[:2] / sha256


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write aside, sync, rename: readers see the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _sync_folder(path.parent)


# --- drop folder -------------------------------------------------------------------------------------------------


def _complete_files(home: Home, progress: Callable[[str], None], settle_seconds: float) -> list[Path]:
    """Regular files that are not growing, in a fixed order."""
    seen = {path: _fingerprint(path) for path in _candidates(home, progress)}
    youngest = max((mtime for _, _, _, mtime in seen.values()), default=0)
    if seen and time.time() - youngest / 1e9 < settle_seconds:
        time.sleep(settle_seconds)
    complete = []
    for path, before in seen.items():
        if path.exists() and _fingerprint(path) == before:
            complete.append(path)
        else:
            progress(f"{path.relative_to(home.landing)}: wird noch geschrieben, bleibt im Abgabeordner")
    return complete


def _candidates(home: Home, progress: Callable[[str], None]) -> Iterator[Path]:
    for folder, folders, names in os.walk(home.landing, followlinks=False):
        folders.sort()
        for name in [*folders]:
            if (Path(folder) / name).is_symlink():
                progress(f"{(Path(folder) / name).relative_to(home.landing)}: Verknüpfung, wird nicht angenommen")
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in sorted(names):
            path = Path(folder) / name
            if name.startswith(".") or path.suffix.lower() in UNFINISHED or name.endswith("~"):
                continue
            if stat.S_ISREG(path.lstat().st_mode):
                yield path
            else:
                progress(f"{path.relative_to(home.landing)}: keine gewöhnliche Datei, wird nicht angenommen")


def _fingerprint(path: Path) -> tuple[int, int, int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


# --- archive -----------------------------------------------------------------------------------------------------


def _receive_file(home: Home, path: Path, progress: Callable[[str], None]) -> Delivery | None:
    relative = path.relative_to(home.landing)
    before = _fingerprint(path)
    partial, sha256, size = _copy_aside(home, path)
    if _fingerprint(path) != before:
        partial.unlink()
        progress(f"{relative}: wird noch geschrieben, bleibt im Abgabeordner")
        return None
    blob = blob_path(home, sha256)
    blob.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(blob)
    _sync_folder(blob.parent)
    delivery, is_new = _write_receipt(home, relative, sha256, size)
    path.unlink()
    progress(
        f"{relative}: angekommen als {delivery.delivery_id}"
        if is_new
        else f"{relative}: unverändert, liegt schon vor als {delivery.delivery_id}"
    )
    return delivery if is_new else None


def _copy_aside(home: Home, path: Path) -> tuple[Path, str, int]:
    """Copy into the archive under a temporary name, hashing on the way; (path, sha256, bytes)."""
    folder = home.archive / "blobs"
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{os.getpid()}.{time.monotonic_ns()}.tmp"
    digest, size = hashlib.sha256(), 0
    source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    target = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(source, "rb") as reader, os.fdopen(target, "wb") as writer:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return partial, digest.hexdigest(), size


def _write_receipt(home: Home, relative: Path, sha256: str, size: int) -> tuple[Delivery, bool]:
    """The receipt that stands for these bytes at this address, and whether it was written now."""
    told = address(relative)
    if told.feed is not None:
        delivery_id = f"{told.feed}-{told.deliverer}-{told.year}-{sha256[:10]}"
    else:
        name = hashlib.sha256(relative.as_posix().encode("utf-8", "surrogateescape") + sha256.encode())
        delivery_id = f"unbekannt-{name.hexdigest()[:10]}"
    path = home.archive / "deliveries" / f"{delivery_id}.json"
    if path.exists():
        return Delivery(**json.loads(path.read_text(encoding="utf-8"))), False
    delivery = Delivery(
        delivery_id=delivery_id,
        feed=told.feed,
        deliverer=told.deliverer,
        year=told.year,
        file_name=relative.as_posix().encode("utf-8", "replace").decode("utf-8"),
        received=datetime.now(UTC).isoformat(timespec="microseconds"),
        sha256=sha256,
        size_bytes=size,
    )
    write_atomic(path, json.dumps(asdict(delivery), ensure_ascii=False, indent=2).encode("utf-8"))
    return delivery, True


def _clear_partial(home: Home) -> None:
    """Remove what a killed call left behind; its source still lies in the drop folder."""
    for path in (home.archive / "blobs").glob(".*.tmp"):
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
