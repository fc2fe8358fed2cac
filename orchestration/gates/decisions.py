"""What the steward decides: exceptions from a rule, deliveries taken back, streets that were spelled differently.

Decisions are part of the archive, because a rebuild from it must come to the same result: one file each under
`archive/decisions/`, never changed or removed; what ends a decision is another one. Which verdicts and states follow
from them is decided elsewhere (`delivery.py`, `directory.py`).

No clock decides later: whether a waiver covers a delivery depends on the day of receipt, not on the day of judging.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestration.feeds.declaration import fold
from orchestration.feeds.finding import Finding
from orchestration.feeds.intake import Delivery, write_atomic
from orchestration.home import Home

BERLIN = ZoneInfo("Europe/Berlin")
LONGEST_WAIVER_YEARS = 2
WAIVER, WAIVER_END, WITHDRAWAL, REINSTATEMENT = "ausnahme", "ausnahme-ende", "ruecknahme", "wiedereinsetzung"
CONFIRMATION = "gebietsstand"
STREET, STREET_REJECTION = "strasse", "strasse-abgelehnt"


@dataclass(frozen=True)
class Decision:
    """One decision. `decided` is UTC (ISO); which of the other fields are set depends on `kind`.

    A waiver names `feed` and `expectation` and may name `column`, `deliverer` and `years` (empty: all); it covers
    deliveries received until the end of the day `expires` (ISO, Europe/Berlin). `ends` is the waiver that a
    WAIVER_END ends from its own moment on. `delivery_id` is what a WITHDRAWAL or REINSTATEMENT is about. A STREET says
    that in the Kommune `ags` what a register spells `spelled` is `street` in the address register; a STREET_REJECTION,
    that it is not. A CONFIRMATION agrees with what changed in the Sozialräume of the Kommune `ags` on `valid_from`
    (ISO), as that delivery has them.
    """

    decision_id: str
    kind: str
    decided: str
    by: str
    reason: str
    feed: str | None = None
    expectation: str | None = None
    column: str | None = None
    deliverer: str | None = None
    years: tuple[int, ...] = ()
    expires: str | None = None
    ends: str | None = None
    delivery_id: str | None = None
    ags: str | None = None
    spelled: str | None = None
    street: str | None = None
    valid_from: str | None = None

    def concerns(self, feed: str | None, deliverer: str | None, year: int | None) -> bool:
        """Whether this waiver is about deliveries of that address."""
        return (
            self.kind == WAIVER
            and self.feed == feed
            and self.deliverer in (None, deliverer)
            and (not self.years or year in self.years)
        )


@dataclass(frozen=True)
class Decisions:
    """Every decision of an archive, in order."""

    all: tuple[Decision, ...] = ()

    @property
    def waivers(self) -> tuple[Decision, ...]:
        return tuple(d for d in self.all if d.kind == WAIVER)

    def end_of(self, waiver: Decision) -> Decision | None:
        """The decision that ended a waiver early."""
        return next((d for d in self.all if d.kind == WAIVER_END and d.ends == waiver.decision_id), None)

    def covers(self, waiver: Decision, received: str) -> bool:
        """Whether a delivery received at that moment (ISO) still falls under the waiver."""
        moment = dt.datetime.fromisoformat(received)
        end = self.end_of(waiver)
        in_time = moment.astimezone(BERLIN).date().isoformat() <= str(waiver.expires)
        return in_time and (end is None or moment <= dt.datetime.fromisoformat(end.decided))

    def waivers_for(self, delivery: Delivery) -> tuple[Decision, ...]:
        """Waivers that a delivery may claim."""
        return tuple(
            waiver
            for waiver in self.waivers
            if waiver.concerns(delivery.feed, delivery.deliverer, delivery.year)
            and self.covers(waiver, delivery.received)
        )

    def withdrawals(self) -> dict[str, Decision]:
        """Delivery id → the withdrawal in effect."""
        latest: dict[str, Decision] = {}
        for decision in self.all:
            if decision.kind in (WITHDRAWAL, REINSTATEMENT) and decision.delivery_id:
                latest[decision.delivery_id] = decision
        return {key: decision for key, decision in latest.items() if decision.kind == WITHDRAWAL}

    def basis(self, feed: str | None, deliverer: str | None, year: int | None, depends_on_others: bool) -> list[str]:
        """Ids of the decisions that a verdict may depend on: all about the feed, if it depends on other deliveries."""
        waivers = {
            w.decision_id
            for w in self.waivers
            if w.feed == feed and (depends_on_others or w.concerns(feed, deliverer, year))
        }
        return sorted(
            d.decision_id
            for d in self.all
            if d.decision_id in waivers
            or d.ends in waivers
            or (depends_on_others and d.kind != CONFIRMATION and str(d.delivery_id).startswith(f"{feed}-"))
        )


# --- the archive ---------------------------------------------------------------------------------------------------


def load_decisions(home: Home) -> Decisions:
    """All decisions, in the order in which they were made."""
    folder = home.archive / "decisions"
    names = sorted(path.name for path in folder.glob("*.json")) if folder.is_dir() else []
    return _read(folder, tuple(names))


@lru_cache(maxsize=4)
def _read(folder: Path, names: tuple[str, ...]) -> Decisions:
    # Files are never changed: their names say all that a cache has to know.
    records = [json.loads((folder / name).read_text(encoding="utf-8")) for name in names]
    decisions = [Decision(**{**record, "years": tuple(record["years"])}) for record in records]
    return Decisions(tuple(sorted(decisions, key=lambda d: (d.decided, d.decision_id))))


def record(home: Home, decision: Decision) -> Decision:
    """Write a decision into the archive and give it back with its id."""
    content = asdict(replace(decision, decision_id=""))
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    numbered = replace(decision, decision_id=f"{decision.kind}-{digest}")
    text = json.dumps(asdict(numbered), ensure_ascii=False, indent=2)
    write_atomic(home.archive / "decisions" / f"{numbered.decision_id}.json", text.encode("utf-8"))
    return numbered


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")


def os_user() -> str:
    """Who is at the keyboard, as the operating system knows it."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


# --- waivers -------------------------------------------------------------------------------------------------------


def expiry(text: str, today: dt.date) -> dt.date:
    """`31.12.2026` → date. Raises ValueError (German) for another form, the past, or more than two years ahead."""
    try:
        day = dt.datetime.strptime(text, "%d.%m.%Y").date()
    except ValueError:
        raise ValueError(f"„{text}“ ist kein Datum der Form TT.MM.JJJJ.") from None
    last = today.replace(year=today.year + LONGEST_WAIVER_YEARS, day=min(today.day, 28))
    if day < today:
        raise ValueError(f"Der {text} ist vorbei; eine Ausnahme gilt für Lieferungen, die bis zu diesem Tag eingehen.")
    if day > last:
        raise ValueError(f"Eine Ausnahme gilt höchstens {LONGEST_WAIVER_YEARS} Jahre, also bis {german_date(last)}.")
    return day


def waive(
    findings: Iterable[Finding],
    waivers: Collection[Decision],
    waivable: Collection[str],
    headers: dict[str, str],
) -> list[Finding]:
    """Errors that a waiver covers become warnings that say so. `headers`: column → how the deliverer calls it."""
    return [_waived(finding, waivers, headers) if finding.expectation in waivable else finding for finding in findings]


def _waived(finding: Finding, waivers: Collection[Decision], headers: dict[str, str]) -> Finding:
    if not finding.is_error:
        return finding
    for waiver in waivers:
        if waiver.expectation == finding.expectation and _names_column(waiver.column, finding.column_name, headers):
            end = dt.date.fromisoformat(str(waiver.expires))
            text = f"Ausnahme bis {german_date(end)}: {waiver.reason}"
            return replace(
                finding,
                severity="warning",
                waiver=text,
                waiver_id=waiver.decision_id,
                message=f"{finding.message} {text.rstrip('.')}.",
            )
    return finding


def _names_column(wanted: str | None, header: str | None, headers: dict[str, str]) -> bool:
    """By the name in the declaration or the header in the file."""
    if wanted is None:
        return True
    return header is not None and fold(headers.get(wanted, wanted)) == fold(header)


def german_date(day: dt.date) -> str:
    return day.strftime("%d.%m.%Y")


def german_moment(iso: str) -> str:
    """`05.11.2026, 14:03 Uhr`, local time."""
    return dt.datetime.fromisoformat(iso).astimezone(BERLIN).strftime("%d.%m.%Y, %H:%M Uhr")
