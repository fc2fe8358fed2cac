"""Rules that a steward declares per feed: how they are read, which measure they reach, what they make secret."""

from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest

from orchestration.disclosure.atoms import SEEDS
from orchestration.disclosure.cells import MEASURES, ruled
from orchestration.disclosure.rules import SCHEMA, dominance_width, is_dominated, load_rules, rule_table, rules_of
from orchestration.feeds.agreement import agreement
from orchestration.feeds.declaration import Confidentiality, Dominance, load_feed, load_feeds
from orchestration.home import REPOSITORY

FEEDS = load_feeds()
MEASURE_SEED, DELIVERED_SEED = (pd.read_csv(SEEDS / f"{name}.csv") for name in ("measures", "delivered_measures"))


def rules_with(feed: str, **declared) -> pd.DataFrame:
    changed = replace(FEEDS[feed], confidentiality=Confidentiality(**declared))
    return rules_of(FEEDS | {feed: changed}, MEASURE_SEED, DELIVERED_SEED).set_index("measure_id")


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


def test_persons_of_few_households_and_dominated_amounts_are_found_in_the_warehouse():
    """A feed that delivers an amount with its two largest contributions, in thousands; a measure in no indicator."""
    rule = Dominance(percent=10, largest="groesster", second="zweiter")
    column = replace(FEEDS["sgb2"].column("personen"), name="betrag")
    others = [replace(column, name=name) for name in (rule.largest, rule.second)]
    secret = replace(FEEDS["sgb2"].confidentiality, dominance={"betrag": rule})
    feed = replace(FEEDS["sgb2"], columns=(*FEEDS["sgb2"].columns, column, *others), confidentiality=secret)
    amount = {"measure_id": "paid_eur", "unit": "eur", "counts_persons": False, "feed": "sgb2"}
    way = {"feed": "sgb2", "merkmal": "betrag", "measure_id": "paid_eur", "factor": 1000}
    rules = rules_of(
        FEEDS | {"sgb2": feed},
        pd.concat([MEASURE_SEED, pd.DataFrame([amount])], ignore_index=True),
        pd.concat([DELIVERED_SEED, pd.DataFrame([way])], ignore_index=True),
    )
    rows = [("sgb2_persons", 7.0), ("sgb2_households", 2.0), ("sgb2_under_15", 4.0), ("paid_eur", 90_000.0)]
    told = [("sgb2", rule.largest, 70.0), ("sgb2", rule.second, 16.0)]
    with duckdb.connect() as connection:
        connection.execute("create schema intermediate; create schema seeds")
        connection.register("rules", rules)
        place = "'as_counted' as boundary, 'as_counted' as cell_boundary, 'A' as area_id, 'K' as parent_area_id"
        connection.execute(
            f"create table intermediate.int_measure as select {place}, 'sozialraum' as level, 2020 as year,"
            f" measure_id, value, 'ok' as value_status from (values {str(rows)[1:-1]}) as t (measure_id, value)"
        )
        connection.execute(
            "create table intermediate.int_delivered_value as select feed, merkmal, 'A' as area_id, 2020 as year, value"
            f" from (values {str(told)[1:-1]}) as t (feed, merkmal, value)"
        )
        connection.execute(
            "create table seeds.projection_measures as select null::varchar as measure_id where false;"
            "create table seeds.composed_measures as select null::varchar as measure_id, null::varchar as part_measure"
            " where false;"
            "create table seeds.indicators as from (values ('sgb2_persons', null), ('paid_eur', 'sgb2_persons'))"
            " as t (numerator_measure, denominator_measure)"
        )
        cells = connection.execute(MEASURES).df()
    found = ruled(cells, rules).set_index("item")
    assert found["must_blank"].to_dict() == {
        "sgb2_persons": True, "sgb2_households": False, "sgb2_under_15": False, "paid_eur": True,
    }  # fmt: skip
    assert found.loc["paid_eur", ["minimum", "width"]].tolist() == [0, 7000]
    assert cells.set_index("item")["is_shown"].to_dict() == {
        "sgb2_persons": True, "sgb2_households": False, "sgb2_under_15": False, "paid_eur": True,
    }  # fmt: skip


def test_the_agreement_tells_the_deliverer_every_rule():
    feed = FEEDS["sgb2"]
    rule = Dominance(percent=10, largest="personen_u3", second="personen_3_5")
    secret = Confidentiality(5, False, {"personen": "bedarfsgemeinschaften"}, 20, {"personen_u15": rule})
    text = agreement(replace(feed, confidentiality=secret))
    for said in ("unter 5, auch null,", "mindestens 5 beträgt", "auf 10 % genau", "an weniger als 20"):
        assert said in text
