"""`ipso adressen`: the steward sees streets that the address register does not know, and decides, in German.

Shown are streets with the number of their addresses from three on, never persons. How a decision locates addresses is
`geography/address_match.py`'s business. Exit status: 0 done, 1 refused.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pyarrow.parquet as pq

from orchestration.decide import NEXT_RUN, Refused, record, refuse
from orchestration.feeds.declaration import kommunen
from orchestration.feeds.finding import counted, german_number
from orchestration.gates import decisions as made
from orchestration.gates.decisions import STREET, STREET_REJECTION, Decision, load_decisions
from orchestration.geography.address_decisions import latest, street_keys
from orchestration.geography.address_review import review_path
from orchestration.home import Home

FEWEST_ADDRESSES_TOLD = 3
HEADER = ("Kennung", "Kommune", "Straße im Register", "Vorschlag", "Ähnlichkeit in %", "Hausnummern dort in %",
          "Anschriften", "Entscheidung", "andere Straße")  # fmt: skip
YES, NO = ("ja", "j", "x"), ("nein", "n")


@dataclass(frozen=True)
class Street:
    """One street of a register that the address register does not know; `decision` is what was decided about it."""

    proposal_id: str
    ags: str
    strasse: str
    street: str
    addresses: int
    proposal: str | None
    likeness_percent: float | None
    numbers_known_percent: float | None
    decision: Decision | None

    @property
    def kommune(self) -> str:
        return next((name for ags, name in kommunen().values() if ags == self.ags), self.ags)

    @property
    def size(self) -> str:
        told = self.addresses >= FEWEST_ADDRESSES_TOLD
        return german_number(self.addresses) if told else f"unter {FEWEST_ADDRESSES_TOLD}"


def streets(home: Home) -> list[Street]:
    """All of the last run, those with a proposal first, the likest first. Raises Refused where there was no run."""
    path = review_path(home)
    if not path.exists():
        raise Refused("Es gibt noch keine Prüfliste; sie entsteht mit `ipso run`.")
    decided = latest(load_decisions(home))
    rows = [Street(**row, decision=decided.get((row["ags"], row["street"]))) for row in pq.read_table(path).to_pylist()]
    return sorted(rows, key=lambda s: (s.ags, s.proposal is None, -(s.likeness_percent or 0), s.street))


def open_streets(home: Home) -> int:
    """How many wait for a decision; 0 before the first run."""
    return sum(street.decision is None for street in streets(home)) if review_path(home).exists() else 0


def print_review(home: Home, kommune: str | None, everything: bool) -> int:
    """The open proposals; with `everything` also what is decided."""
    try:
        shown = _of_kommune(streets(home), kommune)
    except Refused as refusal:
        return refuse(refusal)
    waiting = [street for street in shown if street.decision is None]
    for street in waiting:
        click.echo(f"{street.proposal_id}  {street.kommune}: „{street.strasse}“ → {_proposed(street)}")
    if everything:
        _print_decided(home, kommune)
    proposed = sum(street.proposal is not None for street in waiting)
    click.echo(
        f"{counted(len(waiting), 'Straße', 'Straßen')} nicht im Adressverzeichnis, {proposed} mit Vorschlag."
        if waiting
        else "Keine offenen Straßen: jede steht im Adressverzeichnis oder ist entschieden."
    )
    if waiting:
        click.echo("  Bestätigen: `ipso adressen bestaetigen KENNUNG`, ablehnen: `ipso adressen ablehnen KENNUNG`,")
        click.echo("  als Liste zum Ausfüllen: `ipso adressen liste strassen.csv`.")
    return 0


def _proposed(street: Street) -> str:
    addresses = f"{street.size} {'Anschrift' if street.addresses == 1 else 'Anschriften'}"
    if street.addresses < FEWEST_ADDRESSES_TOLD:
        addresses = f"{street.size} Anschriften"
    if street.proposal is None:
        return f"kein Vorschlag ({addresses})"
    return (
        f"„{street.proposal}“? (Ähnlichkeit {_percent(street.likeness_percent)} %, {addresses},"
        f" davon dort als Hausnummer vorhanden {_percent(street.numbers_known_percent)} %)"
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else german_number(value)


def _print_decided(home: Home, kommune: str | None) -> None:
    for (ags, _), decision in sorted(latest(load_decisions(home)).items()):
        name = next((slug for slug, (key, _) in kommunen().items() if key == ags), ags)
        if kommune in (None, name):
            what = f"ist „{decision.street}“" if decision.kind == STREET else "abgelehnt"
            click.echo(f"{decision.decision_id}  {name}: „{decision.spelled}“ {what} ({decision.by})")


def _of_kommune(rows: list[Street], kommune: str | None) -> list[Street]:
    if kommune is None:
        return rows
    if kommune not in kommunen():
        raise Refused(f"Eine Kommune „{kommune}“ gibt es nicht. Es gibt: {', '.join(kommunen())}.")
    return [street for street in rows if street.ags == kommunen()[kommune][0]]


# --- deciding ----------------------------------------------------------------------------------------------------


def confirm(home: Home, ids: Sequence[str], other: str | None, reason: str | None, by: str | None) -> int:
    """Record that the proposed street, or `other`, is meant by each of these spellings."""
    try:
        wanted = _by_id(home, ids)
        meant = [(street, _meant(home, street, other)) for street in wanted]
        for street, name in meant:
            _decide(home, street, name, reason, by)
    except Refused as refusal:
        return refuse(refusal)
    for street, name in meant:
        click.echo(f"Bestätigt: {street.kommune}, „{street.strasse}“ ist „{name}“.")
    click.echo(NEXT_RUN)
    return 0


def reject(home: Home, ids: Sequence[str], reason: str | None, by: str | None) -> int:
    """Record that the proposed street is not meant; also ends a confirmation."""
    try:
        wanted = _by_id(home, ids)
        for street in wanted:
            _decide(home, street, None, reason, by)
    except Refused as refusal:
        return refuse(refusal)
    for street in wanted:
        click.echo(f"Abgelehnt: {street.kommune}, „{street.strasse}“ wird nicht mehr vorgeschlagen.")
    return 0


def _by_id(home: Home, ids: Sequence[str]) -> list[Street]:
    """Streets of the review list, or spellings that are decided already, by proposal id or the decision's id."""
    known = {street.proposal_id: street for street in streets(home)}
    for (ags, key), decision in latest(load_decisions(home)).items():
        known.setdefault(decision.decision_id, _decided_street(ags, key, decision))
    if strange := [wanted for wanted in ids if wanted not in known]:
        raise Refused(f"Nicht auf der Prüfliste: {', '.join(strange)}. Kennungen zeigt `ipso adressen`.")
    return [known[wanted] for wanted in dict.fromkeys(ids)]


def _decided_street(ags: str, key: str, decision: Decision) -> Street:
    return Street(decision.decision_id, ags, str(decision.spelled), key, 0, decision.street, None, None, decision)


def _meant(home: Home, street: Street, other: str | None) -> str:
    """The street as the register spells it. Raises Refused where the Kommune has none of that name."""
    if other is None and street.proposal is not None:
        return street.proposal
    if other is None:
        raise Refused(
            f"Für „{street.strasse}“ gibt es keinen Vorschlag; bitte die gemeinte Straße mit --strasse nennen."
        )
    known = register_streets(home, street.ags)
    if not known:
        raise Refused("Kein Adressverzeichnis ist in Kraft; nach einer Änderung des Programms erst `ipso run`.")
    spelled = known.get(street_keys([other])[0])
    if spelled is None:
        raise Refused(f"Eine Straße „{other}“ hat das Adressverzeichnis in {street.kommune} nicht.")
    return spelled


def register_streets(home: Home, ags: str) -> dict[str, str]:
    """Key → spelling of every street of a Kommune in the address registers in force."""
    from orchestration.gates.directory import accepted_raw
    from orchestration.sql import single_threaded

    paths = [str(path) for path in accepted_raw(home, "adressen").values()]
    if not paths:
        return {}
    with single_threaded() as connection:
        rows = connection.execute(
            "select distinct strasse from read_parquet(?) where ags = ? order by strasse", [paths, ags]
        ).fetchall()
    names = [row[0] for row in rows]
    return dict(zip(street_keys(names), names, strict=True))


def _decide(home: Home, street: Street, name: str | None, reason: str | None, by: str | None) -> None:
    record(
        home,
        Decision(
            decision_id="",
            kind=STREET if name else STREET_REJECTION,
            decided=made.now(),
            by=by or made.os_user(),
            reason=" ".join((reason or "").split()),
            ags=street.ags,
            spelled=street.strasse,
            street=name,
        ),
    )


# --- as a file -----------------------------------------------------------------------------------------------------


def write_list(home: Home, target: Path) -> int:
    """The open streets as CSV (semicolon, UTF-8 with BOM: opens in Excel), readable by its owner only."""
    try:
        waiting = [street for street in streets(home) if street.decision is None]
    except Refused as refusal:
        return refuse(refusal)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for s in waiting:
        likeness, numbers = _percent(s.likeness_percent), _percent(s.numbers_known_percent)
        cells = (s.proposal_id, s.kommune, s.strasse, s.proposal or "", likeness, numbers, s.size, "", "")
        writer.writerow([_harmless(cell) for cell in cells])
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.getvalue().encode("utf-8-sig"))
    click.echo(f"{counted(len(waiting), 'Straße', 'Straßen')} in {target}; nach dem Ausfüllen:")
    click.echo(f"  ipso adressen einlesen {target}")
    return 0


def _harmless(cell: str) -> str:
    """What a spreadsheet would take for a formula becomes text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell


def read_list(home: Home, source: Path, by: str | None) -> int:
    """Record every decision of a filled-in list, or none of them where a row cannot be understood."""
    try:
        rows = _rows(source)
        decided = [(number, row) for number, row in enumerate(rows, 2) if row["Entscheidung"].strip()]
        wanted = {street.proposal_id: street for street in _by_id(home, [row["Kennung"] for _, row in decided])}
        meant = [
            (street, _meant(home, street, row["andere Straße"].strip() or None) if _is_yes(number, row) else None)
            for number, row in decided
            for street in [wanted[row["Kennung"]]]
        ]
        for street, name in meant:
            _decide(home, street, name, None, by)
    except Refused as refusal:
        return refuse(refusal)
    confirmed = sum(name is not None for _, name in meant)
    click.echo(f"{confirmed} bestätigt, {len(meant) - confirmed} abgelehnt, {len(rows) - len(meant)} offen.")
    click.echo(NEXT_RUN)
    return 0


def _rows(source: Path) -> list[dict[str, str]]:
    try:
        text = source.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        text = source.read_bytes().decode("cp1252", errors="replace")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";", restval=""))
    if rows and (missing := [name for name in HEADER if name not in rows[0]]):
        raise Refused(f"{source}: Spalten fehlen: {', '.join(missing)}. Bitte die Kopfzeile nicht ändern.")
    return rows


def _is_yes(number: int, row: dict[str, str]) -> bool:
    answer = row["Entscheidung"].strip().lower()
    if answer not in (*YES, *NO):
        raise Refused(f"Zeile {number}: „{row['Entscheidung']}“ in der Spalte „Entscheidung“; erwartet: ja oder nein.")
    return answer in YES
