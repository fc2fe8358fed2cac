"""The written contract says what the gate does, in German, for every feed; its ODCS form is valid by the standard."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft201909Validator

from orchestration.cli import main
from orchestration.feeds.agreement import CADENCES, COMMON, agreement, agreement_page
from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.odcs import contract
from orchestration.gates.contract import feed_suite
from orchestration.gates.suites import SEVERITIES

FEEDS = load_feeds()


class Tables(HTMLParser):
    """Cells per row of every table, and the tags that were seen."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []
        self.tags: set[str] = set()
        self.targets: list[str] = []

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.add(tag)
        self.targets += [value for name, value in attributes if name in ("href", "src") and value]
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th"):
            self.rows[-1] += 1


@pytest.mark.parametrize("name", FEEDS)
def test_the_page_names_every_deliverer_header_and_rule(name):
    feed = FEEDS[name]
    text = agreement(feed)
    for deliverer in feed.deliverers.values():
        assert deliverer.name in text
        assert f"`{deliverer.slug}/{name}_" in text
        for expectation in feed_suite(feed, deliverer)["expectations"]:
            meta = expectation["meta"]
            assert f"- {COMMON.get(meta['name'], meta['note'])}" in text
    for column in feed.columns:
        for header in column.headers:
            assert f"„{header}“" in text
    assert feed.cadence in CADENCES
    assert feed.licence in text and feed.source in text
    # No placeholder of a suite's text and no text that is missing.
    assert not re.search(r"[{}]|\bNone\b|\bnan\b", text)


def test_errors_and_warnings_stand_apart():
    feed = FEEDS["bewegungen"]
    rejected, asked = agreement(feed).split("angenommen und nachgefragt")
    for expectation in feed_suite(feed, feed.deliverers["overath"])["expectations"]:
        meta = expectation["meta"]
        note = f"- {COMMON.get(meta['name'], meta['note'])}"
        is_error = SEVERITIES[expectation["severity"]] == "error"
        assert (note in rejected) == is_error
        assert (note in asked) != is_error


@pytest.mark.parametrize("name", FEEDS)
def test_the_html_page_needs_nothing_from_elsewhere_and_its_tables_are_even(name):
    page = Tables()
    page.feed(agreement_page(FEEDS[name]))
    assert page.rows and set(page.rows) <= {2, 4, 5}
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert page.targets == []


def test_confidential_feeds_say_what_is_blanked_and_open_ones_do_not():
    assert "Werte unter 3" in agreement(FEEDS["wohngeld"])
    assert "Werte unter" not in agreement(FEEDS["wohnungen"])
    assert "in einer Titelzeile" in agreement(FEEDS["sgb12"]) and "Titelzeile" not in agreement(FEEDS["wohngeld"])
    assert "personenbezogen: erscheint in keiner Rückmeldung" in agreement(FEEDS["einwohner"])


def test_ipso_vertrag_prints_the_agreement_or_writes_one_page_per_deliverer(tmp_path: Path):
    printed = CliRunner().invoke(main, ["vertrag", "bewegungen", "--lieferant", "leichlingen"])
    assert printed.exit_code == 0
    assert "DOS (Codepage 850)" in printed.output and "Burscheid" not in printed.output
    written = CliRunner().invoke(main, ["vertrag", "bewegungen", "--nach", str(tmp_path / "neu")])
    assert written.exit_code == 0
    pages = sorted(path.name for path in (tmp_path / "neu").iterdir())
    assert pages == sorted(f"vereinbarung_bewegungen_{slug}.html" for slug in FEEDS["bewegungen"].deliverers)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["wetter"], "gibt es nicht. Es gibt: "), (["sgb2", "--lieferant", "kreis"], "Es liefern: jobcenter")],
)
def test_ipso_vertrag_says_what_there_is(arguments, said):
    result = CliRunner().invoke(main, ["vertrag", *arguments])
    assert result.exit_code == 2
    assert said in result.output


# --- Open Data Contract Standard -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standard() -> Draft201909Validator:
    """The standard's own JSON schema, as the package of its reference model ships it."""
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    return Draft201909Validator(json.loads(text))


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_is_a_valid_data_contract(standard, name):
    result = CliRunner().invoke(main, ["vertrag", name, "--odcs"])
    assert result.exit_code == 0
    document = yaml.safe_load(result.output)
    assert [error.message for error in standard.iter_errors(document)] == []
    [table] = document["schema"]
    assert [entry["name"] for entry in table["properties"]] == [column.name for column in FEEDS[name].columns]
    assert {server["server"] for server in document["servers"]} == set(FEEDS[name].deliverers)


def test_the_schema_would_find_a_mistake(standard):
    document = contract(FEEDS["sgb2"])
    document["schema"][0]["properties"][0]["headers"] = ["Stichtag"]
    assert list(standard.iter_errors(document))


def test_keys_synonyms_and_rules_are_carried():
    [table] = contract(FEEDS["wohnungen"])["schema"]
    keys = {entry["name"]: entry["primaryKeyPosition"] for entry in table["properties"] if entry.get("primaryKey")}
    assert keys == {"gebiet": 1, "stichtag": 2}
    by_name = {entry["name"]: entry for entry in table["properties"]}
    assert {"synonym": "Räume", "locale": "de"} in by_name["raeume"]["synonyms"]
    assert "rooms_add_up" in {rule["name"] for rule in table["quality"]}
