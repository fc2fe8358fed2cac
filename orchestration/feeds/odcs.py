"""A feed's declaration as a data contract of the Open Data Contract Standard 3.2, for catalogues and other tools.

An export: the declaration stays the source (docs/decisions/0005-feeds-are-declared-in-our-own-form.md). What the
standard has no field for stands in `customProperties`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from orchestration.feeds.declaration import Column, Deliverer, Feed
from orchestration.feeds.encoding import TITLES
from orchestration.gates.contract import feed_suite
from orchestration.gates.suites import SEVERITIES

API_VERSION = "v3.2.0"
LOGICAL_TYPES = {"date": "date", "number": "number", "measure": "number"}
FREQUENCY = {"annual": 1, "biennial": 2}
Document = dict[str, Any]


def contract(feed: Feed) -> Document:
    """The data contract as nested dictionaries, ready for YAML."""
    partners = list(feed.deliverers.values())
    # Rules about areas differ from one Kommune to the next.
    rules = {repr(e): e for partner in partners for e in feed_suite(feed, partner)["expectations"]}
    sla: list[Document] = []
    if feed.cadence in FREQUENCY:
        sla = [
            {"property": "frequency", "value": FREQUENCY[feed.cadence], "unit": "y"},
            {"property": "availability", "value": f"bis {feed.due} des folgenden Jahres"},
        ]
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"ipso-{feed.name}",
        "name": feed.title,
        "version": "1.0.0",
        "status": "active",
        "description": {
            "purpose": feed.note or feed.title,
            "usage": feed.licence,
            "limitations": f"Quelle: {feed.source}",
        },
        "servers": [_server(feed, partner) for partner in partners],
        "schema": [
            {
                "name": feed.name,
                "logicalType": "object",
                "physicalType": "file",
                "businessName": feed.title,
                "dataGranularityDescription": f"{feed.grain}: {', '.join(feed.key)}",
                "properties": [_property(column, feed) for column in feed.columns],
                "quality": [_quality(expectation) for expectation in rules.values()],
            }
        ],
        "slaProperties": sla,
        "customProperties": _custom(
            confidentiality=asdict(feed.confidentiality),
            referenceDate=feed.reference_date,
            years=list(feed.years),
            dateFormats=list(feed.date_formats),
            derived=feed.derived,
        ),
    }


def _server(feed: Feed, partner: Deliverer) -> Document:
    server: Document = {
        "server": partner.slug,
        "type": "local",
        "description": partner.name,
        "path": f"landing/{partner.slug}/{feed.name}_*",
        "format": partner.format,
        "customProperties": _custom(numbers=partner.numbers),
    }
    return {**server, "encoding": TITLES[partner.encoding]} if partner.encoding else server


def _property(column: Column, feed: Feed) -> Document:
    entry: Document = {
        "name": column.name,
        "businessName": column.title,
        "logicalType": LOGICAL_TYPES.get(column.type, "string"),
        "physicalType": column.type,
        "required": column.required,
        "synonyms": [{"synonym": header, "locale": "de"} for header in column.headers],
        "classification": "personal" if column.personal else "aggregate" if feed.grain == "aggregate" else "internal",
        "customProperties": _custom(
            levels=list(column.levels), complete=list(column.complete), partOf=list(column.part_of), date=column.date,
            width=column.width, emptyMeans=column.empty, optionalColumn=column.optional,
        ),
    }  # fmt: skip
    if column.name in feed.key:
        entry |= {"primaryKey": True, "primaryKeyPosition": feed.key.index(column.name) + 1}
    if column.codes:
        entry["enum"] = [{"value": code, "label": ", ".join(spellings)} for code, spellings in column.codes.items()]
    options = {"minimum": column.smallest, "maximum": column.largest}
    if entry["logicalType"] == "number" and (given := {k: v for k, v in options.items() if v is not None}):
        entry["logicalTypeOptions"] = given
    return {key: value for key, value in entry.items() if value != []}


def _quality(expectation: Document) -> Document:
    return {
        "type": "custom",
        "engine": "great-expectations",
        "name": expectation["meta"]["name"],
        "description": expectation["meta"]["note"],
        "severity": SEVERITIES[expectation.get("severity", "critical")],
        "implementation": {"type": expectation["type"], "kwargs": expectation["kwargs"]},
    }


def _custom(**values: Any) -> list[Document]:
    """`customProperties` for what is set."""
    return [{"property": name, "value": value} for name, value in values.items() if value not in (None, [], {}, False)]
