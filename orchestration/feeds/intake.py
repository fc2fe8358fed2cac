"""From the drop folder into the archive: every delivery is kept, byte for byte, before anybody reads it.

`archive/blobs/<sha[:2]>/<sha>` holds the bytes, `archive/deliveries/<delivery_id>.json` the receipt. Both are written
aside, synced and renamed, and a file leaves the drop folder only after its receipt stands: killed at any point, the
next call finishes the work. What is no ordinary file is not touched, and noted in `archive/refused/`. A file that is
too large for the archive gets a receipt with its hash and moves, unread, to `refused/`: nothing is ever deleted that
is not archived. Whether a delivery is good is not decided here (gates).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from orchestration.feeds import limits
from orchestration.feeds.declaration import EXTENSIONS, ON_CHANGE, Feed, load_feeds
from orchestration.feeds.finding import german_number
from orchestration.feeds.formats.kinds import AREA_ENDINGS
from orchestration.feeds.landing import FILE, entries, kind
from orchestration.feeds.names import shown
from orchestration.home import Home

NAME = re.compile(r"(?P<feed>[a-z0-9_]+)_(?P<year>[0-9]{4})\.(?P<extension>[A-Za-z0-9]+)")
SETTLE_SECONDS = 1.0
CHUNK = 1 << 20
DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT}
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Delivery:
    """The receipt of one delivery. `feed`, `deliverer`, `year` are None as far as the file's name does not tell.

    `file_name` is fit to be shown (names.py). `archived` is False for a file that was too large to keep: `sha256` is
    then that of its first `limits.MAX_FILE_BYTES` bytes, so that no size makes hashing endless.
    """

    delivery_id: str
    feed: str | None
    deliverer: str | None
    year: int | None
    file_name: str
    received: str
    sha256: str
    size_bytes: int
    archived: bool = True

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
    progress: Progress = lambda message: None,
    settle_seconds: float = SETTLE_SECONDS,
    leave_years: Collection[int] = (),
    warn: Progress | None = None,
) -> list[Delivery]:
    """Archive every complete file of the drop folder; returns the deliveries that are new.

    Files that still change within `settle_seconds`, hidden and partial ones stay. Links and anything that is not a
    regular file are refused, not followed, and stay too; so does what the disk has no room for. The bytes that came
    last for a feed, deliverer and year are no new delivery; bytes that a later delivery has replaced, or that were
    taken back, are one. Files for `leave_years` stay for another run. `progress` gets one German line per file taken,
    `warn` (if not given, `progress` too) one per file that stays.
    """
    warn = warn or progress
    _clear_partial(home)
    received = []
    for path in _complete_files(home, warn, settle_seconds):
        relative = path.relative_to(home.landing)
        if address(relative).year in leave_years:
            continue
        try:
            delivery = _receive_file(home, relative, progress, warn)
        except OSError as error:
            # This file cannot be had now; the others can.
            warn(f"{shown(relative.as_posix())}: {_reason(error)}, bleibt im Abgabeordner")
            continue
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
    from orchestration.gates.verdicts import verdict_exists

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
    also = AREA_ENDINGS if feed.grain == "geography" else ()
    if match["extension"].lower() not in (extension, "zip", *also):
        fault = f"Die Dateiendung ist nicht die vereinbarte. Erwartet: .{extension} (oder gepackt .zip)."
        return Address(None, deliverer, year, fault)
    if not feed.is_agreed(year):
        fault = f"Für das Jahr {year} ist keine Lieferung vereinbart. Vereinbart sind: {_span(feed)}."
        return Address(None, deliverer, year, fault)
    return Address(feed.name, deliverer, year, None)


def _span(feed: Feed) -> str:
    years = feed.years
    if feed.cadence == ON_CHANGE:
        return f"{years[0]} und jedes spätere Jahr, in dem sich etwas ändert"
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


def _complete_files(home: Home, warn: Progress, settle_seconds: float) -> list[Path]:
    """Regular files that are not growing, in a fixed order."""
    seen = {}
    for path, what in entries(home):
        if what == FILE:
            seen[path] = _fingerprint(path)
        else:
            _note_refusal(home, path.relative_to(home.landing), what, warn)
    youngest = max((before[3] for before in seen.values() if before), default=0)
    if seen and time.time() - youngest / 1e9 < settle_seconds:
        time.sleep(settle_seconds)
    complete = []
    for path, before in seen.items():
        if before is not None and _fingerprint(path) == before:
            complete.append(path)
        else:
            warn(_still_written(path.relative_to(home.landing)))
    # What came together has no order of its own: what is compared with another feed comes after that.
    return sorted(complete, key=lambda path: _is_compared(path.relative_to(home.landing)))


def _is_compared(relative: Path) -> bool:
    feed = load_feeds().get(address(relative).feed or "")
    return feed is not None and feed.compare_with is not None


def _note_refusal(home: Home, relative: Path, what: str, warn: Progress) -> None:
    """Tell what is not taken, and keep a note of it (once): there are no bytes to archive."""
    name = relative.as_posix()
    warn(f"{shown(name)}: {what}, wird nicht angenommen")
    key = hashlib.sha256(name.encode("utf-8", "surrogateescape") + what.encode()).hexdigest()[:16]
    path = home.archive / "refused" / f"{key}.json"
    if not path.exists():
        note = {"file_name": shown(name), "what": what, "seen": _now()}
        write_atomic(path, json.dumps(note, ensure_ascii=False, indent=2).encode("utf-8"))


def _still_written(relative: Path) -> str:
    return f"{shown(relative.as_posix())}: wird noch geschrieben, bleibt im Abgabeordner"


def _fingerprint(path: Path) -> tuple[int, int, int, int] | None:
    try:
        return _identity(path.lstat())
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _reason(error: OSError) -> str:
    if error.errno in DISK_IS_FULL:
        return "der Datenträger ist voll"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "nicht lesbar (Zugriffsrechte)"
    return f"nicht lesbar ({os.strerror(error.errno) if error.errno else type(error).__name__})"


@contextmanager
def _folder_of(root: Path, relative: Path) -> Iterator[int]:
    """Descriptor of the folder a file lies in, reached without following a link that somebody has put on the way."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in relative.parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


# --- archive -----------------------------------------------------------------------------------------------------


def _receive_file(home: Home, relative: Path, progress: Progress, warn: Progress) -> Delivery | None:
    with _folder_of(home.landing, relative) as folder:
        # Without O_NONBLOCK a pipe that has just taken the file's place would hold us for ever.
        source = os.open(relative.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        with os.fdopen(source, "rb") as reader:
            status = os.fstat(source)
            if (what := kind(status)) != FILE:
                _note_refusal(home, relative, what, warn)
                return None
            archived = status.st_size <= limits.MAX_FILE_BYTES
            if archived and (lacking := _lacking(home, status.st_size)):
                warn(f"{shown(relative.as_posix())}: {lacking}, bleibt im Abgabeordner")
                return None
            partial, sha256, size = _copy_aside(home, reader) if archived else (None, _hash_of_start(reader), 0)
            if _identity(os.fstat(source)) != _identity(status):
                if partial:
                    partial.unlink()
                warn(_still_written(relative))
                return None
        if partial is None:
            return _refuse(home, relative, folder, sha256, status.st_size, warn)
        _store(home, partial, sha256)
        delivery, is_new = _write_receipt(home, relative, sha256, size)
        os.unlink(relative.name, dir_fd=folder)
    name = shown(relative.as_posix())
    progress(
        f"{name}: angekommen als {delivery.delivery_id}"
        if is_new
        else f"{name}: unverändert, liegt schon vor als {delivery.delivery_id}"
    )
    return delivery if is_new else None


def _lacking(home: Home, size: int) -> str | None:
    """In German, when the disk of the archive has no room for so many bytes."""
    free = shutil.disk_usage(home.archive).free
    if free - size >= limits.FREE_DISK_BYTES:
        return None
    needed = (size + limits.FREE_DISK_BYTES) / limits.GB
    return (
        f"auf dem Datenträger des Archivs sind nur {german_number(round(free / limits.GB, 1))} GB frei, nötig sind "
        f"{german_number(round(needed, 1))} GB"
    )


def _copy_aside(home: Home, reader: BinaryIO) -> tuple[Path, str, int]:
    """Copy into the archive under a temporary name, hashing on the way; (path, sha256, bytes)."""
    folder = home.archive / "blobs"
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{os.getpid()}.{time.monotonic_ns()}.tmp"
    digest, size = hashlib.sha256(), 0
    target = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(target, "wb") as writer:
            while chunk := reader.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if size > limits.MAX_FILE_BYTES:
                    # Grows faster than it is read: the disk is not to be filled by it.
                    raise OSError(errno.EFBIG, "the file grows while it is read")
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
    except OSError:
        partial.unlink()
        raise
    return partial, digest.hexdigest(), size


def _store(home: Home, partial: Path, sha256: str) -> None:
    blob = blob_path(home, sha256)
    blob.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(blob)
    _sync_folder(blob.parent)


def _hash_of_start(reader: BinaryIO) -> str:
    """SHA-256 of the first `limits.MAX_FILE_BYTES` bytes."""
    digest, left = hashlib.sha256(), limits.MAX_FILE_BYTES
    while left and (chunk := reader.read(min(CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest()


def _refuse(home: Home, relative: Path, folder: int, sha256: str, size: int, warn: Progress) -> Delivery | None:
    """Receipt without bytes; the file moves out of the drop folder, which costs no room, for the steward to delete."""
    delivery, is_new = _write_receipt(home, relative, sha256, size, archived=False)
    target = home.root / "refused" / delivery.delivery_id
    target.parent.mkdir(mode=0o700, exist_ok=True)
    said = f"zu groß ({german_number(round(size / limits.GB, 1))} GB), nicht archiviert; Prüfsumme festgehalten"
    try:
        os.rename(relative.name, target, src_dir_fd=folder)
        where = f"die Datei liegt unter refused/{delivery.delivery_id}"
    except OSError:
        # Another disk: there it stays, and is told again.
        where = "die Datei bleibt im Abgabeordner"
    warn(f"{shown(relative.as_posix())}: {said}, {where}")
    return delivery if is_new else None


def _write_receipt(home: Home, relative: Path, sha256: str, size: int, archived: bool = True) -> tuple[Delivery, bool]:
    """The receipt that stands for these bytes at this address, and whether it was written now."""
    told = address(relative)
    if told.feed is not None:
        delivery_id = f"{told.feed}-{told.deliverer}-{told.year}-{sha256[:10]}"
    else:
        name = hashlib.sha256(relative.as_posix().encode("utf-8", "surrogateescape") + sha256.encode())
        delivery_id = f"unbekannt-{name.hexdigest()[:10]}"
    again = [receipt for receipt in _at_address(home, delivery_id, told) if receipt.sha256 == sha256]
    if again and not _is_overtaken(home, again[-1], told):
        return again[-1], False
    number = f"-{len(again) + 1}" if again else ""
    delivery = Delivery(
        delivery_id=f"{delivery_id}{number}",
        feed=told.feed,
        deliverer=told.deliverer,
        year=told.year,
        file_name=shown(relative.as_posix()),
        received=_now(),
        sha256=sha256,
        size_bytes=size,
        archived=archived,
    )
    path = home.archive / "deliveries" / f"{delivery.delivery_id}.json"
    write_atomic(path, json.dumps(asdict(delivery), ensure_ascii=False, indent=2).encode("utf-8"))
    return delivery, True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _at_address(home: Home, delivery_id: str, told: Address) -> list[Delivery]:
    """Receipts of the same feed, deliverer and year (or under the same unknown name), in order of receipt."""
    pattern = f"{delivery_id}*.json" if told.feed is None else f"{told.feed}-{told.deliverer}-{told.year}-*.json"
    paths = (home.archive / "deliveries").glob(pattern)
    receipts = [Delivery(**json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    return sorted(receipts, key=lambda delivery: delivery.order)


def _is_overtaken(home: Home, delivery: Delivery, told: Address) -> bool:
    """Whether something else came after it, or it was taken back: to deliver it again then means to want it back."""
    if told.feed is None:
        return False
    from orchestration.gates.decisions import load_decisions

    latest = _at_address(home, delivery.delivery_id, told)[-1]
    return latest != delivery or delivery.delivery_id in load_decisions(home).withdrawals()


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
