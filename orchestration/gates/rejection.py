"""The German report that a steward sends back with a rejected delivery: one HTML page, nothing loaded from elsewhere.

Words, and a map where areas are broken; what is wrong was found by readers and suites, and holds no value of a personal
column.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from orchestration.feeds.declaration import Feed
from orchestration.feeds.finding import german_number
from orchestration.feeds.intake import Delivery
from orchestration.gates.decisions import german_moment
from orchestration.gates.verdicts import TABLE, Verdict

TEMPLATE = "rejection.html.j2"


def render_rejection(delivery: Delivery, verdict: Verdict, feed: Feed | None, in_force: Delivery | None) -> str:
    """The page. `in_force` is the earlier delivery that stays valid, None where there is none."""
    deliverer = feed.deliverers[delivery.deliverer].name if feed and delivery.deliverer else delivery.deliverer
    return _template().render(
        delivery=delivery,
        title=feed.title if feed else "nicht erkennbar",
        recipient=f"An: {deliverer}" if deliverer else "An: Absender der Datei",
        received=german_moment(delivery.received),
        size=german_number(delivery.size_bytes),
        in_force=_in_force(feed, in_force),
        table=TABLE,
        map=base64.b64encode(verdict.drawn).decode("ascii") if verdict.drawn else None,
        errors=[finding for finding in verdict.findings if finding.is_error],
        warnings=[finding for finding in verdict.findings if finding.is_warning],
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["german"] = german_number
    return environment.get_template(TEMPLATE)


def _in_force(feed: Feed | None, in_force: Delivery | None) -> str:
    if in_force is not None:
        return (
            f"Die Lieferung ist als Ganzes abgewiesen. In Kraft bleibt die Lieferung {in_force.delivery_id} "
            f"vom {german_moment(in_force.received)}."
        )
    if feed is None:
        return "Die Datei ist als Ganzes abgewiesen; an den bisherigen Lieferungen ändert sich nichts."
    if feed.grain == "geography":
        return "Die Lieferung ist als Ganzes abgewiesen; die Gebiete, die bisher in Kraft sind, gelten weiter."
    return (
        "Die Lieferung ist als Ganzes abgewiesen. Für dieses Jahr ist bisher keine Lieferung in Kraft; "
        "bis zu einer berichtigten Lieferung bleibt die Stelle im Bericht leer."
    )
