"""Verdicts of the delivery gate as records: what was decided about a delivery, and whether it still holds.

A stored verdict holds as long as the code of the gate and the steward's decisions are those it was made under; else
it counts as not there, and the delivery is judged anew. How a verdict is come to is `delivery.py`'s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.finding import Finding
from orchestration.feeds.intake import Delivery, write_atomic
from orchestration.gates.decisions import Decisions, load_decisions
from orchestration.home import Home
from orchestration.source_hash import source_hash

REPORT = "rueckmeldung.html"
TABLE = "rueckmeldung.xlsx"
GATE_SOURCES = ("orchestration/feeds", "orchestration/gates", "expectations", "seeds")
BROKEN_FILE = ("file_", "encoding_")
"""Beginnings of the names of the readers' expectations about the file as such."""


@dataclass(frozen=True)
class Verdict:
    """What the gate decided about one delivery. `reason` is German and None when accepted. `drawn` is a PNG of the
    places where areas are broken; it is kept in the report only."""

    delivery_id: str
    feed: str | None
    deliverer: str | None
    year: int | None
    accepted: bool
    row_count: int
    reason: str | None
    findings: tuple[Finding, ...]
    drawn: bytes | None = field(default=None, compare=False, repr=False)

    @property
    def public_reason(self) -> str | None:
        """The reason as a release may show it: without row numbers."""
        errors = [finding for finding in self.findings if finding.is_error]
        return errors[0].public_message if errors else None

    @property
    def n_errors(self) -> int:
        return sum(finding.is_error for finding in self.findings)

    @property
    def n_warnings(self) -> int:
        return sum(finding.is_warning for finding in self.findings)

    @property
    def waivers(self) -> tuple[str, ...]:
        """Ids of the waivers that turned an error into a warning here."""
        return tuple(sorted({f.waiver_id for f in self.findings if f.waiver_id}))

    @property
    def could_be_read(self) -> bool:
        """False when the file as such is broken: damaged, cut off, empty, in another encoding."""
        return not any(f.is_error and f.expectation.startswith(BROKEN_FILE) for f in self.findings)


@lru_cache(maxsize=1)
def gate_version() -> str:
    """Changes with everything in the code that a verdict depends on."""
    return source_hash(GATE_SOURCES)


def raw_path(home: Home, delivery: Delivery) -> Path:
    return (
        home.raw / load_feeds()[str(delivery.feed)].raw_folder / str(delivery.year) / f"{delivery.delivery_id}.parquet"
    )


def verdict_exists(home: Home, delivery: Delivery) -> bool:
    """Whether a delivery is judged and what the verdict produced is there."""
    verdict = load_verdict(home, delivery.delivery_id)
    if verdict is None:
        return False
    product = raw_path(home, delivery) if verdict.accepted else home.rejected / delivery.delivery_id / REPORT
    return product.exists()


def load_verdict(home: Home, delivery_id: str, decisions: Decisions | None = None) -> Verdict | None:
    """The stored verdict; None where there is none, or where code or decisions have changed since."""
    path = _verdict_path(home, delivery_id)
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    version, basis, depends_on_others = (
        record.pop(name, None) for name in ("gate_version", "decisions", "depends_on_others")
    )
    decisions = decisions or load_decisions(home)
    now = _basis(decisions, record["feed"], record["deliverer"], record["year"], bool(depends_on_others))
    if version != gate_version() or basis != now:
        return None
    return Verdict(**{**record, "findings": tuple(Finding.from_json(f) for f in record["findings"])})


def write_verdict(home: Home, verdict: Verdict, decisions: Decisions, depends_on_others: bool) -> None:
    """`depends_on_others`: whether other deliveries (of the same bytes) had a say in it."""
    decided = {name: value for name, value in verdict.__dict__.items() if name != "drawn"}
    record = {
        **decided,
        "gate_version": gate_version(),
        "decisions": _basis(decisions, verdict.feed, verdict.deliverer, verdict.year, depends_on_others),
        "depends_on_others": depends_on_others,
        "findings": [finding.as_json() for finding in verdict.findings],
    }
    text = json.dumps(record, ensure_ascii=False, indent=1)
    write_atomic(_verdict_path(home, verdict.delivery_id), text.encode("utf-8"))


def _basis(
    decisions: Decisions, feed: str | None, deliverer: str | None, year: int | None, depends_on_others: bool
) -> list[str]:
    """Ids of the decisions that a verdict may depend on, those about the feed that it is compared with included."""
    declared = load_feeds().get(feed or "")
    basis = decisions.basis(feed, deliverer, year, depends_on_others)
    if declared is not None and declared.compare_with:
        basis += decisions.basis(declared.compare_with, None, None, True)
    return basis


def _verdict_path(home: Home, delivery_id: str) -> Path:
    return home.control / "verdicts" / f"{delivery_id}.json"
