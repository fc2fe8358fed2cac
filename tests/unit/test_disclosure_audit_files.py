"""Nothing in a release is unknown to the audit: columns, copies, and what stands beside a blank."""

import sqlite3

import duckdb
import pandas as pd
import pytest
import yaml

from orchestration.disclosure.audit_beside import RULES, beside_blanks
from orchestration.disclosure.audit_files import DECLARED, ROLES, declared_columns, undeclared, unequal_copies
from orchestration.home import REPOSITORY

KREIS, AREA = "05378", "05378004-01"
FACTS = {
    "boundary": "as_counted",
    "area_id": AREA,
    "indicator_id": "sgb2",
    "year": 2020,
    "value": 2.5,
    "value_status": "ok",
    "vs_kreis": None,
    "conversion_error": None,
    "conversion_method": None,
    "trend": "nicht_berechenbar",
}


def test_every_column_of_every_mart_is_declared():
    """The same rule as in the release gate, without a release: whoever adds a column sees it here first."""
    marts = {}
    for file in sorted((REPOSITORY / "models" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", []):
            marts[model["name"]] = {column["name"] for column in model["columns"]}
    known = declared_columns()
    unknown = {table: columns - known.get(table, {}).keys() for table, columns in marts.items()}
    assert not any(unknown.values()), f"each needs its place in orchestration/disclosure/audit_columns.yml: {unknown}"


def test_a_column_has_one_role():
    content = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))
    for table, roles in content.items():
        assert set(roles) <= set(ROLES)
        named = [column for columns in roles.values() for column in columns]
        assert len(named) == len(set(named)), table


def release(folder, **tables):
    """A release with its three copies."""
    for kind in ("parquet", "csv"):
        (folder / kind).mkdir(parents=True)
    with duckdb.connect(str(folder / "ipso.duckdb")) as connection:
        for name, table in tables.items():
            connection.register("given", table)
            connection.execute(f"create table {name} as select * from given")
            connection.unregister("given")
            connection.execute(f"copy {name} to '{folder}/parquet/{name}.parquet'")
            connection.execute(
                f"copy (select * replace (replace(value::varchar, '.', ',') as value) from {name})"
                f" to '{folder}/csv/{name}.csv' (header, delimiter ';')"
            )
    return folder


@pytest.fixture
def small_release(tmp_path):
    table = pd.DataFrame([FACTS, {**FACTS, "area_id": KREIS, "value": None, "value_status": "suppressed"}])
    return release(tmp_path / "r", fct_indicator=table.astype({"vs_kreis": "string", "conversion_method": "string"}))


def test_copies_that_say_the_same_are_equal(small_release):
    assert unequal_copies(small_release) == []
    assert undeclared(small_release) == []


def test_a_csv_that_shows_another_number_is_found(small_release):
    csv = small_release / "csv" / "fct_indicator.csv"
    csv.write_text(csv.read_text(encoding="utf-8").replace(";;suppressed", ";2,0;suppressed"), encoding="utf-8")
    assert unequal_copies(small_release) == ["csv/fct_indicator.csv"]


def test_a_csv_with_one_column_more_is_found(small_release):
    csv = small_release / "csv" / "fct_indicator.csv"
    lines = csv.read_text(encoding="utf-8").splitlines()
    csv.write_text("\n".join([lines[0] + ";roh", *(line + ";2" for line in lines[1:])]) + "\n", encoding="utf-8")
    assert unequal_copies(small_release) == ["csv/fct_indicator.csv"]


@pytest.mark.parametrize("change", ["update fct_indicator set value = 2 where value is null", "create table t (a int)"])
def test_a_database_that_holds_more_is_found(small_release, change):
    with duckdb.connect(str(small_release / "ipso.duckdb")) as connection:
        connection.execute(change)
    assert len(unequal_copies(small_release)) == 1


@pytest.mark.parametrize(("value", "found"), [(2.5, []), (2.0, ["areas.gpkg/sozialraeume_werte: sgb2"])])
def test_a_map_that_shows_another_number_is_found(small_release, value, found):
    pd.DataFrame({"indicator_id": ["sgb2"]}).to_parquet(small_release / "parquet" / "dim_indicator.parquet")
    columns = {"fid": [1], "area_id": [AREA], "sgb2": [value], "sgb2_status": ["ok"], "sgb2_year": [2020]}
    with sqlite3.connect(small_release / "areas.gpkg") as database:
        pd.DataFrame({"table_name": ["sozialraeume_werte", "roh"]}).to_sql("gpkg_contents", database, index=False)
        pd.DataFrame(columns).to_sql("sozialraeume_werte", database, index=False)
        pd.DataFrame({"n": [2]}).to_sql("roh", database, index=False)
    assert [name for name in unequal_copies(small_release) if name.startswith("areas.gpkg")] == found
    assert undeclared(small_release) == ["areas.gpkg/roh.n"]


def test_a_new_column_and_a_new_file_are_named(small_release):
    duckdb.sql("select 2 as zahl, 'x' as area_id").write_parquet(str(small_release / "parquet" / "dim_area.parquet"))
    (small_release / "notizen.txt").write_text("2", encoding="utf-8")
    assert undeclared(small_release) == ["dim_area.zahl", "notizen.txt"]


def facts(*changes):
    table = pd.DataFrame([FACTS | change for change in changes])
    return table.astype({"vs_kreis": "string", "conversion_method": "string", "conversion_error": float})


HIDDEN = {"value": None, "value_status": "suppressed"}
DIM_AREA = pd.DataFrame({"area_id": [KREIS, AREA], "level": ["kreis", "kommune"]})
LINEAGE = {"area_id": [AREA], "year": [2020], "measure_id": ["population"], "delivery_id": ["d"]}
DELIVERY = {"delivery_id": ["d"], "feed": ["f"], "row_count": [15000], "state": ["accepted"]}
BROKEN = {
    "Trend über ein Jahr mit geheimer Zahl": {
        "fct_indicator": facts(
            *({"indicator_id": "every other year", "year": year} for year in (2014, 2016, 2018)),
            {"indicator_id": "every other year", "year": 2012, "trend": "nicht_berechenbar"} | HIDDEN,
            {"indicator_id": "every other year", "year": 2020, "trend": "steigend"},
            {"indicator_id": "every other year", "year": 2022, "trend": "steigend"},
            {"year": 2016} | HIDDEN,
            *({"year": year} for year in (2017, 2018, 2019)),
            {"year": 2020, "trend": "steigend"},
            {"year": 2021, "trend": "fallend"},
        )
    },
    "Vergleich mit dem Kreis an einer geheimen Zahl": {
        "fct_indicator": facts({"area_id": KREIS} | HIDDEN, {"vs_kreis": "aehnlich"})
    },
    "Rang, Ziel oder Vergleich mit der Kommune an einer geheimen Zahl": {
        "fct_indicator": facts(HIDDEN, {"year": 2021}).assign(
            value_rank=[3, 1], **{n: pd.array([None, "Z1"], "string") for n in ("vs_kommune", "vs_goal", "goal_id")}
        )
    },
    "Wanderungssaldo, wo Geburten oder Sterbefälle geheim sind": {
        "dim_indicator": pd.DataFrame({"indicator_id": ["sgb2"], "kind": ["balance"]}),
        "fct_indicator": facts({}, HIDDEN | {"year": 2021}),
    },
    "Umrechnung an einer geheimen Zahl": {"fct_indicator": facts(HIDDEN | {"conversion_error": 1.2})},
    "Erreichbarkeit, wo die Einwohnerzahl geheim ist": {
        "fct_access": pd.DataFrame(
            {"area_id": [AREA], "year": [2020], **{f"share_{r}m_percent": [41.0] for r in (500, 1000, 2000)}}
        )
    },
    "Ausgangswert eines Ziels, der geheim ist": {
        "fct_indicator": facts(HIDDEN),
        "fct_goal": pd.DataFrame(
            {"area_id": [AREA], "indicator_id": ["sgb2"], "baseline_year": [2020], "baseline_value": [2.0]}
        ),
    },
    "Befund zu einem Gebiet mit geheimer Zahl": {
        "meta_finding": pd.DataFrame(
            {"feed": ["f"], "year": [2021], "area_id": [None], "passed": [False], "gate": ["delivery"]}
        ).assign(area_id=lambda t: t["area_id"].astype("string"), message=f"Sprung (gefunden: {KREIS}, {AREA})"),
        "meta_lineage": pd.DataFrame(LINEAGE),
        "meta_delivery": pd.DataFrame(DELIVERY),
    },
    "Zeilenzahl eines Melderegisters, dessen Summe geheim ist": {
        "meta_lineage": pd.DataFrame(LINEAGE),
        "meta_delivery": pd.DataFrame(DELIVERY),
    },
}


@pytest.mark.parametrize("title", RULES)
def test_what_rests_on_a_blank_is_found_beside_it_and_only_there(tmp_path, title):
    (tmp_path / "parquet").mkdir()
    for name, table in ({"fct_indicator": facts({}), "dim_area": DIM_AREA} | BROKEN[title]).items():
        table.to_parquet(tmp_path / "parquet" / f"{name}.parquet")
    blank = pd.DataFrame({"area": AREA, "year": 2020, "item": ["population", "births"], "is_blank": True})
    assert beside_blanks(tmp_path, blank)[title] == (2 if title.startswith("Trend") else 1)
    shown = facts(*({"year": year} for year in (2016, 2020)))
    shown.to_parquet(tmp_path / "parquet" / "fct_indicator.parquet")
    assert not any(beside_blanks(tmp_path, blank.assign(is_blank=False)).values())
