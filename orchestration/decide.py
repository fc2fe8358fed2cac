"""The steward's decisions from the command line: waivers, withdrawals. Checks, records, says what follows, in German.

What a decision does to a verdict is not known here (`gates/`). Exit status: 0 recorded, 1 refused.
"""

from __future__ import annotations

import datetime as dt

import click

from orchestration.feeds.declaration import Feed, load_feeds
from orchestration.feeds.finding import counted
from orchestration.gates import decisions as made
from orchestration.gates.decisions import BERLIN, Decision, Decisions, german_date, load_decisions
from orchestration.home import Home
from orchestration.lock import AlreadyRunning, exclusive

ENDING_SOON_DAYS = 60
NEXT_RUN = "Wirksam mit dem nächsten Lauf: `ipso run`."


class Refused(Exception):
    """The decision cannot be recorded; the message says why, in German."""


def record(home: Home, decision: Decision) -> Decision:
    """Not while a run is under way: it has to see the same decisions from beginning to end."""
    try:
        with exclusive(home):
            return made.record(home, decision)
    except AlreadyRunning as running:
        raise Refused(str(running)) from running


def add_waiver(
    home: Home,
    feed: str | None,
    rule: str | None,
    until: str | None,
    reason: str | None,
    column: str | None,
    deliverer: str | None,
    years: tuple[int, ...],
    by: str | None,
) -> int:
    """Record a waiver."""
    try:
        declared = _feed(feed)
        _check_rule(declared, rule)
        _check_scope(declared, column, deliverer, years)
        day = _expiry(until)
        waiver = record(
            home,
            Decision(
                decision_id="",
                kind=made.WAIVER,
                decided=made.now(),
                by=by or made.os_user(),
                reason=checked_reason(reason),
                feed=declared.name,
                expectation=rule,
                column=column,
                deliverer=deliverer,
                years=tuple(sorted(set(years))),
                expires=day.isoformat(),
            ),
        )
    except Refused as refusal:
        return refuse(refusal)
    click.echo(f"Eingetragen als {waiver.decision_id}: {scope(waiver)}.")
    click.echo(f"Gilt für Lieferungen, die bis zum {german_date(day)} eingehen; abgewiesene werden neu geprüft.")
    click.echo(NEXT_RUN)
    return 0


def end_waiver(home: Home, decision_id: str, reason: str | None, by: str | None) -> int:
    """Record that a waiver ends now."""
    decisions = load_decisions(home)
    waiver = next((w for w in decisions.waivers if w.decision_id == decision_id), None)
    try:
        if waiver is None:
            raise Refused(f"Eine Ausnahme „{decision_id}“ gibt es nicht. Es gibt: `ipso waive --list`.")
        if decisions.end_of(waiver):
            raise Refused(f"Die Ausnahme {decision_id} ist schon beendet.")
        why, who = checked_reason(reason), by or made.os_user()
        ending = Decision("", made.WAIVER_END, made.now(), who, why, ends=decision_id)
        record(home, ending)
    except Refused as refusal:
        return refuse(refusal)
    click.echo(f"Beendet: {decision_id}. Lieferungen, die von jetzt an eingehen, fallen nicht mehr darunter.")
    click.echo("Was bisher darunter fiel, bleibt in Kraft; zurücknehmen mit `ipso withdraw`.")
    return 0


def print_waivers(home: Home) -> int:
    """Every waiver ever made, with what is left of it."""
    decisions = load_decisions(home)
    if not decisions.waivers:
        click.echo("Es ist keine Ausnahme eingetragen.")
        return 0
    for waiver in decisions.waivers:
        click.echo(f"{waiver.decision_id}  {validity(decisions, waiver)}")
        click.echo(f"    {scope(waiver)}")
        click.echo(f"    {waiver.reason} ({waiver.by}, {made.german_moment(waiver.decided)})")
    return 0


def withdraw(home: Home, delivery_id: str, reason: str | None, undo: bool, by: str | None) -> int:
    """Record that a delivery is taken back, or (undo) counts again."""
    from orchestration.gates.directory import current_states
    from orchestration.gates.states import ACCEPTED, REJECTED, WITHDRAWN

    known = {delivery.delivery_id: (delivery, state) for delivery, _, state in current_states(home)}
    try:
        if delivery_id not in known:
            raise Refused(
                f"Eine geprüfte Lieferung „{delivery_id}“ gibt es nicht. Kennungen zeigt `ipso status --verlauf`;"
                " nach einer Änderung des Programms erst `ipso run`."
            )
        delivery, state = known[delivery_id]
        if state == REJECTED:
            raise Refused("Die Lieferung ist abgewiesen und zählt nirgends; es gibt nichts zurückzunehmen.")
        if undo != (state == WITHDRAWN):
            raise Refused(f"Die Lieferung ist {'nicht' if undo else 'schon'} zurückgenommen.")
        kind = made.REINSTATEMENT if undo else made.WITHDRAWAL
        record(
            home,
            Decision("", kind, made.now(), by or made.os_user(), checked_reason(reason), delivery_id=delivery_id),
        )
    except Refused as refusal:
        return refuse(refusal)
    click.echo(f"{'Gilt wieder' if undo else 'Zurückgenommen'}: {delivery_id}.")
    address = delivery.feed, delivery.deliverer, delivery.year
    in_force = [d for d, _, now in current_states(home) if now == ACCEPTED and (d.feed, d.deliverer, d.year) == address]
    if in_force:
        click.echo(f"In Kraft ist damit {in_force[0].delivery_id} vom {made.german_moment(in_force[0].received)}.")
    else:
        click.echo("Für dieses Jahr ist damit keine Lieferung in Kraft; die Stelle im Bericht bleibt leer.")
    click.echo(NEXT_RUN)
    return 0


# --- in words --------------------------------------------------------------------------------------------------------


def scope(waiver: Decision) -> str:
    """`einwohner, key_is_unique, Spalte Ordnungsmerkmal, burscheid, 2022`."""
    parts = [
        str(waiver.feed),
        str(waiver.expectation),
        f"Spalte {waiver.column}" if waiver.column else "",
        waiver.deliverer or "alle Lieferanten",
        ", ".join(map(str, waiver.years)) or "alle Jahre",
    ]
    return ", ".join(part for part in parts if part)


def validity(decisions: Decisions, waiver: Decision, today: dt.date | None = None) -> str:
    """`bis 31.12.2026 (läuft in 20 Tagen ab)`, `abgelaufen am …`, `beendet am …`."""
    today = today or dt.datetime.now(BERLIN).date()
    last = dt.date.fromisoformat(str(waiver.expires))
    if (ending := decisions.end_of(waiver)) is not None:
        return f"beendet am {german_date(dt.datetime.fromisoformat(ending.decided).astimezone(BERLIN).date())}"
    if last < today:
        return f"abgelaufen am {german_date(last)}"
    left = (last - today).days
    soon = _ending(left) if left <= ENDING_SOON_DAYS else ""
    return f"bis {german_date(last)}{soon}"


def _ending(days: int) -> str:
    return f" (läuft in {counted(days, 'Tag', 'Tagen')} ab)" if days else " (läuft heute ab)"


def is_in_force(decisions: Decisions, waiver: Decision) -> bool:
    """Whether a delivery that comes now would fall under the waiver."""
    return decisions.covers(waiver, made.now())


# --- what may be recorded ------------------------------------------------------------------------------------------


def refuse(refusal: Refused) -> int:
    click.echo(str(refusal), err=True)
    return 1


def checked_reason(reason: str | None) -> str:
    text = " ".join((reason or "").split())
    if not text:
        raise Refused('Bitte den Grund nennen: --grund "…" (ohne Angaben zu Personen; er steht im Bericht).')
    return text


def _feed(name: str | None) -> Feed:
    feeds = load_feeds()
    if name not in feeds:
        raise Refused(f"Bitte die Art der Lieferung nennen: --feed, eine von {', '.join(feeds)}.")
    return feeds[name]


def _check_rule(feed: Feed, rule: str | None) -> None:
    from orchestration.gates.judgement import waivable_rules

    rules = waivable_rules(feed)
    if rule in rules:
        return
    listed = "\n".join(f"  {name}: {note}" for name, note in rules.items())
    what = f"Von der Regel „{rule}“ ist keine Ausnahme möglich" if rule else "Bitte die Regel nennen: --regel"
    raise Refused(
        f"{what}. Was den Aufbau der Datei betrifft (unlesbar, beschädigt, Spalte fehlt), muss berichtigt werden.\n"
        f"Ausnahmen sind möglich von:\n{listed}"
    )


def _check_scope(feed: Feed, column: str | None, deliverer: str | None, years: tuple[int, ...]) -> None:
    if deliverer is not None and deliverer not in feed.deliverers:
        raise Refused(f"„{deliverer}“ liefert {feed.name} nicht. Es liefern: {', '.join(feed.deliverers)}.")
    if strange := [year for year in years if not feed.is_agreed(year)]:
        raise Refused(f"Für {', '.join(map(str, strange))} ist keine Lieferung von {feed.name} vereinbart.")
    names = {made.fold(name) for c in feed.columns for name in (c.name, c.title, *c.headers)}
    if column is not None and made.fold(column) not in names:
        raise Refused(
            f"Eine Spalte „{column}“ hat {feed.name} nicht. Es gibt: {', '.join(c.title for c in feed.columns)}."
        )


def _expiry(until: str | None) -> dt.date:
    if until is None:
        raise Refused("Bitte den letzten Tag nennen: --bis TT.MM.JJJJ (höchstens zwei Jahre).")
    try:
        return made.expiry(until, dt.datetime.now(BERLIN).date())
    except ValueError as error:
        raise Refused(str(error)) from error
