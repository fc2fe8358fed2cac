"""Rules that a steward declares per feed: how they are read, which measure they reach, what they make secret."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from orchestration.disclosure.cells import ruled
from orchestration.disclosure.rules import SCHEMA, dominance_width, is_dominated, load_rules, rule_table
from orchestration.feeds.agreement import agreement
from orchestration.feeds.declaration import Confidentiality, Dominance, load_feed, load_feeds
from orchestration.home import REPOSITORY

FEEDS = load_feeds()


def rules_with(feed: str, **declared) -> pd.DataFrame:
    changed = replace(FEEDS[feed], confidentiality=Confidentiality(**declared))
    return load_rules(FEEDS | {feed: changed}).set_index("measure_id")


def test_three_is_the_minimum_unless_a_declaration_says_otherwise(tmp_path):
    text = (REPOSITORY / "orchestration/feeds/arbeitslose.yml").read_text(encoding="utf-8")
    without = "\n".join(line for line in text.splitlines() if not line.startswith("confidentiality"))
    (tmp_path / "arbeitslose.yml").write_text(without, encoding="utf-8")
    assert load_feed(tmp_path / "arbeitslose.yml").confidentiality == Confidentiality(minimum=3)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("{counted_by: {arbeitslose: haushalte}}", "haushalte, which is no measure"),
        ("{dominance: {arbeitslose: {percent: 200, largest: arbeitslose_u25, second: arbeitslose_u25}}}", "200"),
        ("{minimum: -1}", "minimum -1"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(tmp_path, declared, said):
    text = (REPOSITORY / "orchestration/feeds/arbeitslose.yml").read_text(encoding="utf-8")
    lines = [f"confidentiality: {declared}" if li.startswith("confidentiality") else li for li in text.splitlines()]
    (tmp_path / "arbeitslose.yml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        load_feed(tmp_path / "arbeitslose.yml")


def test_a_measure_of_two_feeds_has_the_strictest_rules():
    strict = rules_with("kinder_sgb2", minimum=5, zeros_shown=False, minimum_denominator=30)
    assert strict.loc["sgb2_under_15", ["minimum", "zeros_shown", "minimum_denominator"]].tolist() == [5, False, 30]
    assert strict.loc["sgb2_persons", ["minimum", "zeros_shown"]].tolist() == [3, True]
    assert strict.loc["dwellings", "minimum"] == 0, "no persons"


def test_persons_are_counted_by_their_bedarfsgemeinschaften():
    assert load_rules().set_index("measure_id").loc["sgb2_persons", "counted_by"] == "sgb2_households"


def test_what_is_published_is_one_row_per_measure_without_the_columns_of_contributions():
    table = rule_table(load_rules())
    assert table.schema == SCHEMA
    assert table["measure_id"].to_pylist() == sorted(set(table["measure_id"].to_pylist()))


def test_the_percent_rule_of_the_handbook():
    """100 = 50 + 30 + 20: the second knows 70 is the most; 20 is 40 % of 50. Then 7 of 50 is 14 %, 3 is 6 %."""
    total, largest, second = np.array([100.0, 87, 83, 80, 0, np.nan]), np.full(6, 50.0), np.full(6, 30.0)
    assert is_dominated(total, largest, second, np.full(6, 10.0)).tolist() == [False, False, True, True, False, False]
    assert not is_dominated(total, np.full(6, np.nan), second, np.full(6, 10.0)).any()
    assert dominance_width(np.array([50.0, 55]), np.array([10.0, 10])).tolist() == [5, 6]


def test_rules_reach_the_cells_of_their_measure():
    rules = load_rules()
    cells = pd.DataFrame(
        [
            ("sgb2_persons", 7.0, True, np.nan, np.nan, np.nan),
            ("sgb2_persons", 0.0, False, np.nan, np.nan, np.nan),
            ("cube|under_3|m|deutsch", 9.0, None, np.nan, np.nan, np.nan),
            ("dwellings", 900.0, None, 800.0, 90.0, 5.0),
        ],
        columns=["item", "value", "is_few", "largest", "second", "dominance_percent"],
    )
    found = ruled(cells, rules)
    assert found["minimum"].tolist() == [3, 3, 3, 0]
    assert found["must_blank"].tolist() == [True, False, False, True]
    assert found["width"].tolist() == [1, 1, 1, 40]


def test_the_agreement_tells_the_deliverer_every_rule():
    feed = FEEDS["sgb2"]
    rule = Dominance(percent=10, largest="personen_u3", second="personen_3_5")
    secret = Confidentiality(5, False, {"personen": "bedarfsgemeinschaften"}, 20, {"personen_u15": rule})
    text = agreement(replace(feed, confidentiality=secret))
    for said in ("unter 5, auch null,", "mindestens 5 beträgt", "auf 10 % genau", "an weniger als 20"):
        assert said in text
